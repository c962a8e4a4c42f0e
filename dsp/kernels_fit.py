"""Fitting two steady tones to many short stretches, for numba: ``purity.fit``."""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.kernels import F0, Array, kernel
from offhook.dsp.tones import Float32, Float64

LANES = 16  # sines are made in so many strands, each of which turns by LANES samples a step


@kernel
def _sine(step: float, size: int, padded: int, cosine: Array, sine: Array) -> None:
    """Cosine and sine of ``step`` radians a sample about the middle."""
    for i in range(LANES):
        phase = step * (i - (size - 1) / 2)
        cosine[i], sine[i] = np.float32(cos(phase)), np.float32(sin(phase))
    c, s = np.float32(cos(LANES * step)), np.float32(sin(LANES * step))
    for begin in range(LANES, padded, LANES):
        old_c, old_s = cosine[begin - LANES : begin], sine[begin - LANES : begin]
        new_c, new_s = cosine[begin : begin + LANES], sine[begin : begin + LANES]
        for i in range(LANES):
            new_c[i] = old_c[i] * c - old_s[i] * s
            new_s[i] = old_s[i] * c + old_c[i] * s


@kernel
def _dot(a: Array, b: Array, size: int) -> Any:
    total = F0
    for i in range(size):
        total += a[i] * b[i]
    return total


@kernel
def _solved(gram: Array, right: Array) -> None:
    """Gauss's elimination of a symmetric positive system of four, in place."""
    for i in range(4):
        for j in range(i + 1, 4):
            factor = gram[j, i] / gram[i, i]
            for k in range(i, 4):
                gram[j, k] -= factor * gram[i, k]
            right[j] -= factor * right[i]
    for i in range(3, -1, -1):
        for k in range(i + 1, 4):
            right[i] -= gram[i, k] * right[k]
        right[i] /= gram[i, i]


@kernel
def _fit(rows: Array, steps: Array, weight: Array, out: Array) -> None:
    count, size = rows.shape
    padded = -(-size // LANES) * LANES
    basis = np.empty((4, padded), dtype=np.float32)
    gram, right = np.empty((4, 4), dtype=np.float64), np.empty(4, dtype=np.float64)
    for n in range(count):
        _sine(steps[n, 0], size, padded, basis[0], basis[2])
        _sine(steps[n, 1], size, padded, basis[1], basis[3])
        if len(weight):
            mask = weight[n]
            for tone in range(4):
                line = basis[tone]
                for i in range(size):
                    line[i] *= mask[i]
        for i in range(4):
            for j in range(i, 4):
                gram[i, j] = gram[j, i] = _dot(basis[i], basis[j], size)
            gram[i, i] += 1e-6
            right[i] = _dot(basis[i], rows[n], size)
        _solved(gram, right)
        w0, w1, w2, w3 = (
            np.float32(right[0]), np.float32(right[1]), np.float32(right[2]), np.float32(right[3]),
        )  # fmt: skip
        b0, b1, b2, b3, fitted = basis[0], basis[1], basis[2], basis[3], out[n]
        for i in range(size):
            fitted[i] = w0 * b0[i] + w1 * b1[i] + w2 * b2[i] + w3 * b3[i]


def fit(rows: Float32, freqs: Float64, rate: float, weight: Float32 | None = None) -> Float32:
    """``purity.fit``, compiled."""
    out: NDArray[np.float32] = np.empty_like(rows)
    mask = np.zeros((0, 0), dtype=np.float32) if weight is None else weight
    _fit(np.ascontiguousarray(rows), (2 * np.pi / rate) * freqs, mask, out)
    return out
