"""The arithmetic of a sound card: rates, probes, the pilot, what is played next, and time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.drivers.audio import probe
from offhook.drivers.audio.pilot import PilotWatch, Strayed
from offhook.drivers.audio.player import Player
from offhook.drivers.audio.resample import Resampler
from offhook.drivers.audio.timeline import WINDOW_S, Timeline
from offhook.drivers.errors import ConfigError

RATES = [(48000, 8000), (44100, 8000), (8000, 48000), (8000, 44100), (96000, 16000), (48000, 48000)]


def resampled(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Block by block, as the engine does; the first and the last block are missing."""
    resampler = Resampler(from_hz, to_hz)
    taken, blocks = resampler.taken, len(samples) // resampler.taken
    windows = [samples[np.newaxis, (n - 1) * taken : (n + 2) * taken] for n in range(1, blocks - 1)]
    return np.concatenate([resampler.block(window)[0] for window in windows])


def sine(freq_hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    return np.rint(10000 * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("freq_hz", [100, 1020, 3400])
def test_a_tone_keeps_its_level_and_its_time(from_hz: int, to_hz: int, freq_hz: int) -> None:
    out = resampled(sine(freq_hz, from_hz), from_hz, to_hz).astype(float)
    first = to_hz // 100
    expected = 10000 * np.sin(2 * np.pi * freq_hz * (first + np.arange(len(out))) / to_hz)
    assert np.max(abs(out - expected)) < 12  # 0.01 dB of 10,000


@pytest.mark.parametrize("freq_hz", [4100, 5000, 12000, 20000])
def test_what_the_lower_rate_cannot_carry_does_not_come_back_as_something_else(freq_hz: int) -> None:
    out = resampled(sine(freq_hz, 48000), 48000, 8000)
    assert np.std(out) < 10000 * 10 ** (-70 / 20)


def test_the_same_rate_is_bit_exact() -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, 4800).astype(np.int16)
    assert np.array_equal(resampled(noise, 48000, 48000), noise[480:-480])


def test_a_rate_without_whole_blocks_is_refused() -> None:
    with pytest.raises(ConfigError, match="100 Hz"):
        Resampler(11025, 8000)


@pytest.mark.parametrize("order", sorted(probe.TAPS))
def test_a_sequence_is_of_maximum_length(order: int) -> None:
    """Every state of the register but zero occurs once: the circular autocorrelation is -1 but at zero."""
    sequence = probe.mls(order)
    correlation = np.fft.irfft(abs(np.fft.rfft(sequence)) ** 2, len(sequence))
    assert correlation[0] == pytest.approx(len(sequence))
    assert correlation[1:] == pytest.approx(-1.0, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(lag=st.integers(0, 3000), noise=st.floats(0, 1500), turned=st.booleans(), seed=st.integers(0, 99))
def test_a_probe_is_found_where_it_is(lag: int, noise: float, turned: bool, seed: int) -> None:
    wave = probe.sequence(8000) * 1000
    heard = np.random.default_rng(seed).normal(0, noise + 1e-9, len(wave) + 4000)
    heard[lag : lag + len(wave)] += -wave if turned else wave
    found = probe.find(wave, heard, 8000)
    assert found.good
    assert found.lag == pytest.approx(lag, abs=0.1)
    assert found.gain == pytest.approx(-1.0 if turned else 1.0, abs=0.2)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.9])
def test_a_probe_is_found_between_samples(fraction: float) -> None:
    wave = probe.sequence(8000) * 1000
    spectrum = np.fft.rfft(np.concatenate([np.zeros(100), wave, np.zeros(1000)]))
    shift = np.exp(-2j * np.pi * np.fft.rfftfreq(len(wave) + 1100) * fraction)
    found = probe.find(wave, np.fft.irfft(spectrum * shift, len(wave) + 1100), 8000)
    assert found.lag == pytest.approx(100 + fraction, abs=0.05)


def test_noise_alone_is_no_probe() -> None:
    noise = np.random.default_rng(3).normal(0, 3000, 8000)
    assert not probe.find(probe.sequence(8000) * 1000, noise, 8000).good
    assert not probe.find(probe.sequence(8000) * 1000, np.zeros(8000), 8000).good


class Wire:
    """A pilot on its way: late by ``lag`` frames, times ``gain``; ``hear`` gives the next blocks to the watch."""

    def __init__(self, lag: int = 640) -> None:
        self.lag, self.gain, self.frame = lag, 1.0, 0
        self.watch = PilotWatch(8000, 1, lag)

    def hear(self, seconds: float) -> list[tuple[int, str]]:
        told = []
        for _ in range(round(seconds * 100)):
            sent = self.watch.pilot.play(self.frame - self.lag, 80) if self.frame >= self.lag else np.zeros(80)
            block = np.vstack([np.zeros(80), sent * self.gain]).astype(np.int16)
            told += [(period.stop, period.damage) for period in self.watch.hear(self.frame, block)]
            self.frame += 80
        return told


def test_a_pilot_that_comes_back_vouches_for_every_period() -> None:
    wire = Wire()
    told = wire.hear(5.0)
    stops = [stop for stop, damage in told if not damage]
    assert len(stops) == len(told) >= 15
    assert all(late - early == wire.watch.pilot.frames for early, late in itertools.pairwise(stops))


