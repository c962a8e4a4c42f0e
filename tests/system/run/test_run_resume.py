"""A run that is killed or stopped, and gone on with: the same folder, nothing done twice, nothing forgotten."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from runs import LIMIT_S, Ended, Runner, send_while

from offhook.bench.record import RunResult, Verdict, judge, open_run

REPEAT = 12
SUITE = '''
def test_call(station, desk):
    """Lift, hear dial tone, press a key, hang up."""
    desk.lift()
    assert desk.hears_dial_tone()
    desk.key("5")
    station.clock.sleep(0.3)
    station.record.judge("", "key 5", "digits", wire=desk.name, expected="5")
    desk.hang_up()
'''
SCRIPT = """
import sys
from pathlib import Path
from offhook.bench import cli, run
run.SUITES = Path(sys.argv[1])
cli.main(sys.argv[2:])
"""


class Lab(Runner):
    """Runs of one small suite on a station file of its own."""

    def __init__(self, place: Path) -> None:
        from offhook.bench import run
        from offhook.bench.station_file import find_station

        super().__init__(place)
        self.suites, self.station, self.folder = place / "suites", place / "lab.toml", place / "run"
        shutil.copytree(run.SUITES, self.suites, ignore=shutil.ignore_patterns("test_*", "__*"))
        (self.suites / "test_made.py").write_text(dedent(SUITE))
        shutil.copy(find_station("simulated"), self.station)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(self.suites), "run", *arguments],
            cwd=self.place,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=LIMIT_S)
        return Ended(process.returncode, out, err, self.folder)

    def run_and(self, number: int, when: Callable[[], bool], *arguments: str) -> Ended:
        """Begin a run (or go on with one) and send it a signal while ``when()`` is true."""
        process = self.begin(*arguments)
        send_while(process, number, when)
        return self.end(process)

    def killed(self) -> Ended:
        return self.run_and(signal.SIGKILL, lambda: self.in_attempt(10), *self.options())

    def options(self) -> list[str]:
        return [str(self.station), "--repeat", str(REPEAT), "--seed", "7", "--out", str(self.folder)]

    def resume(self, *more: str) -> Ended:
        return self.end(self.begin("--resume", str(self.folder), *more))

    def in_attempt(self, least: int) -> bool:
        """True in the middle of an attempt, once so many were made."""
        try:
            with open_run(self.folder) as run:
                attempts = run.attempts()
                return len(attempts) > least and attempts[-1].raised is None
        except Exception:  # not there yet, or being made
            return False


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def made_to_the_end(result: RunResult) -> Counter[str]:
    """How often each case was made to its end."""
    return Counter(one.attempt.nodeid for one in result.attempts if not one.attempt.cut_short)


def times(folder: Path) -> list[float]:
    with open_run(folder) as run:
        return [one.started_s for one in run.attempts()]


@pytest.mark.req("BENCH-RUN.6")
def test_killed_outright_it_goes_on_and_does_nothing_twice(lab: Lab) -> None:
    assert lab.killed().code == -signal.SIGKILL
    before = judge(lab.folder)
    done = [one.attempt.nodeid for one in before.attempts if one.attempt.raised is not None]

    ended = lab.resume()

    assert ended.code == 0, ended.err
    assert f"resumed   {lab.folder}: {len(done)} of {4 * REPEAT} attempts were made before it was killed" in ended.err
    result = judge(lab.folder)
    made = made_to_the_end(result)
    assert (len(made), set(made.values())) == (4 * REPEAT, {1})
    assert [one.attempt.nodeid for one in result.attempts][: len(done)] == done
    assert (result.level, result.damages, result.meta["ended"]) == ("SIM-VERIFIED", (), "completed")
    assert result.meta["seed"] == 7
    assert times(lab.folder) == sorted(times(lab.folder))
    with open_run(lab.folder) as run:
        assert {file.name for file in (lab.folder / "audio").iterdir()} == {
            Path(clip.file).name for clip in run.clips()
        }


@pytest.mark.req("BENCH-RUN.6", "BENCH-RUN.10")
def test_the_attempt_it_was_killed_in_is_kept_as_what_it_is(lab: Lab) -> None:
    lab.killed()
    [cut] = [one.attempt for one in judge(lab.folder).attempts if one.attempt.raised is None]

    lab.resume()

    result = judge(lab.folder)
    kept, anew = [one for one in result.attempts if one.attempt.nodeid == cut.nodeid]
    assert (kept.attempt.id, kept.outcome, kept.attempt.message) == (cut.id, Verdict.NOT_RUN, "cut short: killed")
    assert anew.outcome is Verdict.PASS
    [part] = result.meta["interruptions"]
    assert part["ended"] == "killed"
    assert part["attempts"] == cut.id
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", part["last_written_utc"])
    assert part["last_written_utc"] <= part["resumed_utc"]
    assert json.loads((lab.folder / "results.json").read_text())["run"]["interruptions"] == [part]


@pytest.mark.req("BENCH-RUN.6")
def test_killed_again_and_then_stopped_in_order_it_still_comes_to_its_end(lab: Lab) -> None:
    lab.killed()
    again = lab.run_and(signal.SIGKILL, lambda: lab.in_attempt(20), "--resume", str(lab.folder))
    stopped = lab.run_and(signal.SIGINT, lambda: lab.in_attempt(30), "--resume", str(lab.folder))
    assert (again.code, stopped.code) == (-signal.SIGKILL, 130)

    ended = lab.resume()

    assert ended.code == 0, ended.err
    result = judge(lab.folder)
    assert set(made_to_the_end(result).values()) == {1}
    parts = result.meta["interruptions"]
    assert [part["ended"] for part in parts] == ["killed", "killed", "interrupted"]
    assert ["manifest_sha256" in part for part in parts] == [False, False, True]
    assert (result.level, result.damages) == ("SIM-VERIFIED", ())


def test_the_line_and_the_count_of_a_stopped_run_are_true(lab: Lab) -> None:
    stopped = lab.run_and(signal.SIGINT, lambda: lab.in_attempt(10), *lab.options())

    done = len(made_to_the_end(judge(lab.folder)))
    assert re.search(rf"^made +{done}/{4 * REPEAT} ", stopped.err, re.M), stopped.err
    assert f"PASS {done}   FAIL 0" in stopped.err
    assert "NOT RUN 1 (cut short: interrupted)   " in stopped.err
    assert f"   NEVER BEGUN {4 * REPEAT - done - 1}\n" in stopped.err


@pytest.mark.req("BENCH-RUN.6")
@pytest.mark.parametrize("changed", ["the station file", "suite test_made.py", "version of numpy"])
def test_what_is_not_what_it_began_with_is_refused_and_named(lab: Lab, changed: str) -> None:
    lab.killed()
    before = len(judge(lab.folder).attempts)
    if changed == "the station file":
        lab.station.write_text(lab.station.read_text().replace('firmware = "1"', 'firmware = "2"'))
    elif changed.startswith("suite"):
        (lab.suites / "test_made.py").write_text(dedent(SUITE) + "\n# a comment\n")
    else:
        db = sqlite3.connect(lab.folder / "run.sqlite")
        db.execute("UPDATE meta SET value = json_set(value, '$.\"version of numpy\"', '1.0') WHERE key = 'made_of'")
        db.commit()
        db.close()

    ended = lab.resume()

    assert ended.code == 2
    assert f"changed since it began: {changed}" in ended.err
    assert "Traceback" not in ended.err
    assert len(judge(lab.folder).attempts) == before


def test_what_cannot_be_gone_on_with_is_one_message(lab: Lab) -> None:
    lab.end(lab.begin(str(lab.station), "--only", "desk-1", "--out", str(lab.folder)))
    completed = lab.resume()
    more = lab.resume("--seed", "8")
    nothing = lab.end(lab.begin("--resume", str(lab.suites)))

    assert [one.code for one in (completed, more, nothing)] == [2, 2, 2]
    assert "this run was completed" in completed.err
    assert "leave out seed" in more.err
    assert "there is no run.sqlite" in nothing.err


def test_a_run_that_is_going_on_is_not_gone_on_with_by_another(lab: Lab) -> None:
    running = lab.begin(*lab.options())
    while not lab.in_attempt(3) and running.poll() is None:
        time.sleep(0.01)

    second = lab.resume()
    running.send_signal(signal.SIGINT)
    first = lab.end(running)

    assert second.code == 2
    assert "this run is still going on" in second.err
    assert first.code == 130
    assert judge(lab.folder).damages == ()


@pytest.mark.req("REP-EV.1")
def test_a_stopped_run_whose_evidence_was_altered_is_not_gone_on_with(lab: Lab) -> None:
    lab.run_and(signal.SIGINT, lambda: lab.in_attempt(10), *lab.options())
    with (lab.folder / "relays.csv").open("a") as file:
        file.write("1,1,keys1,1,open\n")

    ended = lab.resume()

    assert ended.code == 2
    assert "relays.csv is not what was sealed" in ended.err
    assert (lab.folder / "manifest.json").is_file()
