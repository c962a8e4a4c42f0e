"""Impairments of an analog path: gain, DC, clipping, twist, frequency shift, clock skew, echo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from offhook.dsp.rows import column, spectrum_size
from offhook.dsp.tones import FULL_SCALE_DBM0, Float64, peak

TWIST_FROM_HZ, TWIST_TO_HZ = 1000.0, 1150.0
TAPS = 48  # of the interpolating sinc
KAISER_BETA = 9.0


@dataclass(frozen=True)
class Gain:
    """Louder or softer by ``gain_db``."""

    gain_db: ArrayLike

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio times the gain; nothing is clipped."""
        return audio * 10.0 ** (column(self.gain_db, audio, "gain_db") / 20.0)


@dataclass(frozen=True)
class Dc:
    """A constant added, as a share of full scale."""

    offset: ArrayLike

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus the constant."""
        return audio + column(self.offset, audio, "offset")


@dataclass(frozen=True)
class Clip:
    """Hard clipping at the peak of a sine of ``level_dbm0`` (default: full scale), after ``gain_db`` of gain."""

    gain_db: ArrayLike = 0.0
    level_dbm0: ArrayLike = FULL_SCALE_DBM0

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio times the gain, clipped."""
        limit = peak(column(self.level_dbm0, audio, "level_dbm0"))
        return np.clip(Gain(self.gain_db).apply(audio, rate, rng), -limit, limit)


@dataclass(frozen=True)
class Twist:
    """A line's tilt: above 1150 Hz louder, below 1000 Hz softer, by ``high_over_low_db`` in all (linear phase)."""

    high_over_low_db: ArrayLike

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio tilted; the mean of both gains in dB is 0."""
        size = spectrum_size(audio.shape[1])
        freq = np.fft.rfftfreq(size, 1.0 / rate)
        way = np.clip((freq - TWIST_FROM_HZ) / (TWIST_TO_HZ - TWIST_FROM_HZ), 0.0, 1.0)
        tilt = -0.5 * np.cos(np.pi * way)
        gain = 10.0 ** (column(self.high_over_low_db, audio, "high_over_low_db") * tilt / 20.0)
        return np.fft.irfft(np.fft.rfft(audio, size) * gain, size)[:, : audio.shape[1]]


@dataclass(frozen=True)
class FrequencyShift:
    """All frequencies moved by ``shift_hz``, as a carrier system whose two ends disagree does."""

    shift_hz: ArrayLike

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio shifted, by the analytic signal."""
        size = spectrum_size(audio.shape[1])
        half = np.fft.fft(audio, size)
        half[:, 1 : size // 2] *= 2.0
        half[:, size // 2 + 1 :] = 0.0
        analytic = np.fft.ifft(half)[:, : audio.shape[1]]
        angle = 2.0 * np.pi * np.arange(audio.shape[1]) / rate
        return np.asarray((analytic * np.exp(1j * column(self.shift_hz, audio, "shift_hz") * angle)).real)


@dataclass(frozen=True)
class ClockSkew:
    """The far end's clock runs fast by ``ppm``: all frequencies higher, all times shorter by that much.

    Band-limited interpolation (48 taps, flat to 0.85 of half the rate); the row keeps its length, and what would come
    after its end is silence. Large values (15,000 ppm = 1.5 %) are a frequency offset of everything.
    """

    ppm: ArrayLike

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio resampled."""
        ppm = column(self.ppm, audio, "ppm")[:, 0]
        if np.any(np.abs(ppm) > 100_000):
            raise ValueError("ppm must lie within +-100,000")
        result = np.empty_like(audio)
        for value in np.unique(ppm):
            rows = ppm == value
            result[rows] = _resample(audio[rows], 1.0 + value * 1e-6)
        return result


def _resample(audio: Float64, step: float) -> Float64:
    """Values at the places 0, step, 2 step, ... of each row; silence outside."""
    length, half = audio.shape[1], TAPS // 2
    out = np.zeros_like(audio)
    padded = np.pad(audio, ((0, 0), (half, half)))
    offsets = np.arange(TAPS) - half + 1
    for first in range(0, length, 4096):  # so that the weights stay in the cache
        place = np.arange(first, min(first + 4096, length)) * step
        place = place[place <= length - 1]
        whole = np.floor(place).astype(np.int64)
        away = offsets[None, :] - (place - whole)[:, None]
        bell = np.i0(KAISER_BETA * np.sqrt(np.maximum(1.0 - (away / half) ** 2, 0.0))) / np.i0(KAISER_BETA)
        weight = np.sinc(away) * bell
        taken = padded[:, whole[:, None] + offsets[None, :] + half]
        out[:, first : first + len(place)] = np.einsum("bnt,nt->bn", taken, weight)
    return out


@dataclass(frozen=True)
class Echo:
    """The signal again, ``delay_s`` later (to the nearest sample) and ``loss_db`` softer."""

    delay_s: float = 0.020
    loss_db: ArrayLike = 10.0

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus its echo; what would come after the row's end is lost."""
        delay = round(self.delay_s * rate)
        if delay < 1:
            raise ValueError(f"delay_s is {self.delay_s}: expected at least one sample")
        total = audio.copy()
        if delay < audio.shape[1]:
            total[:, delay:] += audio[:, :-delay] * 10.0 ** (-column(self.loss_db, audio, "loss_db") / 20.0)
        return total
