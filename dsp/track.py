"""From accepted hops to digits: where each begins and ends, what bridges a drop-out, what is only an echo.

Causal like everything before it: what is said about a digit up to a hop does not change with what comes later, so the
same function serves a whole recording and the growing history of a live lane.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.fine import WARM, Hops, soft_on
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import Float32

BACK = 60  # hops a digit's start is searched back from its acceptance
ECHO_S, ECHO_DB, TAIL_DB = 0.024, 4.0, 5.0
SILENT = 0.6  # of the plateau: less than this, in an echo 6 dB down, too
RUN_HOPS = 10  # accepted hops of one key this close are one run
AHEAD = 10  # hops looked at together for a digit's end: most ends are known by then

Index = NDArray[np.int64]


@dataclass
class Found:
    """Digits of some lanes. Hop numbers are those of the flat arrays; times are hops (float) on the same axis."""

    accepted: Index  # hop at which the digit was accepted
    known: Index  # hop at which its end was known; -1 while it lasts
    key: NDArray[np.int8]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    low_power: Float32
    high_power: Float32
    low_offset: Float32
    high_offset: Float32

    def part(self, which: Index | NDArray[np.bool_]) -> Found:
        """Some of them."""
        return Found(**{name: column[which] for name, column in vars(self).items()})


def track(hops: Hops, lane: Index, begin: Index, last: Index, hop_s: float, profile: Profile) -> Found:
    """Digits from the hops' features; ``lane`` is each hop's lane number, ``begin`` and ``last`` each lane's ends."""
    event = (hops.accepted & (hops.at - begin[lane[hops.at]] >= WARM)).nonzero()[0]
    event, gain = _strong(hops, event, lane)
    loud = hops.low_power[event] + hops.high_power[event]
    hops = replace(hops, low_power=hops.low_power * gain, high_power=hops.high_power * gain)
    at, key = hops.at[event], hops.key[event]
    first = _first_of_digit(hops, event, lane, hop_s, profile)
    begins = first.nonzero()[0]
    ends = np.append(begins[1:], len(event))[: len(begins)] - 1
    digit_lane = lane[at[begins]]
    next_begin = np.full(len(begins), np.iinfo(np.int64).max)
    if len(begins) > 1:
        follows = digit_lane[1:] == digit_lane[:-1]
        next_begin[:-1][follows] = at[begins[1:]][follows]
    start = _starts(hops, event[begins], begin[digit_lane], hop_s, profile)
    stop = np.minimum(next_begin, last[digit_lane] + 1)
    end, known = _ends(hops, event[ends], stop, next_begin, hop_s, profile)
    weight = hops.full[event] + 1e-6  # hops whose long window lies inside the tone, where there are any

    def mean(column: Float32) -> Float32:
        if not len(begins):
            return np.zeros(0, dtype=np.float32)
        total = np.add.reduceat(column[event] * weight, begins) / np.add.reduceat(weight, begins)
        return np.asarray(total, dtype=np.float32)

    found = Found(
        at[begins],
        known,
        key[begins],
        start,
        end,
        mean(hops.low_power),
        mean(hops.high_power),
        mean(hops.low_offset),
        mean(hops.high_offset),
    )
    return without_echoes(found, digit_lane, loud[begins], hop_s)


def _strong(hops: Hops, event: Index, lane: Index) -> tuple[Index, Float32]:
    """Events that are not the echo of what came just before, and each candidate's gain to its digit's plateau.

    In an unbroken run of one key, hops 5 dB under the loudest so far are an echo's tail.
    """
    gain = np.ones(len(hops.at), dtype=np.float32)
    if not len(event):
        return event, gain
    at, key = hops.at[event], hops.key[event]
    run = np.zeros(len(event))
    run[1:] = np.cumsum((np.diff(at) > RUN_HOPS) | (np.diff(key) != 0) | (np.diff(lane[at]) != 0))
    level = 10.0 * np.log10(hops.low_power[event] + hops.high_power[event], dtype=np.float64)
    loudest = np.maximum.accumulate(level + 1000.0 * run) - 1000.0 * run
    gain[event] = 10.0 ** ((loudest - level) / 10.0)
    return event[level > loudest - TAIL_DB], gain


