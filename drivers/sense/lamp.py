"""A lamp of a telephone, seen by light sensors: its colour and its cadence.

Each sensor is an input that is active while it sees light of its colour: photodiodes behind colour filters, or a colour
sensor with a comparator a colour. Two that are lit together are a colour of their own (red and green are amber).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceRefused
from offhook.drivers.nearest import instead_of
from offhook.drivers.sense import SenseInputs
from offhook.drivers.sense.cadence import LAMPS, Cadence, Edge, classify

MIXED = {frozenset({"red", "green"}): "amber", frozenset({"red", "green", "blue"}): "white"}
WINDOW_S = 4.5
"""Long enough for two periods of the slowest cadence."""
LOOK_S = 0.05
MEMORY = 400


class LampState(NamedTuple):
    """What a lamp shows. ``colour`` is "" for one that is dark, ``since_s`` the last time that changed the answer."""

    colour: str
    cadence: Cadence
    since_s: float

    def __str__(self) -> str:
        return f"{self.colour} {self.cadence}" if self.colour else "dark"


class Lamp:
    """One lamp; ``pins`` are its sensors by colour."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        inputs: SenseInputs,
        pins: Mapping[str, int],
        cadences: Mapping[str, tuple[float, float]] = LAMPS,
    ) -> None:
        """``inputs`` must be connected. Raises ConfigError for a lamp without sensors, or a pin that is no input."""
        self._name = f"lamp of {name}"
        if not pins:
            raise ConfigError(self._name, "watch", "no sensor is named", 'lamp = { red = "arduino/11" }')
        self._clock = clock
        self._inputs = inputs
        self._pins = dict(pins)
        self._cadences = dict(cadences)
        self._edges: dict[str, deque[Edge]] = {colour: deque(maxlen=MEMORY) for colour in pins}
        for colour, pin in pins.items():
            inputs.subscribe(pin, partial(self._edge, colour))

    @property
    def cadences(self) -> Mapping[str, tuple[float, float]]:
        """Those it knows by name: seconds lit and dark."""
        return self._cadences

    def seen(self, window_s: float = WINDOW_S) -> LampState:
        """What it showed in the last seconds. Raises DeviceGone when the sensors' board has left."""
        now_s = self._clock.now_s()
        shown: dict[str, Cadence] = {}
        since_s = 0.0
        for colour, pin in self._pins.items():
            edges = self._edges[colour]
            cadence = classify(edges, self._inputs.active(pin), now_s - window_s, now_s, self._cadences)
            if cadence.name != "off":
                shown[colour] = cadence
            since_s = max(since_s, edges[-1][1] if edges else 0.0)
        if not shown:
            return LampState("", Cadence("off"), since_s)
        colour = MIXED.get(frozenset(shown), " and ".join(sorted(shown)))
        cadences = list(shown.values())
        one = cadences[0] if len({each.name for each in cadences}) == 1 else Cadence("unknown", *cadences[0][1:])
        return LampState(colour, one, since_s)

    def expect(self, colour: str, cadence: str = "on", within_s: float = 5.0) -> LampState:
        """Wait until it shows that; ``colour`` "" is dark. Raises DeviceRefused, saying what it shows instead."""
        known = ["on", "off", *self._cadences]
        if cadence not in known:
            raise ConfigError(self._name, f"expect {cadence!r}", "no such cadence", instead_of(cadence, known))
        if colour and colour not in self._pins and colour not in MIXED.values():
            detail = f"no sensor sees that colour (there are {', '.join(self._pins)})"
            raise ConfigError(self._name, f"expect {colour}", detail, "another sensor, or another colour")
        wanted = f"{colour} {cadence}" if colour else "dark"

        def shows() -> LampState | None:
            now = self.seen()
            return now if now.colour == colour and (not colour or now.cadence.name == cadence) else None

        deadline_s = self._clock.now_s() + within_s
        while (found := shows()) is None and self._clock.now_s() < deadline_s:
            self._clock.sleep(LOOK_S)  # a cadence is known by time alone
        if found is None:
            now = self.seen()
            detail = f"it shows {now}, after {within_s:g} s"
            raise DeviceRefused(self._name, f"show {wanted}", detail, "is the right lamp behind the sensor?")
        return found

    def _edge(self, colour: str, active: bool, time_s: float) -> None:
        self._edges[colour].append((active, time_s))
