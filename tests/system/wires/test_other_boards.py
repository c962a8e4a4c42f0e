"""Every relay board on a real pty with the board in another process, and stations that are made of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from relay_room import BOARDS

from offhook.bench.contract.relay import RelayContract
from offhook.drivers import registry
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import LabWires
from offhook.drivers.relay import RelayBoard
from offhook.fixtures.ends import FarEndWires, open_simulated
from offhook.fixtures.stations import SIMULATED

pytestmark = pytest.mark.timeout(600)  # whole stations in real time: on a busy machine they take their time
OFFHOOK = Path(sys.executable).with_name("offhook")
QUICK = [name for name in BOARDS if name not in ("waveshare-30", "devantech-2", "lcus-4")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarEndWires]:
    """A far-end process with one board of every kind, each on a pty of its own."""
    station = tomllib.loads(SIMULATED.read_text("utf-8"))
    for name in QUICK:
        station["relay"][name] = {**BOARDS[name], "link": f"end://{name}"}
    wires = open_simulated(station, seed=1, realtime=True, workdir=tmp_path_factory.mktemp("far"))
    assert isinstance(wires, FarEndWires)
    yield wires
    wires.close()


@pytest.mark.req("DRV-SER.1", "DRV-SIM.1")
class TestOnAPty(RelayContract):
    @pytest.fixture
    def clock(self, lab: FarEndWires) -> Clock:
        return lab.clock

    @pytest.fixture(params=QUICK)
    def board(self, request: pytest.FixtureRequest, lab: FarEndWires) -> Iterator[RelayBoard]:
        name = request.param
        board = registry.open_driver("relay", name, {**BOARDS[name], "link": f"end://{name}"}, lab)
        yield board
        board.close()


def switch_until_it_fails(board: RelayBoard) -> None:
    for _ in range(20):  # a serial port may swallow a command before it notices
        board.set(2, True)


@pytest.mark.req("DRV-SER.3")
@pytest.mark.parametrize("name", ["waveshare", "kmtronic-8", "hid-8"])
def test_a_board_that_is_unplugged_is_gone_and_named(name: str, tmp_path: Path) -> None:
    station = tomllib.loads(SIMULATED.read_text("utf-8"))
    station["relay"][name] = {**BOARDS[name], "link": f"end://{name}"}
    far = open_simulated(station, seed=1, realtime=True, workdir=tmp_path)
    assert isinstance(far, FarEndWires)
    port = str(far._renamed[f"end://{name}"])
    wires = LabWires()
    board = registry.open_driver("relay", "keys", {**BOARDS[name], "link": port}, wires)
    try:
        board.connect()
        board.set(1, True)
        far.close()
        with pytest.raises(DeviceGone, match=rf"relay\.keys: switch relay 2 on.*{port}"):
            switch_until_it_fails(board)
        assert board.states[2].commanded is None
    finally:
        wires.close()


def mixed(place: Path) -> Path:
    """The shipped station with another board at each phone, and one phone that is keyed over its own web server."""
    text = SIMULATED.read_text("utf-8")

    def board(name: str, *lines: str) -> None:
        nonlocal text
        old = re.search(rf"\[relay\.{name}\]\n(?:.+\n)+", text)
        assert old
        text = text.replace(
            old[0], "\n".join([f"[relay.{name}]", f'link = "end://{name}"', "channels = 16", *lines, ""])
        )

    board("keys1", 'driver = "modbus"', "unit = 3")
    board("keys2", 'driver = "denkovi"')
    board("keys3", 'driver = "modbus"', 'model = "r4d8a08"')
    desk_3 = re.search(r"\[phone\.desk-3\]\n(?:.+\n)+", text)
    assert desk_3
    web = 'keypad = { driver = "http", url = "end://desk-3-web", user = "admin", secret = "pw" }\n'
    text = text.replace(desk_3[0], re.sub(r"keypad .*\n", web, desk_3[0]))
    file = place / "mixed.toml"
    file.write_text(text, "utf-8")
    return file


def offhook(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OFFHOOK_LOCKS": str(cwd / "locks"), "COLUMNS": "200"}
    return subprocess.run(
        [str(OFFHOOK), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=580, check=False
    )


@pytest.mark.req("DRV-SIM.1")
@pytest.mark.parametrize("pace", [(), ("--realtime",)], ids=["simulated time", "ptys"])
def test_check_proves_the_wires_of_a_station_of_other_boards(tmp_path: Path, pace: tuple[str, ...]) -> None:
    done = offhook("check", str(mixed(tmp_path)), *pace, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Modbus relay board waveshare, unit 3, version 2.00, 16 relays" in done.stdout
    assert "Denkovi, 16 relays" in done.stdout
    assert "FAIL" not in done.stdout
    assert "keys 1 2 3 4 5 6 7 8 9 * 0 # heard at rack/2 as themselves" in done.stdout


@pytest.mark.req("DRV-SIM.1")
def test_a_phone_on_another_board_is_associated(tmp_path: Path) -> None:
    """Its keys are timed by the board, and the report of the run is none the worse."""
    only = "an_unlocked_phone and (desk-1 or desk-2 or desk-3)"
    done = offhook("run", str(mixed(tmp_path)), "--suite", "association", "--only", only, "--out", "run", cwd=tmp_path)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    outcomes: dict[str, Any] = {one["title"]: one["outcome"] for one in results["attempts"]}
    assert len(outcomes) >= 3
    assert set(outcomes.values()) == {"PASS"}, outcomes


@pytest.mark.req("DRV-SIM.1")
def test_the_contract_is_the_acceptance_test_of_a_driver(tmp_path: Path) -> None:
    """``pytest --station mine.toml --pyargs offhook.bench.contract``, with boards on ptys."""
    command = [sys.executable, "-m", "pytest", "--station", str(mixed(tmp_path)), "--realtime", "--pyargs"]
    command += ["offhook.bench.contract", "-k", "TestRelays and keys1", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OFFHOOK_LOCKS": str(tmp_path / "locks")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=580, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b12 passed", done.stdout), done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.req("DRV-SIM.1")
def test_keypads_on_other_boards_and_on_the_web_keep_their_contract(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--station", str(mixed(tmp_path)), "--pyargs", "offhook.bench.contract"]
    done = subprocess.run(
        [*command, "-k", "TestKeypads or TestWebKeypads", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b29 passed", done.stdout), done.stdout  # eight of each of three pads, five of the web's
