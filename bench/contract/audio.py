"""The contract of :class:`offhook.drivers.audio.AudioPort`.

Its stimulus is a burst of 1,004 Hz at half of full scale: loud enough to be told from a dial tone and a phone's
sidetone, and quiet enough not to clip.
"""

from __future__ import annotations

import numpy as np
import pytest

from offhook.drivers.audio import AudioPort, Samples
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone

FREQ_HZ = 1004.0
BURST_S = 0.2


def burst(rate_hz: int) -> Samples:
    """The stimulus, int16."""
    time_s = np.arange(round(BURST_S * rate_hz)) / rate_hz
    return np.round(16384 * np.sin(2 * np.pi * FREQ_HZ * time_s)).astype(np.int16)


def presence(samples: Samples, rate_hz: int) -> float:
    """Amplitude of the stimulus' frequency, in int16 steps."""
    phasor = np.exp(-2j * np.pi * FREQ_HZ / rate_hz * np.arange(len(samples)))
    return float(2 * abs(np.dot(samples, phasor)) / max(1, len(samples)))


class AudioContract:
    """Fixtures to give: ``clock``, ``port``, opened and not connected, ``loop``.

    ``loop`` is (a channel to play on, the channel that hears it, how late in s at most, gain at least); what makes
    that loop (a cable, a handset off hook) is ready when the fixture is.
    """

    @pytest.fixture
    def connected(self, port: AudioPort) -> AudioPort:
        """The port, connected."""
        port.connect()
        return port

    def test_connect_says_what_it_is(self, port: AudioPort) -> None:
        assert port.connect()

    def test_frames_move_with_the_clock(self, connected: AudioPort, clock: Clock) -> None:
        clock.sleep(0.5)
        first, before_s = connected.now_frame(), clock.now_s()
        clock.sleep(1.0)
        moved_s = (connected.now_frame() - first) / connected.rate_hz
        assert moved_s == pytest.approx(clock.now_s() - before_s, abs=0.2)

    def test_frames_and_times_lead_back(self, connected: AudioPort, clock: Clock) -> None:
        clock.sleep(0.5)
        for frame in range(connected.now_frame(), connected.now_frame() + 50):
            assert connected.frame_at(connected.time_of_s(frame)) == frame
        assert connected.frame_at(clock.now_s()) / connected.rate_hz == pytest.approx(
            connected.now_frame() / connected.rate_hz, abs=0.3
        )

    def test_what_is_played_is_heard_at_its_frame(
        self, connected: AudioPort, clock: Clock, loop: tuple[int, int, float, float]
    ) -> None:
        play, hear, late_s, gain = loop
        rate_hz = connected.rate_hz
        start = connected.frame_at(clock.now_s() + 0.5)
        connected.play_at(start, play, burst(rate_hz))
        clock.wait_until(connected.time_of_s(start) + BURST_S + late_s + 0.5)
        late = round(late_s * rate_hz)
        heard = connected.take(start + late, start + round(BURST_S * rate_hz))[hear]
        before = connected.take(start - round(BURST_S * rate_hz), start)[hear]
        assert presence(heard, rate_hz) > gain * 16384
        assert presence(before, rate_hz) < 0.1 * gain * 16384

    def test_mute_drops_what_is_queued(
        self, connected: AudioPort, clock: Clock, loop: tuple[int, int, float, float]
    ) -> None:
        play, hear, late_s, gain = loop
        rate_hz = connected.rate_hz
        start = connected.frame_at(clock.now_s() + 0.5)
        connected.play_at(start, play, burst(rate_hz))
        connected.mute()
        clock.wait_until(connected.time_of_s(start) + BURST_S + late_s + 0.5)
        heard = connected.take(start, start + round(BURST_S * rate_hz))[hear]
        assert presence(heard, rate_hz) < 0.1 * gain * 16384

    def test_blocks_and_take_are_the_same_audio(
        self, connected: AudioPort, clock: Clock, loop: tuple[int, int, float, float]
    ) -> None:
        blocks: list[tuple[int, Samples]] = []
        stop = connected.subscribe(lambda first_frame, block: blocks.append((first_frame, block)))
        start = connected.frame_at(clock.now_s() + 0.2)
        connected.play_at(start, loop[0], burst(connected.rate_hz))
        clock.sleep(1.0)
        stop()
        seen = len(blocks)
        assert seen
        ends = [first_frame + block.shape[1] for first_frame, block in blocks]
        assert all(end <= first_frame for end, (first_frame, _) in zip(ends, blocks[1:], strict=False))
        for first_frame, block in blocks:
            assert block.shape[0] == connected.channels
            assert np.array_equal(connected.take(first_frame, first_frame + block.shape[1]), block)
        clock.sleep(0.5)
        assert len(blocks) == seen

    def test_take_refuses_the_future_and_the_forgotten(self, connected: AudioPort, clock: Clock) -> None:
        clock.sleep(0.5)
        now = connected.now_frame()
        with pytest.raises(ValueError, match="captured"):
            connected.take(now, now + connected.rate_hz)
        with pytest.raises(ValueError, match="60 s"):
            connected.take(now - 61 * connected.rate_hz, now - 60 * connected.rate_hz)
        assert connected.take(now - 100, now).shape == (connected.channels, 100)

    def test_a_closed_port_is_gone(self, connected: AudioPort) -> None:
        connected.close()
        with pytest.raises(DeviceGone):
            connected.play_at(0, 0, burst(connected.rate_hz))
