"""One leg of a call as a waveform, with the digits that were decoded from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from offhook.bench.record.heard import Key
from offhook.reports.folder import Run
from offhook.reports.sound import Samples, between
from offhook.reports.svg import line, num, tag, text
from offhook.reports.timeaxis import TimeAxis

FULL_SCALE_DBM0 = 3.14
GROUP_GAP_S = 0.7
_QUIETEST = 600  # a leg that carries only noise is not blown up to full height


def draw(run: Run, wire: str, axis: TimeAxis, top: float, height: float, keys: Sequence[Key]) -> list[Markup]:
    """The leg on a time axis: digits as bars behind the waveform, and written above it in groups."""
    middle = top + height / 2
    parts = [_bar(axis, key, top, height) for key in keys]
    pieces = [(stretch, *between(run, wire, stretch.from_s, stretch.to_s)) for stretch in axis.stretches]
    peak = max((int(np.abs(samples.astype(np.int32)).max(initial=0)) for _, samples, _ in pieces), default=0)
    for stretch, samples, _ in pieces:
        width = (stretch.to_s - stretch.from_s) * axis.px_per_s
        parts.append(envelope(samples, stretch.x, width, middle, 0.42 * height / max(peak, _QUIETEST)))
    parts += labels(axis, keys, top)
    return parts


def peak_dbm0(run: Run, wire: str, from_s: float, to_s: float) -> str:
    """The loudest 20 ms of a leg as a level, or ``silent``."""
    samples, rate_hz = between(run, wire, from_s, to_s)
    frame = rate_hz // 50
    whole = samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame)
    power = float((whole**2).mean(axis=1).max(initial=0.0))
    if power < 1.0:
        return "silent"
    return f"{10 * math.log10(power / (32768.0**2 / 2)) + FULL_SCALE_DBM0:.0f} dBm0".replace("-", "−")


def groups(keys: Sequence[Key]) -> list[list[Key]]:
    """Digits that were keyed in one go."""
    found: list[list[Key]] = []
    for key in keys:
        if found and key.start_s - found[-1][-1].end_s <= GROUP_GAP_S:
            found[-1].append(key)
        else:
            found.append([key])
    return found


def labels(axis: TimeAxis, keys: Sequence[Key], top: float) -> list[Markup]:
    """The text of each group of digits over a bracket."""
    parts: list[Markup] = []
    taken = -math.inf
    for group in groups(keys):
        left, right = axis.x(group[0].start_s), axis.x(group[-1].end_s)
        digits = "".join(key.key for key in group)
        middle, half = (left + right) / 2, 3.9 * len(digits) + 3
        middle = max(middle, taken + half)
        taken = middle + half
        parts.append(line(left, top - 2, max(right, left + 1), top - 2, "bracket"))
        parts.append(text(middle, top - 6, digits, "digits", "middle"))
    return parts


def envelope(samples: Samples, x: float, width: float, middle: float, scale: float) -> Markup:
    """Least and greatest sample of every pixel column as one closed shape."""
    columns = max(1, round(width))
    edges = np.linspace(0, len(samples), columns + 1).astype(np.int64)[:-1]
    if not len(samples):
        return line(x, middle, x + width, middle, "wave")
    high = np.maximum.reduceat(samples, np.minimum(edges, len(samples) - 1)) * scale
    low = np.minimum.reduceat(samples, np.minimum(edges, len(samples) - 1)) * scale
    above = -np.maximum(_halves(high), 1)
    below = -np.minimum(_halves(low), -1)
    there, last = _steps(above)
    back, _ = _steps(below[::-1], -1)
    way = f"{there}v{_half(int(below[-1]) - last)}{back}"
    return tag("path", d=f"M{num(x)} {num(middle + above[0] / 2)}{way}z", class_="wave")


def _halves(y: NDArray[np.floating]) -> NDArray[np.int64]:
    """In half pixels: finer than a screen or a printer shows, and half the size of tenths."""
    return np.asarray(np.rint(2.0 * y), dtype=np.int64)


def _steps(y: NDArray[np.int64], way: int = 1) -> tuple[str, int]:
    """Relative moves from column to column, level stretches as one; and the last height, in half pixels."""
    moved = np.flatnonzero(np.diff(y))
    parts, column, height = ["l"], 0, int(y[0])
    for place in moved.tolist():
        if place > column:  # level up to here
            parts.append(f" {way * (place - column)} 0")
        parts.append(f" {way} {_half(int(y[place + 1]) - height)}")
        column, height = place + 1, int(y[place + 1])
    if column < len(y) - 1:
        parts.append(f" {way * (len(y) - 1 - column)} 0")
    return ("".join(parts) if len(parts) > 1 else "").replace(" -", "-").replace("l ", "l"), height


def _half(halves: int) -> str:
    """A number of half pixels in pixels, as short as it can be written: ``-.5``."""
    text = num(halves / 2)
    return text.replace("0.", ".") if abs(halves) == 1 else text


def _bar(axis: TimeAxis, key: Key, top: float, height: float) -> Markup:
    left, right = axis.x(key.start_s), axis.x(key.end_s)
    title = tag("title", f"{key.key} at {key.start_s:.3f} s, {(key.end_s - key.start_s) * 1000:.0f} ms")
    return tag("rect", title, x=left, y=top, width=max(1.0, right - left), height=height, class_="digit")
