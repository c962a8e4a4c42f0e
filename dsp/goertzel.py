"""The Goertzel bank: a window's correlation with many frequencies at once, as one matrix product.

Goertzel's recursion gives one frequency of one rectangular window; written as a matrix, the same sums take any window,
run over channels x time x frequencies in one BLAS call, and need no loop over samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.tones import Float64, check_rate


def matrix(freqs_hz: ArrayLike, rate: float, window: ArrayLike) -> Float64:
    """Columns cos, -sin (all cosines first) of each frequency, times the window; (len(window), 2 x frequencies)."""
    shape = np.asarray(window, dtype=np.float64)
    angle = 2.0 * np.pi * np.outer(np.arange(len(shape)), np.atleast_1d(np.asarray(freqs_hz, dtype=np.float64))) / rate
    return np.concatenate((np.cos(angle), -np.sin(angle)), axis=1) * shape[:, None]


def bank(
    samples: ArrayLike,
    rate: float,
    freqs_hz: ArrayLike,
    size: int,
    hop: int | None = None,
    window: ArrayLike | None = None,
) -> NDArray[np.complex128]:
    """Complex correlation of every window with every frequency: (..., windows, frequencies) in float64.

    ``samples`` (..., n), any float or integer kind. Windows of ``size`` samples start every ``hop`` (default: size);
    phases refer to each window's first sample. The squared magnitude equals Goertzel's
    ``s1**2 + s2**2 - 2 cos(w) s1 s2``.
    """
    check_rate(rate)
    value = np.asarray(samples, dtype=np.float64)
    step = size if hop is None else hop
    if size < 1 or step < 1 or value.ndim < 1:
        raise ValueError(f"size {size} and hop {step} must be positive and samples have at least one axis")
    count = np.atleast_1d(np.asarray(freqs_hz)).size
    if value.shape[-1] < size:
        return np.zeros((*value.shape[:-1], 0, count), dtype=np.complex128)
    frames = np.lib.stride_tricks.sliding_window_view(value, size, axis=-1)[..., ::step, :]
    product = frames @ matrix(freqs_hz, rate, np.ones(size) if window is None else window)
    return product[..., :count] + 1j * product[..., count:]


def null_basis(freqs_hz: tuple[float, ...], rate: float, weight: NDArray[Any]) -> Float64:
    """Orthonormal columns (under the weight) that span cosines and sines of frequencies to be nulled.

    ``weight`` sums to 1; the squared products with ``samples`` sum to the mean power those frequencies hold.
    Frequencies closer than the window resolves are merged by dropping directions that are nearly alike.
    """
    if not freqs_hz:
        return np.zeros((len(weight), 0))
    return np.asarray(_trigonometric(freqs_hz, rate, len(weight)) @ null_mix(freqs_hz, rate, weight) * weight[:, None])


def null_mix(freqs_hz: tuple[float, ...], rate: float, weight: NDArray[Any]) -> Float64:
    """What makes ``null_basis`` of weighted cosines (first) and sines: (2 x frequencies, columns of the basis)."""
    if not freqs_hz:
        return np.zeros((0, 0))
    columns = _trigonometric(freqs_hz, rate, len(weight)) * np.sqrt(weight)[:, None]
    _, size, right = np.linalg.svd(columns, full_matrices=False)
    some = size > 0.02 * size[0]
    return np.asarray(right[some].T / size[some])


def _trigonometric(freqs_hz: tuple[float, ...], rate: float, size: int) -> Float64:
    angle = 2.0 * np.pi * np.outer(np.arange(size), np.asarray(freqs_hz)) / rate
    return np.concatenate((np.cos(angle), np.sin(angle)), axis=1)
