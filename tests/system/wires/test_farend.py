"""The far-end process: the simulated station over ptys, TCP and HTTP, paced by the wall clock."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from offhook import dsp
from offhook.drivers import registry
from offhook.drivers.clock import WallClock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceTimeout
from offhook.drivers.keypad.contacts import Contact
from offhook.drivers.keypad.matrix import MatrixKeypad
from offhook.drivers.links import Grade
from offhook.fixtures.ends import FarEndWires, open_simulated
from offhook.fixtures.stations import SIMULATED


def shipped() -> dict[str, Any]:
    return tomllib.loads(SIMULATED.read_text("utf-8"))


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[FarEndWires]:
    opened = open_simulated(shipped(), seed=1, realtime=True, workdir=tmp_path)
    assert isinstance(opened, FarEndWires)
    yield opened
    opened.close()


def gone(pid: int) -> bool:
    """Ended; one that its parent has not fetched yet counts."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


@pytest.mark.req("BENCH-RUN.1")
def test_a_key_pressed_by_relay_is_heard_as_its_digit(wires: FarEndWires) -> None:
    station, clock = shipped(), wires.clock
    board, inputs, rack = (
        registry.open_driver(kind, name, station[kind][name], wires)
        for kind, name in (("relay", "keys1"), ("sense", "arduino"), ("audio", "rack"))
    )
    for driver in (board, inputs, rack):
        driver.connect()
    edges: list[bool] = []
    inputs.subscribe(3, lambda active, time_s: edges.append(active))
    board.set(8, True)
    assert clock.wait_for(lambda: edges, 10.0) == [True]
    clock.sleep(1.5)
    before = rack.now_frame()
    rows, columns = range(4), range(4, 7)
    keypad = MatrixKeypad("desk-1", clock, [Contact(board, n) for n in rows], [Contact(board, n) for n in columns])
    # held long enough that a busy machine cannot make it too short
    keypad.press("5", 0.25)
    assert clock.wait_for(lambda: rack.now_frame() >= before + 8000, 10.0)
    assert dsp.decode(rack.take(before, rack.now_frame())[0], rate=8000).text() == "5"
    assert wires.grade is Grade.SIMULATED


def test_cti_and_cloud_answer_and_their_wires_can_be_cut(wires: FarEndWires) -> None:
    station = shipped()
    up: list[bool] = []
    driver = registry.open_driver("cti", "pbx", station["pbx"], wires)
    driver.start(lambda: up.append(True), lambda reason: None)
    assert wires.clock.wait_for(lambda: up, 10.0)
    url, transport = wires.http("end://cloud")
    with httpx.Client(base_url=url, transport=transport, trust_env=False) as client:
        assert client.get("/openapi.json").status_code == 200
        wires.plant.faults.add("cut:http")
        wires.clock.sleep(0.5)
        with pytest.raises(httpx.TransportError):
            client.get("/openapi.json")
        wires.plant.faults.remove("cut:http")
        wires.clock.sleep(0.5)
        assert client.get("/openapi.json").status_code == 200


def test_the_cti_tap_shows_the_clouds_session(wires: FarEndWires) -> None:
    heard = bytearray()
    wires.link("end://cti-tap").attach(heard.extend, lambda reason: None)
    assert wires.clock.wait_for(lambda: b"RequestSystemStatusResponse" in heard, 10.0)
    assert heard[:1] == b">"


def test_a_cut_relay_wire_is_a_timeout(wires: FarEndWires) -> None:
    board = registry.open_driver("relay", "keys1", shipped()["relay"]["keys1"], wires)
    board.connect()
    wires.plant.faults.add("cut:relay:desk-1")
    wires.clock.sleep(0.5)
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1: switch relay 8 on"):
        board.set(8, True)


def test_closing_the_wires_ends_the_process(tmp_path: Path) -> None:
    wires = open_simulated(shipped(), seed=1, realtime=True, workdir=tmp_path)
    assert isinstance(wires, FarEndWires)
    pid = wires.plant.pid
    assert not gone(pid)
    wires.close()
    assert gone(pid)
    with pytest.raises(DeviceGone):
        wires.plant.faults.add("cut:cti")


def test_a_far_end_that_died_is_gone_and_closing_says_why(tmp_path: Path) -> None:
    wires = open_simulated(shipped(), seed=1, realtime=True, workdir=tmp_path)
    assert isinstance(wires, FarEndWires)
    board = registry.open_driver("relay", "keys1", shipped()["relay"]["keys1"], wires)
    board.connect()
    (tmp_path / "farend.log").write_text("its last words\n")
    os.kill(wires.plant.pid, 9)
    with pytest.raises(DeviceGone, match=r"relay\.keys1"):
        board.set(8, True)
    with pytest.raises(DeviceGone, match=r"far end: .*it broke.*its last words"):
        wires.close()


def test_a_station_that_makes_no_sense_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    station = shipped()
    station["world"]["faults"] = ["cut:everything"]
    with pytest.raises(ConfigError, match="cut:everything"):
        open_simulated(station, seed=1, realtime=True, workdir=tmp_path)


def test_a_far_end_that_cannot_start_says_why(tmp_path: Path) -> None:
    station = shipped()
    station["relay"]["keys1"]["channels"] = "many"
    with pytest.raises(DeviceGone, match="many"):
        open_simulated(station, seed=1, realtime=True, workdir=tmp_path)
    assert "many" in (tmp_path / "farend.log").read_text("utf-8")


def test_the_process_ends_when_nobody_starts_it_properly() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "offhook.fixtures.farend"], input=b"", capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


CHILD_OF_A_KILLED_BENCH = """
import os, sys, tomllib
from pathlib import Path
from offhook.fixtures.ends import open_simulated
from offhook.fixtures.stations import SIMULATED
wires = open_simulated(tomllib.loads(SIMULATED.read_text()), seed=1, realtime=True, workdir=Path(sys.argv[1]))
print(wires.plant.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_process_ends_with_a_bench_that_was_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD_OF_A_KILLED_BENCH, str(tmp_path)], capture_output=True, timeout=60, check=False
    )
    pid = int(done.stdout)
    clock = WallClock()
    while not gone(pid) and clock.now_s() < 30.0:
        clock.sleep(0.05)
    assert gone(pid)
