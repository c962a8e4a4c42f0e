"""A relay wired to a sensor of the bench's own: how long it takes to operate and to release, and how it bounces.

The relay's command is placed in the middle between its sending and its acknowledgement, the sensor's edge where its
board reports it: the figures hold the serial latency of both, which stands between cause and effect in a run too.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING

from offhook.bench.station_model import ref
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceRefused
from offhook.drivers.relay import RelayBoard
from offhook.drivers.sense import SenseInputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.bench.station_model import ContactModel

CYCLES = 12
EDGE_S = 0.5
SETTLE_S = 0.08
"""A contact that still bounces after this is broken."""


@dataclass(frozen=True)
class ContactFigures:
    """Milliseconds. ``u_ms``: uncertainty (k=2) of one switching; ``serial_ms``: from a command to its answer."""

    operate_ms: float
    release_ms: float
    u_ms: float
    bounces: int
    serial_ms: float


class ContactMeter:
    """Measures contacts between open boards."""

    def __init__(self, clock: Clock, relays: Mapping[str, RelayBoard], senses: Mapping[str, SenseInputs]) -> None:
        self._clock = clock
        self._relays = relays
        self._senses = senses

    def measure(self, name: str, model: ContactModel) -> ContactFigures:
        """Close and open it twelve times. Raises DeviceRefused if the sensor does not follow."""
        contact, sense = ref(model.contact), ref(model.sense)
        board = self._relays[contact.board]
        edges: list[tuple[bool, float]] = []
        told: list[tuple[float, float]] = []
        self._senses[sense.board].subscribe(sense.number, lambda active, time_s: edges.append((active, time_s)))
        board.on_switch(lambda relay, closed, sent_s, acked_s: told.append((sent_s, acked_s)))
        delays_ms: dict[bool, list[float]] = {True: [], False: []}
        most = 0
        for _ in range(CYCLES):
            for closed in (True, False):
                edges.clear()
                told.clear()
                board.set(contact.number, closed)
                if not self._clock.wait_for(lambda: bool(edges), EDGE_S):
                    detail = f"{model.contact} is {'closed' if closed else 'open'}, {model.sense} sees nothing"
                    raise DeviceRefused(f"contact.{name}", "measure", detail, "is the one wired to the other?")
                self._clock.sleep(SETTLE_S)
                delays_ms[closed].append(1000 * (edges[-1][1] - sum(told[-1]) / 2))
                most = max(most, len(edges) - 1)
        serial_ms = 1000 * (told[-1][1] - told[-1][0])
        u_ms = 2 * max(stdev(delays) for delays in delays_ms.values())
        return ContactFigures(mean(delays_ms[True]), mean(delays_ms[False]), u_ms, most, serial_ms)
