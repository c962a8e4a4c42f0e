"""The impairment chain does what each step says, and the same bytes for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook import dsp
from offhook.dsp import impair
from offhook.dsp.tones import peak, power_of

RATE = 8000


def sine(freq_hz: float, level_dbm0: float = -10.0, seconds: float = 1.0, rate: float = RATE) -> NDArray[np.float64]:
    return peak(level_dbm0) * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * rate)) / rate)


def level(samples: NDArray[np.generic], freq_hz: float, rate: float = RATE) -> float:
    """dBm0 of one frequency, by correlation over whole seconds."""
    value = np.asarray(samples, dtype=np.float64)
    turn = np.exp(-2j * np.pi * freq_hz * np.arange(len(value)) / rate)
    return float(dsp.dbm0(2.0 * abs(np.mean(value * turn)) ** 2))


EVERYTHING = impair.Chain(
    impair.Twist(3.0),
    impair.FrequencyShift(2.0),
    impair.ClockSkew(80.0),
    impair.Echo(0.03, 14.0),
    impair.Tones(impair.DIAL_US, -25.0),
    impair.Hum(60.0, -30.0),
    impair.Under(sine(300.0), 20.0),
    impair.Noise(20.0),
    impair.Dc(0.01),
    impair.DropOuts(0.005, 2.0),
    impair.PacketLoss(0.1, burst=2.0),
    impair.Clip(3.0, -1.0),
    impair.Adpcm(4),
    impair.G711("alaw"),
)


@pytest.mark.req("DTMF-ENC.6")
def test_same_bytes_for_the_same_seed_and_other_bytes_for_another() -> None:
    batch = np.stack([dsp.encode("159D"), dsp.encode("0*#C")])
    first = EVERYTHING.apply(batch, RATE, seed=5)
    assert first.tobytes() == EVERYTHING.apply(batch, RATE, seed=5).tobytes()
    other = EVERYTHING.apply(batch, RATE, seed=6)
    assert first.tobytes() != other.tobytes()
    assert not np.array_equal(first[0] - batch[0], first[1] - batch[1])
    assert first.shape == batch.shape
    assert first.dtype == np.float32


@pytest.mark.req("DTMF-ENC.6")
@pytest.mark.parametrize("step", EVERYTHING.steps, ids=lambda step: type(step).__name__)
def test_each_step_leaves_its_input_alone_and_does_something(step: impair.Step) -> None:
    batch = np.stack([dsp.encode("159D" * 3), dsp.encode("0*#C" * 3)])
    before = batch.copy()
    after = impair.Chain(step).apply(batch, RATE, seed=1)
    assert np.array_equal(batch, before)
    assert not np.allclose(after, batch, atol=1e-6)


def test_changing_one_step_keeps_the_noise_of_the_others() -> None:
    audio = sine(1000.0)
    plain = impair.Chain(impair.Gain(0.0), impair.Noise(20.0)).apply(audio, RATE, seed=3)
    moved = impair.Chain(impair.Dc(0.25), impair.Noise(20.0, signal_dbm0=-10.0)).apply(audio, RATE, seed=3)
    assert moved - plain == pytest.approx(0.25, abs=1e-4)


@pytest.mark.req("DTMF-ENC.7")
def test_strings_times_impairments_come_back_as_one_array() -> None:
    strings = ["123", "4567", "89"]
    batch = impair.stack([dsp.encode(text) for text in strings])
    chains = [impair.Chain(), impair.Chain(impair.Noise(15.0)), impair.Chain(impair.G711("ulaw"))]
    heard = impair.grid(batch, chains, RATE, seed=2)
    assert heard.shape == (3, 3, batch.shape[1])
    for row, text in enumerate(strings):
        assert [dsp.decode(heard[row, m]).text() for m in range(3)] == [text] * 3


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_noise_has_the_stated_power_in_the_stated_band(rate: int) -> None:
    audio = np.stack([sine(1000.0, -10.0, 8.0, rate)] * 2)
    noise = impair.Chain(impair.Noise([10.0, 30.0])).apply(audio, rate, seed=4) - audio
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    freq = np.fft.rfftfreq(audio.shape[1], 1 / rate)
    inside = 2 * spectrum[:, freq <= 4000].sum(axis=1) / audio.shape[1] ** 2
    snr_db = 10 * np.log10(power_of(-10.0) / inside)
    assert snr_db == pytest.approx([10.0, 30.0], abs=0.15)


def test_signal_to_noise_is_that_of_the_tone_not_of_the_pauses() -> None:
    audio = dsp.encode("5", on_s=0.1, off_s=0.9, level_low_dbm0=-12, level_high_dbm0=-12)
    noise = impair.Chain(impair.Noise(10.0)).apply(audio, RATE, seed=4) - audio
    assert 10 * np.log10(power_of(-12.0) * 2 / np.mean(noise**2)) == pytest.approx(10.0, abs=0.3)


def test_hum_and_dial_tone_have_their_levels() -> None:
    quiet = np.zeros(RATE)
    hum = impair.Chain(impair.Hum(60.0, -30.0, (-10.0, -20.0))).apply(quiet, RATE, 1)
    assert [level(hum, f) for f in (60, 120, 180)] == pytest.approx([-30, -40, -50], abs=0.01)
    dial = impair.Chain(impair.Tones(impair.DIAL_EU, -9.0)).apply(quiet, RATE, 1)
    assert level(dial, 425.0) == pytest.approx(-9.0, abs=0.01)


@pytest.mark.parametrize("twist_db", [-8.0, 4.0])
def test_twist_tilts_between_the_groups(twist_db: float) -> None:
    tilted = impair.Chain(impair.Twist(twist_db)).apply(sine(941.0) + sine(1209.0), RATE)
    assert level(tilted, 1209.0) - level(tilted, 941.0) == pytest.approx(twist_db, abs=0.02)
    assert level(tilted, 1209.0) + level(tilted, 941.0) == pytest.approx(-20.0, abs=0.02)


def test_frequency_shift_and_clock_skew_move_tones() -> None:
    shifted = impair.Chain(impair.FrequencyShift(7.0)).apply(sine(1000.0), RATE)
    assert level(shifted[1000:5000], 1007.0) == pytest.approx(-10.0, abs=0.05)
    skewed = impair.Chain(impair.ClockSkew([100.0, 15000.0])).apply(np.stack([sine(3000.0, -10.0, 4.0)] * 2), RATE)
    assert level(skewed[0, :30000], 3000.3) == pytest.approx(-10.0, abs=0.01)
    truth = sine(3045.0, -10.0, 3.0)
    assert np.abs(skewed[1, 100:20000] - truth[100:20000]).max() < 1e-4


def test_echo_comes_late_and_softer() -> None:
    click = np.zeros(1000)
    click[100] = 1.0
    heard = impair.Chain(impair.Echo(0.020, 10.0)).apply(click, RATE)
    assert np.flatnonzero(heard).tolist() == [100, 260]
    assert heard[260] == pytest.approx(10 ** (-10 / 20))


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
def test_g711_is_the_codec(law: str) -> None:
    audio = sine(1000.0)
    assert np.array_equal(dsp.to_int16(impair.Chain(impair.G711(law)).apply(audio)), dsp.codec.through(audio, law))


def test_adpcm_has_six_decibels_a_bit_at_any_level() -> None:
    for level_dbm0 in (-30.0, -5.0):
        audio = sine(697.0, level_dbm0) + sine(1209.0, level_dbm0)
        ratio = []
        for bits in (2, 3, 4, 5):
            error = impair.Chain(impair.Adpcm(bits)).apply(audio) - audio
            ratio.append(10 * np.log10(np.mean(audio[100:] ** 2) / np.mean(error[100:] ** 2)))
        assert ratio[2] == pytest.approx(20.0, abs=2.5)
        assert np.diff(ratio) == pytest.approx([6, 6, 6], abs=2.5)


def test_packet_loss_loses_its_share_in_bursts() -> None:
    lost = impair.Chain(impair.PacketLoss(0.1, burst=3.0, conceal="silence"))
    heard = lost.apply(np.ones((20, 160 * 1000)), RATE, seed=9)
    gone = heard[:, ::160][:, 1:] == 0
    runs = np.diff(np.flatnonzero(np.diff(gone.astype(int), axis=1)[0]))[::2]
    assert gone.mean() == pytest.approx(0.1, abs=0.015)
    assert runs.mean() == pytest.approx(3.0, abs=1.0)


def test_concealment_repeats_and_fades() -> None:
    audio = np.repeat(np.arange(1.0, 401.0), 160) / 400
    kept = {}
    for kind in ("silence", "repeat", "fade"):
        step = impair.PacketLoss(0.3, conceal=kind)  # type: ignore[arg-type]
        kept[kind] = impair.Chain(step).apply(audio, RATE, seed=2)
    gone = kept["silence"] == 0
    assert 0.2 < gone.mean() < 0.4
    at = int(np.flatnonzero(~gone[:-1] & gone[1:])[0]) + 1  # the first packet lost after one that came
    before, during = slice(at - 160, at), slice(at, at + 160)
    assert kept["repeat"][during] == pytest.approx(audio[before])
    assert kept["fade"][during] == pytest.approx(0.5 * audio[before])
    assert np.array_equal(kept["repeat"][~gone], audio[~gone].astype(np.float32))


def test_clipping_dc_and_drop_outs() -> None:
    loud = impair.Chain(impair.Clip(12.0)).apply(sine(1000.0, 3.0))
    assert np.abs(loud).max() == pytest.approx(1.0)
    assert (np.abs(loud) > 0.999).mean() > 0.5
    assert impair.Chain(impair.Dc(-0.1)).apply(np.zeros(9)) == pytest.approx(-0.1)
    holes = impair.Chain(impair.DropOuts(0.010, 2.0)).apply(np.ones(RATE * 4), RATE, 1)
    assert (holes == 0).sum() == 8 * 80


def test_speech_lies_under_the_signal_by_its_ratio() -> None:
    speech = sine(310.0, -3.0, 2.0) * (np.arange(2 * RATE) % RATE < RATE // 2)
    heard = impair.Chain(impair.Under(speech, 15.0)).apply(sine(1000.0, -10.0, 2.0), RATE, 1)
    assert level(heard, 1000.0) - (level(heard, 310.0) + 6.02) == pytest.approx(15.0, abs=0.1)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (impair.Noise([1.0, 2.0, 3.0]), "one for each of 2 rows"),
        (impair.Noise(float("nan")), "finite"),
        (impair.Noise(10.0, band_hz=(4000, 300)), "rising"),
        (impair.Tones((5000.0,)), "between 0 and 4000"),
        (impair.PacketLoss(1.0), "loss"),
        (impair.Adpcm(9), "2 to 5"),
        (impair.G711("opus"), "alaw"),
        (impair.Echo(0.0), "at least one sample"),
        (impair.Under(np.zeros(100)), "silent"),
        (impair.DropOuts(0.5, 2.0), "do not fit"),
        (impair.ClockSkew(1e6), "100,000"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_impossible_parameters_are_refused_in_words(step: impair.Step, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        impair.Chain(step).apply(np.zeros((2, 800)), RATE)


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 2)), np.array([np.nan]), np.zeros(4, np.int32)])
def test_bad_audio_is_refused(bad: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match="expected"):
        impair.Chain().apply(bad, RATE)
