"""Whatever ends a bench that holds a key down, the relays open, and the board says so."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safety_room import SECRETS, Bench, Board, bench, gone, said, until

from offhook.bench.record import judge, open_run
from offhook.bench.record.guarded import guarded
from offhook.bench.station import open_rig
from offhook.fixtures.ends import FarEndWires
from offhook.reports import render

SAFE_WITHIN_S = 1.0
HOOK = 8


def everything_is_safe(keys: Board, resting: Board) -> None:
    """At the contacts themselves; the hook that rests on a closed contact never let go of it."""
    until(lambda: not keys.closed)
    assert resting.closed == {HOOK}
    assert [closed for _, relay, closed in resting.moves if relay == HOOK] == [True]


def account_is_true(ended: Bench, reason: str) -> None:
    account = ended.account
    assert account["reason"].startswith(reason)
    assert account["ok"]
    assert account["took_s"] < SAFE_WITHIN_S
    boards = {one["resource"]: one for one in account["boards"]}
    assert list(boards) == ["relay.keys1", "relay.keys2", "relay.keys3", "relay.keys4"]
    assert boards["relay.keys1"]["read_back"].endswith("relay readall\n\r0000\n\r>")
    assert boards["relay.keys2"]["read_back"].endswith("relay readall\n\r0100\n\r>")


def report_says(folder: Path, *sentences: str) -> None:
    render(folder)
    page = (folder / "report.html").read_text("utf-8")
    remarks = json.loads((folder / "results.json").read_text("utf-8"))["remarks"]
    for sentence in sentences:
        assert sentence in page
        assert any(sentence in remark for remark in remarks)


@pytest.mark.req("BENCH-RUN.3", "DRV-SER.4")
@pytest.mark.parametrize("keys", ["serial", "tcp"], indirect=True)
def test_killed_outright_with_a_key_down(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    with bench(station, tmp_path / "run") as running:
        until(lambda: keys.closed == {HOOK, 0, 4})
        killed_s = running.signal(signal.SIGKILL)
        assert running.ended() == -signal.SIGKILL

    everything_is_safe(keys, resting)
    assert 0 < keys.opened_after(killed_s) < SAFE_WITHIN_S
    account_is_true(running, "the bench was killed")
    report_says(running.folder, "The run was killed", "Guardian: the bench was killed. It made 4 relay boards safe")
    assert judge(running.folder).exit_code == 3


@pytest.mark.req("BENCH-RUN.3", "DRV-SER.4")
@pytest.mark.parametrize("keys", ["serial", "tcp"], indirect=True)
def test_stopped_with_a_key_down_it_is_ended(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    with bench(station, tmp_path / "run") as running:
        running.signal(signal.SIGSTOP)
        assert running.ended() == -signal.SIGKILL

    everything_is_safe(keys, resting)
    account_is_true(running, "the bench hung: silent for 1.")
    assert running.account["killed"]
    assert running.account["silent_s"] >= 1.0
    report_says(running.folder, "The run was killed", "Guardian: the bench hung: silent for 1.")


@pytest.mark.req("BENCH-RUN.3", "DRV-SER.4")
def test_going_round_in_circles_with_a_key_down(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    """An endless loop hears TERM: the bench makes itself safe, and its folder is sealed."""
    with bench(station, tmp_path / "run", "loop") as running:
        assert running.ended() == 128 + signal.SIGTERM

    everything_is_safe(keys, resting)
    assert (running.account["asked_to_end"], running.account["killed"]) == (True, False)
    assert running.account["boards"] == []
    result = judge(running.folder)
    assert result.sealed
    assert result.meta["ended"] == "terminated"
    assert {one.verdict.value for one in result if one.req == "BENCH-RUN.3"} == {"PASS"}
    report_says(running.folder, "then it ended when asked to")


@pytest.mark.parametrize("way", ["wait a little", "rest"])
def test_a_bench_that_waits_or_is_at_rest_is_left_alone(
    station: Path, tmp_path: Path, keys: Board, resting: Board, way: str
) -> None:
    """Three times the limit on the clock with a key down, or off it with every relay in its safe position."""
    with bench(station, tmp_path / "run", way) as running:
        assert running.ended() == 0

    everything_is_safe(keys, resting)
    assert judge(running.folder).meta["ended"] == "completed"
    assert not (running.folder / "guardian.json").exists()


def test_a_cloud_that_takes_its_time_is_not_a_bench_that_hangs(
    station: Path, tmp_path: Path, world: FarEndWires, keys: Board, resting: Board
) -> None:
    """A request blocks the bench, off its clock, for three times the limit."""
    with bench(station, tmp_path / "run", "ask the cloud") as running:
        os.kill(world.plant.pid, signal.SIGSTOP)
        try:
            time.sleep(3.0)
        finally:
            os.kill(world.plant.pid, signal.SIGCONT)
        said(running.process, "answered")
        assert running.ended() == 0

    everything_is_safe(keys, resting)
    assert not (running.folder / "guardian.json").exists()


@pytest.mark.req("BENCH-RUN.3")
def test_a_full_disk_leaves_no_key_down(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    """In the middle of a wait: it is noticed with a key down, made safe, read back, and the folder says so."""
    with bench(station, tmp_path / "run", "full disk") as running:
        full_s = said(running.process, "full") / 1000
        _, errors = running.process.communicate(timeout=60)
        assert running.ended() == 1

    assert "free some space; offhook run --resume" in errors
    everything_is_safe(keys, resting)
    assert keys.opened_after(full_s) < 2.0
    assert not (running.folder / "guardian.json").exists()
    result = judge(running.folder)
    assert result.meta["ended"].startswith("error: the run could not be recorded any more: ")
    assert (result.sealed, result.exit_code) == (False, 2)
    with open_run(running.folder) as run:
        safe = {seen.subject: seen.data["ok"] for seen in run.observations() if seen.kind == "safe"}
        rows = [line.split(",")[2:] for line in run.lines("relays.csv")[1:]]
    assert ["keys1", "8", "closed"] in rows  # nothing of before is lost
    assert safe["relay.keys1"]
    assert safe["relay.keys2"]


@pytest.mark.req("BENCH-RUN.3")
def test_with_no_room_at_all_no_key_stays_down(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    """Not even what the bench does to make it safe can be put on record: it claims nothing, and the boards are safe."""
    with bench(station, tmp_path / "run", "no room at all") as running:
        _, errors = running.process.communicate(timeout=60)
        assert running.ended() == 1

    assert ": record: " in errors
    everything_is_safe(keys, resting)
    result = judge(running.folder)
    assert (result.sealed, result.level) == (False, "NOT VERIFIED")


@pytest.mark.req("DRV-SER.4")
def test_the_relays_come_first_where_no_account_can_be_written(
    station: Path, tmp_path: Path, keys: Board, resting: Board
) -> None:
    with bench(station, tmp_path / "run") as running:
        running.signal(signal.SIGSTOP)
        shutil.rmtree(running.folder)
        running.signal(signal.SIGKILL)
        running.ended()

    everything_is_safe(keys, resting)


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_to_end_the_bench_does_it_alone(
    station: Path, tmp_path: Path, keys: Board, resting: Board, number: int, code: int
) -> None:
    with bench(station, tmp_path / "run") as running:
        running.signal(number)
        assert running.ended() == code

    everything_is_safe(keys, resting)
    assert not (running.folder / "guardian.json").exists()
    assert {one.verdict.value for one in judge(running.folder) if one.req == "BENCH-RUN.3"} == {"PASS"}


@pytest.mark.req("DRV-SER.4")
def test_the_guardian_is_not_stopped_by_what_stops_a_bench(
    station: Path, tmp_path: Path, keys: Board, resting: Board
) -> None:
    with bench(station, tmp_path / "run") as running:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(running.guardian, number)
        assert os.getsid(running.guardian) != os.getsid(running.process.pid)
        running.signal(signal.SIGKILL)
        running.ended()

    everything_is_safe(keys, resting)
    account_is_true(running, "the bench was killed")


@pytest.mark.req("DRV-SER.4")
def test_a_child_of_the_bench_that_lives_on_hides_nothing(
    station: Path, tmp_path: Path, keys: Board, resting: Board
) -> None:
    """A forked child holds the pipe and the port open: the bench's death is seen all the same, the port is not free."""
    with bench(station, tmp_path / "run", "child") as running:
        child = said(running.process, "child")
        running.signal(signal.SIGKILL)
        running.process.wait(60)
        until(lambda: (running.folder / "guardian.json").exists())
        assert keys.closed == {HOOK, 0, 4}
        os.kill(child, signal.SIGKILL)
        running.ended()

    everything_is_safe(keys, resting)
    assert running.account["ok"]
    assert running.account["reason"] == "the bench was killed"


