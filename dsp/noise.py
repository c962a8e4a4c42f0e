"""Impairments that add something: white noise, mains hum, dial tone, other recordings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.rows import as_rows, column, signal_power
from offhook.dsp.tones import Float64, peak

BAND_HZ = (0.0, 4000.0)
DIAL_US = (350.0, 440.0)
DIAL_EU = (425.0,)


@dataclass(frozen=True)
class Noise:
    """White Gaussian noise whose power inside ``band_hz`` lies ``snr_db`` under the signal's.

    The noise fills all frequencies; the band only says where it is counted, so that one S/N means the same density at
    any sample rate. The signal is what ``signal_dbm0`` says (power of both tones), or each row's loudest 20 ms.
    """

    snr_db: ArrayLike
    band_hz: tuple[float, float] = BAND_HZ
    signal_dbm0: ArrayLike | None = None

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus noise."""
        width = self.band_hz[1] - self.band_hz[0]
        if not width > 0 or self.band_hz[0] < 0:
            raise ValueError(f"band_hz is {self.band_hz}: expected two rising frequencies")
        inside = signal_power(audio, rate, self.signal_dbm0) / 10.0 ** (column(self.snr_db, audio, "snr_db") / 10.0)
        return audio + np.sqrt(inside * (rate / 2.0) / width) * rng.standard_normal(audio.shape)


@dataclass(frozen=True)
class Tones:
    """Steady tones of random phase, each at ``level_dbm0`` (one number, or one a row): dial tone, a third tone."""

    freqs_hz: tuple[float, ...] = DIAL_US
    level_dbm0: ArrayLike = -16.0

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus the tones."""
        if any(not 0 < freq < rate / 2 for freq in self.freqs_hz):
            raise ValueError(f"freqs_hz {self.freqs_hz}: expected between 0 and {rate / 2:g} Hz")
        amplitude = peak(column(self.level_dbm0, audio, "level_dbm0"))
        angle = 2.0 * np.pi * np.arange(audio.shape[1]) / rate
        total = audio.copy()
        for freq, phase in zip(self.freqs_hz, rng.uniform(0, 2 * np.pi, (len(self.freqs_hz), len(audio))), strict=True):
            total += amplitude * np.sin(freq * angle + phase[:, None])
        return total


@dataclass(frozen=True)
class Hum:
    """Mains hum: the fundamental at ``level_dbm0`` and its harmonics that many dB below, all of random phase."""

    freq_hz: float = 50.0
    level_dbm0: ArrayLike = -30.0
    harmonics_db: tuple[float, ...] = (-12.0, -6.0, -20.0, -12.0, -26.0, -18.0)

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus hum; harmonics above half the rate are left out."""
        total = audio
        for order, relative_db in enumerate((0.0, *self.harmonics_db), start=1):
            step = Tones((order * self.freq_hz,), np.asarray(self.level_dbm0, dtype=np.float64) + relative_db)
            if order * self.freq_hz < rate / 2:
                total = step.apply(total, rate, rng)
        return total


@dataclass(frozen=True)
class Under:
    """Another recording mixed under the signal, from a random place, at ``ratio_db`` (signal over recording).

    The recording is ``samples`` (n,) at the same rate, repeated if it is short; its power is the mean over its active
    parts (20 ms pieces within 30 dB of the loudest), as for speech levels.
    """

    samples: NDArray[np.generic] = field(repr=False)
    ratio_db: ArrayLike = 12.0
    signal_dbm0: ArrayLike | None = None

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio plus the recording."""
        other = as_rows(self.samples, rate)[0]
        if not np.any(other):
            raise ValueError("the recording to mix in is silent")
        gain = np.sqrt(
            signal_power(audio, rate, self.signal_dbm0)
            / active_power(other, rate)
            / 10.0 ** (column(self.ratio_db, audio, "ratio_db") / 10.0)
        )
        place = rng.integers(0, len(other), len(audio))[:, None] + np.arange(audio.shape[1])
        return np.asarray(audio + gain * np.take(other, place, mode="wrap"))


def active_power(samples: Float64, rate: float) -> float:
    """Mean square over the 20 ms pieces within 30 dB of the loudest."""
    size = min(round(0.020 * rate), len(samples))
    pieces = (samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1)
    return float(pieces[pieces >= pieces.max() * 1e-3].mean())
