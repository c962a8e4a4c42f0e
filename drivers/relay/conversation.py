"""Messages and answers on a link, one at a time, every way it can go wrong told apart and in words.

Whatever did not go as the protocol says leaves the line in doubt: the next message waits until the line has been silent
for a moment, so that a late answer is never taken for another's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import Link

T = TypeVar("T")
HINT = "check the cable, the board's power, and that it is this model"
QUIET_S = 0.05
"""A line that was silent for so long has nothing more to say."""
SHOWN = 24
"""Bytes of an answer that an error message shows."""


class WrongAnswer(Exception):
    """Raised by a protocol that reads something it does not allow; its text says what, in words."""


class Spent(NamedTuple):
    """When a message left, and when its answer was complete (or, without one, when its last byte was out)."""

    sent_s: float
    acked_s: float


class Conversation:
    """Owns a link. ``spacing_s`` is what the far end needs between the end of one message and the next."""

    def __init__(self, resource: str, clock: Clock, link: Link, baud: int, spacing_s: float, timeout_s: float) -> None:
        self.resource = resource
        self.address = link.address
        self._clock = clock
        self._link = link
        self._baud = baud
        self._spacing_s = spacing_s
        self._timeout_s = timeout_s
        self._heard = bytearray()
        self._heard_s = clock.now_s()
        self._free_s = 0.0
        self._in_doubt = True
        self._lost = ""
        link.attach(self._take, self._lose)

    def tell(self, message: bytes, operation: str) -> Spent:
        """Send what nobody answers; returns when its last byte is out. Raises DeviceGone."""
        sent_s = self._send(message, operation)
        self._in_doubt = False
        out_s = sent_s + len(message) * 10 / self._baud
        self._free_s = out_s + self._spacing_s
        self._clock.wait_until(out_s)
        return Spent(sent_s, out_s)

    def ask(self, message: bytes, read: Callable[[bytes], T | None], operation: str) -> tuple[T, Spent]:
        """Send, and wait until ``read`` makes something of all that came; None means that more is to come.

        Raises DeviceRefused (``read`` raised WrongAnswer), DeviceTimeout (silence, or half an answer) or DeviceGone.
        """
        sent_s = self._send(message, operation)
        try:
            found = self._clock.wait_for(lambda: bool(self._lost) or self._found(read), self._timeout_s)
        except WrongAnswer as error:
            detail = f"it answered {_shown(self._heard)}"
            meaning = f", {error}" if str(error) else ""
            raise DeviceRefused(self.resource, operation, f"{detail}{meaning} ({self.address})", HINT) from None
        if self._lost:
            raise DeviceGone(self.resource, operation, f"{self._lost} ({self.address})", HINT)
        if not found or found is True:
            came = f"only {_shown(self._heard)} came" if self._heard else "no answer"
            detail = f"{came} within {self._timeout_s:g} s ({self.address})"
            raise DeviceTimeout(self.resource, operation, detail, HINT)
        self._in_doubt = False
        self._free_s = self._heard_s + self._spacing_s
        return found[0], Spent(sent_s, self._heard_s)

    def close(self) -> None:
        """Let go of the link."""
        self._lost = self._lost or "closed by the bench"
        self._link.close()

    def _found(self, read: Callable[[bytes], T | None]) -> list[T]:
        value = read(bytes(self._heard)) if self._heard else None
        return [] if value is None else [value]

    def _send(self, message: bytes, operation: str) -> float:
        if self._lost:
            raise DeviceGone(self.resource, operation, f"{self._lost} ({self.address})", HINT)
        if self._in_doubt:
            self._wait_for_silence()
        self._clock.wait_until(self._free_s)
        self._heard.clear()
        self._in_doubt = True
        sent_s = self._clock.now_s()
        try:
            self._link.send(message)
        except DeviceGone as error:
            raise DeviceGone(self.resource, operation, f"{error.detail} ({self.address})", HINT) from error
        return sent_s

    def _wait_for_silence(self) -> None:
        since_s = self._clock.now_s()
        while not self._lost and self._clock.now_s() < since_s + self._timeout_s:
            left_s = max(since_s, self._heard_s) + QUIET_S - self._clock.now_s()
            if left_s <= 0:
                return
            self._clock.sleep(max(left_s, 0.001))

    def _take(self, data: bytes) -> None:
        self._heard += data
        self._heard_s = self._clock.now_s()

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or reason


def _shown(data: bytes | bytearray) -> str:
    text = data[:SHOWN].hex(" ").upper()
    return f"{text} ... ({len(data)} bytes)" if len(data) > SHOWN else text
