"""A short piece of one leg, wide enough to see every digit with its length and the gap before it."""

from __future__ import annotations

from markupsafe import Markup

from offhook.bench.record.heard import Key
from offhook.reports.folder import Case, Run
from offhook.reports.ladder import keys_of, window
from offhook.reports.secrecy import keys_heard
from offhook.reports.sound import wires_between
from offhook.reports.svg import line, picture, tag, text
from offhook.reports.timeaxis import Stretch, TimeAxis
from offhook.reports.wave import draw, groups

PX_PER_S = 200.0
WIDEST_PX = 1040.0
TOP = 22.0
HEIGHT = 54.0
MOST = 12
"""Close-ups per attempt."""


def closeup(run: Run, wire: str, from_s: float, to_s: float) -> Markup:
    """One leg between two times, digits marked; the scale shrinks if the time is long."""
    px_per_s = min(PX_PER_S, WIDEST_PX / (to_s - from_s))
    axis = TimeAxis((Stretch(from_s, to_s, 14.0),), px_per_s)
    try:
        keys = keys_heard(run, wire, from_s, to_s)
    except (OSError, ValueError):
        keys = []
    parts = draw(run, wire, axis, TOP, HEIGHT, [])
    bars = [part for index, key in enumerate(keys) for part in _marked(axis, key, keys[index - 1] if index else None)]
    if keys:
        bars.append(text(axis.x(to_s) + 4, TOP + HEIGHT + 12, "ms", "small"))
    width = axis.x(to_s) + 26
    return picture(width, TOP + HEIGHT + 42, f"{wire} from {from_s:.2f} s", *bars, *parts, *_time(axis, from_s, to_s))


def closeups(run: Run, case: Case) -> list[dict[str, Markup | str]]:
    """Every group of digits of an attempt, leg by leg."""
    wires = wires_between(run, *window(run, case))
    found: list[dict[str, Markup | str]] = []
    for wire, keys in keys_of(run, case, wires).items():
        for group in groups(keys):
            start_s, end_s = group[0].start_s - 0.08, group[-1].end_s + 0.08
            found.append({"wire": wire, "picture": closeup(run, wire, start_s, end_s)})
    return found[:MOST]


def _marked(axis: TimeAxis, key: Key, before: Key | None) -> list[Markup]:
    left, right = axis.x(key.start_s), axis.x(key.end_s)
    middle = (left + right) / 2
    parts = [
        tag("rect", x=left, y=TOP, width=max(1.0, right - left), height=HEIGHT, class_="digit"),
        text(middle, TOP - 6, key.key, "digits", "middle"),
    ]
    if right - left >= 12:
        parts.append(text(middle, TOP + HEIGHT + 12, f"{(key.end_s - key.start_s) * 1000:.0f}", "small", "middle"))
    return parts


def _time(axis: TimeAxis, from_s: float, to_s: float) -> list[Markup]:
    y = TOP + HEIGHT + 18
    parts = [line(axis.x(from_s), y, axis.x(to_s), y, "axis")]
    for time_s, x in axis.ticks():
        parts += [line(x, y, x, y + 4, "axis"), text(x, y + 15, f"{time_s:.1f} s", "small", "middle")]
    return parts
