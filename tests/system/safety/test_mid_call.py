"""``offhook run`` ended from outside in the middle of a real-time call, on boards and phones that outlive it."""

from __future__ import annotations

import os
import signal
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from runs import Ended
from safety_calls import BOARDS, Lab, everything_is_down, in_mid_call, json_of
from safety_room import addresses, gone, station_file, until

from offhook.bench.record import Verdict, judge
from offhook.fixtures.ends import FarEndWires, open_simulated
from offhook.fixtures.stations import SIMULATED

IN_ORDER = {"SIGTERM": (143, "terminated"), "SIGINT": (130, "interrupted")}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[FarEndWires]:
    """Boards, phones, PBX and cloud in a process of the test's own."""
    parsed = tomllib.loads(SIMULATED.read_text("utf-8"))
    opened = open_simulated(parsed, seed=1, realtime=True, workdir=tmp_path / "room")
    assert isinstance(opened, FarEndWires)
    yield opened
    opened.close()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def stopped(lab: Lab, station: Path, number: int) -> Ended:
    return lab.stop(str(station), "--suite", "association", with_signal=number, when=in_mid_call)


@pytest.mark.req("BENCH-RUN.3", "DRV-SER.4")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_no_phone_stays_off_hook(tmp_path: Path, room: FarEndWires, lab: Lab, number: int) -> None:
    station = station_file(tmp_path, addresses(room))

    ended = stopped(lab, station, number)

    assert ended.code == -signal.SIGKILL
    until(lambda: json_of(ended.folder).get("ok") is True)
    account = json_of(ended.folder)
    assert account["took_s"] < 1.0
    assert account["killed"] is (number == signal.SIGSTOP)
    assert [one["read_back"].endswith("relay readall\n\r0000\n\r>") for one in account["boards"]] == [True] * len(
        BOARDS
    )
    everything_is_down(station)
    told = lab.report(ended.folder)
    assert "Guardian: the bench " + ("was killed." if number == signal.SIGKILL else "hung: silent for ") in told
    result = judge(ended.folder)
    assert (result.sealed, result.level, result.exit_code) == (False, "NOT VERIFIED", 3)


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize("name", sorted(IN_ORDER))
def test_told_to_end_it_ends_in_order(tmp_path: Path, room: FarEndWires, lab: Lab, name: str) -> None:
    station = station_file(tmp_path, addresses(room))

    ended = stopped(lab, station, signal.Signals[name])

    code, word = IN_ORDER[name]
    assert ended.code == code, ended.err
    everything_is_down(station)
    result = judge(ended.folder)
    assert (result.sealed, result.meta["ended"]) == (True, word)
    assert {one.verdict for one in result if one.req == "BENCH-RUN.3"} == {Verdict.PASS}
    assert not (ended.folder / "guardian.json").exists()


@pytest.mark.req("BENCH-RUN.3")
def test_a_run_whose_guardian_died_stops_and_says_so(tmp_path: Path, room: FarEndWires, lab: Lab) -> None:
    station = station_file(tmp_path, addresses(room))
    killed: list[int] = []

    def kill_guardian(folder: Path) -> bool:
        if in_mid_call(folder) and not killed:
            killed.append(guardian_of(folder))
            os.kill(killed[0], signal.SIGKILL)
        return False

    ended = lab.stop(str(station), "--suite", "association", with_signal=signal.SIGKILL, when=kill_guardian)

    assert killed
    assert ended.code == 2, ended.err
    assert "guardian: watch over relays and generators" in ended.err
    everything_is_down(station)
    result = judge(ended.folder)
    assert result.sealed
    assert len(result.attempts) < sum(result.meta["planned"].values())
    assert result.counts[Verdict.INCONCLUSIVE] == 1
    assert result.counts[Verdict.FAIL] == 0
    assert {one.verdict for one in result if one.req == "BENCH-RUN.3"} == {Verdict.PASS}
    assert gone(killed[0])


def guardian_of(folder: Path) -> int:
    """The guardian among the children of the process that records into this folder."""
    commands: dict[Path, bytes] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            commands[entry] = entry.joinpath("cmdline").read_bytes()
    (bench,) = (entry for entry, command in commands.items() if str(folder).encode() in command.split(b"\0"))
    children = [pid for task in bench.glob("task/*/children") for pid in task.read_text().split()]
    (guardian,) = (int(pid) for pid in children if b"guardian_process" in commands.get(Path("/proc") / pid, b""))
    return guardian
