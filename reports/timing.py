"""The figures of a run against their limits: percentiles with their n, and every sample on its way to its limit."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from markupsafe import Markup

from offhook.bench.record.schema import Judgement
from offhook.reports.folder import Run
from offhook.reports.quantity import limits, number, unit_of
from offhook.reports.summary import margin, natural
from offhook.reports.svg import line, num, picture, tag, text

PERCENTILES = ((50, 3), (95, 20), (99, 100))
"""Percentile, and the n below which it would only be the worst sample under another name."""

WIDTH, RIGHT, ROW_PX = 1080.0, 1068.0, 22.0
WIDEST_LABEL, LETTER_PX = 560.0, 6.4
MEANING = "share of the limit used (cross: over the limit; bar: median of three or more)"
LEAST_SHARE = 1e-3
"""Whatever uses less of its limit is drawn at the left edge."""


@dataclass(frozen=True, slots=True)
class Series:
    """The figures of one requirement in one unit, against one limit; ``shares`` are parts of the limit used."""

    req: str
    title: str
    unit: str
    limit: str
    figures: tuple[float, ...]
    shares: tuple[float, ...]


def timing(run: Run, *, drawn: bool = True) -> dict[str, Any] | None:
    """Picture (unless it is not wanted) and table, or None if no figure has an upper limit."""
    found = series(run)
    if not found:
        return None
    return {"picture": draw(found) if drawn else "", "rows": [_row(item) for item in found]}


def series(run: Run) -> list[Series]:
    """Every requirement that has figures with an upper limit, in order of the ids."""
    groups: dict[tuple[str, str, str], list[Judgement]] = defaultdict(list)
    for item in run.result:
        if item.limit_high is not None and margin(item) is not None:
            groups[item.req, unit_of(item), limits(item)].append(item)
    found = []
    for (req, unit, limit), items in groups.items():
        figures = tuple(float(item.figure) for item in items if item.figure is not None)
        shares = tuple(1.0 - (margin(replace(item, u=0.0)) or 0.0) for item in items)
        found.append(Series(req, shared_title([item.title for item in items]), unit, limit, figures, shares))
    return sorted(found, key=lambda item: (natural(item.req), item.title, item.limit))


def shared_title(titles: list[str]) -> str:
    """What titles have in common: all of it, else their last words, else their first ones."""
    if len(set(titles)) == 1:
        return titles[0]
    words = [title.split() for title in titles]
    last = _alike([item[::-1] for item in words])
    return " ".join(last[::-1]) or " ".join(_alike(words)) or titles[0]


def _alike(lists: list[list[str]]) -> list[str]:
    """The words that all lists begin with."""
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, zip(*lists, strict=False))]


def _row(item: Series) -> dict[str, Any]:
    row: dict[str, Any] = {"req": item.req, "title": item.title, "n": len(item.figures), "limit": item.limit}
    for percent, least in PERCENTILES:
        value = float(np.percentile(item.figures, percent, method="inverted_cdf"))
        row[f"p{percent}"] = f"{number(value)} {item.unit}" if len(item.figures) >= least else "–"
    row["max"] = f"{number(max(item.figures))} {item.unit}"
    return row


def draw(found: list[Series]) -> Markup:
    """Every figure as a share of its limit, one row a requirement; a bar is the median, the upright line the limit."""
    labels = [_label(item, found) for item in found]
    left = min(WIDEST_LABEL, 12.0 + LETTER_PX * max(len(label) for label in labels))
    most = max([2.0, *(1.2 * share for item in found for share in item.shares if math.isfinite(share))])
    px = (RIGHT - left) / math.log10(most / LEAST_SHARE)

    def x(share: float) -> float:
        return left + px * math.log10(min(max(share, LEAST_SHARE), most) / LEAST_SHARE)  # without end: at the edge

    bottom = ROW_PX * len(found) + 4
    parts: list[Markup] = []
    for row, (item, label) in enumerate(zip(found, labels, strict=True)):
        parts += _marks(item, label, ROW_PX * (row + 0.5), left, x)
    parts += [line(x(1.0), 0, x(1.0), bottom, "share-limit"), line(left, bottom, RIGHT, bottom, "axis")]
    for decade in range(round(math.log10(LEAST_SHARE)), math.floor(math.log10(most)) + 1):
        at = x(10.0**decade)
        parts.append(line(at, bottom, at, bottom + 4, "axis"))
        parts.append(text(at, bottom + 17, f"{10.0 ** (decade + 2):g} %", "small", "middle"))
    parts.append(text((left + RIGHT) / 2, bottom + 36, MEANING, "small", "middle"))
    return picture(WIDTH, bottom + 44, "figures as shares of their limits", *parts)


def _marks(item: Series, label: str, y: float, left: float, x: Callable[[float], float]) -> list[Markup]:
    """One row: dots within the limit, crosses over it, and the median of three or more."""
    dots = "".join(f"M{num(x(share))} {num(y)}h0" for share in item.shares if share <= 1.0)
    over = "".join(f"M{num(x(share) - 3)} {num(y - 3)}l6 6m0-6l-6 6" for share in item.shares if share > 1.0)
    parts = [text(left - 10, y + 4, label, "small", "end"), line(left, y, RIGHT, y, "lane-line")]
    parts += [tag("path", d=path, class_=name) for path, name in ((dots, "share-in"), (over, "share-over")) if path]
    numbers = [share for share in item.shares if not math.isnan(share)]
    if len(numbers) > 2:
        middle = x(float(np.median(numbers)))
        parts.append(line(middle, y - 0.32 * ROW_PX, middle, y + 0.32 * ROW_PX, "share-median"))
    return parts


def _label(item: Series, found: list[Series]) -> str:
    """The id, with what is measured where one id has several figures."""
    several = sum(other.req == item.req for other in found) > 1
    return f"{item.req}{f', {item.title}' if several else ''}, n = {len(item.figures)}"
