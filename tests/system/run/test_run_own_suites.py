"""How tests of a suite become verdicts and exit codes, with suites made for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from runs import LIMIT_S, Ended, Runner

from offhook.bench.record import Verdict, judge

SCRIPT = """
import sys
from pathlib import Path
from offhook.bench import run, signals
suites, folder = map(Path, sys.argv[1:])
(suites / run.INI).write_text((run.SUITES / run.INI).read_text())
run.SUITES = suites
with signals.orderly_end():
    sys.exit(run.run_station("simulated", out=folder))
"""


def run_suite(runner: Runner, text: str) -> Ended:
    suites = runner.place / "suites"
    suites.mkdir()
    (suites / "test_made.py").write_text(dedent(text))
    folder = runner.place / "run"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(suites), str(folder)],
        cwd=runner.place,
        env=runner.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, folder)


@pytest.mark.req("REP-VER.1")
@pytest.mark.parametrize(
    ("body", "code", "outcome"),
    [
        ("assert station.phone('desk-1').lift()", 0, Verdict.PASS),
        ("pass", 3, Verdict.NOT_RUN),
        ("assert False", 1, Verdict.FAIL),
        ("raise ZeroDivisionError", 1, Verdict.FAIL),
        ("measure('loss', 2.0, at_most=1.0)", 1, Verdict.FAIL),
        ("measure('loss', 0.9, at_most=1.0, u=0.2)", 3, Verdict.INCONCLUSIVE),
        ("raise DeviceTimeout('relay.keys1', 'close', 'no answer')", 3, Verdict.INCONCLUSIVE),
        ("pytest.skip('no time')", 3, Verdict.NOT_RUN),
        ("station.not_applicable('KEY-PROV.1', 'no key lines')", 3, Verdict.NOT_APPLICABLE),
    ],
)
def test_what_a_test_does_is_what_the_run_returns(runner: Runner, body: str, code: int, outcome: Verdict) -> None:
    ended = run_suite(
        runner,
        f"""
        import pytest

        from offhook.drivers.errors import DeviceTimeout


        @pytest.mark.req("KEY-PROV.1")
        def test_made(station, measure):
            {body}
        """,
    )

    assert ended.code == code, ended.err
    [one] = judge(ended.folder).attempts
    assert one.outcome is outcome
    assert (ended.folder / "report.html").is_file()


@pytest.mark.req("BENCH-RUN.2")
def test_hardware_that_is_not_there_is_not_run_and_costs_nothing(runner: Runner) -> None:
    ended = run_suite(
        runner,
        """
        import pytest


        @pytest.mark.hardware("visa.scope")
        def test_scope(station):
            raise AssertionError("this ran without hardware")


        def test_other(station):
            station.phone("desk-1").lift()
        """,
    )

    assert ended.code == 0, ended.err
    outcomes = [(one.outcome, one.attempt.required) for one in judge(ended.folder).attempts]
    assert outcomes == [(Verdict.NOT_RUN, False), (Verdict.PASS, True)]
    assert "NOT RUN 1 (needs hardware: station 'simulated' has no [visa.scope])" in ended.err


@pytest.mark.parametrize("text", ["import nothing_of_that_name", "def test_x(station:\n", "", "def test_x(lab): pass"])
def test_a_suite_that_cannot_run_is_no_pass(runner: Runner, text: str) -> None:
    """An import that fails, broken syntax, no test at all, a fixture nobody has."""
    ended = run_suite(runner, text)

    assert ended.code in (1, 2, 3)
    assert "SIM-VERIFIED   PASS" not in ended.err
    assert judge(ended.folder).level == "NOT VERIFIED"


def test_what_tests_print_stays_out_of_the_progress_lines(runner: Runner) -> None:
    ended = run_suite(
        runner,
        """
        import os
        import sys


        def test_noisy(station):
            print("noise on stdout")
            print("noise on stderr", file=sys.stderr)
            os.write(2, b"noise on descriptor 2")
            station.phone("desk-1").lift()
        """,
    )

    assert ended.code == 0, ended.err
    assert "noise" not in ended.err + ended.out


@pytest.mark.req("BENCH-RUN.3")
def test_whatever_a_test_leaves_closed_is_opened_before_the_next(runner: Runner) -> None:
    """A test that dies with the handset up and a key down: the next one finds the station at rest."""
    ended = run_suite(
        runner,
        """
        def test_dies(station):
            station.phone("desk-1").lift()
            station.rig.relays["keys1"].set(0, True)
            raise RuntimeError


        def test_next(station):
            assert not station.rig.senses["arduino"].active(3), "the handset is still up"
            assert not any(station.rig.relays["keys1"].read_all()), "a key is still down"
            station.phone("desk-1").lift()
        """,
    )

    assert [one.outcome for one in judge(ended.folder).attempts] == [Verdict.FAIL, Verdict.PASS], ended.err
    rows = [line.split(",") for line in Path(ended.folder, "relays.csv").read_text().splitlines()[1:]]
    last = {(row[2], row[3]): row[4] for row in rows}
    assert set(last.values()) == {"open"}
