"""The drift of a sound card against the common clock: found where there is one, and not where there is only load."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.bench.check_instruments import drift_ppm

RATE_HZ, BLOCK = 8000, 160


def arrivals(ppm: float, late_s: np.ndarray) -> list[tuple[float, int]]:
    """When blocks of a card that is off by so much came, each so late."""
    frames = BLOCK * np.arange(1, late_s.size + 1)
    return [
        (float(frame / RATE_HZ / (1 + ppm * 1e-6) + late), int(frame))
        for frame, late in zip(frames, late_s, strict=True)
    ]


@pytest.mark.parametrize("ppm", [0.0, 40.0, -2000.0])
def test_a_quiet_machine_shows_the_drift(ppm: float) -> None:
    found, u = drift_ppm(arrivals(ppm, np.abs(np.random.default_rng(1).normal(0, 1e-4, 600))), RATE_HZ)
    assert abs(found - ppm) <= u + 1
    assert u < 10


def test_lateness_that_comes_in_waves_is_no_drift() -> None:
    """A busy machine: what is late now is late for a while. Nineteen of twenty lie within, about."""
    outside = 0
    for seed in range(40):
        steps = np.random.default_rng(seed).normal(0, 3e-4, 500)
        wave = np.zeros(500)
        for at in range(1, 500):
            wave[at] = 0.95 * wave[at - 1] + steps[at]
        found, u = drift_ppm(arrivals(0.0, wave - wave.min()), RATE_HZ)
        outside += abs(found) > u
    assert outside <= 6
