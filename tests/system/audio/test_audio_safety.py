"""A sound server that dies or freezes while relays are held: the safe state, read back, within two seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wires_bench import Bench

from offhook.bench.station import open_rig
from offhook.drivers.errors import DeviceGone
from offhook.fixtures.soundworld import SoundWires

STATION = """
schema_version = 1
name = "bench"
role = "R5"
dut = {{ vendor = "v", model = "m", firmware = "f", serial = "s" }}
world = {{ end = "soundserver", realtime = true }}

[audio.rack]
driver = "sounddevice"
device = "loop8"
rate_hz = 8000
channels = 8
loop = 7

[relay.keys]
driver = "numato"
link = "{keys}"
channels = 16

[sense.arduino]
driver = "firmata"
link = "{sense}"

[loop.a]
play = "rack/0"
hear = "rack/0"
"""
RELAY, PIN = 0, 2
"""The board's relay 0 is wired to the sensor board's pin 2."""


@pytest.fixture
def boards() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.mark.timeout(120)
@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_safe_state_comes_within_two_seconds(
    tmp_path: Path, boards: Bench, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    file = tmp_path / "bench.toml"
    file.write_text(STATION.format(keys=boards.addresses["keys"], sense=boards.addresses["sense"]), "utf-8")
    with open_rig(file) as rig:
        assert isinstance(rig.wires, SoundWires)
        rig.relays["keys"].set(RELAY, True)
        assert rig.clock.wait_for(lambda: rig.senses["arduino"].active(PIN), 2.0)

        began_s = time.monotonic()
        os.kill(rig.wires.server.pid, how)
        with pytest.raises(DeviceGone, match=r"audio\.rack"):
            rig.clock.sleep(10.0)
        report = rig.make_safe()
        took_s = time.monotonic() - began_s

        assert report.ok, str(report)
        assert took_s < 2.0
        assert rig.clock.wait_for(lambda: not rig.senses["arduino"].active(PIN), 2.0)
        read_back = {item.resource: item.read_back for item in report.items}
        assert read_back["audio.rack"] == "muted"
        assert "16 relays as commanded" in read_back["relay.keys"]
