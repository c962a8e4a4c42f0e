"""Is what is left beside the two tones noise, or the rest of a voice?

Two steady tones are fitted to the last 32 ms and taken away. Noise leaves a flat spectrum; speech and music leave
peaks, at the tones themselves too, because their partials never stand still. That tells a digit at 0 dB signal to noise
from a vowel, which no fixed share of the energy can. The spectrum is Thomson's (1982) average over four sine tapers
(Riedel and Sidorenko 1995), which is smooth enough for one short window.

A digit with a voice under it leaves peaks too. What gives it away is that it is made by a machine: it starts at once,
on its two frequencies, with its two tones alike. The better it does so, the less of the energy it need hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.tones import Float32, Float64

SIZE_HOPS = 8
TAPERS = 4
CREST, CREST_SLOPE, CREST_SHARE = 2.75, 4.2, 0.45
NEED, NEED_OFFSET, NEED_TWIST, NEED_SLOW, NEED_UNSEEN = 0.45, 0.17, 0.10, 0.08, (0.0, 0.13, 0.37)
START_BACK, START_LOW, START_HIGH, START_SLOW = 15, 0.35, 0.8, 3
VOICE_HZ, TOP_HZ = 200.0, 3400.0
CLIP_HOPS, CLIP_TIME = 6, 0.35
MEND_HOPS, MEND_SHARE, MEND_LEAST = 12, 0.96, 3
ROWS, FEW = 2048, 32

Fit = Callable[[Float32, Float64, float, Float32 | None], Float32]  # as ``fit``


def crest_limit(share: Float32) -> Float64:
    """Largest crest taken for noise: the more of the energy the tones hold, the more the rest may stand out."""
    return np.asarray(CREST + CREST_SLOPE * (np.minimum(share, 1.0).astype(np.float64) - CREST_SHARE))


def needed_share(offset_percent: Float32, twist_db: Float32) -> Float32:
    """Share of the energy that the two tones of a digit that started at once must hold, whatever the rest is.

    More for tones that are off by ``offset_percent`` (the sum of both) or differ by ``twist_db``.
    """
    return np.asarray(NEED + NEED_OFFSET * offset_percent + NEED_TWIST * np.abs(twist_db), dtype=np.float32)


def needed_more(tones: Float32) -> Float32:
    """What to add where tones did not start at once; ``tones`` as in ``start_hops``, of both: (2, hops, candidates)."""
    start = np.stack([start_hops(tone) for tone in tones])
    more = np.asarray(NEED_UNSEEN, dtype=np.float32)[(start > START_SLOW).sum(axis=0)]
    more[start.max(axis=0) == START_SLOW] += NEED_SLOW
    return np.asarray(more)


def start_hops(tone: Float32) -> NDArray[np.int64]:
    """Hops of 4 ms that a tone took from a third to most of its plateau, at least 1; 4: more, or not seen.

    ``tone`` is its amplitude against the plateau's, (hops looked back, candidates).
    """
    low = tone < START_LOW
    first = low.argmax(axis=0)
    column = np.arange(len(first))
    hops = np.full(len(first), START_SLOW + 1)
    for back in range(START_SLOW, 0, -1):
        hops[tone[np.maximum(first - back, 0), column] > START_HIGH] = back
    hops[~low.any(axis=0)] = START_SLOW + 1
    return hops


def mended(
    past: tuple[Float32, NDArray[np.int64]],
    on: Float32,
    low_hz: ArrayLike,
    high_hz: ArrayLike,
    rate: float,
    fitted: Fit | None = None,
) -> NDArray[np.bool_]:
    """Whether two steady tones fill what there is of a digit on both sides of a drop-out, as if it were not there.

    ``past`` is blocks and each candidate's last; ``on`` (hops looked back, candidates) is how full of tone each short
    window was; only blocks in full ones count.
    """
    (blocks, at), count = past, MEND_HOPS
    whole = on[:count] > 0.93 * on[:count].max(axis=0)
    block_on = whole.copy()
    block_on[1:] &= whole[:-1]
    rows = blocks[at[:, None] - np.arange(count)]
    mask = block_on.T[:, :, None]
    size = count * blocks.shape[1]
    # one time axis with the newest block last, as fit() expects
    ordered = rows[:, ::-1].reshape(len(at), size)
    weight = np.repeat(mask[:, ::-1, 0], blocks.shape[1], axis=1).astype(np.float32)
    freqs = np.stack((np.asarray(low_hz), np.asarray(high_hz)), axis=1)
    rest = ordered * weight - (fitted or fit)(ordered, freqs, rate, weight)
    energy = np.vecdot(ordered * weight, ordered)
    enough = block_on.sum(axis=0) >= MEND_LEAST
    return np.asarray(enough & (np.vecdot(rest, rest) < (1.0 - MEND_SHARE) * energy))


def clipped(blocks: Float32, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the last 24 ms are flattened at a ceiling, as by a clipping line: what the tones make of it is no voice.

    Two equal sines spend a few percent of their time within a tenth of their peak, one sine alone 29 %.
    """
    rows = np.abs(stretches(blocks, at, CLIP_HOPS))
    return np.asarray((rows > 0.9 * rows.max(axis=1, keepdims=True)).mean(axis=1) > CLIP_TIME)


