"""KMTronic USB boards (FTDI at 9600 baud), after the vendor's page "KMTronic USB Relay Test software".

``FF relay 01`` closes, ``FF relay 00`` opens (relays from 1); neither is answered. Boards of one and two relays are
read one by one, ``FF relay 03`` answered by ``FF relay state``; those of four and eight at once, ``FF 09 00``
answered by a byte a relay, 00 or 01.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

START, READ_ONE, READ_ALL = 0xFF, 0x03, bytes([0xFF, 0x09, 0x00])


class KmtronicProtocol(BoardProtocol):
    """1, 2, 4 or 8 relays."""

    title = "KMTronic"
    sizes = (1, 2, 4, 8)
    baud = 9600
    spacing_s = 0.005
    acknowledges = False

    def switch(self, relay: int, closed: bool) -> Command:
        """Not answered."""
        return Command(bytes([START, relay + 1, closed]))

    def queries(self) -> Sequence[bytes]:
        """One for all, or one a relay."""
        if self.channels > 2:
            return [READ_ALL]
        return [bytes([START, relay + 1, READ_ONE]) for relay in range(self.channels)]

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """A byte a relay; nothing but 00 and 01 is a state."""
        head = self.report(query, ())[:-1] if self.channels <= 2 else b""
        if not head.startswith(answer[: len(head)]) or any(byte > 1 for byte in answer[len(head) :]):
            raise WrongAnswer("not 00 or 01 a relay: is channels right?")
        length = len(head) + (self.channels if self.channels > 2 else 1)
        if len(answer) > length:
            raise WrongAnswer(f"more than {length} bytes: is channels right?")
        return tuple(byte == 1 for byte in answer[len(head) :]) if len(answer) == length else None

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """All of it."""
        if self.channels > 2:
            return bytes(relay in closed for relay in range(self.channels))
        return bytes([START, query + 1, query in closed])


class KmtronicBoard(SpokenBoard):
    """One board."""

    protocol_class = KmtronicProtocol
