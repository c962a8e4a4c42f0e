"""Trials of a receiver: digits with known places, and how many came out right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from offhook import dsp
from offhook.dsp.profiles import ATT, Profile

ALL_KEYS = "123A456B789C*0#D"


def keys_of(rounds: int, rng: np.random.Generator) -> str:
    """Each of the 16 keys ``rounds`` times, shuffled."""
    return "".join(rng.permutation(list(ALL_KEYS * rounds)))


def trial(
    rounds: int = 4,
    seed: int = 1,
    *,
    rate: int = 8000,
    on_s: float = 0.05,
    off_s: float = 0.05,
    level_dbm0: float = -10.0,
    twist_db: float = 0.0,
    **overrides: Any,
) -> dsp.Encoded:
    """Digits with random phases and random starts (up to 8 ms); ``twist_db`` is high over low, split between both."""
    rng = np.random.default_rng(seed)
    keys = keys_of(rounds, rng)
    n = len(keys)
    jitter = rng.uniform(0.0, 0.008, n)
    return dsp.encode_spans(
        keys,
        rate,
        on_s=on_s,
        off_s=off_s + jitter,
        level_low_dbm0=level_dbm0 - twist_db / 2,
        level_high_dbm0=level_dbm0 + twist_db / 2,
        low_phase_rad=rng.uniform(0, 2 * np.pi, n),
        high_phase_rad=rng.uniform(0, 2 * np.pi, n),
        edge_s=0.001,
        lead_s=0.1 + float(rng.uniform(0, 0.008)),
        **overrides,
    )


def count(made: dsp.Encoded, samples: Any, profile: Profile = ATT) -> tuple[int, int]:
    """(right, extra): sent digits that came out exactly once, with the right key, in their place; and all others."""
    found = dsp.decode(samples, made.rate, profile)
    start = np.array([span.start for span in made.spans]) / made.rate
    stop = np.array([span.stop for span in made.spans]) / made.rate
    hits = np.zeros(len(start), dtype=int)
    extra = 0
    for digit in found:
        middle = (digit.start_s + digit.end_s) / 2
        place = int(np.searchsorted(start, middle)) - 1
        if place >= 0 and middle < stop[place] + 0.005 and made.spans[place].key == digit.key:
            hits[place] += 1
        else:
            extra += 1
    right = int((hits >= 1).sum())
    return right, extra + int((hits - 1).clip(0).sum())


def accepts(made: dsp.Encoded, samples: Any = None, profile: Profile = ATT) -> None:
    """At least 99 % right and at most 1 % extra."""
    right, extra = count(made, made.samples if samples is None else samples, profile)
    n = len(made.spans)
    assert right >= 0.99 * n, f"{right} of {n} right, {extra} extra"
    assert extra <= 0.01 * n, f"{right} of {n} right, {extra} extra"


def ignores(made: dsp.Encoded, samples: Any = None, profile: Profile = ATT) -> None:
    """Not one digit."""
    found = dsp.decode(made.samples if samples is None else samples, made.rate, profile)
    assert len(found) == 0, f"heard {found.text()!r} among {len(made.spans)} that are no digits"


def noise(shape: int, power: float, seed: int) -> np.ndarray:
    """White Gaussian noise of a mean power."""
    return np.random.default_rng(seed).normal(0.0, np.sqrt(power), shape).astype(np.float32)


def digit_power(made: dsp.Encoded) -> float:
    """Mean power of the first digit."""
    span = made.spans[0]
    return float(np.mean(made.samples[span.start : span.stop].astype(np.float64) ** 2))


def sines(freqs_hz: Any, levels_dbm0: Any, duration_s: float, rate: int = 8000) -> np.ndarray:
    """Steady sines added up."""
    t = np.arange(round(duration_s * rate)) / rate
    peaks = dsp.tones.peak(levels_dbm0) * np.ones(len(freqs_hz))
    wave = sum(p * np.sin(2 * np.pi * f * t + i) for i, (f, p) in enumerate(zip(freqs_hz, peaks, strict=True)))
    return np.asarray(wave, dtype=np.float32)


MODES: dict[str, Callable[[float], dict[str, float]]] = {
    "both": lambda x: {"low_offset_percent": x, "high_offset_percent": x},
    "low": lambda x: {"low_offset_percent": x},
    "high": lambda x: {"high_offset_percent": x},
    "opposite": lambda x: {"low_offset_percent": x, "high_offset_percent": -x},
}
