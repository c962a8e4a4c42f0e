"""The keypad: contacts to tones, on their own frame."""

from __future__ import annotations

import numpy as np
import pytest
from unit.plant.plant_hands import Hands

from offhook import dsp
from offhook.fixtures.keypad import KeyMatrix
from offhook.fixtures.simclock import SimClock

DEBOUNCE_S = 0.008


def onset_and_end_s(hands: Hands, from_s: float) -> tuple[float, float]:
    """First and last frame above half of a key's level in the ear, good to a frame or two of the tone's edge."""
    audio = np.abs(hands.audio(0, from_s).astype(np.float64))
    loud = np.flatnonzero(audio > 0.25 * audio.max())
    return from_s + loud[0] / 8000, from_s + loud[-1] / 8000


@pytest.mark.req("SIM-PHONE.1")
@pytest.mark.parametrize("offset_s", [0.0, 0.0031, 0.0117, 0.01999])
def test_a_press_sounds_on_its_own_frame(hands: Hands, offset_s: float) -> None:
    hands.lift()
    hands.clock.wait_until(2.0)
    hands.press("0")  # ends the dial tone
    hands.clock.wait_until(3.0 + offset_s)
    hands.press("5", hold_s=0.1, gap_s=0.2)

    start_s, end_s = onset_and_end_s(hands, 2.99)

    assert start_s == pytest.approx(3.0 + offset_s + DEBOUNCE_S, abs=0.0015)
    assert end_s - start_s == pytest.approx(0.1, abs=0.002)


@pytest.mark.req("SIM-PHONE.1")
def test_every_key_sends_its_own_tones(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(1.0)
    hands.press("0123456789*#")
    hands.clock.sleep(0.2)
    assert dsp.decode(hands.audio(0, 1.0)).text() == "0123456789*#"


def matrix() -> tuple[SimClock, KeyMatrix, list[tuple[float, str]]]:
    clock = SimClock()
    seen: list[tuple[float, str]] = []
    return clock, KeyMatrix(clock, lambda key: seen.append((clock.now_s(), key)), DEBOUNCE_S), seen


@pytest.mark.req("SIM-PHONE.1")
def test_a_bounce_shorter_than_the_debounce_is_one_press() -> None:
    clock, keys, seen = matrix()
    keys.row(1, True)
    for closed in (True, False, True, False, True):
        keys.column(1, closed)
        clock.sleep(0.003)
    clock.sleep(0.1)
    assert [key for _, key in seen] == ["5"]
    assert seen[0][0] == pytest.approx(0.012 + DEBOUNCE_S)


def test_a_touch_shorter_than_the_debounce_is_none() -> None:
    clock, keys, seen = matrix()
    keys.row(0, True)
    keys.column(0, True)
    clock.sleep(DEBOUNCE_S - 0.001)
    keys.column(0, False)
    clock.sleep(1.0)
    assert seen == []


def test_two_keys_at_once_are_none() -> None:
    clock, keys, seen = matrix()
    for row in (0, 1):
        keys.row(row, True)
    keys.column(0, True)
    clock.sleep(0.1)
    keys.row(1, False)
    clock.sleep(0.1)
    assert [key for _, key in seen] == ["1"]


@pytest.mark.req("SIM-PHONE.1")
def test_a_tap_still_sounds_long_enough_to_be_decoded(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(1.0)
    hands.press("0")
    hands.clock.sleep(0.1)
    start_s = hands.now_s
    hands.press("77", hold_s=0.02, gap_s=0.02)
    hands.clock.sleep(0.5)
    digits = list(dsp.decode(hands.audio(0, start_s)))
    assert [digit.key for digit in digits] == ["7", "7"]
    assert min(digit.end_s - digit.start_s for digit in digits) > 0.055


def test_a_phone_sends_nothing_on_hook(hands: Hands) -> None:
    hands.press("123")
    assert hands.blocks == []


def test_the_microphone_is_off_while_a_key_sounds(hands: Hands) -> None:
    hands.lift()
    hands.clock.wait_until(1.0)
    hands.press("1")
    hands.clock.wait_until(2.0)
    hum = (8000 * np.sin(2 * np.pi * 300 / 8000 * np.arange(8000))).astype(np.int16)
    hands.plant.inject(0, 16000, hum)
    hands.clock.wait_until(2.5)
    hands.press("5", hold_s=0.2)
    hands.clock.wait_until(3.2)
    quiet = dsp.progress.tone_present(hands.audio(0)[8 * 2540 : 8 * 2680], 8000, [300.0])[0]
    loud = dsp.progress.tone_present(hands.audio(0)[8 * 2200 : 8 * 2400], 8000, [300.0])[0]
    assert loud > -24.0
    assert quiet < loud - 30.0
