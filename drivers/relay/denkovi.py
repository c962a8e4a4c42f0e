"""Denkovi's board of 16 relays (FT232R at 9600 baud), after the manual of its version 3.

Commands end with ``//`` and are echoed: ``01+//`` closes relay 1, ``01-//`` opens it, ``off//`` opens all, ``x``, two
bytes and ``//`` set all. ``ask//`` is answered by two bytes. In both the most significant bit of the first byte is
relay 1. The manual asks for 5 ms between commands; boards are known to garble what comes within 20 ms, so it is 50.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

END = b"//"
ASK = b"ask//"


class DenkoviProtocol(BoardProtocol):
    """16 relays."""

    title = "Denkovi"
    sizes = (16,)
    baud = 9600
    spacing_s = 0.05

    def switch(self, relay: int, closed: bool) -> Command:
        """Echoed."""
        return _echoed(b"%02d%c" % (relay + 1, b"+" if closed else b"-"))

    def set_all(self, closed: Collection[int]) -> Sequence[Command]:
        """One command."""
        return [_echoed(b"x" + self.report(0, closed))] if closed else [_echoed(b"off")]

    def queries(self) -> Sequence[bytes]:
        """One."""
        return [ASK]

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """Two bytes; there is nothing in them to check."""
        if len(answer) < 2:
            return None
        if len(answer) > 2:
            raise WrongAnswer("more than two bytes")
        bits = int.from_bytes(answer, "big")
        return tuple(bool(bits >> 15 - relay & 1) for relay in range(16))

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """Those two bytes."""
        return sum(1 << 15 - relay for relay in closed).to_bytes(2, "big")


def _echoed(order: bytes) -> Command:
    return Command(order + END, order + END)


class DenkoviBoard(SpokenBoard):
    """One board."""

    protocol_class = DenkoviProtocol
