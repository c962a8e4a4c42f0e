"""What a run claims over its attempts: rates, digit errors and percentiles, with n, bound, and the n it needs."""

from __future__ import annotations

import re
from typing import Any

from offhook.bench.record.judge import OVER_ATTEMPTS
from offhook.bench.record.schema import Judgement
from offhook.reports.folder import Run
from offhook.reports.quantity import figure_of, limits, number

_NEEDS = re.compile(r"; n = \d+, needs (\d+)")


def rate_rows(run: Run) -> list[dict[str, Any]]:
    """A row per claim, in the order they were made."""
    return [_row(item) for item in run.result if item.kind in OVER_ATTEMPTS]


def _row(item: Judgement) -> dict[str, Any]:
    needs = _NEEDS.search(item.reason)
    return {
        "verdict": item.verdict,
        "req": item.req,
        "title": item.title,
        "figure": figure_of(item),
        "bound": _bound(item),
        "limit": limits(item) or "–",
        "n": "–" if item.n is None else str(item.n),
        "needs": needs.group(1) if needs else "–",
        "reason": _NEEDS.sub("", item.reason),
    }


def _bound(item: Judgement) -> str:
    """The side of the exact bound that the claim is about (one-sided, 95 %)."""
    if item.figure is None or item.u is None or item.kind == "percentile":
        return "–"
    if item.kind == "rate":
        return f"≥ {number(100 * (item.figure - item.u))} %"
    return f"≤ {number(100 * (item.figure + item.u))} %"
