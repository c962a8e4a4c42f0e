"""The decision rule: PASS only when figure and uncertainty together stay within the limit."""

from __future__ import annotations

import math
from collections.abc import Iterable

from offhook.bench.record.schema import Verdict

_ORDER = (Verdict.PASS, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.FAIL)


def combine(*u: float) -> float:
    """Uncertainty of a sum or difference of independent values: the root of the sum of squares."""
    return math.hypot(*u)


def within(figure: float, u: float, at_least: float | None, at_most: float | None) -> Verdict:
    """PASS when ``figure -/+ u`` lies within the limits, FAIL when outside by more than ``u``, else INCONCLUSIVE.

    A figure that is not a number is INCONCLUSIVE. Without any limit there is nothing to judge: ValueError.
    """
    if at_least is None and at_most is None:
        raise ValueError("a figure needs at_least or at_most")
    if math.isnan(figure) or math.isnan(u):
        return Verdict.INCONCLUSIVE
    verdicts = []
    if at_most is not None:
        verdicts.append(_below(figure, u, at_most))
    if at_least is not None:
        verdicts.append(_below(-figure, u, -at_least))
    return worst(verdicts)


def _below(figure: float, u: float, limit: float) -> Verdict:
    if figure + u <= limit:
        return Verdict.PASS
    return Verdict.FAIL if figure - u > limit else Verdict.INCONCLUSIVE


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """FAIL over INCONCLUSIVE over NOT_RUN over PASS; NOT_APPLICABLE only when nothing else is there (or nothing is)."""
    judged = [verdict for verdict in verdicts if verdict is not Verdict.NOT_APPLICABLE]
    return max(judged, key=_ORDER.index, default=Verdict.NOT_APPLICABLE)
