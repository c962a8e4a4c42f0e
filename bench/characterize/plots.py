"""Plots as SVG text, the same bytes for the same figures: every one says its unit, its n and its intervals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from offhook.bench.characterize.sender import Row
from offhook.bench.characterize.sweeps import Curve, Map

MARKS = ("o-", "s--", "^:", "D-.", "v-")
COLOURS = ("#1b4f8f", "#c4561f", "#2e7d4f", "#7a3e9d", "#555555")
CONTOURS = ((0.5, ":"), (0.9, "--"), (0.99, "-"))


def curve(curves: Sequence[Curve]) -> str:
    """Share of digits right along one axis, a line a receiver, with exact 95 % intervals."""
    axis = curves[0].axis
    figure, axes = _figure(7.2, 3.6)
    for place, one in enumerate(curves):
        shares = [tally.share for tally in one.tallies]
        middle = np.array([100 * share.value for share in shares])
        below = middle - [100 * share.low for share in shares]
        above = [100 * share.high for share in shares] - middle
        axes.errorbar(
            axis.values,
            middle,
            yerr=np.maximum([below, above], 0),
            fmt=MARKS[place % len(MARKS)],
            color=COLOURS[place % len(COLOURS)],
            label=one.receiver,
            markersize=4,
            linewidth=1.2,
            capsize=2,
        )
    sizes = sorted({tally.sent for one in curves for tally in one.tallies})
    counts = f"n = {sizes[0]}" if len(sizes) == 1 else f"n = {sizes[0]} to {sizes[-1]}"
    axes.set_xlabel(f"{axis.name} ({axis.unit})")
    axes.set_ylabel("digits right (%)")
    axes.set_title(f"{counts} digits a point; bars: exact 95 % intervals", fontsize=9)
    axes.set_ylim(-4, 104)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return _svg(figure)


def heat(chart: Map) -> str:
    """Share of digits right over two axes, with contours at 50, 90 and 99 %."""
    figure, axes = _figure(7.2, 4.4)
    shares = np.array([[tally.share.value for tally in row] for row in chart.tallies])
    mesh = axes.pcolormesh(
        chart.x.values, chart.y.values, 100 * shares, shading="nearest", cmap="cividis", vmin=0, vmax=100
    )
    figure.colorbar(mesh, ax=axes, label="digits right (%)")
    inside = [(level, dash) for level, dash in CONTOURS if shares.min() < level <= shares.max()]
    if inside and min(shares.shape) > 1:
        lines = axes.contour(
            chart.x.values,
            chart.y.values,
            shares,
            levels=[level for level, _ in inside],
            colors="#d01f3c",
            linestyles=[dash for _, dash in inside],
            linewidths=1.4,
        )
        axes.clabel(lines, fmt=lambda level: f"{100 * level:.0f} %", fontsize=8)
    sizes = sorted({tally.sent for row in chart.tallies for tally in row})
    axes.set_xlabel(f"{chart.x.name} ({chart.x.unit})")
    axes.set_ylabel(f"{chart.y.name} ({chart.y.unit})")
    axes.set_title(f"{chart.receiver}: n = {sizes[0]} digits a cell; lines at 50, 90 and 99 %", fontsize=9)
    return _svg(figure)


def keys(rows: Sequence[Row], at_least: float | None, at_most: float | None) -> str:
    """One figure of a sender by key: mean, spread, and worst press with its uncertainty, between the limits."""
    figure, axes = _figure(7.2, 3.0)
    place = np.arange(len(rows))
    spread = [row.spread for row in rows]
    axes.errorbar(
        place, [row.mean for row in rows], yerr=spread, fmt="o", color=COLOURS[0], capsize=3, label="mean, s.d."
    )
    axes.errorbar(
        place + 0.2,
        [row.worst for row in rows],
        yerr=[row.worst_u for row in rows],
        fmt="x",
        color=COLOURS[1],
        capsize=3,
        label="worst press, 95 % uncertainty",
    )
    for limit in (at_least, at_most):
        if limit is not None:
            axes.axhline(limit, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(place, [f"{row.key}\nn={row.n}" for row in rows], fontsize=8)
    axes.set_ylabel(f"{rows[0].figure} ({rows[0].unit})", fontsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return _svg(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Any) -> str:
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "offhook", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :]
