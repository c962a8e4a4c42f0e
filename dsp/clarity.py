"""Signal to noise of a digit: how much of it is the two tones, and how much is anything else.

A steady tone anywhere within the receiver's tolerance of its nominal frequency lies, over 24 ms, in a space of a few
dimensions (Slepian 1978), so that its frequency need not be known: what is outside the space of both tones is noise, at
the density it has inside. The space is that of the largest singular vectors of sines across the band.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import HIGH_HZ, LOW_HZ, Float32, Float64

LONG_S, SHORT_S = 0.024, 0.012
"""Of the audio that is looked at; the shorter one where a digit has no room for the longer."""
EDGE_S = 0.008
"""What is kept of distance to a digit's edges, where it has the room: rise and fall are no noise."""
BAND, GRID = 0.03, 13  # either side of the nominal frequency; sines across it
LEAST = 1e-4  # of the largest: smaller singular vectors hold nothing of a tone
MOST_DB = 80.0


def snr_db(
    audio: NDArray[np.generic],
    channel: NDArray[np.int64],
    start: Float64,
    end: Float64,
    key: NDArray[np.int8],
    rate: float,
) -> Float32:
    """Power of both tones over that of everything else from 0 to ``rate`` / 2, near each digit's end, in dB.

    ``audio`` (channels, n) at ``rate``; ``start`` and ``end`` in its samples. At most 80; what is shorter than 12 ms is
    looked at with what surrounds it. 0 where both are alike; what lies outside of the audio is silence.
    """
    ratio = np.zeros(len(key), dtype=np.float32)
    long = end - start >= LONG_S * rate
    for key_there, is_long in {*zip(key.tolist(), long.tolist(), strict=True)}:
        some = np.flatnonzero((key == key_there) & (long == is_long))
        basis = _basis(key_there, round((LONG_S if is_long else SHORT_S) * rate), rate)
        ratio[some] = _ratio(_pieces(audio, channel[some], start[some], end[some], basis.shape[1], rate), basis)
    return np.asarray(10.0 * np.log10(np.maximum(ratio, 1e-9)), dtype=np.float32)


def _pieces(
    audio: NDArray[np.generic], channel: NDArray[np.int64], start: Float64, end: Float64, size: int, rate: float
) -> Float64:
    """The last ``size`` samples of each digit that are away from its edges: (digits, size)."""
    spare = np.minimum(EDGE_S * rate, (end - start - size) / 2)
    first = np.rint(end - spare).astype(np.int64) - size
    at = first[:, None] + np.arange(size)
    inside = (at >= 0) & (at < audio.shape[1])
    return np.where(inside, audio[channel[:, None], np.clip(at, 0, audio.shape[1] - 1)], 0).astype(np.float64)


def _ratio(pieces: Float64, basis: Float64) -> Float64:
    rank, size = basis.shape
    held = np.square(pieces @ basis.T).sum(axis=1)
    rest = np.maximum(np.vecdot(pieces, pieces) - held, 0.0) / (size - rank)
    tones = np.maximum(held - rank * rest, 0.0) / size
    return np.asarray(tones / np.maximum(rest, tones * 10 ** (-MOST_DB / 10) + 1e-30))


@lru_cache(maxsize=256)
def _basis(key: int, size: int, rate: float) -> Float64:
    """Orthonormal rows that span both tones of a key, wherever they are in their bands: (rank, size)."""
    spread = np.linspace(1.0 - BAND, 1.0 + BAND, GRID)
    freqs = np.concatenate((LOW_HZ[key // 4] * spread, HIGH_HZ[key % 4] * spread))
    angle = 2.0 * np.pi / rate * np.outer(freqs, np.arange(size))
    _, weight, rows = np.linalg.svd(np.concatenate((np.cos(angle), np.sin(angle))), full_matrices=False)
    return np.ascontiguousarray(rows[weight > LEAST * weight[0]])
