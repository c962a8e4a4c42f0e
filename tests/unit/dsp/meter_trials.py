"""Digits in white noise, what the meter says of them, and the Cramer-Rao bound of two real tones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp import measure

FIGURES = ("low_hz", "high_hz", "low_dbm0", "high_dbm0", "twist_db", "duration_s")
LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Errors and half-widths (trials, figures), and frequency errors over their bound (trials, 2)."""

    errors: Array
    half_widths: Array
    to_bound: Array

    @property
    def rms_to_bound(self) -> float:
        return float(np.sqrt((self.to_bound**2).mean()))

    @property
    def coverage(self) -> Array:
        return np.asarray((np.abs(self.errors) <= self.half_widths).mean(axis=0))

    @property
    def width_ratio(self) -> Array:
        """Mean half-width over the empirical half-width that holds 95 % of the errors."""
        return np.asarray(self.half_widths.mean(axis=0) / np.quantile(np.abs(self.errors), 0.95, axis=0))


def bound_hz(freqs: Array, peaks: Array, phases: Array, envelope: Array, noise_power: float, rate: float) -> Array:
    """Least standard deviations of both frequencies: all six parameters unknown, the envelope known."""
    time = (np.arange(len(envelope)) - len(envelope) / 2) / rate
    columns = []
    for freq, amplitude, phase in zip(freqs, peaks, phases, strict=True):
        angle = 2 * np.pi * freq * time + phase
        slope = envelope * amplitude * np.cos(angle)
        columns += [envelope * np.sin(angle), slope, 2 * np.pi * time * slope]
    design = np.stack(columns, axis=1)
    covariance = noise_power * np.linalg.inv(design.T @ design)
    return np.sqrt(np.diag(covariance)[[2, 5]])


def meter_trials(
    count: int, snr_db: float, on_s: float, *, edge_s: float = 0.002, known: bool = False, seed: int = 0
) -> Outcome:
    """Random keys, offsets up to 1.5 %, levels and phases; S/N is the power of both tones over 0-4 kHz at 8 kHz."""
    rate = 8000.0
    rng = np.random.default_rng([seed, round(snr_db * 10), round(on_s * 1e4)])
    on, lead = round(on_s * rate), 240
    n = np.arange(on + 2 * lead)
    near = np.minimum(n - lead + 0.5, on - (n - lead + 0.5))
    envelope = 0.5 - 0.5 * np.cos(np.pi * np.clip(near / (edge_s * rate), 0, 1))
    errors, widths, ratios = [], [], []
    for _ in range(count):
        nominal = np.array([LOW[rng.integers(4)], HIGH[rng.integers(4)]])
        freqs = nominal * (1 + rng.uniform(-0.015, 0.015, 2))
        levels = -10.0 + rng.uniform(-3, 3, 2)
        peaks, phases = 10 ** ((levels - 3.14) / 20), rng.uniform(0, 2 * np.pi, 2)
        time = (n - len(n) / 2) / rate
        clean = envelope * (peaks @ np.sin(2 * np.pi * np.outer(freqs, time) + phases[:, None]))
        noise_power = float(peaks @ peaks) / 2 / 10 ** (snr_db / 10)
        heard = clean + np.sqrt(noise_power) * rng.standard_normal(len(n))
        told: Any = measure.digit(heard, rate, envelope=envelope if known else None)
        truth = np.array([*freqs, *levels, levels[1] - levels[0], on_s - edge_s])
        figures = [getattr(told, name) for name in FIGURES]
        errors.append([figure.value for figure in figures] - truth)
        widths.append([figure.a for figure in figures])
        ratios.append(errors[-1][:2] / bound_hz(freqs, peaks, phases, envelope, noise_power, rate))
    return Outcome(np.array(errors), np.array(widths), np.array(ratios))
