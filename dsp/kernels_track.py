"""``track`` for numba: digits from the accepted candidates of many lanes, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from offhook.dsp.kernels import F0, F1, QUARTER, Array, kernel
from offhook.dsp.track import SILENT

RUN_HOPS = 10
BACK = 60
SILENT_F = np.float32(SILENT)


@kernel
def _fill(amplitude: Array, row: int, low_row: int, high_row: int, low_scale: Any, high_scale: Any) -> Any:
    """How full of its keys a digit's short window is, 0 to 1."""
    return F0 if row < 0 else min(min(amplitude[low_row, row] * low_scale, amplitude[high_row, row] * high_scale), F1)


@kernel
def _off_s(fill: Any, hop_s: Any) -> Any:
    """Seconds of silence in a short window that is so full."""
    return (F1 - (F0 if fill < QUARTER else fill)) * hop_s


@kernel
def strong(
    at: Array, key: Array, low: Array, high: Array, lane_of: Array, drop: Any, kept: Array
) -> int:  # fmt: skip
    """Events that are no echo's tail of their own run, raised to the run's loudest; how many."""
    count = 0
    loudest = F0
    for i in range(len(at)):
        power = low[i] + high[i]
        linked = i > 0 and at[i] - at[i - 1] <= RUN_HOPS and lane_of[at[i]] == lane_of[at[i - 1]]
        linked = linked and key[i] == key[i - 1]
        loudest = max(loudest, power) if linked else power
        gain = loudest / power
        low[i] *= gain
        high[i] *= gain
        if power * drop > loudest:
            kept[count] = i
            count += 1
    return count


@kernel
def _splits(
    amplitude: Array, row_of: Array, begin: int, end: int, low_row: int, high_row: int, low: Any, high: Any,
    hop_s: Any, bridge_s: Any,
) -> bool:  # fmt: skip
    """Whether there is a silence of ``bridge_s`` between two hops."""
    low_scale, high_scale = F1 / np.sqrt(low), F1 / np.sqrt(high)
    gap = F0
    for hop in range(begin, end):
        fill = _fill(amplitude, row_of[hop], low_row, high_row, low_scale, high_scale)
        soft = F0 if fill < QUARTER else fill
        gap = gap + (F1 - soft) * hop_s if soft < SILENT_F else F0
        if gap >= bridge_s:
            return True
    return False


@kernel
def begins_of(
    at: Array, key: Array, low: Array, high: Array, kept: Array, lane_of: Array, amplitude: Array, row_of: Array,
    hop_s: Any, bridge_s: Any, begins: Array,
) -> int:  # fmt: skip
    """Positions in ``kept`` of the events that begin a digit; how many. ``low`` and ``high`` are the plateau's."""
    count = 0
    for position in range(len(kept)):
        i = kept[position]
        fresh = True
        if position > 0:
            j = kept[position - 1]
            same = key[i] == key[j] and lane_of[at[i]] == lane_of[at[j]]
            if same:
                fresh = at[i] - at[j] > 1 and _splits(
                    amplitude, row_of, at[j] + 1, at[i], key[j] >> 2, 4 + (key[j] & 3), low[j], high[j], hop_s, bridge_s
                )
        if fresh:
            begins[count] = position
            count += 1
    return count


@kernel
def digit_edges(
    at: Array, key: Array, low: Array, high: Array, kept: Array, begins: Array, lane_of: Array, lane_begin: Array,
    lane_last: Array, amplitude: Array, row_of: Array, hop_s: Any, bridge_s: Any, start: Array, end: Array,
) -> None:  # fmt: skip
    """Start and end of each digit in hops, as ``track._starts`` and ``track._ends`` find them."""
    for d in range(len(begins)):
        i = kept[begins[d]]
        lane = lane_of[at[i]]
        low_row, high_row = key[i] >> 2, 4 + (key[i] & 3)
        low_scale, high_scale = F1 / np.sqrt(low[i]), F1 / np.sqrt(high[i])
        on, gap = F0, F0
        for back in range(1, BACK + 1):
            if at[i] - back < lane_begin[lane] or gap >= bridge_s:
                break
            fill = _fill(amplitude, row_of[at[i] - back], low_row, high_row, low_scale, high_scale)
            if fill >= SILENT_F:
                on, gap = np.float32(back - 1) + fill, F0
            else:
                on = on + fill if gap == F0 else on
                gap += _off_s(fill, hop_s)
        start[d] = at[i] - 0.5 - on
        last = (begins[d + 1] if d + 1 < len(begins) else len(kept)) - 1
        j = kept[last]
        stop = lane_last[lane] + 1
        if d + 1 < len(begins):
            follower = at[kept[begins[d + 1]]]
            if lane_of[follower] == lane:
                stop = min(stop, follower)
        low_scale, high_scale = F1 / np.sqrt(low[j]), F1 / np.sqrt(high[j])
        stopped = at[j] - 0.5
        gap = F0
        for hop in range(at[j], stop):
            if gap >= bridge_s:
                break
            fill = _fill(amplitude, row_of[hop], low_row, high_row, low_scale, high_scale)
            if fill >= SILENT_F:
                stopped, gap = hop - 0.5 + fill, F0
            else:
                stopped = stopped + fill if gap == F0 else stopped
                gap += _off_s(fill, hop_s)
        end[d] = stopped


@kernel
def means(
    kept: Array, begins: Array, event: Array, full: Array, low: Array, high: Array, features: Array, mean: Array
) -> None:
    """Powers and offsets over each digit's events, those inside the tone where there are any: (4, digits)."""
    for d in range(len(begins)):
        stop = begins[d + 1] if d + 1 < len(begins) else len(kept)
        mean[:, d] = F0
        weight = F0
        for position in range(begins[d], stop):
            i = kept[position]
            e = event[i]
            w = np.float32(1.000001) if full[e] else np.float32(1e-6)
            mean[0, d] += w * low[i]
            mean[1, d] += w * high[i]
            mean[2, d] += w * features[2, e]
            mean[3, d] += w * features[3, e]
            weight += w
        mean[:, d] /= weight
