"""Call-progress tones are named with their cadence; prompts are found, tones are not speech."""

from __future__ import annotations

import numpy as np
import pytest
from unit.dsp.trials import noise

from offhook import dsp
from offhook.dsp import progress, talkoff

TONES = [(plan, name) for plan in progress.PLANS for name in progress.names(plan)]


def line(wave: np.ndarray, snr_db: float = 25.0, seed: int = 1) -> np.ndarray:
    """Half a second of noise, the signal, half a second of noise; noise under all of it."""
    power = float(np.mean(wave[wave != 0] ** 2)) if wave.any() else 1e-6
    whole = np.concatenate((np.zeros(4000, np.float32), wave, np.zeros(4000, np.float32)))
    return whole + noise(len(whole), power / 10 ** (snr_db / 10), seed)


@pytest.mark.parametrize(("plan", "name"), TONES)
@pytest.mark.req("LINE-TONE.1")
def test_every_tone_is_named(plan: str, name: str) -> None:
    found = progress.find(name, plan)
    wave = progress.tone(name, plan, 12.5)
    segments = progress.classify(line(wave), 8000, plan)
    assert segments, "nothing heard"
    assert segments[0].name == name
    assert abs(segments[0].start_s - 0.5) < 0.008
    if isinstance(found, progress.Tone) and found.rhythm:
        for (on, off), (heard_on, heard_off) in zip(found.rhythm, segments[0].cadence, strict=False):
            assert heard_on == pytest.approx(on, abs=0.012)
            if heard_off:
                assert heard_off == pytest.approx(off, abs=0.012)


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
@pytest.mark.parametrize("name", ["dial", "stutter", "busy", "reorder", "ringback", "confirmation"])
@pytest.mark.parametrize("plan", ["US", "EU"])
def test_named_through_g711_and_at_any_phase(plan: str, name: str, law: str) -> None:
    for seed in range(3):
        wave = progress.tone(name, plan, 9.0, start_s=0.0) * 10 ** (-6 / 20)
        x = dsp.codec.through(line(wave, 30.0, seed)[seed * 37 :], law)
        assert progress.classify(x, 8000, plan)[0].name == name


def test_pieces_join_without_a_seam() -> None:
    whole = progress.tone("reorder", "US", 2.0)
    pieces = [progress.tone("reorder", "US", 0.02, start_s=0.02 * i) for i in range(100)]
    assert np.max(np.abs(np.concatenate(pieces) - whole)) < 1e-4


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_levels(rate: int) -> None:
    wave = progress.tone("dial", "US", 0.5, rate)
    assert progress.tone_present(wave[rate // 10 :], rate, [350.0, 440.0]) == pytest.approx([-13.0, -13.0], abs=0.1)
    assert np.all(progress.tone_present(wave[rate // 10 :], rate, [620.0, 1000.0]) < -60)


def test_digits_speech_and_noise_are_no_progress_tones() -> None:
    assert progress.classify(dsp.encode("0123456789*#ABCD"), 8000, "US") == []
    assert progress.classify(talkoff.harsh(10.0, 3), 8000, "EU") == []
    assert progress.classify(noise(40000, 0.01, 1)) == []
    assert progress.classify(np.zeros(100)) == []
    assert progress.classify(np.zeros(0)) == []


def test_two_tones_in_a_row() -> None:
    wave = np.concatenate(
        (progress.tone("dial", "US", 1.5), np.zeros(1600, np.float32), progress.tone("reorder", "US", 3.0))
    )
    assert [segment.name for segment in progress.classify(line(wave))] == ["dial", "reorder"]


def spoken(duration_s: float, seed: int) -> np.ndarray:
    """A voice-like sound: a gliding pitch with many partials."""
    n = np.arange(round(duration_s * 8000))
    pitch = 120 + 30 * np.sin(2 * np.pi * 1.3 * n / 8000 + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 20)) * 0.08, dtype=np.float32)


@pytest.mark.req("LINE-TONE.2")
def test_voice_onset_and_end() -> None:
    x = np.concatenate(
        (np.zeros(8000), spoken(1.5, 1), np.zeros(8000), progress.tone("dial", "US", 1.0), np.zeros(800))
    )
    heard = progress.voice(x + noise(len(x), 1e-7, 1))
    assert len(heard) == 1
    assert heard[0] == pytest.approx((1.0, 2.5), abs=0.03)


@pytest.mark.parametrize(("plan", "name"), TONES)
@pytest.mark.req("LINE-TONE.2")
def test_tones_are_not_voice(plan: str, name: str) -> None:
    assert progress.voice(line(progress.tone(name, plan, 3.0), 45.0)) == []


def test_digits_are_not_voice() -> None:
    assert progress.voice(dsp.encode("0123456789*#ABCD")) == []


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no tone plan 'FR': expected one of US, EU"):
        progress.tone("dial", "FR")
    with pytest.raises(ValueError, match="plan JP has no tone 'reorder': expected one of dial"):
        progress.tone("reorder", "JP")
