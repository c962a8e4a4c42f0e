"""Bursts of call-progress tones and the rhythms they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from offhook.dsp.plans import Sit, Tone
from offhook.dsp.tones import Float32, Float64, dbm0, power_of

FRAME_S = 0.040
HOP_S = 0.005
SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Burst:
    """Unbroken sound of one set of frequencies."""

    freqs_hz: tuple[float, ...]
    start_s: float
    end_s: float
    level_dbm0: float

    @property
    def length_s(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


def bursts_of(samples: Float32, rate: float, wanted: Sequence[Tone | Sit], min_level_dbm0: float) -> list[Burst]:
    """Bursts of any frequency set of a plan, edges refined to the half-power point of 5 ms blocks."""
    sets = _sets(wanted)
    size, hop = round(FRAME_S * rate), round(HOP_S * rate)
    padded = np.concatenate((np.zeros(size // 2, np.float32), samples, np.zeros(size, np.float32)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    share, power = _fits(frames, rate, sets)
    best = share.argmax(axis=1)
    ok = (share.max(axis=1) > SHARE) & (power > power_of(min_level_dbm0))
    label = np.where(ok, best, -1)
    blocks = np.concatenate((samples, np.zeros(-len(samples) % hop, np.float32))).reshape(-1, hop)
    energy = (blocks.astype(np.float64) ** 2).mean(axis=1)
    bursts: list[Burst] = []
    edges = np.flatnonzero(np.diff(label, prepend=-2, append=-2))
    for a, b in pairwise(edges):
        if label[a] < 0 or b - a < 3:
            continue
        plateau = float(np.median(power[a:b]))
        start, end = _refine(energy, int(a), int(b), plateau)
        freqs = sets[label[a]]
        burst = Burst(freqs, start * HOP_S, min(end * HOP_S, len(samples) / rate), float(dbm0(plateau)))
        if bursts and bursts[-1].freqs_hz == freqs and burst.start_s - bursts[-1].end_s < 0.02:
            burst = Burst(freqs, bursts[-1].start_s, burst.end_s, max(burst.level_dbm0, bursts[-1].level_dbm0))
            bursts.pop()
        bursts.append(burst)
    return [burst for burst in bursts if burst.length_s >= 0.05]


def _sets(wanted: Sequence[Tone | Sit]) -> list[tuple[float, ...]]:
    sets: list[tuple[float, ...]] = []
    for tone in wanted:
        for freqs in [(f,) for f, _ in tone.parts] if isinstance(tone, Sit) else [tone.freqs_hz]:
            if freqs not in sets:
                sets.append(freqs)
    return sets


def _fits(frames: Float32, rate: float, sets: list[tuple[float, ...]]) -> tuple[Float64, Float64]:
    """Share of each frame's energy in each set by least squares (Hann-weighted), and the frame's mean power."""
    shaped = frames * _weight(frames.shape[1]).astype(np.float32)
    power = np.einsum("ij,ij->i", shaped, shaped).astype(np.float64)
    share = np.zeros((len(frames), len(sets)))
    for k, freqs in enumerate(sets):
        basis, mix = _basis(freqs, frames.shape[1], rate)
        part = (shaped @ basis).astype(np.float64)
        share[:, k] = (part**2).sum(axis=1) / (power + 1e-20)
        if len(freqs) > 1:  # a lone component of a pair is another tone
            component = (np.linalg.solve(mix, part.T) ** 2).reshape(len(freqs), 2, len(frames)).sum(axis=1).T
            share[component.min(axis=1) < 0.02 * component.max(axis=1), k] *= 0.5
        else:
            share[:, k] *= 1.0001  # of two fits that are equal, the simpler
    return share, power


@lru_cache(maxsize=8)
def _weight(size: int) -> Float64:
    shape = np.hanning(size + 2)
    return np.asarray(np.sqrt(shape[1:-1] / shape.sum()))


@lru_cache(maxsize=256)
def _basis(freqs: tuple[float, ...], size: int, rate: float) -> tuple[Float32, Float64]:
    """What spans a frame's weighted sines at some frequencies, orthonormal, and how they are mixed from it."""
    n = (np.arange(size) - size / 2) / rate
    columns = [f(2 * np.pi * freq * n) for freq in freqs for f in (np.cos, np.sin)]
    basis, mix = np.linalg.qr(np.stack(columns, axis=1) * _weight(size)[:, None])
    return basis.astype(np.float32), np.asarray(mix)


