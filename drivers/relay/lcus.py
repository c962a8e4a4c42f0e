"""LCUS boards (LC Technology, CH340 at 9600 baud), after the sellers' sheets.

``A0 relay 01`` and the low byte of their sum closes a relay (from 1), ``A0 relay 00 sum`` opens it; neither is
answered. Boards of 2, 4 and 8 relays answer ``FF`` with ``CH1: ON``, CR LF and so on. The LCUS-1 answers nothing, and
so do some clones of the others (``read_back = false``): they do as they are told, or not, and only the phone can
tell. Some firmware loses commands that follow within 100 ms of one another (``spacing_ms``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

START, QUERY = 0xA0, b"\xff"


class LcusProtocol(BoardProtocol):
    """1, 2, 4 or 8 relays."""

    title = "LCUS"
    sizes = (1, 2, 4, 8)
    baud = 9600
    spacing_s = 0.02
    acknowledges = False

    def __init__(self, channels: int, read_back: bool | None = None) -> None:
        """``read_back`` is true for all but the LCUS-1, unless the station file says otherwise."""
        super().__init__(channels)
        if channels == 1 and read_back:
            raise ValueError("read_back = true, and an LCUS-1 cannot be read")
        self.reads_back = channels > 1 if read_back is None else read_back

    def switch(self, relay: int, closed: bool) -> Command:
        """Not answered."""
        body = bytes([START, relay + 1, closed])
        return Command(body + bytes([sum(body) & 0xFF]))

    def queries(self) -> Sequence[bytes]:
        """One, if it can be read."""
        return [QUERY] if self.reads_back else []

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """A line for each relay."""
        states: list[bool] = []
        rest = answer
        for number in range(1, self.channels + 1):
            lines = {b"CH%d: ON\r\n" % number: True, b"CH%d: OFF\r\n" % number: False}
            line = next((each for each in lines if rest.startswith(each)), b"")
            if not line and any(each.startswith(rest) for each in lines):
                return None
            if not line:
                raise WrongAnswer(f"not CH{number}: ON or OFF")
            states.append(lines[line])
            rest = rest[len(line) :]
        if rest:
            raise WrongAnswer(f"more than {self.channels} relays: is channels right?")
        return tuple(states)

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """All lines."""
        states = ("ON" if relay in closed else "OFF" for relay in range(self.channels))
        return "".join(f"CH{number}: {state}\r\n" for number, state in enumerate(states, 1)).encode()


class LcusBoard(SpokenBoard):
    """One board."""

    protocol_class = LcusProtocol

    @classmethod
    def protocol_for(cls, options: Mapping[str, Any]) -> LcusProtocol:
        """``read_back``, optional."""
        return LcusProtocol(int(options.get("channels", 1)), options.get("read_back"))
