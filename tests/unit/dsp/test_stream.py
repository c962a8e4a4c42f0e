"""Live decoding equals whole-recording decoding, for any block sizes; onsets come in time."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.dsp.trials import digit_power, noise, trial

from offhook import dsp
from offhook.dsp import live, talkoff


def run(samples: Any, sizes: Any, rate: float = 8000) -> tuple[dsp.Digits, list[dsp.Onset]]:
    channels = 1 if samples.ndim == 1 else samples.shape[0]
    decoder = dsp.Decoder(rate, channels)
    events, at, sizes = [], 0, iter(sizes)
    while at < samples.shape[-1]:
        size = next(sizes)
        events += decoder.feed(samples[..., at : at + size])
        at += size
    events += decoder.flush()
    rows = [event for event in events if isinstance(event, dsp.Digit)]
    return dsp.Digits.of(rows, channels), [event for event in events if isinstance(event, dsp.Onset)]


def same(live: dsp.Digits, whole: dsp.Digits) -> None:
    assert live.texts() == whole.texts()
    for name in ("start_s", "end_s", "low_hz", "high_hz", "low_dbm0", "high_dbm0", "twist_db"):
        assert np.max(np.abs(getattr(live, name) - getattr(whole, name)), initial=0.0) < 2e-3, name


def material(seed: int) -> np.ndarray:
    """Digits of many kinds, one after the other, in noise, with echoes and drop-outs and speech-like sounds between."""
    rng = np.random.default_rng(seed)
    made = trial(
        1,
        seed,
        on_s=rng.uniform(0.02, 0.15, 16),
        off_s=0.03,
        interruption_at_s=0.02,
        interruption_s=rng.choice([0.0, 0.01], 16),
    )
    x = made.samples + noise(len(made.samples), digit_power(made) / 10 ** rng.uniform(0.3, 4), seed)
    x[300:] += rng.choice([0.0, 0.3]) * made.samples[:-300]
    speech = talkoff.harsh(0.5, seed)
    return np.concatenate((x, speech, made.samples + talkoff.harsh(4.0, seed + 1, level_dbm0=-30)[: len(made.samples)]))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(24, 3000), min_size=1, max_size=12))
@pytest.mark.req("DTMF-DEC.3")
def test_any_block_sizes(seed: int, sizes: list[int]) -> None:
    x = dsp.to_int16(material(seed))
    whole = dsp.decode(x)
    live, onsets = run(x, itertools.cycle(sizes))
    same(live, whole)
    assert [onset.key for onset in onsets] == list(whole.text())


@pytest.mark.parametrize("every_s", [0.02, 0.1, live.MOST_EVERY_S])
@pytest.mark.parametrize("sizes", [(160,), (24, 3000, 777, 1601)])
@pytest.mark.req("DTMF-DEC.3")
def test_audio_that_is_gathered_and_looked_at_now_and_then(every_s: float, sizes: tuple[int, ...]) -> None:
    x = dsp.to_int16(material(round(1000 * every_s)))
    decoder = dsp.Decoder(8000, every_s=every_s)
    events, at = [], 0
    for size in itertools.cycle(sizes):
        events += decoder.feed(x[at : at + size])
        at += size
        assert decoder.waiting < every_s * 8000  # else it would have looked
        if at >= len(x):
            break
    events += decoder.look()
    assert decoder.waiting == 0
    assert decoder.look() == []
    events += decoder.flush()
    whole = dsp.decode(x)
    same(dsp.Digits.of([event for event in events if isinstance(event, dsp.Digit)], 1), whole)
    assert [event.key for event in events if isinstance(event, dsp.Onset)] == list(whole.text())


@pytest.mark.parametrize("every_s", [-0.01, 0.21])
def test_a_wait_out_of_range_is_refused(every_s: float) -> None:
    with pytest.raises(ValueError, match="every_s is"):
        dsp.Decoder(8000, every_s=every_s)


@pytest.mark.req("DTMF-DEC.3")
def test_one_sample_at_a_time() -> None:
    x = trial(1, 3).int16()[:4000]
    live, _ = run(x, itertools.repeat(1))
    same(live, dsp.decode(x))
    assert len(live) == 4


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 16000, 44100, 48000, 96000])
def test_other_rates(rate: int) -> None:
    made = trial(2, 9, rate=rate)
    whole = dsp.decode(made.samples, rate)
    assert whole.text() == "".join(span.key for span in made.spans)
    start = np.array([span.start for span in made.spans]) / rate
    assert np.max(np.abs(whole.start_s - start)) < 0.0015
    live, _ = run(made.samples, itertools.cycle([777, 5, 160, 3001]), rate)
    same(live, whole)


def test_channels_do_not_see_each_other() -> None:
    one, two = trial(1, 4).int16()[:12000], trial(1, 5).int16()[:12000]
    both = np.stack((one, np.zeros_like(one), two))
    live, _ = run(both, itertools.repeat(160))
    same(live, dsp.decode(both))
    assert live.texts() == [dsp.decode(one).text(), "", dsp.decode(two).text()]


@pytest.mark.req("DTMF-DEC.13")
@pytest.mark.parametrize("block", [80, 160])
def test_onsets_come_in_time(block: int) -> None:
    made = trial(8, 2, on_s=0.1, off_s=0.1)
    x = made.int16()
    decoder = dsp.Decoder(8000)
    late = []
    for at in range(0, len(x), block):
        for event in decoder.feed(x[at : at + block]):
            if isinstance(event, dsp.Onset):
                span = made.spans[len(late)]
                assert event.key == span.key
                assert abs(event.time_s - span.start / 8000) < 0.002
                late.append((at + block - span.start) / 8000)
    assert len(late) == len(made.spans)
    if block == 80:
        assert max(late) <= 0.045
        assert np.median(late) <= 0.035
    assert max(late) <= 0.060


@pytest.mark.req("DTMF-DEC.4")
def test_a_held_key_is_one_digit() -> None:
    x = dsp.encode_spans("5", on_s=6.0, lead_s=0.2).int16()
    whole = dsp.decode(x)
    assert whole.text() == "5"
    assert whole[0].end_s - whole[0].start_s == pytest.approx(6.0, abs=0.002)
    live, onsets = run(x, itertools.repeat(160))
    same(live, whole)
    assert len(onsets) == 1


def test_history_may_be_dropped_without_a_trace() -> None:
    """Held keys, speech, fast digits: whatever the live receiver forgets, it says what the batch says."""
    keys, on_s, off_s = "5512#34*90", [3.0, 0.05, 2.0, 0.05, 0.05, 0.06, 4.0, 0.05, 0.05, 1.5], 0.06
    made = dsp.encode_spans(keys, on_s=on_s, off_s=off_s, lead_s=0.1)
    x = np.concatenate((made.samples, talkoff.harsh(4.0, 8), made.samples))
    whole = dsp.decode(x)
    assert whole.text().startswith(keys)
    assert whole.text().endswith(keys)
    live, onsets = run(x, itertools.repeat(160))
    same(live, whole)
    assert len(onsets) == len(whole)


def test_reset_forgets_a_channel_and_keeps_the_others() -> None:
    x = dsp.encode_spans("1", on_s=0.1, lead_s=0.0).int16()[:800]
    decoder = dsp.Decoder(8000, 2)
    decoder.feed(np.stack((x[:160], x[:160])))
    decoder.reset(0)
    silence = np.zeros(640, np.int16)
    events = decoder.feed(np.stack((silence, x[160:]))) + decoder.flush()
    assert {event.channel for event in events} == {1}
    assert [event.key for event in events if isinstance(event, dsp.Digit)] == ["1"]
    decoder.reset()
    assert decoder.feed(np.zeros((2, 800), np.int16)) == []


def test_times_go_on_over_hours() -> None:
    decoder = dsp.Decoder(8000)
    silence = np.zeros(80000, np.int16)
    for _ in range(90):
        assert decoder.feed(silence) == []
    made = dsp.encode_spans("7", lead_s=0.1)
    events = decoder.feed(made.int16()) + decoder.flush()
    assert events[0].time_s == pytest.approx(900.1, abs=0.002)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (np.zeros((2, 10), np.int16), "expected \\(1, n\\)"),
        (np.zeros(10, np.int32), "int32: expected int16"),
        (np.full(10, np.nan, np.float32), "NaN"),
        (np.full(10, np.inf), "NaN or infinity"),
        (np.zeros((1, 1, 5), np.int16), "shape"),
        (np.int16(3), "shape \\(\\)"),
    ],
)
def test_bad_blocks_are_refused(block: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dsp.Decoder(8000).feed(block)


@pytest.mark.parametrize("rate", [0, -8000, 3999, 200000, float("nan")])
def test_bad_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="expected 4000 to 192000"):
        dsp.Decoder(rate)
    with pytest.raises(ValueError, match="expected 4000 to 192000"):
        dsp.decode(np.zeros(100, np.int16), rate)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(length=st.integers(0, 3000), seed=st.integers(0, 99), scale=st.sampled_from([0.0, 1e-6, 0.1, 1.0, 100.0]))
def test_decode_takes_any_length_and_level(length: int, seed: int, scale: float) -> None:
    x = np.random.default_rng(seed).normal(0, 1, length).astype(np.float32) * np.float32(scale)
    assert len(dsp.decode(x)) == 0
    live, _ = run(x, itertools.cycle([seed + 1]))
    assert len(live) == 0
