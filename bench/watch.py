"""What was seen on every wire, in one list on the common clock; each sighting is an observation of the run record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from offhook.drivers.clock import Clock

Value = str | int | float | bool | None


class Recorder(Protocol):
    """The part of the run record that takes observations."""

    def observe(self, probe: str, wire: str, kind: str, subject: str, time_s: float, u_s: float, **data: Any) -> int:
        """Store one observation; returns its id."""


@dataclass(frozen=True)
class Seen:
    """One observation: when (with its uncertainty), by which probe, on which wire, about whom."""

    id: int
    time_s: float
    u_s: float
    probe: str
    wire: str
    kind: str
    subject: str
    data: dict[str, Any]


class Watch:
    """Takes sightings from all drivers and lets a flow wait for one."""

    def __init__(self, clock: Clock, recorder: Recorder) -> None:
        self.clock = clock
        self._recorder = recorder
        self._seen: dict[str, list[Seen]] = defaultdict(list)  # by kind: waiting flows ask after every event
        self._beside: list[Watch] = []

    def note(self, probe: str, wire: str, kind: str, subject: str, time_s: float, u_s: float, **data: Any) -> Seen:
        """Record a sighting."""
        key = self._recorder.observe(probe, wire, kind, subject, time_s, u_s, **data)
        seen = Seen(key, time_s, u_s, probe, wire, kind, subject, data)
        self._seen[kind].append(seen)
        for other in self._beside:
            other._seen[kind].append(seen)
        return seen

    def beside(self, recorder: Recorder, keep: Collection[str] = ()) -> Watch:
        """Another watch that sees what this one sees, and notes for itself; ``keep`` as in :meth:`forget`."""
        other = Watch(self.clock, recorder)
        for kind in keep:
            other._seen[kind] = list(self._seen.get(kind, ()))
        self._beside.append(other)
        return other

    def leave(self, other: Watch) -> None:
        """Tell that watch nothing more."""
        self._beside.remove(other)

    def forget(self, keep: Collection[str] = ()) -> None:
        """Start a new attempt: what was seen before stays in the record and is not found again.

        Of the kinds in ``keep`` the newest sighting of each subject stays (a sensor's present level).
        """
        for kind, found in self._seen.items():
            levels = {seen.subject: seen for seen in found} if kind in keep else {}
            self._seen[kind] = list(levels.values())

    def all(self, kind: str, since_s: float = 0.0, subject: str | None = None, **where: Value) -> Iterator[Seen]:
        """Every sighting of a kind, oldest first; ``where`` compares data fields."""
        for seen in self._seen.get(kind, ()):
            if seen.time_s >= since_s and subject in (None, seen.subject):
                if all(seen.data.get(key) == value for key, value in where.items()):
                    yield seen

    def first(self, kind: str, since_s: float = 0.0, subject: str | None = None, **where: Value) -> Seen | None:
        """The earliest such sighting."""
        return min(self.all(kind, since_s, subject, **where), key=lambda seen: seen.time_s, default=None)

    def expect(
        self, kind: str, within_s: float, since_s: float = 0.0, subject: str | None = None, **where: Value
    ) -> Seen | None:
        """Wait for such a sighting; None when the limit passed."""
        return self.clock.wait_for(lambda: self.first(kind, since_s, subject, **where), within_s)
