"""DTMF frequencies and keys (ITU-T Q.23), and levels.

Full scale (a sine of peak 1.0 in float32, 32768 in int16) is +3.14 dBm0, as in G.711 A-law practice; all levels of this
package are dBm0 of one sine by that rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int16 = NDArray[np.int16]

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = "123A456B789C*0#D"
FULL_SCALE_DBM0 = 3.14
INT16_SCALE = 32768.0


def frequencies(key: str) -> tuple[float, float]:
    """Low and high frequency in Hz of a key; ValueError for anything that is not one of the 16."""
    index = KEYS.find(key.upper()) if len(key) == 1 else -1
    if index < 0:
        raise ValueError(f"{key!r} is not a DTMF key: expected one of {KEYS}")
    return LOW_HZ[index // 4], HIGH_HZ[index % 4]


def peak(level_dbm0: ArrayLike) -> Float64:
    """Peak (1.0 = full scale) of a sine at a level in dBm0."""
    return np.asarray(10.0 ** ((np.asarray(level_dbm0, dtype=np.float64) - FULL_SCALE_DBM0) / 20.0))


def dbm0(power: ArrayLike) -> Float64:
    """Level in dBm0 of a mean square power (a full-scale sine has 0.5); silence is -inf."""
    value = np.asarray(power, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(np.maximum(value, 0.0) * 2.0) + FULL_SCALE_DBM0)


def power_of(level_dbm0: ArrayLike) -> Float64:
    """Mean square power of a level in dBm0."""
    return np.asarray(0.5 * peak(level_dbm0) ** 2)


def to_int16(samples: ArrayLike) -> Int16:
    """Float samples (full scale 1.0) as int16, rounded, clipped at full scale."""
    value = np.asarray(samples)
    if value.dtype == np.int16:
        return value.astype(np.int16, copy=False)
    return np.clip(np.rint(value * INT16_SCALE), -32768, 32767).astype(np.int16)


def to_float(samples: ArrayLike) -> Float32:
    """int16 or float samples as float32 of full scale 1.0."""
    value = np.asarray(samples)
    if value.dtype == np.int16:
        return value.astype(np.float32) * np.float32(1.0 / INT16_SCALE)
    return value.astype(np.float32, copy=False)


def checked(samples: Any, rate: float, *, most_dims: int = 2) -> NDArray[Any]:
    """Samples as an int16 or float32 array of shape (n,) or (channels, n), or a ValueError that says what is wrong."""
    check_rate(rate)
    value = np.asarray(samples)
    if value.ndim < 1 or value.ndim > most_dims:
        raise ValueError(
            f"samples have shape {value.shape}: expected (n,){' or (channels, n)' if most_dims > 1 else ''}"
        )
    if value.dtype == np.int16:
        return value
    if value.dtype.kind == "f":
        if not np.isfinite(value).all():
            raise ValueError("samples hold NaN or infinity: expected finite values, full scale 1.0")
        return value.astype(np.float32, copy=False)
    raise ValueError(f"samples are {value.dtype}: expected int16, or float with full scale 1.0")


def check_rate(rate: float, lowest: float = 4000.0, highest: float = 192000.0) -> None:
    """ValueError unless the rate in Hz is one this package works at."""
    if not np.isfinite(rate) or not lowest <= rate <= highest:
        raise ValueError(f"rate is {rate} Hz: expected {lowest:.0f} to {highest:.0f}")
