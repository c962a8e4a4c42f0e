"""Did a figure move between two runs? Only beyond what both runs did not know, and only where the samples say so.

With five samples or more on each side: medians further apart than their joint uncertainty, and a rank test
(Mann and Whitney 1947, two-sided, ties corrected) whose p stays below 5 % after Holm's correction (1979) for the number
of figures compared. With fewer: further apart than the joint uncertainty, shown and not counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offhook.bench.record.schema import Judgement
from offhook.bench.record.verdicts import combine
from offhook.reports.quantity import unit_of

FEWEST = 5
"""Samples on each side that a test needs to say anything at 5 %."""
ALPHA = 0.05
_KINDS = ("interval", "figure", "reading")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Samples:
    """The figures of one run for one requirement, title and unit; ``u`` is the largest of their uncertainties."""

    figures: tuple[float, ...]
    u: float
    limit_low: float | None
    limit_high: float | None

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.figures)

    def percentile(self, share: float) -> float:
        """A percentile of the figures."""
        return float(np.percentile(self.figures, share))


@dataclass(frozen=True, slots=True)
class Shift:
    """One figure in both runs. ``p`` is None where there are too few samples for a test."""

    req: str
    title: str
    unit: str
    before: Samples
    after: Samples
    joint_u: float
    p: float | None = None
    moved: bool = False

    @property
    def by(self) -> float:
        """Median after, less the median before."""
        return self.after.percentile(50) - self.before.percentile(50)

    @property
    def worse(self) -> bool | None:
        """True if it went towards the limit it has, None if that cannot be said."""
        towards_high = self.after.limit_high is not None
        towards_low = self.after.limit_low is not None and self.after.limit_low > 0
        if towards_high == towards_low or not self.by:
            return None
        return (self.by > 0) == towards_high

    @property
    def tested(self) -> bool:
        """True if there were samples enough for a test."""
        return self.p is not None


def samples_of(judgements: Iterable[Judgement]) -> dict[Key, Samples]:
    """The figures of a run by requirement, title and unit."""
    groups: dict[Key, list[Judgement]] = defaultdict(list)
    for item in judgements:
        if item.kind in _KINDS and item.figure is not None and np.isfinite(item.figure):
            groups[item.req, item.title, unit_of(item)].append(item)
    return {
        key: Samples(
            figures=tuple(float(item.figure) for item in items if item.figure is not None),
            u=max(item.u or 0.0 for item in items),
            limit_low=items[0].limit_low,
            limit_high=items[0].limit_high,
        )
        for key, items in groups.items()
    }


def shifts(before: dict[Key, Samples], after: dict[Key, Samples]) -> list[Shift]:
    """Every figure that both runs have, with whether it moved."""
    found = []
    for key in before.keys() & after.keys():
        a, b = before[key], after[key]
        found.append(Shift(*key, a, b, combine(a.u, b.u), _rank_test(a.figures, b.figures)))
    found.sort(key=lambda one: (one.req, one.title, one.unit))
    significant = _holm({number: one.p for number, one in enumerate(found) if one.p is not None})
    return [
        replace(one, moved=abs(one.by) > one.joint_u and (one.p is None or number in significant))
        for number, one in enumerate(found)
    ]


def _rank_test(a: Sequence[float], b: Sequence[float]) -> float | None:
    if min(len(a), len(b)) < FEWEST:
        return None
    if len(set(a) | set(b)) == 1:
        return 1.0
    from scipy.stats import mannwhitneyu  # slow to import, and only a comparison needs it

    return float(mannwhitneyu(a, b, alternative="two-sided").pvalue)


def _holm(p: dict[int, float]) -> set[int]:
    """The keys whose p is significant when all of them are asked at once."""
    kept: set[int] = set()
    ranked = sorted(p, key=lambda key: p[key])
    for rank, key in enumerate(ranked):
        if p[key] > ALPHA / (len(ranked) - rank):
            break
        kept.add(key)
    return kept
