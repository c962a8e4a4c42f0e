"""The compiled kernels find what numpy finds, on anything: digits, times, levels; and when they are used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.dsp.test_stream import material, run
from unit.dsp.trials import trial

from offhook import dsp
from offhook.dsp import compiled, profiles, talkoff

pytestmark = pytest.mark.timeout(600)  # whoever comes first on a machine compiles the kernels
NEAR = {"start_s": 1e-6, "end_s": 1e-6, "low_hz": 0.01, "high_hz": 0.01, "low_dbm0": 1e-3, "high_dbm0": 1e-3}


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    compiled.use(None)


def both(samples: Any, rate: float = 8000, profile: dsp.Profile = profiles.ATT) -> tuple[dsp.Digits, dsp.Digits]:
    compiled.use(False)
    plain = dsp.decode(samples, rate, profile)
    compiled.use(True)
    return plain, dsp.decode(samples, rate, profile)


def same(plain: dsp.Digits, fast: dsp.Digits, near: float = 0.0) -> None:
    assert fast.texts() == plain.texts()
    for name, limit in NEAR.items():
        assert np.max(np.abs(getattr(fast, name) - getattr(plain, name)), initial=0.0) < max(limit, near), name
    assert np.max(np.abs(fast.snr_db - plain.snr_db), initial=0.0) < 0.1


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100_000))
def test_noise_echoes_dropouts_and_voices(seed: int) -> None:
    plain, fast = both(dsp.to_int16(material(seed)))
    assert len(plain) >= 16
    same(plain, fast)


@pytest.mark.parametrize("rate", [4000, 6400, 8000, 11025, 16000, 22050, 44100, 48000])
def test_every_rate(rate: int) -> None:
    made = trial(2, seed=rate, rate=rate, on_s=0.06)
    plain, fast = both(made.samples, rate)
    assert plain.text() == "".join(span.key for span in made.spans)
    same(plain, fast)


@pytest.mark.parametrize("name", sorted(profiles.ALL))
def test_every_profile(name: str) -> None:
    profile = profiles.ALL[name]
    rng = np.random.default_rng(len(name))
    made = trial(
        4,
        seed=5,
        low_offset_percent=rng.uniform(-4, 4, 64),
        high_offset_percent=rng.uniform(-4, 4, 64),
        level_dbm0=rng.uniform(-45, -5, 64),
    )
    plain, fast = both(dsp.to_int16(made.samples), profile=profile)
    assert 0 < len(plain) < 64
    same(plain, fast)


def test_no_nulled_frequencies_and_more_than_the_kernels_have_room_for() -> None:
    x = dsp.to_int16(material(3))
    for nulls in ((), tuple(float(f) for f in range(100, 500, 20))):
        plain, fast = both(x, profile=profiles.ATT.with_(null_hz=nulls))
        assert len(plain) > 0
        same(plain, fast)


def test_many_channels_some_silent_some_full() -> None:
    rng = np.random.default_rng(7)
    x = np.zeros((40, 16000), dtype=np.int16)
    for row in range(0, 40, 3):
        made = dsp.to_int16(trial(1, seed=row, on_s=0.045, off_s=0.04).samples)[:16000]
        x[row, : len(made)] = made
    x[1::3] = rng.integers(-2000, 2000, (len(x[1::3]), 16000))
    plain, fast = both(x)
    assert sum(bool(text) for text in plain.texts()) == 14
    same(plain, fast)
    same(plain, both(np.asfortranarray(x))[1])  # any memory order


def test_a_voice_and_nothing_at_all() -> None:
    for x in (talkoff.harsh(20.0, 5), np.zeros(8000), np.zeros(1), np.sign(np.sin(np.arange(8000) * 0.55))):
        plain, fast = both(x)
        same(plain, fast)


def test_a_digit_cut_off_at_either_end() -> None:
    x = dsp.to_int16(trial(1, seed=9, on_s=0.08).samples)
    for begin in range(0, 2000, 171):
        for end in range(len(x) - 2000, len(x), 171):
            same(*both(x[begin:end]))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100_000), sizes=st.lists(st.integers(24, 3000), min_size=1, max_size=12))
@pytest.mark.req("DTMF-DEC.3")
def test_a_live_receiver_hears_the_same_in_blocks_of_any_size(seed: int, sizes: list[int]) -> None:
    x = dsp.to_int16(material(seed))
    x = np.stack((x, np.roll(x, 1234), np.zeros_like(x), x[::-1]))
    compiled.use(False)
    whole = dsp.decode(x)
    compiled.use(True)
    live, onsets = run(x, itertools.cycle(sizes))
    assert len(whole) >= 32
    same(whole, live, near=2e-3)
    assert sorted(onset.key for onset in onsets) == sorted("".join(whole.texts()))


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 48000])
def test_a_live_receiver_at_other_rates(rate: int) -> None:
    made = trial(2, seed=rate, rate=rate, on_s=0.06)
    compiled.use(True)
    live, _ = run(made.samples, itertools.cycle([777, 5, 160, 3001]), rate)
    assert live.text() == "".join(span.key for span in made.spans)


def test_live_receivers_do_not_compile_unless_they_are_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled._Choice, "heard", 2 * compiled.WORTH_SAMPLES)
    for wanted, expected in ((None, False), (False, False), (True, True)):
        compiled.use(wanted)
        assert (dsp.Decoder(8000, channels=1000)._kernels is not None) is expected


def test_kernels_are_used_after_hours_of_audio_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled._Choice, "heard", 0)
    compiled.use(None)
    assert not compiled.ready(8000)
    assert not compiled.ready(compiled.WORTH_SAMPLES - 8001)
    assert compiled.ready(1)


def test_held_off_nothing_is_compiled_that_was_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled._Choice, "heard", 0)
    for wanted, expected in ((None, False), (False, False), (True, True)):
        compiled.use(wanted)
        with compiled.held_off():
            assert compiled.ready(2 * compiled.WORTH_SAMPLES) is expected
    compiled.use(None)
    assert not compiled.ready(8000)  # nor does what was heard meanwhile count afterwards


def test_without_numba_numpy_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    monkeypatch.setattr(compiled._Choice, "heard", compiled.WORTH_SAMPLES)
    assert not compiled.ready(8000)
    with pytest.raises(ValueError, match=r"numba is not installed.*offhook\[fast\]"):
        compiled.use(True)
