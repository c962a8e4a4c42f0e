"""Signal to noise of digits, against noise that was put in: its power is drawn and known, no receiver is asked."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook import dsp
from offhook.dsp import clarity
from offhook.dsp.tones import HIGH_HZ, KEYS, LOW_HZ

RATE = 8000


def line(on_s: float, seed: int, offset: float = 0.0, edge_s: float = 0.002) -> NDArray[np.float64]:
    """All sixteen keys, both tones at 0.2, raised-cosine edges, 60 ms of silence between them."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(on_s * RATE)) / RATE
    rise = np.clip((time_s + 0.5 / RATE) / edge_s, 0, 1)
    shape = np.minimum(0.5 - 0.5 * np.cos(np.pi * rise), (0.5 - 0.5 * np.cos(np.pi * rise))[::-1])
    parts = [np.zeros(480)]
    for key in range(16):
        phases = rng.uniform(0, 2 * np.pi, 2)
        freqs = np.array((LOW_HZ[key // 4], HIGH_HZ[key % 4])) * (1 + offset)
        tones = sum(0.2 * np.cos(2 * np.pi * f * time_s + p) for f, p in zip(freqs, phases, strict=True))
        parts += [tones * shape, np.zeros(480)]
    return np.concatenate(parts)


def noisy(clean: NDArray[np.float64], snr_db: float, seed: int) -> NDArray[np.float64]:
    """White noise so far under the two tones of 0.2, whose power together is 0.04."""
    rng = np.random.default_rng([seed, round(snr_db)])
    return clean + rng.standard_normal(len(clean)) * np.sqrt(0.04 / 10 ** (snr_db / 10))


@pytest.mark.req("DTMF-MEAS.1")
@pytest.mark.parametrize("on_s", [0.04, 0.05, 0.07, 0.1])
@pytest.mark.parametrize("snr_db", [10.0, 20.0, 30.0, 35.0])
def test_known_noise_is_read_within_a_decibel(on_s: float, snr_db: float) -> None:
    read = [dsp.decode(noisy(line(on_s, seed), snr_db, seed), RATE) for seed in range(3)]
    assert [digits.text() for digits in read] == [KEYS] * 3
    found = np.concatenate([digits.snr_db for digits in read])
    assert np.median(found) == pytest.approx(snr_db, abs=0.4)
    assert np.abs(found - snr_db).max() < 2.0  # of 170 samples: three standard deviations are 1.4 dB


@pytest.mark.parametrize("offset", [-0.015, 0.0, 0.015])
@pytest.mark.parametrize("on_s", [0.04, 0.1])
def test_clean_tones_are_clean_wherever_they_are_in_their_band(on_s: float, offset: float) -> None:
    whole = np.round(32767 * line(on_s, 1, offset)).astype(np.int16)
    assert dsp.decode(whole, RATE).snr_db.min() > 60.0


def test_g711_leaves_what_its_steps_leave() -> None:
    """About 37 dB for tones of any level (ITU-T G.712 asks for 33)."""
    whole = np.round(32767 * line(0.1, 1)).astype(np.int16)
    coded = dsp.codec.ulaw_decode(dsp.codec.ulaw_encode(whole))
    clean, error = line(0.1, 1), coded / 32768.0 - line(0.1, 1)
    on = np.abs(clean) > 0
    known_db = 10 * np.log10(np.mean(clean[on] ** 2) / np.mean(error[on] ** 2))
    assert np.median(dsp.decode(coded, RATE).snr_db) == pytest.approx(known_db, abs=1.0)


@pytest.mark.parametrize("on_s", [0.016, 0.020])
def test_a_digit_too_short_for_the_long_look_is_read_too(on_s: float) -> None:
    audio = noisy(line(on_s, 2, edge_s=0.0005), 20.0, 2)[None, :]
    start = 480 + np.arange(16) * (480.0 + round(on_s * RATE))
    found = clarity.snr_db(
        audio, np.zeros(16, np.int64), start, start + on_s * RATE, np.arange(16, dtype=np.int8), RATE
    )
    assert np.median(found) == pytest.approx(20.0, abs=1.0)


@pytest.mark.parametrize("block", [80, 160, 1000])
def test_the_live_receiver_reads_the_same(block: int) -> None:
    audio = noisy(line(0.07, 3), 25.0, 3)
    receiver = dsp.Decoder(RATE)
    events = [event for at in range(0, len(audio), block) for event in receiver.feed(audio[at : at + block])]
    events += receiver.flush()
    live = [event.snr_db for event in events if isinstance(event, dsp.Digit)]
    assert live == pytest.approx(dsp.decode(audio, RATE).snr_db.tolist(), abs=0.05)


def test_at_other_rates() -> None:
    at_16k = np.interp(np.arange(0, 20000) / 2, np.arange(10000), line(0.07, 4)[:10000])
    assert dsp.decode(at_16k, 16000).snr_db.min() > 25.0
