"""Call-progress tones: make them, and name what is on a line.

``tone`` makes one; ``classify`` names every tone in a recording with its rhythm; ``tone_present`` is the level of given
frequencies in a block; ``voice`` finds where somebody (or a prompt) speaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from offhook.dsp.bursts import envelope, sines
from offhook.dsp.plans import PLANS, Sit, Tone, find, names, plan_of
from offhook.dsp.rhythm import Burst, bursts_of, name_bursts
from offhook.dsp.tones import Float32, Float64, check_rate, checked, dbm0, peak, to_float

__all__ = ["PLANS", "Segment", "Sit", "Tone", "classify", "find", "names", "plan_of", "tone", "tone_present", "voice"]

EDGE_S = 0.003


@dataclass(frozen=True, slots=True)
class Segment:
    """A named tone on the line: ``name`` of the plan or "unknown"; ``cadence`` holds the measured (on, off) seconds."""

    name: str
    start_s: float
    end_s: float
    freqs_hz: tuple[float, ...]
    level_dbm0: float
    cadence: tuple[tuple[float, float], ...]


def tone(name: str, plan: str = "US", duration_s: float = 1.0, rate: float = 8000, *, start_s: float = 0.0) -> Float32:
    """A call-progress tone, float32 of full scale 1.0, ``duration_s`` long from ``start_s`` into its rhythm.

    So that pieces made one after another join without a click, phases count from the tone's own beginning. A tone that
    ends by itself (confirmation, sit) is followed by silence.
    """
    check_rate(rate)
    found = find(name, plan)
    first, count = round(start_s * rate), round(duration_s * rate)
    total = np.zeros(count, dtype=np.float32)
    for begin_s, end_s, freqs in _parts(found, start_s + duration_s):
        a, b = round(begin_s * rate), round(end_s * rate)
        if b <= first or a >= first + count:
            continue
        lo, hi = max(a, first), min(b, first + count)
        phase = 2.0 * np.pi * np.asarray(freqs) * lo / rate
        amplitude = np.full(len(freqs), float(peak(found.level_dbm0)))
        wave = sines(np.asarray(freqs, dtype=np.float64), amplitude, phase, hi - lo, rate).sum(axis=0)
        shape = envelope(np.array([b - a]), np.array([EDGE_S * rate]), min(b - a, hi - a))[0]
        total[lo - first : hi - first] += wave * shape[lo - a : hi - a]
    return total


def _parts(found: Tone | Sit, until_s: float) -> list[tuple[float, float, tuple[float, ...]]]:
    """(begin, end, frequencies) of every burst up to a time; an endless burst ends a little after it."""
    parts: list[tuple[float, float, tuple[float, ...]]] = []
    at = 0.0
    if isinstance(found, Sit):
        for freq, length in found.parts:
            parts.append((at, at + length, (freq,)))
            at += length
        return parts
    if not found.rhythm:
        return [(0.0, until_s + 1.0, found.freqs_hz)]
    turn = 0
    while at < until_s and (found.times == 0 or turn < found.times):
        for on, off in found.rhythm:
            parts.append((at, at + on, found.freqs_hz))
            at += on + off
        turn += 1
    if found.then_continuous and at < until_s:
        parts.append((at, until_s + 1.0, found.freqs_hz))
    return parts


def tone_present(samples: ArrayLike, rate: float, freqs_hz: ArrayLike) -> Float64:
    """Level in dBm0 of each frequency over a whole block, Hann-weighted; one number a frequency.

    ``samples`` (n,) int16 or float. 20 ms resolve 100 Hz.
    """
    value = to_float(checked(samples, rate, most_dims=1)).astype(np.float64)
    n = np.arange(len(value))
    weight = np.hanning(len(value) + 2)[1:-1]
    turn = np.exp(-2j * np.pi * np.outer(np.atleast_1d(np.asarray(freqs_hz, dtype=np.float64)) / rate, n))
    amplitude = 2.0 * np.abs(turn @ (value * weight)) / max(weight.sum(), 1e-12)
    return dbm0(amplitude**2 / 2.0)


def classify(
    samples: ArrayLike, rate: float = 8000, plan: str = "US", *, min_level_dbm0: float = -45.0
) -> list[Segment]:
    """Every call-progress tone of a plan in a recording (n,), in order of time.

    Times are good to about 3 ms at 20 dB S/N. Tones not of the plan are named "unknown" where one set of steady
    frequencies of the plan holds but no rhythm fits. Speech, noise and DTMF give nothing.
    """
    value = to_float(checked(samples, rate, most_dims=1))
    wanted = plan_of(plan)
    bursts = bursts_of(value, rate, wanted, min_level_dbm0)
    return [
        Segment(name, group[0].start_s, group[-1].end_s, group[0].freqs_hz, _level(group), _cadence(group))
        for name, group in name_bursts(bursts, wanted, len(value) / rate)
    ]


def _level(group: list[Burst]) -> float:
    return float(max(burst.level_dbm0 for burst in group))


def _cadence(group: list[Burst]) -> tuple[tuple[float, float], ...]:
    after = [b.start_s - a.end_s for a, b in pairwise(group)] + [0.0]
    return tuple((burst.end_s - burst.start_s, gap) for burst, gap in zip(group, after, strict=True))


def voice(
    samples: ArrayLike, rate: float = 8000, *, min_level_dbm0: float = -42.0, hang_s: float = 0.35, min_s: float = 0.08
) -> list[tuple[float, float]]:
    """Where there is sound that is not a tone (speech, music), as (start_s, end_s); shorter pauses are bridged.

    A 24 ms frame is a tone when its four strongest narrow components hold 97 % of its energy. Steady tones, cadences,
    DTMF and silence give nothing; so does noise below ``min_level_dbm0``.
    """
    value = to_float(checked(samples, rate, most_dims=1))
    size, hop = round(0.032 * rate), round(0.008 * rate)
    if len(value) < size:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(value, size)[::hop]
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    loud = np.asarray(dbm0(power) > min_level_dbm0)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)) ** 2
    total = spectrum.sum(axis=1) + 1e-30
    rest, rows = spectrum.copy(), np.arange(len(frames))[:, None]
    for _ in range(4):
        near = rest.argmax(axis=1)[:, None] + np.arange(-2, 3)
        rest[rows, np.clip(near, 0, rest.shape[1] - 1)] = 0.0
    talks = loud & (rest.sum(axis=1) / total > 0.03)
    # An edge of a tone spreads over the spectrum for one frame; speech lasts.
    need = max(2, round(0.048 / 0.008))
    run = np.convolve(talks, np.ones(need), mode="full")[: len(talks)] >= need
    found: list[tuple[float, float]] = []
    for last in np.flatnonzero(run):
        start, end = float(last - need + 1) * hop / rate + 0.012, float(last * hop + size) / rate - 0.012
        if found and start - found[-1][1] <= hang_s:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start, end) for start, end in found if end - start >= min_s]
