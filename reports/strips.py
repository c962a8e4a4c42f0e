"""Contacts over time, as a logic analyser shows them: ring, hook, line seizure, keypad relays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from offhook.bench.record.schema import Observation
from offhook.reports.folder import Case
from offhook.reports.svg import line, num, tag, text
from offhook.reports.timeaxis import TimeAxis

HEIGHT = 15.0
_SENSED = {"ring": "rings", "lamp": "lamp lit", "hook": "off hook", "seizure": "seized"}
_ORDER = ("rings", "lamp lit", "off hook", "keys", "seized")


@dataclass(frozen=True, slots=True)
class Strip:
    """One contact, or a board of them: when it was active."""

    name: str
    spans: tuple[tuple[float, float], ...]


def strips(case: Case, from_s: float, to_s: float) -> list[Strip]:
    """Everything that switched during an attempt, sensors by subject, keypad relays by board."""
    changes: dict[tuple[str, str, str], list[tuple[float, bool]]] = defaultdict(list)
    for item in case.observations:
        if item.kind in _SENSED and "active" in item.data:
            changes[_SENSED[item.kind], item.subject, item.wire].append((item.time_s, bool(item.data["active"])))
        elif item.kind == "relay" and item.data.get("use") != "hook":
            changes["keys", item.wire.partition("/")[0], item.wire].append((item.time_s, bool(item.data.get("closed"))))
    merged: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for (what, whose, _), seen in changes.items():
        merged[what, whose] += _spans(seen, from_s, to_s)
    ordered = sorted(merged.items(), key=lambda pair: (_ORDER.index(pair[0][0]), pair[0][1]))
    return [Strip(f"{what} {whose}", tuple(sorted(found))) for (what, whose), found in ordered if found]


def _spans(seen: list[tuple[float, bool]], from_s: float, to_s: float) -> Iterator[tuple[float, float]]:
    """Times of activity; what was released first had been active before."""
    start: float | None = None if seen[0][1] else from_s
    for time_s, active in seen:
        if active and start is None:
            start = time_s
        elif not active and start is not None:
            yield start, time_s
            start = None
    if start is not None:
        yield start, to_s


def draw_strips(found: list[Strip], axis: TimeAxis, left: float, top: float) -> list[Markup]:
    """The strips below each other, names at the left."""
    parts: list[Markup] = []
    for index, strip in enumerate(found):
        y = top + index * HEIGHT
        parts.append(text(left - 10, y + 9, strip.name, "small", "end"))
        for stretch in axis.stretches:
            parts.append(line(stretch.x, y + 9.5, axis.x(stretch.to_s), y + 9.5, "lane-line"))
        parts.append(tag("path", d="".join(_bar(axis, *span, y + 2) for span in strip.spans), class_="active"))
    return parts


def _bar(axis: TimeAxis, start_s: float, end_s: float, y: float) -> str:
    x = axis.x(start_s)
    return f"M{num(x)} {num(y)}V{num(y + 7.5)}H{num(max(x + 1.0, axis.x(end_s)))}V{num(y)}z"


def named(item: Observation) -> str:
    """What was seen, in words: a message by its name, a key by its digit, a sensor by its state."""
    data = item.data
    what = str(data.get("name") or data.get("step") or data.get("key") or data.get("tone") or "")
    if item.kind in _SENSED and "active" in data:
        what = "on" if data["active"] else "off"
    kind = "" if item.kind in ("cti", "cti-event", "cloud-step") and what else item.kind
    return " ".join(part for part in (kind, what, item.subject) if part)
