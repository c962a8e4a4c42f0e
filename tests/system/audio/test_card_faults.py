"""What goes wrong with sound cards, done to a real sound server: who notices, how soon, and in which words."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from runs import OFFHOOK, Runner

from offhook.bench.station import REVIVALS
from offhook.drivers.audio import Loss
from offhook.drivers.audio.soundcard import SoundCard
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceBusy, DeviceError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.fixtures.sound import JackServer, PulseServer, environment_of

SERVERS = ("pulse", "jack")


class Bench:
    """A sound server of this test's own, and a card connected to it."""

    def __init__(self, kind: str, folder: Path, clock: Clock) -> None:
        sinks = {"loop8": 8, "spare8": 8}
        self.server = PulseServer(folder, sinks) if kind == "pulse" else JackServer(folder, 8)
        self.server.start()
        device, host_api = ("loop8", "ALSA") if kind == "pulse" else ("system", "JACK")
        self.card = SoundCard("rack", clock, {"device": device, "host_api": host_api, "channels": 8, "loop": 7})
        self.clock = clock
        self.losses: list[Loss] = []
        self.card.on_loss(self.losses.append)

    def seconds_until_gone(self, fault: Callable[[], None], limit_s: float = 10.0) -> tuple[float, DeviceGone]:
        began_s = time.monotonic()
        fault()
        with pytest.raises(DeviceGone) as caught:
            self.clock.sleep(limit_s)
        return time.monotonic() - began_s, caught.value


