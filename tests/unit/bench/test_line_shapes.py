"""What a record of a line's voltage shows: breaks, bursts of ringing, one tone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhook.bench import line_shapes
from offhook.drivers.visa import Trace

STEP_S = 0.002


def volts(*spans: tuple[float, float], total_s: float = 2.0, noise: float = 0.05) -> Trace:
    """On hook (48 V) within the spans, off hook (10 V) otherwise."""
    time_s = STEP_S * np.arange(round(total_s / STEP_S))
    up = np.zeros(time_s.size, dtype=bool)
    for start_s, stop_s in spans:
        up |= (time_s >= start_s) & (time_s < stop_s)
    random = np.random.default_rng(1)
    return Trace(np.where(up, -48.0, -10.0) + random.normal(0, noise, time_s.size), STEP_S, 0.0, 0.0)


@pytest.mark.req("LINE-HOOK.1")
@pytest.mark.parametrize("length_s", [0.3, 0.5937, 0.601, 0.7])
def test_the_length_of_a_break_lies_within_its_uncertainty(length_s: float) -> None:
    ((found_s, u_s),) = line_shapes.breaks(volts((0.4003, 0.4003 + length_s)))
    assert abs(found_s - length_s) <= u_s + STEP_S / 2
    assert u_s < 0.002


def test_a_break_that_is_cut_off_by_the_record_is_none() -> None:
    assert line_shapes.breaks(volts((0.0, 0.5))) == []
    assert line_shapes.breaks(volts((1.6, 2.0))) == []
    assert line_shapes.breaks(volts()) == []
    assert [round(found, 1) for found, _ in line_shapes.breaks(volts((0.0, 0.3), (0.6, 0.9), (1.5, 2.0)))] == [0.3]


def ringing(on_s: float, off_s: float, hertz: float, vrms: float, total_s: float) -> Trace:
    step_s = total_s / 8000
    time_s = step_s * np.arange(8000)
    bell = ((time_s + 1.3) % (on_s + off_s)) < on_s
    return Trace(-48 + bell * math.sqrt(2) * vrms * np.sin(2 * np.pi * hertz * time_s), step_s, 0.0, 0.0)


@pytest.mark.req("LINE-RING.1")
@pytest.mark.parametrize(
    ("on_s", "off_s", "hertz", "vrms"), [(2, 4, 20, 85), (1, 4, 25, 40), (2, 4, 16, 105), (1, 4, 50, 70)]
)
def test_bursts_and_pauses_are_as_long_as_they_are(on_s: float, off_s: float, hertz: float, vrms: float) -> None:
    on, off, u_s = line_shapes.bursts(ringing(on_s, off_s, hertz, vrms, 2 * (on_s + off_s)))
    assert len(on) >= 1
    assert len(off) >= 1
    assert all(abs(found - on_s) <= u_s for found in on)
    assert all(abs(found - off_s) <= u_s for found in off)


def test_a_line_that_does_not_ring_has_no_bursts() -> None:
    assert line_shapes.bursts(ringing(2, 4, 20, 0, 12))[:2] == ([], [])


@pytest.mark.parametrize("freq_hz", [1003.0, 1004.0, 1004.4, 1020.0])
def test_a_tone_is_found_at_its_frequency_and_level_beside_others(freq_hz: float) -> None:
    time_s = np.arange(4000) / 8000
    amplitude = 32767 * 10 ** ((-30 - line_shapes.FULL_SCALE_DBM0) / 20)
    heard = amplitude * np.sin(2 * np.pi * freq_hz * time_s)
    heard += 3000 * np.sin(2 * np.pi * 350 * time_s) + np.random.default_rng(2).normal(0, 10, 4000)
    found_hz, u_hz, level = line_shapes.tone(np.round(heard).astype(np.int16), 8000, 1004.0)
    assert abs(found_hz - freq_hz) <= u_hz
    assert level == pytest.approx(-30, abs=0.1)


def test_silence_has_no_level() -> None:
    assert line_shapes.tone(np.zeros(4000, dtype=np.int16), 8000, 1004.0)[2] < -100
