"""The Goertzel bank against Goertzel's own recursion, sample by sample."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhook.dsp import goertzel


def goertzel_power(samples: np.ndarray, rate: float, freq_hz: float) -> float:
    """Goertzel (1958), plain scalar: the squared magnitude of one frequency."""
    turn = 2.0 * math.cos(2.0 * math.pi * freq_hz / rate)
    s1 = s2 = 0.0
    for value in samples.tolist():
        s1, s2 = value + turn * s1 - s2, s1
    return s1 * s1 + s2 * s2 - turn * s1 * s2


@pytest.mark.req("DTMF-DEC.2")
@pytest.mark.parametrize("rate", [8000, 44100])
def test_bank_equals_the_recursion(rate: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (3, 1000))
    freqs = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0, 350.0, 3000.5]
    power = np.abs(goertzel.bank(x, rate, freqs, 102, 40)) ** 2
    assert power.shape == (3, 23, 10)
    for channel in range(3):
        for window in (0, 7, 22):
            part = x[channel, window * 40 : window * 40 + 102]
            expected = [goertzel_power(part, rate, freq) for freq in freqs]
            scale = float(np.sum(part**2)) * 102
            assert np.max(np.abs(power[channel, window] - expected)) < 1e-9 * scale
            assert power[channel, window] == pytest.approx(expected, rel=1e-7)


def test_bank_takes_short_input_and_refuses_nonsense() -> None:
    assert goertzel.bank(np.zeros(50), 8000, [697], 102).shape == (0, 1)
    with pytest.raises(ValueError, match="size 0"):
        goertzel.bank(np.zeros(50), 8000, [697], 0)
    with pytest.raises(ValueError, match="rate is 0 Hz"):
        goertzel.bank(np.zeros(50), 0, [697], 10)


def test_nulls_are_orthonormal_and_hold_their_tone() -> None:
    weight = np.full(200, 1 / 200)
    basis = goertzel.null_basis((350.0, 440.0), 8000, weight)
    t = np.arange(200)
    for freq in (350.0, 440.0):
        x = 3.0 * np.sin(2 * np.pi * freq * t / 8000 + 0.7)
        assert np.sum((basis.T @ x) ** 2) == pytest.approx(np.mean(x**2), rel=1e-9)
