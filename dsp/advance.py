"""Single tones from short windows: power and frequency by how far the phase advances from one to the next.

Half-overlapping short windows are the only correlations with the audio; longer windows and their shift to a tone's true
frequency are sums of them. Everything is single precision, whose sines and cosines numpy has vectorized.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import Float32

LONG = 5  # short windows in a long one


def long_windows(short: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Weighted sums of the last five short windows, 1 2 2 2 1 over 8."""
    pair = short.copy()
    pair[:, 1:] += short[:, :-1]
    four = pair.copy()
    four[:, 2:] += pair[:, :-2]
    whole = four.copy()
    whole[:, 1:] += four[:, :-1]
    whole *= np.float32(0.125)
    return whole


def tones(short: NDArray[np.complex64], index: NDArray[np.int64], hop_s: float) -> tuple[Float32, Float32, Float32]:
    """Power, offset in Hz and change of offset of single tones over the long window that ends at each hop.

    ``index`` says which tone and hop: row times hops plus hop.
    """
    flat = short.reshape(-1)
    parts = [flat.take(index - back) for back in range(LONG)]
    step = parts[0] * parts[1].conj()
    for i in range(1, LONG - 1):
        step += parts[i] * parts[i + 1].conj()
    rough = np.arctan2(step.imag, step.real)
    apart = parts[0] * parts[3].conj() + parts[1] * parts[4].conj()
    apart *= _unit(np.float32(-3.0) * rough)
    phase = rough + np.arctan2(apart.imag, apart.real) / np.float32(3.0)
    offset = phase / np.float32(2 * np.pi * hop_s)
    middle = parts[2].conj()
    bend = (parts[0] * middle) * (parts[4].conj() * parts[2]).conj()
    drift = np.abs(np.arctan2(bend.imag, bend.real)) / np.float32(4 * np.pi * hop_s)
    spin = _unit(phase)
    total = parts[LONG - 1] * np.float32(0.125)
    for weight, part in zip((0.25, 0.25, 0.25, 0.125), reversed(parts[: LONG - 1]), strict=True):
        total *= spin
        total += part * np.float32(weight)
    loss = _short_loss(offset * np.float32(2 * hop_s))
    power: Float32 = np.asarray((total.real**2 + total.imag**2) / loss**2, dtype=np.float32)
    return power, offset, drift


def _unit(phase: Float32) -> NDArray[np.complex64]:
    """exp(i phase), by single-precision sine and cosine."""
    turn = np.empty(phase.shape, dtype=np.complex64)
    np.cos(phase, out=turn.real)
    np.sin(phase, out=turn.imag)
    return turn


def _short_loss(turns: Float32) -> Float32:
    """Amplitude a Hann window shows of a tone that is off by this many cycles a window."""
    x = np.clip(np.abs(turns), 1e-4, 0.7)
    return np.asarray(np.sin(np.pi * x) / (np.pi * x) / (1.0 - x * x), dtype=np.float32)
