"""Ears: what is told of a channel is the same however its audio is cut into blocks, and nothing is left untold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.listen import Listener, Span
from offhook.drivers.audio import OnBlock, Samples
from offhook.fixtures.simclock import SimClock

RATE_HZ = 8000


class Port:
    """A sound card that captures what it is given; frame 0 was on the wire when the clock began."""

    def __init__(self, clock: SimClock, channels: int = 2) -> None:
        self.rate_hz = RATE_HZ
        self.channels = channels
        self.clock = clock
        self.captured = np.zeros((channels, 0), dtype=np.int16)
        self.listeners: list[OnBlock] = []

    def connect(self) -> str:
        return "a port"

    def now_frame(self) -> int:
        return self.captured.shape[1]

    def time_of_s(self, frame: int) -> float:
        return frame / RATE_HZ

    def frame_at(self, time_s: float) -> int:
        return int(time_s * RATE_HZ + 1e-6)

    def play_at(self, frame: int, channel: int, samples: Samples) -> None:
        raise AssertionError("ears do not speak")

    def mute(self) -> None:
        raise AssertionError("ears do not speak")

    def take(self, start: int, stop: int) -> Samples:
        return self.captured[:, start:stop]

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        self.listeners.append(on_block)
        return lambda: self.listeners.remove(on_block)

    def close(self) -> None:
        pass

    def capture(self, audio: Samples, frames: int) -> None:
        """The audio, block by block, each when its last frame is over."""
        for at in range(0, audio.shape[1], frames):
            block = audio[:, at : at + frames]
            first = self.now_frame()
            self.captured = np.concatenate((self.captured, block), axis=1)
            self.clock.wait_until(self.now_frame() / RATE_HZ)
            for listener in list(self.listeners):
                listener(first, block)

    def skip(self, frames: int) -> None:
        """Nothing is on any wire for a while."""
        self.captured = np.concatenate((self.captured, np.zeros((self.channels, frames), np.int16)), axis=1)
        self.clock.wait_until(self.now_frame() / RATE_HZ)


class Room:
    """A port with an ear on its second channel; ``told`` holds what was told, and when."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.port = Port(self.clock)
        self.told: list[tuple[str, str, float, float]] = []
        self.told_at_s: list[float] = []
        self.listener = Listener(self.clock, self.port, {"desk-1": 1}, self._digit)

    def _digit(self, name: str, start_s: float, end_s: float, digit: dsp.Digit) -> None:
        self.told.append((name, digit.key, round(start_s, 6), round(end_s, 6)))
        self.told_at_s.append(self.clock.now_s())

    @property
    def keys(self) -> str:
        return "".join(key for _, key, _, _ in self.told)


def on_second_channel(*parts: Samples) -> Samples:
    audio = np.concatenate(parts)
    return np.stack((np.zeros_like(audio), audio))


def keys(text: str) -> Samples:
    return dsp.tones.to_int16(dsp.encode(text, RATE_HZ, on_s=0.08, off_s=0.08))


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def told_in_blocks_of(frames: int) -> list[tuple[str, str, float, float]]:
    room = Room()
    room.port.capture(on_second_channel(silence(0.3), keys("14703"), silence(0.5)), frames)
    return room.told


@pytest.mark.parametrize("frames", [1, 80, 160, 400, 480, 1000, 8000])
def test_digits_and_their_times_do_not_depend_on_the_blocks(frames: int) -> None:
    told = told_in_blocks_of(frames)
    assert [key for _, key, _, _ in told] == list("14703")
    assert told == told_in_blocks_of(160)
    for number, (_, _, start_s, end_s) in enumerate(told):
        assert start_s == pytest.approx(0.3 + 0.16 * number, abs=0.005)
        assert end_s == pytest.approx(0.38 + 0.16 * number, abs=0.005)


def test_a_digit_is_told_soon_after_its_end() -> None:
    room = Room()
    room.port.capture(on_second_channel(silence(0.31), keys("5927"), silence(0.5)), 160)
    delays_s = [at_s - end_s for at_s, (_, _, _, end_s) in zip(room.told_at_s, room.told, strict=True)]
    assert room.keys == "5927"
    assert max(delays_s) < 0.22


def test_what_came_before_the_port_fell_silent_is_decoded() -> None:
    """The port stops one block short of a batch, and only in its last two blocks does the digit end."""
    room = Room()
    tone = keys("6")[: round(0.08 * RATE_HZ)]
    lead = np.zeros(4 * 480 - tone.size, dtype=np.int16)
    room.port.capture(on_second_channel(lead, tone, silence(0.04)), 160)
    assert room.keys == ""
    room.clock.sleep(1.0)
    assert room.keys == "6"


def test_frames_the_port_skipped_do_not_join_what_is_around_them() -> None:
    room = Room()
    half = keys("8")[: round(0.04 * RATE_HZ)]
    room.port.capture(on_second_channel(silence(0.1), keys("3"), silence(0.02)), 160)
    room.port.skip(5 * RATE_HZ)
    room.port.capture(on_second_channel(silence(0.1), keys("9"), half, silence(0.3)), 160)
    assert room.keys.startswith("39")
    assert room.told[1][2] == pytest.approx(0.18 + 0.08 + 0.02 + 5.0 + 0.1, abs=0.005)


def test_sounds_are_found_by_their_time() -> None:
    room = Room()
    room.port.capture(on_second_channel(silence(0.5), keys("1"), silence(1.0), keys("2"), silence(1.0)), 160)
    first, second = room.listener.sound_after("desk-1", 0.0), room.listener.sound_after("desk-1", 1.0)
    assert isinstance(first, Span)
    assert isinstance(second, Span)
    assert first.start_s == pytest.approx(0.5, abs=0.021)
    assert second.start_s == pytest.approx(1.66, abs=0.021)
    assert room.listener.sound_after("desk-1", 2.0) is None
    assert [room.listener.sounding("desk-1", at_s) for at_s in (0.4, 0.55, 1.3, 1.7, 2.5)] == [
        False, True, False, True, False,
    ]  # fmt: skip
