"""The clock of a sound card against the common clock, on a machine that has no time for it at times."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.bench.check_instruments import DRIFT_PPM, drift_ppm

RATE_HZ, BLOCK = 8000, 160


def arrivals(seconds: float, ppm: float, late_s: np.ndarray | float = 0.0) -> list[tuple[float, int]]:
    """Blocks of 20 ms of a card that runs so much too fast, each late by so much."""
    frames = BLOCK * np.arange(1, round(seconds * RATE_HZ / BLOCK) + 1)
    times = frames / (RATE_HZ * (1 + 1e-6 * ppm)) + late_s
    return [(float(time_s), int(frame)) for time_s, frame in zip(times, frames, strict=True)]


@pytest.mark.parametrize("ppm", [-400.0, 0.0, 60.0, 400.0])
def test_a_drift_is_measured_through_blocks_that_come_late(ppm: float) -> None:
    late_s = np.random.default_rng(1).exponential(0.004, 1500)
    found, u = drift_ppm(arrivals(30.0, ppm, late_s), RATE_HZ)
    assert abs(found - ppm) <= u
    assert u < 100.0


def test_a_machine_that_becomes_busy_is_not_a_clock_that_drifts() -> None:
    """Idle first and 25 ms late on the average for the second half: no block of a card was lost, nor is it slow."""
    rng = np.random.default_rng(2)
    late_s = np.concatenate([rng.exponential(0.001, 750), rng.exponential(0.025, 750)])
    found, u = drift_ppm(arrivals(30.0, 0.0, late_s), RATE_HZ)
    assert abs(found) - u <= DRIFT_PPM


def test_a_card_that_is_off_is_still_found_on_a_busy_machine() -> None:
    late_s = np.random.default_rng(3).exponential(0.010, 1500)
    found, u = drift_ppm(arrivals(30.0, -1000.0, late_s), RATE_HZ)
    assert abs(found) - u > DRIFT_PPM


def test_lateness_that_comes_in_waves_is_no_drift() -> None:
    """A busy machine: what is late now is late for a while. Nineteen of twenty lie within, about."""
    outside = 0
    for seed in range(40):
        steps = np.random.default_rng(seed).normal(0, 3e-4, 500)
        wave = np.zeros(500)
        for at in range(1, 500):
            wave[at] = 0.95 * wave[at - 1] + steps[at]
        found, u = drift_ppm(arrivals(10.0, 0.0, wave - wave.min()), RATE_HZ)
        outside += abs(found) > u
    assert outside <= 6
