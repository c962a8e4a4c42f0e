"""A sound server that dies or freezes while relays are held: the safe state, read back, within two seconds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from wires_bench import Bench

from offhook.bench.calibrate import calibrate_station
from offhook.bench.check import CheckLine
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
RUNS = 3
"""A calibration on a machine without time for it is refused, and says so: that is right, and no figure of the wires."""
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


@pytest.mark.timeout(150)
@pytest.mark.req("BENCH-CLK.2")
def test_a_loopback_rig_is_calibrated_whole(tmp_path: Path, boards: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Round trip, and a relay wired to a sensor: operate, release, bounce, serial latency; stored with their end."""
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(tmp_path / "calibrations"))
    file = tmp_path / "bench.toml"
    contact = '\n[contact.k]\ncontact = "keys/0"\nsense = "arduino/2"\n'
    text = STATION.format(keys=boards.addresses["keys"], sense=boards.addresses["sense"]) + contact
    file.write_text(text, "utf-8")
    stored, lines = None, list[CheckLine]()
    for _ in range(RUNS):
        lines.clear()
        with suppress(DeviceGone):  # the server had no time to bring the pilot
            stored = calibrate_station(str(file), lines.append)
            if not any("overloaded" in line.hint for line in lines):
                break

    assert stored is not None, "\n".join(map(str, lines))
    data = json.loads(stored.read_text("utf-8"))
    assert data["valid_until_utc"] > data["made_utc"]
    assert data["cards"]["rack"]["measured"]
    found = data["contacts"]["k"]
    assert 0 <= found["operate_ms"] < 100
    assert 0 <= found["release_ms"] < 100
    assert found["u_ms"] <= 10.0
    assert found["bounces"] == 0
    assert found["serial_ms"] > 0


@pytest.mark.timeout(150)
def test_a_contact_that_is_not_wired_is_named(tmp_path: Path, boards: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(tmp_path / "calibrations"))
    file = tmp_path / "bench.toml"
    contact = '\n[contact.k]\ncontact = "keys/1"\nsense = "arduino/2"\n'
    text = STATION.format(keys=boards.addresses["keys"], sense=boards.addresses["sense"]) + contact
    file.write_text(text, "utf-8")
    lines: list[CheckLine] = []

    assert calibrate_station(str(file), lines.append) is None
    bad = next(line for line in lines if line.resource == "contact.k")
    assert not bad.ok
    assert "arduino/2 sees nothing" in bad.found
    assert "wired" in bad.hint
