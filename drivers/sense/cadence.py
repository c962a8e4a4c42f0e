"""What a blinking input says: steady, off, or one of the cadences that somebody named. Pure functions of edges."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Edge = tuple[bool, float]
"""(active, time in seconds), oldest first."""

LAMPS: dict[str, tuple[float, float]] = {
    "flash": (0.5, 0.5),
    "slow flash": (1.0, 1.0),
    "fast flash": (0.25, 0.25),
    "wink": (0.45, 0.05),
    "slow wink": (0.2, 1.8),
    "flutter": (0.05, 0.05),
}
"""Seconds lit and dark: "flash" (60 a minute, a call rings) and "wink" (120 a minute, a call is held) as key systems of
the 1A2 kind have them; the others are common. A vendor's own stand in a station file as seconds, ``0.3/0.7``."""
TOLERANCE = 0.25
"""Of each of the two times, and at least 20 ms."""
LEAST_S = 0.02


class Cadence(NamedTuple):
    """``name`` is "on", "off", one of the profile's, or "unknown" with the medians of the times seen."""

    name: str
    on_s: float = 0.0
    off_s: float = 0.0

    def __str__(self) -> str:
        if self.name != "unknown":
            return self.name
        return f"an unknown cadence ({1000 * self.on_s:.0f} ms on, {1000 * self.off_s:.0f} ms off)"


def classify(
    edges: Sequence[Edge], level: bool, from_s: float, to_s: float, profile: Mapping[str, tuple[float, float]] = LAMPS
) -> Cadence:
    """What an input did from ``from_s`` to ``to_s``; ``level`` is the one at the end.

    The last four whole times count, so that a cadence is known two periods after it began; three edges are the least.
    One or two edges in the window are a change, and what counts is the level since.
    """
    inside = [edge for edge in edges if from_s <= edge[1] <= to_s]
    if len(inside) < 3:
        return Cadence("on" if level else "off")
    spans = [(one[0], other[1] - one[1]) for one, other in itertools.pairwise(inside)][-4:]
    on = [span_s for lit, span_s in spans if lit]
    off = [span_s for lit, span_s in spans if not lit]
    if to_s - inside[-1][1] > 2 * max((*on, *off)):  # it has stopped blinking since
        return Cadence("on" if level else "off")
    on_s, off_s = statistics.median(on or [0.0]), statistics.median(off or [0.0])
    for name, (wanted_on_s, wanted_off_s) in profile.items():
        if _near(on, wanted_on_s) and _near(off, wanted_off_s):
            return Cadence(name, on_s, off_s)
    return Cadence("unknown", on_s, off_s)


def _near(spans_s: Sequence[float], wanted_s: float) -> bool:
    limit_s = max(TOLERANCE * wanted_s, LEAST_S)
    return bool(spans_s) and all(abs(span_s - wanted_s) <= limit_s for span_s in spans_s)
