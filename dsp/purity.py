"""Is what is left beside the two tones noise, or the rest of a voice?

The residue's spectrum, tones and nulled frequencies cut out, is averaged over the tone. Noise comes out flat; speech and
music keep peaks. That tells a digit at 0 dB signal to noise from a vowel, which no fixed share of the energy can.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import Float32, Float64

SIZE_HOPS = 6
FRAMES = 3
CREST = 5.3
ROWS = 4096


def flat_residue(
    blocks: Float32, at: NDArray[np.int64], low_hz: Float64, high_hz: Float64, rate: float, null_hz: tuple[float, ...]
) -> NDArray[np.bool_]:
    """Whether the residue around each hop's two tones is as flat as noise; (hops,)."""
    flat = np.zeros(len(at), dtype=np.bool_)
    for first in range(0, len(at), ROWS):
        part = slice(first, first + ROWS)
        crest = residue_crest(blocks, at[part], low_hz[part], high_hz[part], rate, null_hz)
        flat[part] = crest < CREST
    return flat


def residue_crest(
    blocks: Float32, at: NDArray[np.int64], low_hz: Float64, high_hz: Float64, rate: float, null_hz: tuple[float, ...]
) -> Float64:
    """Largest over mean of the residue's power spectrum, averaged over three 24 ms frames that end 0, 3, 6 ms back."""
    hop = blocks.shape[1]
    size = SIZE_HOPS * hop
    padded = 1 << (size - 1).bit_length()
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    total = np.zeros((len(at), padded // 2 + 1), dtype=np.float32)
    for back in range(FRAMES):
        rows = blocks[(at - back)[:, None] - np.arange(SIZE_HOPS - 1, -1, -1)].reshape(len(at), size)
        spectrum = np.fft.rfft(rows * window, padded, axis=1)
        total += spectrum.real**2 + spectrum.imag**2
    width = rate / padded
    bins = np.arange(padded // 2 + 1) * width
    keep = (bins > 150.0) & (bins < min(0.47 * rate, 3500.0))
    lobe = 2.6 * rate / size
    for null in null_hz:
        keep &= np.abs(bins - null) > 60.0
    mask = keep[None, :] & (np.abs(bins - low_hz[:, None]) > lobe) & (np.abs(bins - high_hz[:, None]) > lobe)
    rest = np.where(mask, total, np.float32(0.0))
    mean = rest.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return np.asarray(rest.max(axis=1) / np.maximum(mean, 1e-12), dtype=np.float64)
