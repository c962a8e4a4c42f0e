"""Every relay board there is, with its simulated far end on one simulated clock."""

from __future__ import annotations

from typing import Any

from offhook.drivers import registry
from offhook.drivers.links import PipeLink
from offhook.fixtures.relayboards import board_for
from offhook.fixtures.simclock import SimClock

PORT = "/dev/serial/by-id/a-board"
BOARDS: dict[str, dict[str, Any]] = {
    "numato": {"driver": "numato", "channels": 16},
    "waveshare": {"driver": "modbus", "channels": 8},
    "waveshare-30": {"driver": "modbus", "channels": 30, "unit": 7},
    "generic": {"driver": "modbus", "channels": 8, "model": "generic"},
    "r4d8a08": {"driver": "modbus", "channels": 8, "model": "r4d8a08"},
    "devantech-2": {"driver": "devantech", "channels": 2},
    "devantech-8": {"driver": "devantech", "channels": 8},
    "lcus-1": {"driver": "lcus", "channels": 1},
    "lcus-4": {"driver": "lcus", "channels": 4},
    "lcus-8": {"driver": "lcus", "channels": 8},
    "kmtronic-2": {"driver": "kmtronic", "channels": 2},
    "kmtronic-8": {"driver": "kmtronic", "channels": 8},
    "denkovi": {"driver": "denkovi", "channels": 16},
    "hid-8": {"driver": "hid", "channels": 8},
}
SPOKEN = [name for name in BOARDS if name != "numato"]


class OneWire:
    """Wires with one link, whatever its address; ``baud`` is what the driver asked for."""

    def __init__(self, clock: SimClock, link: PipeLink) -> None:
        self.clock = clock
        self.baud = 0
        self._link = link

    def link(self, address: str, baud: int = 9600) -> PipeLink:
        self.baud = baud
        return self._link


class BoardRoom:
    """A board by its name in ``BOARDS``, not connected; ``moves`` has every contact that moved, and when."""

    def __init__(self, name: str, **options: Any) -> None:
        table = {**BOARDS[name], "link": PORT, **options}
        self.clock = SimClock()
        self.near, self.far = PipeLink.pair(self.clock, PORT)
        self.moves: list[tuple[int, bool, float]] = []
        self.end = board_for(
            self.clock, "keys", table, lambda relay, closed: self.moves.append((relay, closed, self.clock.now_s()))
        )
        self.end.connect(self.far)
        self.wires = OneWire(self.clock, self.near)
        self.board = registry.find(f"relay.{table['driver']}").open("keys", table, self.wires)  # type: ignore[arg-type]

    def contacts(self) -> set[int]:
        """Those that are closed."""
        state = {relay: closed for relay, closed, _ in self.moves}
        return {relay for relay, closed in state.items() if closed}
