"""The call as a ladder: actors as lanes, steps as arrows between them, the audio of every leg on the same time axis.

Steps crowd (the first ten take milliseconds), so arrows stand side by side and a thin line leads each to its true time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from offhook.bench.record.heard import Key
from offhook.bench.record.schema import Step
from offhook.reports.explain import NEVER
from offhook.reports.folder import Case, Run
from offhook.reports.secrecy import keys_heard
from offhook.reports.sound import wires_between
from offhook.reports.steps import ACTS, LANES
from offhook.reports.strips import HEIGHT, draw_strips, strips
from offhook.reports.svg import bent, line, num, picture, tag, text
from offhook.reports.timeaxis import TimeAxis, fit
from offhook.reports.wave import draw, peak_dbm0

WIDTH = 1080.0
LEFT = 96.0
RIGHT = WIDTH - 12.0
LANE_TOP = 40.0
LANE_PX = 30.0
LEAD_PX = 30.0
WAVE_PX = 44.0
WAVE_GAP_PX = 24.0
CHIP_PX = 30.0
LANES_END = LANE_TOP + LANE_PX * (len(LANES) - 1)
AXIS_Y = LANES_END + LEAD_PX + 12


def spread(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Positions in the same order, at least ``least`` apart, each as near to its wish as that allows."""
    if wanted and least * (len(wanted) - 1) > high - low:
        least = (high - low) / max(1, len(wanted) - 1)
    pools: list[tuple[float, int]] = []  # mean of (wish minus its share of the spacing), and how many share it
    for index, wish in enumerate(wanted):
        mean, size = wish - index * least, 1
        while pools and pools[-1][0] >= mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), size + count
        pools.append((mean, size))
    ceiling = high - least * (len(wanted) - 1)
    flat = [min(max(mean, low), ceiling) for mean, size in pools for _ in range(size)]
    return [position + index * least for index, position in enumerate(flat)]


def window(run: Run, case: Case) -> tuple[float, float]:
    """The time an attempt is about."""
    return case.attempt.started_s, case.last_s


def keys_of(run: Run, case: Case, wires: Sequence[str]) -> dict[str, list[Key]]:
    """The digits on each leg, decoded again from its files."""
    found: dict[str, list[Key]] = {}
    for wire in wires:
        try:
            found[wire] = keys_heard(run, wire, *window(run, case))
        except (OSError, ValueError):
            found[wire] = []  # the file is unreadable: its judgements say so
    return found


def draw_call(run: Run, case: Case, bad: Step | None, span: tuple[float, float] | None) -> Markup:
    """The whole picture; ``bad`` is the step to point at, ``span`` the time to hatch."""
    from_s, to_s = window(run, case)
    wires = wires_between(run, from_s, to_s)
    keys = keys_of(run, case, wires)
    axis = _axis(run, case, from_s, to_s, span)
    contacts = strips(case, from_s, to_s)
    waves_y = AXIS_Y + 28 + (len(contacts) * HEIGHT + 6 if contacts else 0)
    bottom = waves_y + len(wires) * (WAVE_PX + WAVE_GAP_PX)
    parts = [*_lanes(), *_time(axis, bottom)]
    if span is not None:
        parts.append(_hatched(axis, span, bottom))
    parts += _steps(case, axis, bad, bottom)
    parts += draw_strips(contacts, axis, LEFT, AXIS_Y + 28)
    for index, wire in enumerate(wires):
        top = waves_y + 8 + WAVE_GAP_PX / 2 + index * (WAVE_PX + WAVE_GAP_PX)
        parts.append(text(LEFT - 10, top + WAVE_PX / 2, wire, "wire", "end"))
        parts.append(text(LEFT - 10, top + WAVE_PX / 2 + 13, peak_dbm0(run, wire, from_s, to_s), "small", "end"))
        parts += draw(run, wire, axis, top, WAVE_PX, keys[wire])
    return picture(WIDTH, bottom + 8, f"ladder of {case.attempt.title}", *parts)


def _axis(run: Run, case: Case, from_s: float, to_s: float, span: tuple[float, float] | None) -> TimeAxis:
    busy = [(max(clip.start_s, from_s), min(clip.end_s, to_s)) for clip in run.clips]
    busy = [pair for pair in busy if pair[1] > pair[0]]
    busy += [(step.time_s, step.time_s) for step in case.steps]
    if span is not None:
        busy.append(span)
    return fit(busy or [(from_s, to_s)], LEFT + 4, RIGHT)


