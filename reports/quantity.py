"""Figures, limits and uncertainties as text, with the same rounding everywhere."""

from __future__ import annotations

import math

from offhook.bench.record.schema import Judgement, Verdict

_IN_SECONDS = ("interval", "tone", "voice", "percentile")
_SHARES = ("rate", "digit_errors")
"""Kinds whose figure and limits are parts of one."""


def number(value: float) -> str:
    """Three significant digits or better, no exponent for ordinary sizes."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 6)}f}" if abs(value) >= 1e-5 else f"{value:.2g}"


def quantity(figure: float | None, unit: str, u: float | None = None) -> str:
    """``0.412 ± 0.010 s``, as many decimals as the uncertainty has; an empty string if there is no figure."""
    if figure is None:
        return ""
    text = number(figure)
    if u and math.isfinite(u) and math.isfinite(figure):
        decimals = min(max(0, 1 - math.floor(math.log10(u))), 9)
        text = f"{figure:.{decimals}f} ± {u:.{decimals}f}"
    return f"{text} {unit}" if unit else text


def unit_of(judgement: Judgement) -> str:
    """The unit of a judgement's figure; some kinds are always in seconds."""
    return judgement.unit or ("s" if judgement.kind in _IN_SECONDS else "")


def limits(judgement: Judgement) -> str:
    """The limits of a judgement: ``≤ 2 s``, ``≥ 1``, ``40 … 60 ms``."""
    low, high = judgement.limit_low, judgement.limit_high
    if judgement.kind in _SHARES:
        sides = (("≥", low), ("≤", high))
        return " … ".join(f"{sign} {number(100 * limit)} %" for sign, limit in sides if limit is not None)
    unit = f" {unit_of(judgement)}".rstrip()
    if high is None:
        return "" if low is None else f"≥ {low:g}{unit}"
    if low is None or (low == 0 and high > 0):
        return f"≤ {high:g}{unit}"
    return f"= {low:g}{unit}" if low == high else f"{low:g} … {high:g}{unit}"


def figure_of(judgement: Judgement) -> str:
    """The figure of a judgement as a reader wants it: digit errors out of digits, hits out of wires, seconds."""
    figure, n = judgement.figure, judgement.n
    if judgement.kind == "equal":
        return {Verdict.PASS: "as expected", Verdict.FAIL: "differs"}.get(judgement.verdict, "–")
    if figure is None:
        return "–"
    if judgement.kind in _SHARES:
        return f"{number(100 * figure)} % of {n}"
    if judgement.kind == "digits":
        return f"{number(figure)} of {n} digits wrong"
    if judgement.kind == "no_digits":
        return f"on {number(figure)} of {n} wires"
    if judgement.kind == "count":
        return f"{number(figure)} seen"
    return quantity(figure, unit_of(judgement), judgement.u)
