"""Latencies of a run: percentiles with their n, and every sample on its way to its limit."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from offhook.bench.record.schema import Judgement
from offhook.reports.folder import Run
from offhook.reports.quantity import limits, number
from offhook.reports.summary import natural

PERCENTILES = ((50, 3), (95, 20), (99, 100))
"""Percentile, and the n below which it would only be the worst sample under another name."""


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one requirement in one unit, against one limit."""

    req: str
    title: str
    unit: str
    limit: str
    high: float
    figures: tuple[float, ...]
    u: float


def timing(run: Run) -> dict[str, Any] | None:
    """Picture and table, or None if nothing was timed against a limit."""
    found = series(run)
    if not found:
        return None
    return {"picture": draw(found), "rows": [_row(item) for item in found]}


def series(run: Run) -> list[Series]:
    """Every requirement that has timed figures with an upper limit, in order of the ids."""
    groups: dict[tuple[str, str, str, float], list[Judgement]] = defaultdict(list)
    for item in run.result:
        if item.kind in ("interval", "figure") and item.figure is not None and item.limit_high and item.limit_high > 0:
            groups[item.req, item.title, item.unit, item.limit_high].append(item)
    found = []
    for (req, title, unit, high), items in groups.items():
        figures = tuple(float(item.figure) for item in items if item.figure is not None and np.isfinite(item.figure))
        if figures:
            found.append(
                Series(req, title, unit, limits(items[0]), high, figures, max(item.u or 0.0 for item in items))
            )
    return sorted(found, key=lambda item: (natural(item.req), item.title))


def _row(item: Series) -> dict[str, Any]:
    row: dict[str, Any] = {"req": item.req, "title": item.title, "n": len(item.figures), "limit": item.limit}
    for percent, least in PERCENTILES:
        value = float(np.percentile(item.figures, percent, method="inverted_cdf"))
        row[f"p{percent}"] = f"{number(value)} {item.unit}" if len(item.figures) >= least else "–"
    row["max"] = f"{number(max(item.figures))} {item.unit}"
    return row


def draw(found: list[Series]) -> Markup:
    """Every sample as a share of its limit, one row a requirement; a bar is the median, the upright line the limit."""
    import matplotlib as mpl  # slow to import
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "offhook", "font.size": 9.5}):
        figure = Figure(figsize=(10.8, 0.75 + 0.27 * len(found)), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.axvline(1.0, color="black", linewidth=1.6)
        for row, item in enumerate(reversed(found)):
            share = np.maximum(np.array(item.figures) / item.high, 1e-4)
            axes.hlines(row, 1e-4, 2.0, color="0.88", linewidth=0.8, zorder=0)
            for inside, mark, color in ((True, "o", "#31506e"), (False, "X", "#a40e1f")):
                chosen = share[(share <= 1.0) == inside]
                axes.scatter(
                    chosen, np.full(len(chosen), row), s=20, marker=mark, color=color, alpha=0.75, linewidths=0
                )
            axes.plot([np.median(share)] * 2, [row - 0.32, row + 0.32], color="black", linewidth=1.4)
        axes.set_xscale("log")
        lowest = min(min(item.figures) / item.high for item in found)
        axes.set_xlim(
            10 ** np.floor(np.log10(max(lowest, 1e-4))), max(2.0, 1.2 * max(max(i.figures) / i.high for i in found))
        )
        axes.set_ylim(-0.7, len(found) - 0.3)
        axes.set_yticks(range(len(found)), [f"{item.req}  n = {len(item.figures)}" for item in reversed(found)])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.set_xlabel("share of the limit used (cross: over the limit; bar: median)")
        return _svg(figure)


def _svg(figure: Any) -> Markup:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = stream.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn))  # inside a page it needs no addresses
