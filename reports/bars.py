"""The two small pictures of page one: counts as a bar, and a figure on its way to its limit."""

from __future__ import annotations

from markupsafe import Markup

from offhook.bench.record.schema import Judgement, Verdict
from offhook.reports.svg import line, picture, tag

WIDTH = 420.0
ORDER = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.FAIL)


def counts_bar(outcomes: dict[Verdict, int]) -> Markup:
    """A bar divided by outcomes; each outcome that occurs is wide enough to be seen."""
    present = [(verdict, outcomes.get(verdict, 0)) for verdict in ORDER if outcomes.get(verdict, 0)]
    total = sum(count for _, count in present)
    parts: list[Markup] = []
    x, room = 1.0, WIDTH - 2 - 8 * len(present)
    for verdict, count in present:
        width = 8 + room * count / total
        parts.append(tag("rect", x=x, y=1, width=width - 2, height=14, class_=f"count-{verdict.value}"))
        if verdict is Verdict.INCONCLUSIVE:
            parts.append(tag("rect", x=x, y=1, width=width - 2, height=14, fill="url(#hatch)"))
        x += width
    label = ", ".join(f"{count} {verdict.value}" for verdict, count in present)
    return picture(WIDTH, 16, label or "no attempts", *parts, fit="none")


def gauge(judgement: Judgement, left: float) -> Markup:
    """How much of the way to the limit is used; the whisker is the uncertainty, the upright line the limit."""
    used = min(max(1.0 - left, 0.0), 1.25)
    scale = (WIDTH - 24) / 1.25
    limit_x, end = 2 + scale, 2 + used * scale
    low, high = judgement.limit_low, judgement.limit_high
    width = abs(high - low) if low is not None and high is not None else abs(high if high is not None else low or 1.0)
    half = min((judgement.u or 0.0) / width, 0.5) * scale
    middle = end - half
    parts = [
        tag("rect", x=2, y=9, width=scale, height=12, class_="g-room"),
        tag("rect", x=2, y=9, width=max(0.0, middle - 2), height=12, class_="g-used"),
        line(limit_x, 3, limit_x, 27, "g-limit"),
    ]
    if half >= 0.5:
        parts += [line(middle - half, 15, end, 15, "g-u"), line(end, 11, end, 19, "g-u")]
    return picture(WIDTH, 30, f"{100 * used:.0f} % of the way to the limit", *parts)