def test_a_hole_in_the_pilot_is_told() -> None:
    wire = Wire()
    wire.hear(2.0)
    wire.gain = 0.0
    wire.hear(0.02)
    wire.gain = 1.0
    told = wire.hear(1.0)
    assert [damage for _, damage in told if damage] == ["the pilot had a gap"]


@pytest.mark.parametrize("gain", [0.0, 0.3])
def test_a_pilot_that_is_gone_or_faint_is_told_within_a_second(gain: float) -> None:
    wire = Wire()
    wire.hear(3.0)
    wire.gain = gain
    with pytest.raises(Strayed, match="does not come back"):
        wire.hear(1.0)


def test_a_pilot_that_comes_from_elsewhere_is_told() -> None:
    wire = Wire()
    wire.hear(3.0)
    wire.lag += 40
    with pytest.raises(Strayed, match=r"\+5.00 ms"):
        wire.hear(1.0)


def test_after_a_loss_that_was_told_the_lag_is_learnt_again() -> None:
    wire = Wire()
    wire.hear(3.0)
    wire.watch.lost()
    wire.lag += 160
    assert [damage for _, damage in wire.hear(3.0) if not damage]


@given(
    frames=st.lists(st.integers(0, 3000), min_size=1, max_size=5),
    lengths=st.lists(st.integers(1, 900), min_size=5, max_size=5),
)
@settings(deadline=None, max_examples=40)
def test_what_is_queued_is_played_at_its_frame_and_added_up(frames: list[int], lengths: list[int]) -> None:
    player, expected = Player(8000, 8000, [1.0, 1.0]), np.zeros(4800)
    for number, frame in enumerate(frames):
        samples = np.full(lengths[number], 100 * (number + 1), dtype=np.int16)
        player.add(frame, 1, samples)
        expected[frame : frame + len(samples)] += samples[: 4800 - frame]
    blocks = [np.frombuffer(player.block(number), np.int16).reshape(-1, 2) for number in range(60)]
    played = np.concatenate(blocks)
    assert np.array_equal(played[:, 1], expected)
    assert not played[:, 0].any()


def test_gains_and_full_scale_are_kept() -> None:
    player = Player(8000, 8000, [0.5, 1.0])
    player.add(80, 0, np.full(80, 20000, np.int16))
    player.add(80, 1, np.full(80, 30000, np.int16))
    player.add(80, 1, np.full(80, 30000, np.int16))
    block = np.frombuffer(player.block(1), np.int16).reshape(-1, 2)
    assert (block[:, 0] == 10000).all()
    assert (block[:, 1] == 32767).all()


def test_mute_leaves_the_pilot_alone() -> None:
    player = Player(8000, 8000, [1.0, 1.0])
    player.start_pilot(1, probe.Pilot(8000))
    player.add(80, 0, np.full(80, 20000, np.int16))
    player.mute()
    block = np.frombuffer(player.block(1), np.int16).reshape(-1, 2)
    assert not block[:, 0].any()
    assert block[:, 1].any()


class Arrivals:
    """Blocks of 10 ms of a card whose crystal is ``ppm`` slow, each late by up to ``late_s``."""

    def __init__(self, ppm: float, late_s: float) -> None:
        self.timeline = Timeline(8000)
        self.ppm, self.late_s, self.frame = ppm, late_s, 0
        self.random = np.random.default_rng(5)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.frame += 80
            late_s = self.late_s * float(self.random.uniform(0, 1))
            self.timeline.place(self.frame, self.true_s(self.frame) + late_s - self.frame / 8000)

    def true_s(self, frame: int) -> float:
        return 7.0 + frame / 8000 * (1 + self.ppm / 1e6)


@pytest.mark.req("BENCH-CLK.1")
@pytest.mark.parametrize("ppm", [-80.0, 0.0, 80.0])
def test_a_card_of_another_crystal_keeps_its_place_on_the_common_clock(ppm: float) -> None:
    arrivals = Arrivals(ppm, 0.02)
    arrivals.run(600.0)
    for back in (0, 8000, 60 * 8000):
        frame = arrivals.frame - back
        assert arrivals.timeline.time_of_s(frame) == pytest.approx(arrivals.true_s(frame), abs=0.003)
    assert arrivals.timeline.drift_ppm == pytest.approx(ppm, abs=10)


def test_frames_and_times_lead_back_over_knots_and_losses() -> None:
    arrivals = Arrivals(60.0, 0.01)
    arrivals.run(3 * WINDOW_S)
    arrivals.timeline.restart(arrivals.frame)
    arrivals.run(2 * WINDOW_S)
    for frame in range(0, arrivals.frame + 4000, 977):
        assert arrivals.timeline.frame_at(arrivals.timeline.time_of_s(frame)) == frame


def test_nothing_is_known_before_something_has_come() -> None:
    timeline = Timeline(8000)
    assert not timeline.known
    assert timeline.drift_ppm is None
    timeline.place(80, 1.0)
    assert timeline.known
    assert timeline.time_of_s(80) == pytest.approx(1.01)
    timeline.restart(160)
    assert timeline.known