def _first_of_digit(
    hops: Hops, event: Index, lane: NDArray[np.int64], hop_s: float, profile: Profile
) -> NDArray[np.bool_]:
    """Which accepted hops begin a new digit: another key or lane, or a gap of ``bridge_s`` or more since the last."""
    first = np.ones(len(event), dtype=np.bool_)
    if len(event) < 2:
        return first
    at, key = hops.at[event], hops.key[event]
    linked = (lane[at[1:]] == lane[at[:-1]]) & (key[1:] == key[:-1])
    first[1:] = ~linked
    apart = (linked & (at[1:] - at[:-1] > 1)).nonzero()[0]
    if len(apart):
        first[apart + 1] = _longest_gap(hops, event[apart], at[apart], at[apart + 1], hop_s) >= profile.bridge_s
    return first


def _longest_gap(hops: Hops, event: Index, begin: Index, end: Index, hop_s: float) -> NDArray[np.float64]:
    """Longest silence in seconds of the event's key between two hops, ragged over all pairs at once."""
    length = end - begin - 1
    owner = np.repeat(np.arange(len(begin)), length)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    soft = soft_on(_filled(hops, event[owner], begin[owner] + 1 + offset))
    off = np.where(soft < SILENT, (1.0 - soft) * hop_s, 0.0).astype(np.float64)
    total = np.cumsum(off)
    reset = (soft >= SILENT) | (offset == 0)
    base = np.maximum.accumulate(np.where(reset, total - np.where(soft >= SILENT, 0.0, off), 0.0))
    longest = np.zeros(len(begin))
    np.maximum.at(longest, owner, total - base)
    return longest


def _filled(hops: Hops, event: Index, hop: Index) -> Float32:
    """How much of a short window the event's two tones fill, against the event's own plateau; 0 to 1."""
    low_row, high_row = hops.key[event] // 4, hops.key[event] % 4 + 4
    low = hops.amplitude[low_row, hop] / np.sqrt(hops.low_power[event])
    high = hops.amplitude[high_row, hop] / np.sqrt(hops.high_power[event])
    return np.minimum(np.minimum(low, high), np.float32(1.0))


class _Filled:
    """``_filled`` for a set of events that is asked again and again."""

    def __init__(self, hops: Hops, event: Index) -> None:
        self.amplitude = hops.amplitude.reshape(-1)
        count = hops.amplitude.shape[1]
        key = hops.key[event].astype(np.int64)
        self.low, self.high = key // 4 * count, (key % 4 + 4) * count
        self.low_scale = np.float32(1.0) / np.sqrt(hops.low_power[event])
        self.high_scale = np.float32(1.0) / np.sqrt(hops.high_power[event])

    def part(self, keep: Index) -> _Filled:
        """For some of the events."""
        part = copy(self)
        for name in ("low", "high", "low_scale", "high_scale"):
            setattr(part, name, getattr(self, name)[keep])
        return part

    def at(self, hop: Index) -> Float32:
        """How full each event's short window is at a hop."""
        low = self.amplitude.take(self.low + hop) * self.low_scale
        low = np.minimum(low, self.amplitude.take(self.high + hop) * self.high_scale)
        return np.asarray(np.minimum(low, np.float32(1.0)), dtype=np.float32)


def _starts(hops: Hops, event: Index, begin: Index, hop_s: float, profile: Profile) -> NDArray[np.float64]:
    """Start in hops: half a hop before the middle of the accepting short window, less the time on before it."""
    at = hops.at[event]
    back = np.arange(1, BACK + 1)[:, None]
    hop = at - back
    soft = _Filled(hops, event).at(np.maximum(hop, begin))
    silent = soft < SILENT
    off = np.where(silent, np.float32(hop_s) * (np.float32(1.0) - soft_on(soft)), np.float32(0.0)).astype(np.float64)
    total = np.cumsum(off, axis=0)
    gap = total - np.maximum.accumulate(np.where(silent, 0.0, total), axis=0)
    going = hop >= begin
    going[1:] &= gap[:-1] < profile.bridge_s
    np.logical_and.accumulate(going, axis=0, out=going)
    # the furthest full hop, and what the one before it holds
    furthest = np.where(going & ~silent, back, 0).max(axis=0, initial=0)
    column = np.arange(len(at))
    first = np.where(furthest > 0, furthest - 1.0 + soft[furthest - 1, column], 0.0)
    after = np.minimum(furthest, BACK - 1)
    rest = np.where((furthest < BACK) & going[after, column], soft[after, column], np.float32(0.0))
    return np.asarray(at - 0.5 - (first + rest))


