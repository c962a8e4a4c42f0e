"""One time axis for a call: linear where something happens, with breaks where nothing does for long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BREAK_PX = 26.0
IDLE_S = 5.0
PAD_S = 0.35
_TICKS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of time drawn to scale, from ``x`` on."""

    from_s: float
    to_s: float
    x: float


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Maps seconds of the common clock to pixels."""

    stretches: tuple[Stretch, ...]
    px_per_s: float

    def x(self, time_s: float) -> float:
        """Pixel of a time; one inside a break falls on its near edge."""
        last = self.stretches[0].x
        for stretch in self.stretches:
            if time_s < stretch.from_s:
                return last
            last = stretch.x + (min(time_s, stretch.to_s) - stretch.from_s) * self.px_per_s
            if time_s <= stretch.to_s:
                break
        return last

    def breaks(self) -> list[tuple[float, float]]:
        """Middle pixel and left-out seconds of each break."""
        pairs = zip(self.stretches, self.stretches[1:], strict=False)
        return [(right.x - BREAK_PX / 2, right.from_s - left.to_s) for left, right in pairs]

    def ticks(self, least_px: float = 56.0) -> list[tuple[float, float]]:
        """Round times and their pixels, at least so far apart."""
        step_s = next((step for step in _TICKS_S if step * self.px_per_s >= least_px), 120.0)
        found: list[tuple[float, float]] = []
        for stretch in self.stretches:
            number = int(stretch.from_s / step_s) + 1
            while number * step_s < stretch.to_s:
                x = self.x(number * step_s)
                if not found or x - found[-1][1] >= least_px * 0.8:
                    found.append((number * step_s, x))
                number += 1
        return found


def fit(busy: Iterable[tuple[float, float]], x0: float, x1: float) -> TimeAxis:
    """An axis from pixel ``x0`` to ``x1`` that shows the busy spans and breaks idle times longer than ``IDLE_S``."""
    spans: list[list[float]] = []
    for start_s, end_s in sorted(busy):
        if spans and start_s - spans[-1][1] <= IDLE_S:
            spans[-1][1] = max(spans[-1][1], end_s)
        else:
            spans.append([start_s, end_s])
    if not spans:
        spans = [[0.0, 1.0]]
    padded = [(start_s - PAD_S, end_s + PAD_S) for start_s, end_s in spans]
    room_px = max(60.0, x1 - x0 - BREAK_PX * (len(padded) - 1))
    px_per_s = room_px / sum(end_s - start_s for start_s, end_s in padded)
    stretches, x = [], x0
    for start_s, end_s in padded:
        stretches.append(Stretch(start_s, end_s, x))
        x += (end_s - start_s) * px_per_s + BREAK_PX
    return TimeAxis(tuple(stretches), px_per_s)