def _refine(energy: Float64, a: int, b: int, plateau: float) -> tuple[float, float]:
    """Edges in blocks: from outside in, the first block with a tenth of the plateau, by the part of it that sounds.

    Only the neighbourhood of the frame-based edge is looked at: two close frequencies beat, so blocks inside are weak.
    """
    reach = int(FRAME_S / HOP_S / 2) + 2
    left = np.clip(energy[max(a - reach, 0) : a + reach] / (plateau + 1e-20), 0.0, 1.0)
    right = np.clip(energy[max(b - reach, 0) : b + reach][::-1] / (plateau + 1e-20), 0.0, 1.0)
    start, end = float(a), float(b)
    if np.any(left > 0.1):
        first = int(np.argmax(left > 0.1))
        start = max(a - reach, 0) + first + (1.0 - left[first])
    if np.any(right > 0.1):
        first = int(np.argmax(right > 0.1))
        end = min(b + reach, len(energy)) - first - (1.0 - right[first])
    return start, end


def name_bursts(bursts: list[Burst], wanted: Sequence[Tone | Sit], total_s: float) -> list[tuple[str, list[Burst]]]:
    """Groups of bursts with the name of the rhythm they make."""
    named: list[tuple[str, list[Burst]]] = []
    place = 0
    while place < len(bursts):
        name, used = _best(bursts[place:], wanted, total_s)
        named.append((name, bursts[place : place + used]))
        place += used
    return named


def _best(bursts: list[Burst], wanted: Sequence[Tone | Sit], total_s: float) -> tuple[str, int]:
    """The tone that explains most of the bursts from the first on; among equals, the one that fits best."""
    best: tuple[int, float, str] = (0, 0.0, "unknown")
    for tone in wanted:
        used, error = _sit(tone, bursts) if isinstance(tone, Sit) else _rhythm(tone, bursts, total_s)
        if used and (used, -error) > (best[0], -best[1] if best[0] else -9.0):
            best = (used, error, tone.name)
    return best[2], max(best[0], 1)


def _sit(tone: Sit, bursts: list[Burst]) -> tuple[int, float]:
    if len(bursts) < 3:
        return 0, 0.0
    for burst, (freq, length) in zip(bursts, tone.parts, strict=False):
        if burst.freqs_hz != (freq,) or abs(burst.length_s - length) > 0.09:
            return 0, 0.0
    return 3, 0.0


def _near(value: float, target: float) -> bool:
    return abs(value - target) <= max(0.15 * target, 0.03)


def _rhythm(tone: Tone, bursts: list[Burst], total_s: float) -> tuple[int, float]:
    """How many bursts from the first fit this tone's rhythm, and the mean relative error of their lengths."""
    if bursts[0].freqs_hz != tone.freqs_hz:
        return 0, 0.0
    if not tone.rhythm:
        return (1, 0.5) if bursts[0].length_s >= 0.15 else (0, 0.0)
    errors: list[float] = []
    used = 0
    steps = [part for _ in range(tone.times or 1) for part in tone.rhythm]
    for place, burst in enumerate(bursts):
        if burst.freqs_hz != tone.freqs_hz:
            break
        finished = bool(tone.times) and place >= len(steps)
        if finished and not tone.then_continuous:
            break
        on, off = steps[place % len(steps)]
        gap = bursts[place + 1].start_s - burst.end_s if place + 1 < len(bursts) else None
        cut = burst.end_s > total_s - 0.03 or (place == 0 and burst.start_s < 0.03)
        lasting = tone.then_continuous and place > 0 and burst.length_s > on * 1.3
        if lasting:
            return place + 1, sum(errors) / max(len(errors), 1)
        if not _near(burst.length_s, on) and not (cut and burst.length_s < on * 1.15):
            break
        errors.append(0.0 if cut else abs(burst.length_s - on) / on)
        used = place + 1
        if gap is not None and not _near(gap, off):
            break
    if tone.times and not tone.then_continuous and used != len(steps):
        return 0, 0.0
    unfinished = 0.3 if tone.times and used != len(steps) + tone.then_continuous else 0.0
    return used, unfinished + (sum(errors) / max(len(errors), 1) if used else 0.0)