@pytest.mark.req("DRV-SER.3", "DRV-SER.4")
def test_unplugged_and_killed_it_is_made_safe_once_it_is_back(
    station: Path, tmp_path: Path, keys: Board, resting: Board
) -> None:
    with bench(station, tmp_path / "run") as running:
        running.signal(signal.SIGSTOP)  # or it would notice and end by itself
        keys.unplug()
        running.signal(signal.SIGKILL)
        until(lambda: guarded(running.folder) is not None)
        until(lambda: set(getattr(guarded(running.folder), "unsafe", {})) == {"relay.keys1"})
        assert resting.closed == {HOOK}
        assert keys.closed == {HOOK, 0, 4}
        keys.plug_in()
        running.ended()

    everything_is_safe(keys, resting)
    assert running.account["ok"]


@pytest.mark.req("BENCH-RUN.3", "DRV-SER.3")
def test_a_board_that_is_gone_is_named_and_the_others_are_safe(
    station: Path, tmp_path: Path, keys: Board, resting: Board
) -> None:
    with bench(station, tmp_path / "run") as running:
        keys.unplug()
        running.signal(signal.SIGTERM)
        running.ended()

    assert resting.closed == {HOOK}
    told = guarded(running.folder)
    assert told is not None
    assert list(told.unsafe) == ["relay.keys1"]
    assert "No such file" in told.unsafe["relay.keys1"]
    report_says(running.folder, "NOT read back as safe, go and look: relay.keys1")
    with open_run(running.folder) as run:
        safe = {seen.subject: seen.data["ok"] for seen in run.observations() if seen.kind == "safe"}
    assert (safe["relay.keys1"], safe["relay.keys2"]) == (False, True)


