"""What every flow is made of: named steps with cause, effect and time, each judged from recorded evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from offhook.bench.devices import Station
from offhook.bench.record import Elapsed, combine
from offhook.bench.watch import Seen


class StepFailed(Exception):
    """A step's effect never came. ``wire`` is the wire between its cause and its effect."""

    def __init__(self, step: str, expected: str, heard: str, wire: str, hint: str = "") -> None:
        self.step, self.expected, self.heard, self.wire, self.hint = step, expected, heard, wire, hint
        text = f"{step}: expected {expected}; heard {heard}; wire: {wire}"
        super().__init__(f"{text}\n  try: {hint}" if hint else text)


@dataclass
class Script:
    """One run of a flow: its steps so far, each with the sighting of its effect."""

    station: Station
    flow: str
    steps: dict[str, Seen] = field(default_factory=dict)

    def mark(self, name: str, title: str, effect: Seen, cause: Seen | None = None) -> Seen:
        """Record a step that was seen to happen."""
        self.steps[name] = effect
        self.station.record.step(
            self.flow, name, title, effect.time_s, effect.u_s, cause.id if cause else None, effect.id
        )
        return effect

    def elapsed(self, first: str, last: str) -> Elapsed:
        """Seconds between two steps, as ``measure`` takes them. Raises KeyError naming a step that never happened."""
        start, stop = self.steps[first], self.steps[last]
        return Elapsed(stop.time_s - start.time_s, start.id, stop.id, combine(start.u_s, stop.u_s))

    def judge(self, req: str, title: str, kind: str, unit: str = "", **spec: Any) -> None:
        """Add a judgement to the run record."""
        self.station.record.judge(req, title, kind, unit=unit, **spec)

    def interval(
        self, req: str, title: str, first: Seen, last: Seen, at_most: float, at_least: float | None = None
    ) -> None:
        """Judge the time between two sightings, in seconds."""
        spec = {"from": first.id, "to": last.id, "at_most": at_most}
        if at_least is not None:
            spec["at_least"] = at_least
        self.station.record.judge(req, title, "interval", unit="s", **spec)

    def equal(self, req: str, title: str, seen: Seen, key: str, expected: str | int | bool | None) -> None:
        """Judge one field of a sighting."""
        self.station.record.judge(req, title, "equal", observation=seen.id, key=key, expected=expected)

    def count(self, req: str, title: str, kind: str, from_s: float, to_s: float, **spec: Any) -> None:
        """Judge how often something was seen; ``at_least`` and ``at_most`` in ``spec``."""
        self.station.record.judge(req, title, "count", observed=kind, from_s=from_s, to_s=to_s, **spec)
