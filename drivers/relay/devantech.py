"""Devantech USB-RLY boards (CDC ACM), after the sheets of the USB-RLY02, -08C, -16 and -16L.

A command is a byte: ``65`` to ``6C`` close relays 1 to 8, ``6F`` to ``76`` open them, ``5C`` and a byte set all of
them, bit 0 for relay 1. None is answered. ``5B`` reads the same byte back, ``5A`` the module's number and version.
The 16L has latching relays: it keeps its state when the power goes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

GET_VERSION, GET_STATES, SET_STATES, FIRST_ON, FIRST_OFF = 0x5A, 0x5B, 0x5C, 0x65, 0x6F
MODULES = {
    8: ("USB-RLY08", 8),
    9: ("USB-RLY16", 8),
    10: ("USB-RLY02", 2),
    15: ("USB-RLY16L, latching: it keeps its state without power", 8),
}


class DevantechProtocol(BoardProtocol):
    """Two or eight relays."""

    title = "Devantech"
    sizes = (2, 8)
    baud = 19200
    acknowledges = False

    def switch(self, relay: int, closed: bool) -> Command:
        """Not answered."""
        return Command(bytes([(FIRST_ON if closed else FIRST_OFF) + relay]))

    def set_all(self, closed: Collection[int]) -> Sequence[Command]:
        """One command."""
        return [Command(bytes([SET_STATES, _bits(closed)]))]

    def queries(self) -> Sequence[bytes]:
        """One."""
        return [bytes([GET_STATES])]

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """A byte, bit 0 for relay 1; a bit of a relay that the board has not is no answer of this board."""
        if len(answer) != 1 or answer[0] >> self.channels:
            raise WrongAnswer(f"not one byte for {self.channels} relays")
        return tuple(bool(answer[0] >> relay & 1) for relay in range(self.channels))

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """That byte."""
        return bytes([_bits(closed)])

    def identify(self) -> bytes:
        """The module's number and its version."""
        return bytes([GET_VERSION])

    def identity(self, answer: bytes) -> str | None:
        """Raises WrongAnswer for a module of another size, too."""
        if len(answer) < 2:
            return None
        if len(answer) > 2 or answer[0] not in MODULES:
            raise WrongAnswer("not the number and version of a USB-RLY module")
        model, relays = MODULES[answer[0]]
        if relays != self.channels:
            raise WrongAnswer(f"a {model} with {relays} relays: is channels right?")
        return f" {model}, version {answer[1]}"


def _bits(closed: Collection[int]) -> int:
    return sum(1 << relay for relay in closed)


class DevantechBoard(SpokenBoard):
    """One board."""

    protocol_class = DevantechProtocol