def _ends(
    hops: Hops, event: Index, stop: Index, next_begin: Index, hop_s: float, profile: Profile
) -> tuple[NDArray[np.float64], Index]:
    """End in hops, and the hop at which it was known: silence for ``bridge_s``, or another digit accepted."""
    at = hops.at[event]
    end = np.subtract(at, 0.5, dtype=np.float64)
    known = np.where(stop < next_begin, -1, next_begin)
    alive, gap, fills = np.arange(len(at)), np.zeros(len(at)), _Filled(hops, event)
    while len(alive):
        ending, gap, silent_at = _follow(fills, at, stop[alive], end[alive], gap, hop_s, profile.bridge_s)
        end[alive] = ending
        over = silent_at >= 0
        known[alive[over]] = silent_at[over]
        at = at + AHEAD
        going = (~over & (at < stop[alive])).nonzero()[0]
        alive, at, gap = alive[going], at[going], gap[going]
        if len(alive):
            fills = fills.part(going)
    return end, known


def _follow(
    fills: _Filled, at: Index, stop: Index, end: NDArray[np.float64], gap: NDArray[np.float64], hop_s: float,
    bridge_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Index]:  # fmt: skip
    """Ends and gaps after up to ``AHEAD`` more hops from ``at``, none of them at ``stop`` or beyond.

    Then the hop at which there had been silence for ``bridge_s``, -1 if there was none so long.
    """
    column = np.arange(len(at))
    hop = at + np.arange(AHEAD)[:, None]
    heard = hop < stop
    soft = fills.at(np.minimum(hop, stop - 1))
    silent = soft < SILENT
    off = np.where(silent, np.float32(hop_s) * (np.float32(1.0) - soft_on(soft)), np.float32(0.0)).astype(np.float64)
    off[0] += gap
    total = np.cumsum(off, axis=0)
    since = total - np.maximum.accumulate(np.where(silent, 0.0, total), axis=0)
    long = heard & (since >= bridge_s)
    over = long.any(axis=0)
    rows = np.where(over, long.argmax(axis=0) + 1, heard.sum(axis=0))  # so many of them count
    number = np.arange(AHEAD)[:, None]
    full = np.where(~silent & (number < rows), number, -1).max(axis=0)
    begun = np.where(full >= 0, at + full - 0.5 + soft[full, column], end)
    first = full + 1  # the first silent hop holds the tone's last piece
    tail = (first < rows) & ((full >= 0) | (gap == 0.0))
    begun += np.where(tail, soft[np.minimum(first, AHEAD - 1), column], np.float32(0.0))
    return begun, since[rows - 1, column], np.where(over, at + rows - 1, -1)


def without_echoes(found: Found, lane: NDArray[np.int64], now: Float32, hop_s: float) -> Found:
    """Drop a digit that repeats its predecessor at least 4 dB weaker at once; ``now`` is each one's power at first."""
    if len(found.key) < 2:
        return found
    before = found.low_power[:-1] + found.high_power[:-1]
    close = (found.start[1:] - found.end[:-1]) * hop_s < ECHO_S
    echo = (
        (lane[1:] == lane[:-1]) & (found.key[1:] == found.key[:-1]) & close & (now[1:] * 10 ** (ECHO_DB / 10) < before)
    )
    keep = np.append(True, ~echo)
    kept = found.part(keep)
    follows = lane[keep][1:] == lane[keep][:-1]  # one line, one digit at a time: none begins before the last has ended
    kept.start[1:] = np.where(follows, np.maximum(kept.start[1:], kept.end[:-1]), kept.start[1:])
    return kept
