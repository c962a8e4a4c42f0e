"""HID relay boards 16C0:05DF ("USBRelay1" to "USBRelay8", dcttech and many others), by their feature report.

Eight bytes are written: ``FF n`` closes relay n (from 1), ``FD n`` opens it, ``FC`` opens all. Eight bytes are read:
the board's own five letters, two unused, the relays in the last, bit 0 for relay 1. All such boards have one USB serial
number; their letters tell them apart (``link = "hid://16c0:05df/LETTERS"``). Sources: public notes on the protocol.

The link carries the host's requests (drivers/hidraw.py): ``09`` and a report is SET_REPORT, ``01`` is GET_REPORT.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

SET_REPORT, GET_REPORT = b"\x09", b"\x01"
ON, OFF, ALL_OFF = 0xFF, 0xFD, 0xFC
LENGTH = 8


class HidProtocol(BoardProtocol):
    """1, 2, 4 or 8 relays."""

    title = "HID relay board"
    sizes = (1, 2, 4, 8)
    baud = 115200
    acknowledges = False
    report_length = LENGTH

    def switch(self, relay: int, closed: bool) -> Command:
        """Not answered."""
        return _order(ON if closed else OFF, relay + 1)

    def set_all(self, closed: Collection[int]) -> Sequence[Command]:
        """All off is one command; a relay that stays closed must not open for a moment, so then one by one."""
        return super().set_all(closed) if closed else [_order(ALL_OFF, 0)]

    def queries(self) -> Sequence[bytes]:
        """One."""
        return [GET_REPORT]

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """The last byte."""
        if len(answer) < LENGTH:
            return None
        if len(answer) > LENGTH or not re.fullmatch(rb"[ -~]{5}", answer[:5]) or answer[7] >> self.channels:
            raise WrongAnswer(f"not five letters and {self.channels} relays")
        return tuple(bool(answer[7] >> relay & 1) for relay in range(self.channels))

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """Its last byte; the letters are the board's."""
        return bytes([sum(1 << relay for relay in closed)])

    def identify(self) -> bytes:
        """The same report."""
        return GET_REPORT

    def identity(self, answer: bytes) -> str | None:
        """The letters."""
        return None if self.states(0, answer) is None else f" {answer[:5].decode()}"


def _order(order: int, relay: int) -> Command:
    return Command(SET_REPORT + bytes([order, relay]) + bytes(LENGTH - 2))


class HidBoard(SpokenBoard):
    """One board."""

    protocol_class = HidProtocol