def residue(
    blocks: Float32,
    at: NDArray[np.int64],
    low_hz: ArrayLike,
    high_hz: ArrayLike,
    rate: float,
    null_hz: tuple[float, ...],
    fitted: Fit | None = None,
) -> tuple[Float64, Float64]:
    """What two steady tones leave of the last 32 ms: its crest, and the tones' share of all energy; (hops,).

    Crest: largest over mean of the power spectrum in the telephone band, nulled frequencies left out. The share counts
    all above 200 Hz.
    """
    crest, share = np.zeros(len(at)), np.zeros(len(at))
    low, high = np.asarray(low_hz, dtype=np.float64), np.asarray(high_hz, dtype=np.float64)
    for first in range(0, len(at), ROWS):
        part = slice(first, first + ROWS)
        freqs = np.stack((low[part], high[part]), axis=1)
        crest[part], share[part] = _residue(blocks, at[part], freqs, rate, null_hz, fitted or fit)
    return crest, share


def _residue(
    blocks: Float32, at: NDArray[np.int64], freqs: Float64, rate: float, null_hz: tuple[float, ...], fitted: Fit
) -> tuple[Float64, Float64]:
    size = SIZE_HOPS * blocks.shape[1]
    rows = stretches(blocks, at, SIZE_HOPS)
    both = fitted(rows, freqs, rate, None)
    rest = rows - both
    it = _spectrum(size, rate, null_hz)
    total = np.zeros((len(at), it.padded // 2 + 1), dtype=np.float32)
    for window in it.windows:
        spectrum = np.fft.rfft(rest * window, it.padded, axis=1)
        total += spectrum.real**2 + spectrum.imag**2
    band = total[:, it.keep]
    crest = np.asarray(band.max(axis=1) / np.maximum(band.mean(axis=1), 1e-12), dtype=np.float64)
    both *= both
    held = np.asarray(both @ it.weight, dtype=np.float64) * (it.padded / 2)  # as the sum over all bins
    return crest, held / np.maximum(held + total[:, it.voice].sum(axis=1), 1e-12)


@dataclass(frozen=True)
class _Spectrum:
    """Tapers, the sum of their squares, and which bins are the band's and which a voice's."""

    padded: int
    windows: Float32
    weight: Float32
    keep: NDArray[np.bool_]
    voice: NDArray[np.bool_]


@lru_cache(maxsize=64)
def _spectrum(size: int, rate: float, null_hz: tuple[float, ...]) -> _Spectrum:
    padded = 1 << (size - 1).bit_length()
    windows = np.sin(np.pi * np.outer(np.arange(1, TAPERS + 1), np.arange(1, size + 1)) / (size + 1)).astype(np.float32)
    bins = np.arange(padded // 2 + 1) * (rate / padded)
    keep = (bins > VOICE_HZ) & (bins < min(0.47 * rate, TOP_HZ))
    for null in null_hz:
        keep &= np.abs(bins - null) > 90.0
    return _Spectrum(padded, windows, (windows**2).sum(axis=0), keep, bins > VOICE_HZ)


def stretches(blocks: Float32, at: NDArray[np.int64], count: int) -> Float32:
    """The last ``count`` blocks up to each of some blocks, (len(at), samples), copied whole."""
    size, start = count * blocks.shape[1], (at - (count - 1)) * blocks.shape[1]
    if len(at) <= FEW:  # a live receiver's: the view itself would cost most
        return np.asarray(blocks.reshape(-1).take(start[:, None] + np.arange(size)), dtype=np.float32)
    every = np.lib.stride_tricks.sliding_window_view(blocks.reshape(-1), size)
    return np.asarray(every[start], dtype=np.float32)


def fit(rows: Float32, freqs: Float64, rate: float, weight: Float32 | None = None) -> Float32:
    """Least-squares sum of steady sines at each row's frequencies (rows, tones) to each row (rows, samples).

    With a ``weight`` of 0 or 1 a sample, only those of weight 1 count, and the fit is 0 elsewhere.
    """
    basis = _sines((2 * np.pi / rate) * freqs, rows.shape[1])
    if weight is not None:
        basis *= weight[:, None, :]
    gram = basis @ basis.transpose(0, 2, 1)
    product = (basis @ rows[:, :, None]).astype(np.float64)
    weights = np.linalg.solve(gram.astype(np.float64) + 1e-6 * np.eye(4), product)
    return np.asarray((weights.transpose(0, 2, 1) @ basis)[:, 0, :], dtype=np.float32)


def _sines(step: Float64, size: int) -> Float32:
    """Cosines, then sines, of ``step`` radians a sample about the middle; (rows, 2 x tones, size).

    Products of a few coarse and a few fine turns: one sine a sample would cost more than all the rest of the fit.
    """
    fine = 1 << (size.bit_length() // 2)
    coarse = -(-size // fine)
    begin = np.exp(1j * step[:, :, None] * (np.arange(coarse) * fine - (size - 1) / 2)).astype(np.complex64)
    turn = np.exp(1j * step[:, :, None] * np.arange(fine)).astype(np.complex64)
    every = (begin[..., None] * turn[:, :, None, :]).reshape(*step.shape, coarse * fine)[..., :size]
    return np.concatenate((every.real, every.imag), axis=1)