@pytest.fixture(params=SERVERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    yield from _bench(request.param, tmp_path, clock)


@pytest.fixture
def pulse_bench(tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    yield from _bench("pulse", tmp_path, clock)


def _bench(kind: str, folder: Path, clock: Clock) -> Iterator[Bench]:
    bench = Bench(kind, folder / kind, clock)
    try:
        with environment_of(bench.server):
            bench.card.connect()
            bench.clock.sleep(1.0)
            bench.losses.clear()
            yield bench
    finally:
        bench.card.close()
        bench.server.stop()


def test_a_killed_server_is_told_within_a_second(bench: Bench) -> None:
    took_s, error = bench.seconds_until_gone(lambda: os.kill(bench.server.pid, signal.SIGKILL))
    assert took_s < 1.0
    assert "audio.rack" in str(error)
    assert bench.losses[-1].stop is None


def test_a_frozen_server_is_told_within_a_second(bench: Bench) -> None:
    took_s, error = bench.seconds_until_gone(lambda: os.kill(bench.server.pid, signal.SIGSTOP))
    assert took_s < 1.0
    assert "no frame" in error.detail


def test_a_removed_sink_is_told_within_two_seconds(pulse_bench: Bench) -> None:
    """PulseAudio moves the stream to another sink, of the same shape, and says nothing."""
    server = pulse_bench.server
    assert isinstance(server, PulseServer)
    took_s, error = pulse_bench.seconds_until_gone(lambda: server.remove("loop8"))
    assert took_s < 2.0
    assert "pilot" in error.detail


def test_every_end_of_a_gone_card_is_bounded(bench: Bench) -> None:
    """A JACK client's stop hangs for ever once the server is gone; ours returns, and leaves no process."""
    pid = bench.card.engine_pid
    os.kill(bench.server.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(DeviceGone):
        bench.clock.sleep(10.0)
    bench.card.mute()
    bench.card.close()
    assert time.monotonic() - began_s < 3.0
    assert not Path(f"/proc/{pid}").exists()


def test_a_card_in_use_leaves_no_process_behind(bench: Bench) -> None:
    pid = bench.card.engine_pid
    assert Path(f"/proc/{pid}").exists()
    bench.card.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_gone_card_can_be_connected_again(pulse_bench: Bench) -> None:
    os.kill(pulse_bench.server.pid, signal.SIGKILL)
    with pytest.raises(DeviceGone):
        pulse_bench.clock.sleep(10.0)
    with pytest.raises(DeviceGone):
        pulse_bench.card.now_frame()
    pulse_bench.server.stop()
    pulse_bench.server.start()
    assert "loop8" in connected_again(pulse_bench.card)
    assert pulse_bench.card.now_frame() > 0


def connected_again(card: SoundCard) -> str:
    """As a rig does it, and as often: of some hundreds of starts one stays silent, and there is one in each try."""
    for _ in range(REVIVALS - 1):
        with suppress(DeviceTimeout):
            return card.connect()
    return card.connect()


def test_an_engine_that_hangs_is_ended(pulse_bench: Bench) -> None:
    pid = pulse_bench.card.engine_pid
    took_s, error = pulse_bench.seconds_until_gone(lambda: os.kill(pid, signal.SIGSTOP))
    assert took_s < 2.0
    assert "no word" in error.detail
    assert not Path(f"/proc/{pid}").exists()


def test_mute_on_an_engine_that_hangs_ends_it(pulse_bench: Bench) -> None:
    """Muted means muted: whoever cannot say so does not play any longer."""
    pid = pulse_bench.card.engine_pid
    os.kill(pid, signal.SIGSTOP)
    pulse_bench.card.mute()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(DeviceGone):
        pulse_bench.card.play_at(0, 0, np.zeros(8, np.int16))


def test_a_device_that_is_not_there_is_told_with_those_that_are(pulse: PulseServer, clock: Clock) -> None:
    card = SoundCard("rack", clock, {"device": "nope", "channels": 8})
    with pytest.raises(DeviceGone, match=r'"nope".*"loop8"'):
        card.connect()
    card.close()


def test_a_name_that_fits_several_devices_is_refused(pulse: PulseServer, clock: Clock) -> None:
    card = SoundCard("rack", clock, {"device": "loop", "channels": 8})
    with pytest.raises(ConfigError, match="several devices"):
        card.connect()
    card.close()


def test_a_loop_channel_without_its_cable_is_refused(tmp_path: Path, clock: Clock) -> None:
    """A sink whose monitor is another one's: frames move, and nothing comes back."""
    server = PulseServer(tmp_path, {"out8": 8, "in8": 8})
    server.start()
    try:
        conf = tmp_path / "asound.conf"
        conf.write_text(conf.read_text().replace("out8.monitor", "in8.monitor"))
        with environment_of(server):
            card = SoundCard("rack", clock, {"device": "out8", "channels": 8, "loop": 7})
            with pytest.raises(DeviceRefused, match="channel 7"):
                card.connect()
            card.close()
    finally:
        server.stop()


def test_without_a_server_the_card_is_gone(tmp_path: Path, clock: Clock) -> None:
    server = PulseServer(tmp_path, {"loop8": 8})
    server.start()
    server.stop()
    with environment_of(server):
        card = SoundCard("rack", clock, {"device": "loop8", "channels": 8, "loop": 7})
        with pytest.raises(DeviceError):
            card.connect()
        card.close()


BUSY_STATION = """
schema_version = 1
name = "bench"
role = "R5"
dut = { vendor = "v", model = "m", firmware = "f", serial = "s" }

[audio.rack]
driver = "sounddevice"
device = "loop8"
rate_hz = 8000
channels = 8
loop = 7

[loop.a]
play = "rack/0"
hear = "rack/0"
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[PulseServer, int]]:
    """A sound server whose ``loop8`` is a pass-through stream's, so that PulseAudio refuses others; its program."""
    server = PulseServer(tmp_path / "sound", {"loop8": 8})
    server.start()
    command = "pacat --playback --passthrough --device=loop8 --rate=48000 --channels=8 /dev/zero".split()
    holder = subprocess.Popen(command, env=os.environ | server.environment)
    try:
        deadline_s = time.monotonic() + 20.0
        while not server.pactl("list", "short", "sink-inputs"):
            assert time.monotonic() < deadline_s, "pacat never played"
            time.sleep(0.05)
        yield server, holder.pid
    finally:
        holder.kill()
        holder.wait()
        server.stop()


def test_a_card_that_another_program_has_is_busy(held: tuple[PulseServer, int], clock: Clock) -> None:
    server, holder = held
    with environment_of(server):
        card = SoundCard("rack", clock, {"device": "loop8", "channels": 8, "loop": 7})
        with pytest.raises(DeviceBusy, match=rf'audio\.rack.*"loop8".*in use by pacat \(process {holder}\)') as caught:
            card.connect()
        card.close()
    assert "end that program" in caught.value.hint


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_run_on_a_busy_card_ends_with_2_and_names_it(
    held: tuple[PulseServer, int], tmp_path: Path, command: str
) -> None:
    server, holder = held
    file = tmp_path / "bench.toml"
    file.write_text(BUSY_STATION, "utf-8")

    done = subprocess.run(
        [OFFHOOK, command, str(file)],
        env=Runner(tmp_path).environment() | server.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2, done.stdout + done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert "audio.rack" in told
    assert f"pacat (process {holder})" in told
    assert "Traceback" not in told


def test_a_stalled_callback_is_a_loss_with_its_frame(pulse_bench: Bench) -> None:
    """The engine stands still for 0.3 s, as on a machine without time: what the card lost meanwhile is told."""
    pid, before = pulse_bench.card.engine_pid, pulse_bench.card.now_frame()
    os.kill(pid, signal.SIGSTOP)
    pulse_bench.clock.sleep(0.3)
    os.kill(pid, signal.SIGCONT)
    told = pulse_bench.clock.wait_for(lambda: pulse_bench.losses, 5.0)
    assert told
    being_resampled = pulse_bench.card.rate_hz // 20
    assert before <= told[0].start <= pulse_bench.card.now_frame() + being_resampled
