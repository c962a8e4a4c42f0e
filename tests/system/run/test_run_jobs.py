"""Several phones worked side by side: the verdicts of one after another, sooner, and no phone in the way of another."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path

import pytest
from runs import Runner

from offhook.bench.record import Attempt, RunResult, Verdict, judge, open_run
from offhook.bench.station_file import find_station

WIDE = """
[ivr.3]
number = "+33390677069"
heard  = "rack/30"
spoken = "rack/31"

[ivr.4]
number = "+33390677069"
heard  = "rack/32"
spoken = "rack/33"
"""
ONLY = ("--suite", "association", "--only", "unlocked_phone", "--no-rates")


@pytest.fixture
def wide(runner: Runner) -> str:
    """The simulated station with room for four calls at once: accounts, IVR ports and outside lines."""
    text = find_station("simulated").read_text("utf-8")
    text = text.replace('bob = "bob-pw"', 'bob = "bob-pw", carol = "carol-pw", dave = "dave-pw"')
    text = re.sub(r"(?m)^(channels = )\d+$", lambda found: found[0], text)
    text = re.sub(r"(\[audio\.rack\][^[]*?channels = )\d+", r"\g<1>40", text, flags=re.DOTALL)
    text = re.sub(r"(seized *= *\[)([^\]]*)\]", r'\1\2, "arduino/19"]', text)
    file = runner.place / "wide.toml"
    file.write_text(text + WIDE, "utf-8")
    return str(file)


def verdicts(result: RunResult) -> dict[str, Verdict]:
    return {one.attempt.nodeid: one.outcome for one in result.attempts}


def phone_time_s(folder: Path) -> float:
    with open_run(folder) as run:
        return max(one.ended_s or 0.0 for one in run.attempts())


def overlapping(attempts: list[Attempt]) -> int:
    """Pairs of attempts that were made at the same time."""
    spans = [(one.started_s, one.ended_s or 0.0) for one in attempts]
    return sum(a < d and c < b for n, (a, b) in enumerate(spans) for c, d in spans[n + 1 :])


def test_four_phones_at_once_come_to_the_same_as_one_after_another(runner: Runner, wide: str) -> None:
    serial = runner.run(wide, *ONLY, name="serial")
    beside = runner.run(wide, *ONLY, "--jobs", "4", name="beside")

    assert (serial.code, beside.code) == (0, 0), beside.err
    assert verdicts(judge(beside.folder)) == verdicts(judge(serial.folder))
    assert phone_time_s(beside.folder) < phone_time_s(serial.folder) / 2.5
    with open_run(beside.folder) as run:
        assert overlapping(run.attempts()) == 6
        for attempt in run.attempts():
            phone = attempt.nodeid.partition("[")[2].rstrip("]")
            mine = run.observations(attempt.id)
            assert {seen.subject for seen in mine if seen.kind == "ring"} == {phone}
            assert {seen.subject for seen in mine if seen.kind == "relay"} == {phone}
            bound = [seen.data["ddi"] for seen in mine if seen.kind == "bound"]
            assert len(bound) == 1
        numbers = [seen.data["ddi"] for seen in run.observations() if seen.kind == "bound"]
    assert len(set(numbers)) == 4, "two accounts were given the same phone"


@pytest.mark.req("BENCH-RUN.5")
def test_a_phone_that_fails_does_not_disturb_the_others(runner: Runner, wide: str) -> None:
    ended = runner.run(wide, *ONLY, "--jobs", "4", "--repeat", "5", "--fault", "cut:handset:desk-2")

    assert ended.code == 1
    outcomes: dict[str, Counter[Verdict]] = {}
    for one in judge(ended.folder).attempts:
        outcomes.setdefault(one.attempt.nodeid.partition("-")[2].rstrip("]"), Counter())[one.outcome] += 1
    assert outcomes.pop("desk-2") == {Verdict.FAIL: 3, Verdict.NOT_RUN: 2}
    assert set(outcomes) == {"desk-1", "desk-3", "desk-4"}
    assert all(count == {Verdict.PASS: 5} for count in outcomes.values()), outcomes


@pytest.mark.req("BENCH-RUN.3", "BENCH-RUN.6")
def test_stopped_with_four_calls_up_it_is_safe_and_goes_on(runner: Runner, wide: str) -> None:
    def several_under_way(folder: Path) -> bool:
        try:
            with open_run(folder) as run:
                attempts = run.attempts()
                return len(attempts) > 6 and sum(one.raised is None for one in attempts) > 2
        except Exception:  # not there yet, or being made
            return False

    arguments = (wide, *ONLY, "--jobs", "4", "--repeat", "6")
    stopped = runner.stop(*arguments, with_signal=signal.SIGTERM, when=several_under_way)
    cut = [one.attempt.nodeid for one in judge(stopped.folder).attempts if one.attempt.cut_short]
    again = runner.command("run", "--resume", str(stopped.folder))

    assert stopped.code == 143, stopped.err
    assert "Traceback" not in stopped.err
    assert len(cut) > 2
    assert again.code == 0, again.err
    result = judge(stopped.folder)
    made = Counter(one.attempt.nodeid for one in result.attempts if not one.attempt.cut_short)
    assert (len(made), set(made.values())) == (24, {1})
    assert set(cut) <= set(made)
    safe = [one for one in result if one.req == "BENCH-RUN.3"]
    assert safe
    assert {one.verdict for one in safe} == {Verdict.PASS}