def _lanes() -> list[Markup]:
    parts: list[Markup] = []
    for index, lane in enumerate(LANES):
        y = LANE_TOP + index * LANE_PX
        parts.append(text(LEFT - 10, y + 4, lane, "lane", "end"))
        parts.append(line(LEFT, y, RIGHT, y, "lane-line"))
    return parts


def _time(axis: TimeAxis, bottom: float) -> list[Markup]:
    parts = [line(stretch.x, AXIS_Y, axis.x(stretch.to_s), AXIS_Y, "axis") for stretch in axis.stretches]
    parts.append(text(LEFT - 10, AXIS_Y + 16, "time, s", "small", "end"))
    ticks = "".join(f"M{num(x)} {num(AXIS_Y)}v4" for _, x in axis.ticks())
    parts.append(tag("path", d=ticks, class_="axis"))
    parts += [text(x, AXIS_Y + 16, f"{time_s:g}", "small", "middle") for time_s, x in axis.ticks()]
    for x, left_out_s in axis.breaks():
        parts.append(line(x - 4, AXIS_Y + 5, x, AXIS_Y - 5, "axis"))
        parts.append(line(x + 1, AXIS_Y + 5, x + 5, AXIS_Y - 5, "axis"))
        parts.append(text(x, AXIS_Y + 28, f"{left_out_s:.0f} s", "small", "middle"))
        parts.append(line(x, AXIS_Y + 34, x, bottom, "cut"))
    return parts


def _hatched(axis: TimeAxis, span: tuple[float, float], bottom: float) -> Markup:
    left, right = axis.x(span[0]), axis.x(span[1])
    left, right = (left, right) if right - left >= 4 else (left - 2, left + 2)
    return tag("rect", x=left, y=AXIS_Y, width=right - left, height=bottom - AXIS_Y, class_="hatch", fill="url(#hatch)")


def _steps(case: Case, axis: TimeAxis, bad: Step | None, bottom: float) -> list[Markup]:
    steps = [*case.steps, bad] if bad is not None and bad.id == NEVER else case.steps
    wanted = [axis.x(step.time_s) for step in steps]
    places = spread(wanted, CHIP_PX, LEFT + 16, RIGHT - 14)
    close = len(places) > 1 and places[1] - places[0] < CHIP_PX - 1
    flows = list(dict.fromkeys(step.flow for step in steps))
    parts: list[Markup] = []
    for step, true_x, x in zip(steps, wanted, places, strict=True):
        mark = step.name if len(flows) < 2 else step.name + "abcdefghijklmnopqrstuvwxyz"[flows.index(step.flow) % 26]
        is_bad = bad is not None and step.id == bad.id
        inner = [tag("title", f"{mark} {step.title}, {step.time_s:.3f} s ± {step.u_s:.3f}")]
        inner += [bent([(x, LANES_END), (x, LANES_END + 6), (true_x, AXIS_Y)], "lead")]
        inner += [line(true_x, AXIS_Y, true_x, bottom, "lead-down")]
        inner += [*_arrow(step, x), _chip(x, mark, is_bad, close)]
        parts.append(tag("g", *inner, class_=_class(step, is_bad)))
    return parts


def _class(step: Step, is_bad: bool) -> str:
    if step.id == NEVER:
        return "step bad never"
    return "step bad" if is_bad else "step"


def _chip(x: float, mark: str, is_bad: bool, close: bool) -> Markup:
    turned = {"transform": f"rotate(-60 {num(x)} 24)"} if close else {"text_anchor": "middle"}
    label = tag("text", mark, x=x, y=21, class_="chip", **turned)
    if not is_bad:
        return label
    half = 4 * len(mark) + 4
    return tag("g", tag("rect", x=x - half, y=8, width=2 * half, height=18, rx=3, class_="chip-bad"), label)


def _arrow(step: Step, x: float) -> list[Markup]:
    actors = ACTS.get(step.name)
    if actors is None:
        return [line(x, LANE_TOP, x, LANES_END, "lead")]
    start, end = (LANE_TOP + LANES.index(actor) * LANE_PX for actor in actors)
    if start == end:
        return [tag("circle", cx=x, cy=start, r=4.5, class_="self")]
    way = math.copysign(1.0, end - start)
    head = f"M{num(x - 4)} {num(end - 8 * way)}L{num(x)} {num(end)}L{num(x + 4)} {num(end - 8 * way)}Z"
    return [
        line(x, start, x, end - 6 * way, "arrow"),
        tag("circle", cx=x, cy=start, r=2.5, class_="tail"),
        tag("path", d=head, class_="head"),
    ]
