"""From an observation to the place in the run folder that holds it: a line of a log, a second of a recording, a row."""

from __future__ import annotations

import bisect
import json

from offhook.bench.record.schema import CTI_LOG, DATABASE, RELAY_LOG, Observation
from offhook.reports.folder import Run
from offhook.reports.sound import where

NEAR_S = 0.05
"""A log line this near to an observation is taken for its source."""


def place_of(run: Run, item: Observation) -> tuple[str, float | None]:
    """A file, with ``:line`` for a log, and the offset in seconds for a recording."""
    heard = where(run, item.wire, item.time_s)
    if heard is not None:
        return heard
    for name, probe in ((CTI_LOG, "C"), (RELAY_LOG, "R")):
        line = _nearest(run, name, item.time_s) if item.probe == probe else None
        if line is not None:
            return f"{name}:{line}", None
    return f"{DATABASE}:observation {item.id}", None


def _nearest(run: Run, name: str, time_s: float) -> int | None:
    times = run.times.get(name)
    if times is None:
        times = run.times[name] = _times(name, run.evidence.lines(name))
    at = bisect.bisect_left(times, (time_s, 0))
    close = [(abs(stamp - time_s), line) for stamp, line in times[max(0, at - 1) : at + 1]]
    return min(close)[1] if close and min(close)[0] <= NEAR_S else None


def _times(name: str, lines: list[str]) -> list[tuple[float, int]]:
    """Time and number of every line that has a time; a spoilt line has none."""
    found = []
    for number, line in enumerate(lines, 1):
        try:
            stamp = json.loads(line)["time_s"] if name == CTI_LOG else line.split(",", 1)[0]
            found.append((float(stamp), number))
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found)
