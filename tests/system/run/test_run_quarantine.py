"""A phone that dies in the night: the others go on, and everybody is told."""

from __future__ import annotations

from collections import Counter

import pytest
from runs import Runner

from offhook.bench.record import Verdict, judge

DEAD = ("simulated", "--suite", "dtmf", "--only", "keypad", "--repeat", "5", "--fault", "cut:handset:desk-2")


@pytest.mark.req("BENCH-RUN.5")
def test_a_dead_phone_is_left_alone_and_the_rest_goes_on(runner: Runner) -> None:
    """Keys of each phone, heard by its neighbour; desk-2 has no dial tone, and is the neighbour of desk-1."""
    ended = runner.run(*DEAD)

    assert ended.code == 1
    result = judge(ended.folder)
    by_phone: dict[str, list[Verdict]] = {}
    for one in result.attempts:
        by_phone.setdefault(one.attempt.nodeid.partition("-")[2].rstrip("]"), []).append(one.outcome)
    assert by_phone["desk-2"] == [Verdict.FAIL] * 3 + [Verdict.NOT_RUN] * 2
    assert by_phone["desk-3"] == by_phone["desk-4"] == [Verdict.PASS] * 5
    assert by_phone["desk-1"][3:] == [Verdict.PASS] * 2  # its neighbour is another one now
    assert list(result.meta["quarantine"]) == ["desk-2"]
    assert "quarantine desk-2 is left alone from now on: 3 failures in a row" in ended.err
    assert "NOT RUN 2 (desk-2 is in quarantine: 3 failures in a row" in ended.err


def test_without_a_limit_it_is_tried_to_the_end(runner: Runner) -> None:
    ended = runner.run(*DEAD, "--quarantine", "0")

    assert judge(ended.folder).counts[Verdict.NOT_RUN] == 0
    assert judge(ended.folder).meta["quarantine"] == {}


@pytest.mark.req("BENCH-RUN.5")
def test_a_phone_set_aside_by_hand_is_not_run_until_it_is_released(runner: Runner) -> None:
    runner.command("quarantine", "add", "simulated", "desk-2", "--reason", "no cable", "--runs", ".")
    listed = runner.command("quarantine", "list", "--runs", ".")

    aside = runner.run("simulated", "--suite", "dtmf", "--only", "keypad")
    runner.command("quarantine", "release", "simulated", "desk-2", "--runs", ".")
    again = runner.run("simulated", "--suite", "dtmf", "--only", "keypad", name="again")

    assert "simulated  desk-2  since" in listed.out
    assert (aside.code, again.code) == (3, 0)
    assert Counter(one.outcome for one in judge(aside.folder).attempts) == {Verdict.PASS: 3, Verdict.NOT_RUN: 1}
    [left] = [one for one in judge(aside.folder).attempts if one.outcome is Verdict.NOT_RUN]
    assert left.attempt.message.startswith("desk-2 is in quarantine: set aside since")
    assert left.attempt.message.endswith("no cable")


def test_a_phone_set_aside_is_left_alone_wherever_the_run_is_kept(runner: Runner) -> None:
    """The list lies in the default folder of runs; ``--out`` is elsewhere."""
    added = runner.command("quarantine", "add", "simulated", "desk-2")

    aside = runner.run("simulated", "--suite", "dtmf", "--only", "keypad", name="elsewhere/run")

    assert "simulated desk-2 is set aside" in added.out
    assert Counter(one.outcome for one in judge(aside.folder).attempts) == {Verdict.PASS: 3, Verdict.NOT_RUN: 1}
    assert "quarantine desk-2 is left alone: set aside since" in aside.err


def test_an_empty_list_says_so_and_a_mistyped_phone_is_refused(runner: Runner) -> None:
    nothing = runner.command("quarantine", "list")
    phone = runner.command("quarantine", "add", "simulated", "desk-9")
    station = runner.command("quarantine", "add", "nostation", "desk-1")

    assert nothing.out.startswith("none")
    assert (phone.code, station.code) == (2, 2)
    assert "desk-1, desk-2, desk-3, desk-4" in phone.err
    assert "simulated" in station.err
    assert not (runner.place / "runs").exists()


@pytest.mark.req("BENCH-RUN.5")
def test_a_lab_test_does_not_touch_a_phone_that_is_set_aside(runner: Runner) -> None:
    """Neither as its own phone nor by name, also where pytest's root is another folder."""
    (runner.place / "lab").mkdir()
    (runner.place / "lab" / "pytest.ini").write_text("[pytest]\n")
    (runner.place / "lab" / "test_lab.py").write_text(
        "def test_each(station, phone_name):\n    station.phone(phone_name).lift()\n\n\n"
        "def test_named(station):\n    station.phone('desk-1').lift()\n"
    )
    runner.command("quarantine", "add", "simulated", "desk-1", "--reason", "no cable")

    ended = runner.pytest("-q", "-rs", "lab")

    assert "1 failed, 3 passed, 1 skipped" in ended.out
    assert "desk-1 is in quarantine: set aside since" in ended.out
    assert "phone.desk-1: use: it is in quarantine: set aside since" in ended.out
    [run] = [path for path in (runner.place / "runs").iterdir() if path.is_dir()]
    attempts = judge(run).attempts
    assert [one.outcome for one in attempts if "desk-1" in one.attempt.message] == [Verdict.NOT_RUN] * 2
    assert list(judge(run).meta["quarantine"]) == ["desk-1"]
    assert "desk-1" in (runner.command("summary").out)
