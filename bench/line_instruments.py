"""Instruments at the lines of phones: every reading is an observation, and judgements are made from those alone.

An observation of kind ``reading`` has what was read (``quantity``), ``value``, ``unit``, ``range`` (None for what has
none), ``u`` (expanded uncertainty, k=2) and the ``instrument`` that said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from offhook.bench.devices import Station
from offhook.bench.phone import Phone
from offhook.bench.station_wires import Instrument as Section
from offhook.bench.watch import Seen
from offhook.drivers.visa import Reading

Driver = Literal["dmm", "scope", "generator"]
READINGS = 5
WHAT = {"dmm": "meter", "scope": "oscilloscope", "generator": "signal generator"}


class LineInstrument:
    """One instrument at the line of one phone. ``driver`` is what speaks to it."""

    def __init__(self, station: Station, name: str, section: Section, phone: Phone) -> None:
        self.name = name
        self.section = section
        self.phone = phone
        self.driver: Any = station.rig.instruments[name]
        self._station = station
        self._clock = station.clock
        self._identity = ""

    def identify(self) -> None:
        """Ask who it is, now. Raises DeviceRefused if it is no longer the one of the station file."""
        self._identity = self.driver.check_identity()
        now_s = self._clock.now_s()
        self._station.watch.note("I", self.name, "identity", self.name, now_s, 0.0, identity=self._identity)

    def read(self, quantity: str, ask: Callable[[], Reading], count: int = READINGS, unit: str = "") -> list[int]:
        """Read so often; the ids of the observations. ``unit`` "mA" is for what is read in A."""
        return [self.note(quantity, *self._timed(ask), unit).id for _ in range(count)]

    def read_while(
        self, quantity: str, ask: Callable[[], Reading], goes_on: Callable[[float, float], bool]
    ) -> list[Seen]:
        """Read once; nothing, if what was to be read did not go on from the question to the answer."""
        start_s = self._clock.now_s()
        reading, between_s, u_s = self._timed(ask)
        return [self.note(quantity, reading, between_s, u_s)] if goes_on(start_s, self._clock.now_s()) else []

    def note(self, quantity: str, reading: Reading, time_s: float, u_s: float, unit: str = "") -> Seen:
        """Put a reading on record."""
        scale = 1000.0 if (reading.unit, unit) == ("A", "mA") else 1.0
        figures = {"value": scale * reading.value, "unit": unit or reading.unit, "u": scale * reading.u}
        about = {"quantity": quantity, "range": scale * reading.range or None, "instrument": self._identity}
        watch, subject = self._station.watch, self.phone.name
        return watch.note("I", self.name, "reading", subject, time_s, u_s, **figures, **about)

    def judge(
        self,
        req: str,
        title: str,
        readings: Sequence[int],
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        hint: str = "",
        size: bool = False,
    ) -> None:
        """Judge the mean of readings by limits; without any reading it is INCONCLUSIVE."""
        spec: dict[str, Any] = {"of": list(readings), "at_least": at_least, "at_most": at_most, "hint": hint}
        title = f"{self.phone.name}: {title}"
        self._station.record.judge(req, title, "reading", unit=unit, **spec, **({"size": True} if size else {}))

    def _timed(self, ask: Callable[[], Reading]) -> tuple[Reading, float, float]:
        """A reading, and when it was: between question and answer, with that uncertainty."""
        start_s = self._clock.now_s()
        reading = ask()
        half_s = (self._clock.now_s() - start_s) / 2
        return reading, start_s + half_s, half_s


def at_lines(station: Station, driver: Driver, *reqs: str) -> Iterator[LineInstrument]:
    """Every instrument of a kind at a phone's line, identified anew; NOT_RUN where it cannot be used here and now.

    Where there is none at any line the requirements are NOT_APPLICABLE.
    """
    found = {name: one for name, one in station.model.instrument.items() if one.driver == driver and one.line}
    if not found:
        for req in reqs:
            station.not_applicable(req, f"no {WHAT[driver]} of this station is at the line of a phone")
    for name, section in found.items():
        left_out = station.rig.left_out.get(f"instrument.{name}")
        aside = station.quarantined.get(str(section.line))
        if left_out is not None or aside is not None:
            for req in reqs:
                station.not_run(req, str(left_out or f"{section.line} is in quarantine: {aside}"))
            continue
        instrument = LineInstrument(station, name, section, station.phone(str(section.line)))
        instrument.identify()
        yield instrument
