"""What makes a thing on a real wire safe without its driver: raw bytes that the guardian sends once the bench is gone.

A relay board's driver hands it out (:class:`offhook.drivers.relay.Guardable`), and so does a signal generator's
(:class:`offhook.drivers.visa.GuardableOutput`).
"""

from __future__ import annotations

from typing import NamedTuple


class SafeStep(NamedTuple):
    """One message: what is sent, how the answer ends if it obeyed (b"" for no answer), what comes after."""

    sent: bytes
    expected: bytes = b""
    pause_s: float = 0.0
    """The least time until the next message."""


class SafeAction(NamedTuple):
    """Bytes for an address, and how the answer ends if they were obeyed."""

    address: str
    """A serial port, ``tcp://HOST:PORT``, ``hid://...``, or ``hislip://HOST:PORT/SUBADDRESS``."""
    sent: bytes
    expected: bytes
    """b"" for what cannot be read: then it is sent its bytes, and nobody knows what became of them."""
    before: tuple[SafeStep, ...] = ()
    """Sent first, one after the other."""
    baud: int | None = None
    """Of its serial line; None for what the station file says."""
    length: int = 0
    """An answer has at least so many bytes."""
    locked: bool = True
    """False where the bench's own hold on a serial port cannot be seen, as VISA takes no lock on one."""
