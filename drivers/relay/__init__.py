"""Relay boards: contacts that open and close, and say so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol, runtime_checkable

OnSwitch = Callable[[int, bool, float, float], None]
"""(relay, closed, time the command left, time it was acknowledged), on the common clock, in seconds."""


class RelayBoard(Protocol):
    """Relays are numbered from 0."""

    @property
    def channels(self) -> int:
        """How many relays the station file says it has."""

    def connect(self) -> str:
        """Check that the board answers, open every relay, return its identity. Raises DeviceError."""

    def set(self, relay: int, closed: bool) -> None:
        """Switch one relay and wait for the board's acknowledgement.

        Raises DeviceTimeout, DeviceRefused or DeviceGone, naming board and relay.
        """

    def read_all(self) -> tuple[bool, ...]:
        """What the board reports, one value a relay."""

    def open_all(self) -> None:
        """The safe state: every relay open, in as few commands as the board allows."""

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""

    def close(self) -> None:
        """Let go of the wire (after :meth:`open_all`)."""


class SafeAction(NamedTuple):
    """What makes a board safe without its driver: bytes for its address, and how the answer ends if it obeyed."""

    address: str
    sent: bytes
    expected: bytes


@runtime_checkable
class Guardable(Protocol):
    """A board that its guardian can make safe after the bench has died. Optional, and every driver should have it."""

    def safe_action(self, closed: Collection[int] = ()) -> SafeAction:
        """Every relay open but those in ``closed``, read back, whatever was left in the board's line buffer."""
