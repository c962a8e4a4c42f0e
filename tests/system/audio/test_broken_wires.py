"""Every wire of a loop broken on a real sound server: ``offhook calibrate`` and ``check`` name it, with what to try."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.bench.calibrate import calibrate_station
from offhook.bench.calibrate_store import place
from offhook.bench.check import CheckLine, check_station
from offhook.fixtures.sound import POSITIONS, PulseServer, environment_of

STATION = """
schema_version = 1
name = "bench"
role = "R5"
dut = { vendor = "v", model = "m", firmware = "f", serial = "s" }

[audio.rack]
driver = "sounddevice"
device = "card"
rate_hz = 8000
channels = 8
loop = 7

[loop.a]
play = "rack/0"
hear = "rack/0"

[loop.b]
play = "rack/1"
hear = "rack/1"
"""


class Desk:
    def __init__(self, folder: Path) -> None:
        self.server = PulseServer(folder / "sound", {"card": 8})
        self.server.start()
        self.conf = folder / "sound" / "asound.conf"
        self.file = folder / "bench.toml"
        self.file.write_text(STATION, "utf-8")

    def gains(self, *first: float) -> None:
        """What the first channels of the card take away, linear; the others give everything."""
        volumes = [*first, *[1.0] * 8][:8]
        self.server.pactl("set-sink-volume", "card", *(f"{each:.3f}" for each in volumes))

    def swap(self) -> None:
        """Channels 0 and 1 of the card are played on each other's wire."""
        order = ",".join([POSITIONS[1], POSITIONS[0], *POSITIONS[2:]])
        options = ["channels=8", f"channel_map={','.join(POSITIONS)}", f"master_channel_map={order}", "remix=no"]
        self.server.pactl("load-module", "module-remap-sink", "sink_name=swapped", "master=card", *options)
        device = self.conf.read_text("utf-8")
        self.conf.write_text(device.replace('{ type pulse device "card" }', '{ type pulse device "swapped" }'), "utf-8")

    def calibrate(self) -> tuple[dict[str, CheckLine], Path | None]:
        """What ``offhook calibrate`` says of each wire, and where it stored it."""
        lines: list[CheckLine] = []
        with environment_of(self.server):
            stored = calibrate_station(str(self.file), lines.append)
        return {line.resource: line for line in lines}, stored


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    desk = Desk(tmp_path)
    yield desk
    desk.server.stop()


def test_a_gain_in_the_wire_is_measured(desk: Desk) -> None:
    desk.gains(1.0, 0.5)
    lines, stored = desk.calibrate()
    assert stored == place("bench")
    loops = json.loads(stored.read_text("utf-8"))["loops"]
    assert loops["a"]["gain_db"] == pytest.approx(0.0, abs=0.01)
    assert loops["b"]["gain_db"] == pytest.approx(-6.02, abs=0.05)
    assert "-6.0" in lines["loop.b"].found


def test_an_unplugged_wire_is_named_and_nothing_is_stored(desk: Desk) -> None:
    desk.gains(0.0)
    lines, stored = desk.calibrate()
    assert stored is None
    assert not lines["loop.a"].ok
    assert "nothing comes back" in lines["loop.a"].found
    assert "plugged" in lines["loop.a"].hint
    assert lines["loop.b"].ok


def test_swapped_wires_are_named_and_nothing_is_stored(desk: Desk) -> None:
    desk.swap()
    lines, stored = desk.calibrate()
    assert stored is None
    assert "heard on loop.b" in lines["loop.a"].found
    assert "heard on loop.a" in lines["loop.b"].found
    assert "swapped" in lines["loop.a"].hint


def test_check_tries_every_loop(desk: Desk) -> None:
    desk.gains(1.0, 0.0)
    lines: list[CheckLine] = []
    with environment_of(desk.server):
        check_station(str(desk.file), lines.append)
    tried = {line.resource: line.ok for line in lines}
    assert tried["loop.a"]
    assert not tried["loop.b"]
    assert tried["audio.rack"]
