"""The 29 documented receiver limits with the default profile, over all 16 keys, random phase and start."""

from __future__ import annotations

import numpy as np
import pytest
from unit.dsp.trials import MODES, accepts, digit_power, ignores, noise, sines, trial

from offhook import dsp


@pytest.mark.req("DTMF-DEC.1")
def test_01_all_keys() -> None:
    accepts(trial(10))


@pytest.mark.parametrize("percent", [0.5, 1.0, 1.5, 1.75])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.req("DTMF-DEC.6")
def test_02_accepts_offsets(mode: str, percent: float, sign: int) -> None:
    accepts(trial(4, **MODES[mode](sign * percent)))


@pytest.mark.parametrize("percent", [3.5, 3.75, 4.0, 5.0])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.req("DTMF-DEC.6")
def test_06_ignores_offsets(mode: str, percent: float, sign: int) -> None:
    ignores(trial(4, on_s=0.1, **MODES[mode](sign * percent)))


@pytest.mark.parametrize("twist_db", [4.0, -8.0, 6.0, -6.0])
def test_11_twist(twist_db: float) -> None:
    accepts(trial(6, twist_db=twist_db))


@pytest.mark.parametrize("twist_db", [9.0, -12.0])
def test_11_twist_beyond(twist_db: float) -> None:
    ignores(trial(4, twist_db=twist_db))


def test_13_shortest() -> None:
    accepts(trial(10, on_s=0.04))


@pytest.mark.parametrize("on_ms", [10, 15, 20, 22.5, 23])
def test_14_too_short(on_ms: float) -> None:
    ignores(trial(10, on_s=on_ms / 1000))


@pytest.mark.parametrize("gap_ms", [30, 40])
@pytest.mark.req("DTMF-DEC.5")
def test_16_splits_equal_digits(gap_ms: float) -> None:
    for key in "159D*0":
        for seed in range(4):
            made = dsp.encode_spans(key * 8, on_s=0.05, off_s=gap_ms / 1000, edge_s=0.001, lead_s=0.1 + seed * 0.0013)
            accepts(made)


@pytest.mark.parametrize("cut_ms", [2, 5, 8, 10])
@pytest.mark.req("DTMF-DEC.5")
def test_18_rides_through_interruptions(cut_ms: float) -> None:
    for at_ms in (15, 30, 40, 60):
        accepts(trial(4, on_s=0.1, off_s=0.1, interruption_at_s=at_ms / 1000, interruption_s=cut_ms / 1000))
    accepts(trial(4, on_s=0.05, interruption_at_s=0.02, interruption_s=cut_ms / 1000))


@pytest.mark.parametrize("level_dbm0", [0.0, -3.0, -10.0, -20.0, -25.0, -29.0])
def test_19_levels(level_dbm0: float) -> None:
    accepts(trial(6, level_dbm0=level_dbm0), trial(6, level_dbm0=level_dbm0).int16())


def test_21_too_weak() -> None:
    ignores(trial(4, level_dbm0=-55.0, on_s=0.1))


@pytest.mark.parametrize("snr_db", [15, 12, 10, 8, 6])
def test_22_noise(snr_db: float) -> None:
    made = trial(20, seed=snr_db)
    accepts(made, made.samples + noise(len(made.samples), digit_power(made) / 10 ** (snr_db / 10), seed=snr_db))


@pytest.mark.parametrize("delay_ms", [5, 10, 20, 30, 40])
def test_24_echo(delay_ms: float) -> None:
    made = trial(6)
    lag = round(delay_ms * 8)
    heard = made.samples.copy()
    heard[lag:] += 10 ** (-10 / 20) * made.samples[:-lag]
    accepts(made, heard)


@pytest.mark.parametrize("third_hz", [300, 500, 1050, 1100, 1900, 2300, 3000])
def test_25_third_tone(third_hz: float) -> None:
    made = trial(4)
    accepts(made, made.samples + sines([third_hz], -26.0, len(made.samples) / 8000)[: len(made.samples)])


@pytest.mark.parametrize("above_db", [0, 6, 12])
@pytest.mark.req("DTMF-DEC.7")
def test_26_dial_tone(above_db: float) -> None:
    made = trial(6, level_dbm0=-20.0)
    duration = len(made.samples) / 8000
    for tone in ([350.0, 440.0], [425.0]):
        level = -20.0 + min(above_db, 6 if len(tone) == 1 else 12)
        accepts(made, made.samples + sines(tone, level, duration)[: len(made.samples)])


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
@pytest.mark.parametrize("level_dbm0", [0.0, -10.0, -20.0, -25.0, -29.0])
@pytest.mark.req("DTMF-DEC.8")
def test_28_g711(law: str, level_dbm0: float) -> None:
    made = trial(6, level_dbm0=level_dbm0)
    accepts(made, dsp.codec.through(made.samples, law))


NOT_DIGITS: dict[str, np.ndarray] = {
    **{
        f"{plan} {name}": dsp.progress.tone(name, plan, 4.0)
        for plan in "US EU UK JP".split()
        for name in dsp.progress.names(plan)
    },
    **{
        f"single {f} Hz": sines([f], -6.0, 1.0)
        for f in (697, 770, 852, 941, 1209, 1336, 1477, 1633, 1004, 2100, 1100, 2225)
    },
    "CAS": sines([2130, 2750], -15.0, 0.3),
    "two low": sines([697, 852], -10.0, 0.3),
    "two high": sines([1209, 1477], -10.0, 0.3),
    "R1 900+1100": sines([900, 1100], -8.0, 0.2),
    "R1 1100+1300": sines([1100, 1300], -8.0, 0.2),
    "R1 900+1500": sines([900, 1500], -8.0, 0.2),
    "R2 1140+1020": sines([1140, 1020], -8.0, 0.2),
    "answer 2100": sines([2100], -10.0, 2.0),
    "slow sweep": np.asarray(
        0.3 * np.sin(2 * np.pi * np.cumsum(np.linspace(200, 3600, 80000)) / 8000), dtype=np.float32
    ),
    "noise": noise(80000, 0.02, 3),
    "silence": np.zeros(8000, np.float32),
    "full-scale square": np.sign(np.sin(2 * np.pi * 697 * np.arange(16000) / 8000 + 0.1)).astype(np.float32),
}


@pytest.mark.parametrize("name", NOT_DIGITS)
@pytest.mark.req("DTMF-DEC.9")
def test_29_not_a_digit(name: str) -> None:
    assert dsp.decode(NOT_DIGITS[name]).text() == ""
