"""The audio pipe: the contract on a loopback far end, gaps, history, cost in messages, noise on the wire."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.bench.contract.audio import AudioContract
from offhook.drivers.audio import Samples
from offhook.drivers.audio.pipe import Message, PipeAudio, PipeProtocol
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import PipeLink
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.simclock import NS, SimClock

RATE_HZ, GRID = 8000, 160


class Loopback:
    """A far end whose channel n hears what is played on it, at half amplitude, while the leg is up."""

    def __init__(self, channels: int = 3, heartbeat_s: float = 0.0, start_s: float = 0.0) -> None:
        self.clock = SimClock()
        self.clock.sleep(start_s)
        self.near, self.far = PipeLink.pair(self.clock, "end://rack")
        self.queued = np.zeros((channels, 120 * RATE_HZ), dtype=np.int16)
        self.up = False
        self.end = AudioPipeEnd(self.clock, RATE_HZ, channels, self.play, self.mute, heartbeat_s)
        self.end.connect(self.far)
        self.port = PipeAudio("rack", self.clock, self.near, RATE_HZ, channels)

    def play(self, channel: int, frame: int, samples: Samples) -> None:
        self.queued[channel, frame : frame + len(samples)] += samples // 2

    def mute(self) -> None:
        self.queued[:, int(self.clock.now_s() * RATE_HZ) :] = 0

    def leg(self, up: bool) -> None:
        self.up = up
        if up:
            self._next((self.clock.now_ns() * RATE_HZ // NS) // GRID * GRID)

    def _next(self, first: int) -> None:
        self.clock.call_at_ns((first + GRID) * NS // RATE_HZ, lambda: self._render(first))

    def _render(self, first: int) -> None:
        self.end.block(first, self.queued[:, first : first + GRID])
        if self.up:
            self._next(first + GRID)


class TestContract(AudioContract):
    @pytest.fixture(params=[0.0, 0.1], ids=["jumping", "heartbeat"])
    def rig(self, request: pytest.FixtureRequest) -> Loopback:
        rig = Loopback(heartbeat_s=float(request.param))
        rig.leg(True)
        return rig

    @pytest.fixture
    def clock(self, rig: Loopback) -> Clock:
        return rig.clock

    @pytest.fixture
    def port(self, rig: Loopback) -> PipeAudio:
        return rig.port

    @pytest.fixture
    def loop(self) -> tuple[int, int, float, float]:
        return 1, 1, 0.0, 0.4


@pytest.mark.parametrize("heartbeat_s", [0.0, 0.1])
def test_frames_move_while_nothing_is_on_any_wire(heartbeat_s: float) -> None:
    rig = Loopback(heartbeat_s=heartbeat_s)
    rig.port.connect()
    rig.clock.sleep(600.0)
    assert rig.port.now_frame() == pytest.approx(600 * RATE_HZ, abs=0.2 * RATE_HZ)
    now = rig.port.now_frame()
    assert not rig.port.take(now - 400, now).any()


@pytest.mark.parametrize("start_s", [0.0, 0.0131234])
def test_audio_is_placed_to_the_sample_on_both_sides_of_a_gap(start_s: float) -> None:
    rig = Loopback(start_s=start_s)
    rig.port.connect()
    rig.queued[0] = np.arange(120 * RATE_HZ) % 20_000 + 1
    expected = np.zeros(40 * RATE_HZ, dtype=np.int16)
    for begin_s, end_s in ((1.013, 2.005), (30.001, 31.0)):
        rig.clock.wait_until(begin_s)
        rig.leg(True)
        rig.clock.wait_until(end_s)
        rig.leg(False)
        first = int(begin_s * RATE_HZ) // GRID * GRID
        last = -(-int(end_s * RATE_HZ) // GRID) * GRID
        expected[first:last] = rig.queued[0, first:last]
    rig.clock.wait_until(33.0)
    heard = rig.port.take(0, 32 * RATE_HZ)[0]
    assert np.array_equal(heard, expected[: 32 * RATE_HZ])
    assert rig.port.time_of_s(8000) == pytest.approx(1.0, abs=1e-9)


def test_frames_count_as_captured_only_once_their_block_is_here() -> None:
    rig = Loopback()
    rig.port.connect()
    rig.clock.wait_until(1.013)
    assert rig.port.now_frame() == 8000
    rig.leg(True)
    rig.clock.wait_until(1.0199)
    assert rig.port.now_frame() == 8000
    rig.clock.wait_until(1.0201)
    assert rig.port.now_frame() == 8160
    rig.clock.wait_until(1.0301)
    assert rig.port.now_frame() == 8160


def test_a_block_under_way_is_not_taken_for_silence() -> None:
    rig = Loopback()
    rig.port.connect()
    seen: list[int] = []
    rig.clock.call_at(1.02, lambda: seen.append(rig.port.now_frame()))  # runs before the block that is due then
    rig.clock.wait_until(1.013)
    rig.leg(True)
    rig.clock.wait_until(1.03)
    assert seen == [8000]


def test_blocks_that_do_not_come_are_not_captured() -> None:
    rig = Loopback()
    rig.port.connect()
    rig.leg(True)
    rig.clock.sleep(0.1)
    last = rig.port.now_frame()
    rig.far.cut()
    rig.clock.sleep(1.0)
    assert rig.port.now_frame() == last


@pytest.mark.parametrize("start_s", [0.0, 0.0131234, 12345.678])
def test_every_frame_leads_back_from_its_time(start_s: float) -> None:
    rig = Loopback(start_s=start_s)
    rig.port.connect()
    assert all(rig.port.frame_at(rig.port.time_of_s(frame)) == frame for frame in range(0, 100_000_000, 7919))


def test_idle_costs_nothing() -> None:
    rig = Loopback()
    rig.port.connect()
    rig.leg(True)
    rig.clock.sleep(1.0)
    rig.leg(False)
    rig.clock.sleep(1.0)
    assert rig.clock.next_event_ns() is None


def test_a_block_of_a_thousand_channels_is_one_message() -> None:
    rig = Loopback(channels=1000)
    rig.port.connect()
    messages: list[bytes] = []
    send = rig.far.send
    rig.far.send = lambda data: (messages.append(data), send(data))[1]  # type: ignore[method-assign,func-returns-value]
    rig.leg(True)
    rig.clock.sleep(0.2)
    blocks = [message for message in messages if message[:1] == b"B"]
    assert len(messages) == len(blocks) <= 10
    assert {len(block) for block in blocks} == {21 + 2 * 1000 * GRID}


def test_a_minute_is_kept_and_no_more() -> None:
    rig = Loopback()
    rig.port.connect()
    rig.queued[:] = 7
    rig.leg(True)
    rig.clock.sleep(110.0)
    now = rig.port.now_frame()
    assert (rig.port.take(now - 60 * RATE_HZ, now) == 7).all()
    with pytest.raises(ValueError, match="60 s"):
        rig.port.take(now - 60 * RATE_HZ - 1, now)
    assert sum(piece.audio.shape[1] for piece in rig.port._history._pieces) <= 62 * RATE_HZ


def test_only_the_channel_played_on_hears_it() -> None:
    rig = Loopback()
    rig.port.connect()
    rig.leg(True)
    start = rig.port.frame_at(rig.clock.now_s() + 0.1)
    rig.port.play_at(start, 1, np.array([1000, -2000, 3000], dtype=np.int16))
    rig.clock.sleep(0.5)
    heard = rig.port.take(start - 1, start + 4)
    assert heard[1].tolist() == [0, 500, -1000, 1500, 0]
    assert not heard[[0, 2]].any()


def test_another_rack_than_the_station_file_says_is_refused() -> None:
    clock = SimClock()
    near, far = PipeLink.pair(clock, "end://rack")
    AudioPipeEnd(clock, RATE_HZ, 4, lambda channel, frame, samples: None).connect(far)
    with pytest.raises(DeviceRefused, match="4 channels"):
        PipeAudio("rack", clock, near, RATE_HZ, 10).connect()


def test_a_frozen_far_end_is_noticed() -> None:
    clock = SimClock()
    near, far = PipeLink.pair(clock, "end://rack")
    frozen = Message("H", 0, RATE_HZ, 1, bytes(8)).encode()
    far.attach(lambda data: far.send(frozen), lambda reason: None)
    with pytest.raises(DeviceTimeout, match="do not move"):
        PipeAudio("rack", clock, near).connect()


def test_a_silent_far_end_is_a_timeout_and_a_lost_one_is_gone() -> None:
    rig = Loopback()
    rig.far.cut()
    with pytest.raises(DeviceTimeout, match=r"audio\.rack"):
        rig.port.connect()
    rig.far.mend()
    rig.far.close()
    rig.clock.sleep(0.01)
    with pytest.raises(DeviceGone, match=r"audio\.rack"):
        rig.port.connect()


def test_bytes_that_are_no_audio_end_the_port_with_a_reason() -> None:
    rig = Loopback()
    rig.far.send(b"HTTP/1.1 400 Bad Request\r\n\r\n....")
    rig.clock.sleep(0.01)
    with pytest.raises(DeviceGone, match="not an audio message"):
        rig.port.connect()


def test_a_channel_it_has_not_is_refused() -> None:
    rig = Loopback()
    with pytest.raises(ConfigError, match="channel 3"):
        rig.port.play_at(0, 3, np.zeros(8, dtype=np.int16))


messages_of_any_kind = st.builds(
    Message,
    st.sampled_from("HBGPM"),
    st.integers(0, 2**63),
    st.integers(0, 2**31),
    st.integers(0, 2**31),
    st.binary(max_size=64),
)


@given(st.lists(messages_of_any_kind, max_size=6), st.data())
def test_messages_survive_any_cutting_of_the_stream(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(message.encode() for message in sent)
    protocol = PipeProtocol()
    heard: list[Message] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        heard += protocol.feed(stream[:cut])
        stream = stream[cut:]
    assert heard == sent
