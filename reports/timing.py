"""The figures of a run against their limits: percentiles with their n, and every sample on its way to its limit."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from markupsafe import Markup

from offhook.bench.record.schema import Judgement
from offhook.reports.folder import Run
from offhook.reports.quantity import limits, number, unit_of
from offhook.reports.summary import margin, natural

PERCENTILES = ((50, 3), (95, 20), (99, 100))
"""Percentile, and the n below which it would only be the worst sample under another name."""

MARKS: dict[bool, dict[str, Any]] = {
    True: {"marker": "o", "color": "#31506e"},
    False: {"marker": "X", "color": "#a40e1f"},
}
"""Within the limit, and over it."""
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
    import matplotlib as mpl  # slow to import
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "offhook", "font.size": 9.5}):
        figure = Figure(figsize=(10.8, 0.75 + 0.27 * len(found)), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.axvline(1.0, color="black", linewidth=1.6)
        for row, item in enumerate(reversed(found)):
            share = np.maximum(np.array(item.shares), LEAST_SHARE)
            axes.hlines(row, LEAST_SHARE, 2.0, color="0.88", linewidth=0.8, zorder=0)
            for inside, mark, color in ((True, "o", "#31506e"), (False, "X", "#a40e1f")):
                chosen = share[(share <= 1.0) == inside]
                axes.scatter(
                    chosen, np.full(len(chosen), row), s=22, marker=mark, color=color, alpha=0.75, linewidths=0
                )
            if len(share) > 2:
                axes.plot([np.median(share)] * 2, [row - 0.32, row + 0.32], color="black", linewidth=1.4)
        axes.set_xscale("log")
        axes.set_xlim(LEAST_SHARE * 0.9, max(2.0, 1.2 * max(max(item.shares) for item in found)))
        axes.set_ylim(-0.7, len(found) - 0.3)
        axes.set_yticks(range(len(found)), [_label(item, found) for item in reversed(found)])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.set_xlabel("share of the limit used (cross: over the limit; bar: median of three or more)")
        return _svg(figure)


def _label(item: Series, found: list[Series]) -> str:
    """The id, with what is measured where one id has several figures."""
    several = sum(other.req == item.req for other in found) > 1
    return f"{item.req}{f', {item.title}' if several else ''}, n = {len(item.figures)}"


def _svg(figure: Any) -> Markup:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = stream.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn))  # inside a page it needs no addresses
