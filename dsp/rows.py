"""What every impairment shares: rows of audio, parameters that may differ from row to row, and the step itself."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from offhook.dsp.tones import Float64, check_rate, power_of

LOUDEST_S = 0.020


class Step(Protocol):
    """One impairment. Frozen dataclasses with plain fields, so that a chain can be printed and compared."""

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Rows (batch, n) at full scale 1.0, impaired; the same shape. The argument is not changed."""
        ...


def as_rows(samples: ArrayLike, rate: float) -> Float64:
    """int16 or float audio of shape (n,) or (batch, n) as float64 rows; ValueError for anything else."""
    check_rate(rate)
    value = np.asarray(samples)
    if value.ndim not in (1, 2):
        raise ValueError(f"samples have shape {value.shape}: expected (n,) or (batch, n)")
    if value.dtype == np.int16:
        rows = value / 32768.0
    elif value.dtype.kind == "f":
        rows = value.astype(np.float64)
        if not np.isfinite(rows).all():
            raise ValueError("samples hold NaN or infinity: expected finite values, full scale 1.0")
    else:
        raise ValueError(f"samples are {value.dtype}: expected int16, or float with full scale 1.0")
    return np.atleast_2d(rows)


def column(value: ArrayLike, audio: Float64, name: str) -> Float64:
    """A parameter as a column (batch, 1): one number for all rows, or one a row."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != len(audio)):
        raise ValueError(f"{name} has shape {array.shape}: expected one number, or one for each of {len(audio)} rows")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is {value!r}: expected finite numbers")
    return np.broadcast_to(array, (len(audio),))[:, None]


def signal_power(audio: Float64, rate: float, level_dbm0: ArrayLike | None) -> Float64:
    """Mean square of the signal, (batch, 1): a stated level, or that of each row's loudest 20 ms.

    The loudest 20 ms of a row with digits is the steady part of its strongest digit, whatever the pauses are.
    """
    if level_dbm0 is not None:
        return power_of(column(level_dbm0, audio, "signal_dbm0"))
    size = max(1, min(round(LOUDEST_S * rate), audio.shape[1]))
    total = np.cumsum(np.pad(audio**2, ((0, 0), (1, 0))), axis=1)
    if audio.shape[1] == 0:
        return np.zeros((len(audio), 1))
    return np.asarray((total[:, size:] - total[:, :-size]).max(axis=1, keepdims=True) / size)


def spectrum_size(length: int) -> int:
    """An FFT length with room against wrap-around: a power of two of at least length plus 25 %."""
    return 1 << max(4, int(np.ceil(np.log2(max(length, 1) * 1.25))))
