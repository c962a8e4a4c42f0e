"""Bad lines: echoes, clipping, drop-outs, dial tone far above, speech under the digits, harsh talk-off."""

from __future__ import annotations

import numpy as np
import pytest
from unit.dsp.trials import accepts, count, sines, trial

from offhook import dsp
from offhook.dsp import talkoff

BOTH = pytest.mark.parametrize("on_s", [0.05, 0.1])


@BOTH
@pytest.mark.parametrize("delay_ms", [20, 30, 45, 50, 60])
def test_echo_10_db_down(on_s: float, delay_ms: int) -> None:
    made = trial(4, 3, on_s=on_s, off_s=on_s)
    heard = made.samples.copy()
    heard[delay_ms * 8 :] += 10 ** (-10 / 20) * made.samples[: -delay_ms * 8]
    accepts(made, heard)


@BOTH
@pytest.mark.parametrize("over_db", [0, 6, 12, 18])
def test_clipping(on_s: float, over_db: float) -> None:
    """Both tones' peak sum is this far over full scale."""
    made = trial(4, 3, on_s=on_s, off_s=on_s, level_dbm0=3.14 - 6.02 + over_db)
    assert np.abs(made.samples).max() == pytest.approx(10 ** (over_db / 20), rel=0.03)
    accepts(made, np.clip(made.samples, -1, 1))


@pytest.mark.parametrize("cut_ms", [2, 5, 8, 10, 12])
def test_drop_out_in_a_long_digit(cut_ms: float) -> None:
    made = trial(4, 3, on_s=0.1, off_s=0.1, interruption_at_s=0.04, interruption_s=cut_ms / 1000)
    accepts(made)


@pytest.mark.parametrize("cut_ms", [2, 5, 8])
def test_drop_out_in_a_short_digit(cut_ms: float) -> None:
    accepts(trial(4, 3, on_s=0.05, interruption_at_s=0.02, interruption_s=cut_ms / 1000))


@BOTH
@pytest.mark.parametrize("tone", [(425.0,), (350.0, 440.0)])
@pytest.mark.parametrize("above_db", [6, 9, 12])
@pytest.mark.req("DTMF-DEC.7")
def test_dial_tone_above_the_digits(on_s: float, tone: tuple[float, ...], above_db: float) -> None:
    made = trial(4, 3, on_s=on_s, off_s=on_s, level_dbm0=-22.0)
    dial = sines(tone, -22.0 + above_db, len(made.samples) / 8000 + 0.1)[: len(made.samples)]
    accepts(made, made.samples + dial)


@pytest.mark.parametrize("under_db", [18, 24])
@pytest.mark.req("DTMF-DEC.7")
def test_voice_under_the_digits(under_db: float) -> None:
    made = trial(4, 3, on_s=0.1, off_s=0.1)
    voice = talkoff.harsh(20.0, 5, level_dbm0=-7.0 - under_db)[: len(made.samples)]
    right, extra = count(made, made.samples + voice)
    assert right >= 0.97 * len(made.spans)
    assert extra == 0


@pytest.mark.req("DTMF-DEC.9")
def test_harsh_talk_off_stays_rare() -> None:
    """Sounds made to be mistaken: libspandsp takes 2 a minute for digits, multimon-ng 12 (benchmarks/dsp_talkoff)."""
    hits = sum(len(dsp.decode(talkoff.harsh(60.0, seed))) for seed in (0, 1))
    assert hits <= 2


def test_harsh_talk_off_repeats_from_its_seed() -> None:
    assert np.array_equal(talkoff.harsh(3.0, 4), talkoff.harsh(3.0, 4))
    assert not np.array_equal(talkoff.harsh(3.0, 4), talkoff.harsh(3.0, 5))
    x = talkoff.harsh(30.0, 1)
    assert len(x) == 240000
    assert dsp.dbm0(np.mean(x.astype(np.float64) ** 2)) == pytest.approx(-15, abs=2)


@pytest.mark.parametrize("square_hz", [100, 350, 697, 941, 1209, 1477])
def test_square_waves_are_no_digits(square_hz: float) -> None:
    x = np.sign(np.sin(2 * np.pi * square_hz * np.arange(16000) / 8000 + 0.1))
    assert len(dsp.decode((32767 * x).astype(np.int16))) == 0


def test_clipped_talk_off_stays_rare() -> None:
    """Overdriven by 12 dB: accepting clipped digits must not open the door to clipped voices and chords."""
    hits = sum(len(dsp.decode(np.clip(4 * talkoff.harsh(60.0, seed), -1, 1))) for seed in (0, 1, 2))
    assert hits <= 3