@pytest.mark.req("BENCH-RUN.3")
def test_without_its_guardian_the_bench_stops(station: Path, tmp_path: Path, keys: Board, resting: Board) -> None:
    with bench(station, tmp_path / "run") as running:
        os.kill(running.guardian, signal.SIGKILL)
        _, errors = running.process.communicate(timeout=60)
        assert running.process.returncode == 1

    assert "guardian: watch over relays and generators: it" in errors
    everything_is_safe(keys, resting)
    result = judge(running.folder)
    assert result.sealed
    assert result.meta["ended"].startswith("error: guardian: watch over relays and generators")
    assert result.exit_code == 2
    report_says(running.folder, "The run broke off: guardian: watch over relays and generators")


def test_a_guardian_left_alone_ends_with_its_bench(station: Path, tmp_path: Path) -> None:
    """It ends by itself even if the bench dies before anything was armed."""
    started = (
        "import os, sys; from offhook.bench.guardian import Guardian; from offhook.drivers.clock import WallClock;"
        "print('ready', Guardian(WallClock(), 2.0).pid, flush=True); os._exit(0)"
    )
    process = subprocess.Popen([sys.executable, "-c", started], stdout=subprocess.PIPE, text=True)
    guardian = said(process, "ready")
    process.communicate(timeout=60)
    until(lambda: gone(guardian))


ASLEEP = """
import os, signal
from offhook.bench import guardian
from offhook.drivers.clock import WallClock
from offhook.drivers.safe_action import SafeAction

class Board:
    def safe_action(self, closed=()):
        return SafeAction("/dev/nothing", b"", b"")

guardian.AT_REST_S = 0.5
clock = WallClock()
guard = guardian.Guardian(clock, 0.5)
guard.arm("relay.keys", Board(), (), None)
clock.sleep(0.5)
print("ready", guard.pid, flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
clock.sleep(0.5)
guard.disarm("relay.keys")
guard.end()
print("woke", 0, flush=True)
"""


def test_a_bench_put_to_sleep_at_rest_may_sleep() -> None:
    process = subprocess.Popen([sys.executable, "-c", ASLEEP], stdout=subprocess.PIPE, text=True)
    guardian = said(process, "ready")
    time.sleep(2.5)
    process.send_signal(signal.SIGCONT)
    said(process, "woke")
    process.communicate(timeout=60)
    assert (process.returncode, gone(guardian)) == (0, True)


def test_in_simulated_time_there_is_nothing_to_guard() -> None:
    with open_rig("simulated") as rig:
        assert rig.guard is None


def test_every_secret_of_the_station_is_taken_from_the_environment(station: Path) -> None:
    assert not any(secret in station.read_text("utf-8") for secret in SECRETS.values())
