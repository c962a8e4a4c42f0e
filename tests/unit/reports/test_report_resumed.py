"""A run that was stopped and gone on with: the attempt that was cut short and made anew counts in no document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse
from unit.reports.synthetic_run import Script

from offhook.bench.record import Verdict, judge
from offhook.bench.record.schema import CUT_SHORT
from offhook.reports import folder, render
from offhook.reports.certificate import content
from offhook.reports.compare import compare
from offhook.reports.compare_text import lines
from offhook.reports.summary import summarize

PART = {
    "ended": "killed",
    "attempts": 22,
    "clock_s": 61.5,
    "last_written_utc": "2026-11-21T10:13:09+00:00",
    "resumed_utc": "2026-11-21T10:20:00+00:00",
}


def attempt(script: Script, seconds: float, raised: Verdict, message: str = "") -> None:
    script.begin("test_ring[desk-1]", "the phone rings [desk-1]", "assoc", "ASSOC-S15.1")
    script.record.judge("ASSOC-S15.1", "S6 to first ring", "figure", unit="s", value=seconds, u=0.01, at_most=2.0)
    script.end(raised, message)


def resumed(runs: Path, *, first_s: float) -> Path:
    """An attempt that was killed when its ring had been measured, and the same made anew."""
    script = Script(runs, planned={"assoc": 1}, interruptions=[PART])
    attempt(script, first_s, Verdict.NOT_RUN, f"{CUT_SHORT}killed")
    attempt(script, 0.5, Verdict.PASS)
    script.record.seal()
    return script.folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = resumed(tmp_path / "b", first_s=1.995)
    render(path)
    return path


def test_its_judgements_count_no_more(made: Path) -> None:
    """It was INCONCLUSIVE when it was cut short."""
    result = judge(made)
    assert (result.verdict, result.exit_code, result.superseded) == (Verdict.PASS, 0, {1: 2})
    assert [one.attempt for one in result] == [2]


def test_a_failure_is_not_made_good_by_being_cut_short(tmp_path: Path) -> None:
    result = judge(resumed(tmp_path, first_s=2.5))
    assert (result.verdict, result.exit_code, result.superseded) == (Verdict.FAIL, 1, {})


def test_it_is_in_no_count(made: Path) -> None:
    root = parse(made / "junit.xml").getroot()
    assert [root.get(name) for name in ("tests", "skipped", "errors")] == ["1", "0", "0"]
    with folder.opened(made) as run:
        digest = summarize(run)
        said = content(run, digest)
    assert said["counts"] == {"heads": ["suite", "✓ PASS"], "rows": [["assoc", "1"]]}
    assert [(case["passed"], case["attempts"]) for case in said["suites"][0]["cases"]] == [("1 / 1", "2")]
    assert (said["not_run"], said["failures"]) == ([], [])
    assert [row["n"] for row in said["timing"]] == ["1"]
    assert [(line.n, line.verdict) for line in digest.lines] == [(1, Verdict.PASS)]


def test_it_is_listed_with_what_became_of_it(made: Path) -> None:
    data = json.loads((made / "results.json").read_text("utf-8"))
    assert [one["superseded_by"] for one in data["attempts"]] == [2, None]
    assert data["counts"]["attempts"]["PASS"] == sum(data["counts"]["attempts"].values()) == 1
    page = (made / "report.html").read_text("utf-8")
    assert "the phone rings [desk-1] (does not count: attempt 2 was made in its place)" in page
    assert re.search(r"assoc<small>1 ✓ PASS</small>", page)
    with folder.opened(made) as run:
        titles = [one["title"] for one in content(run, summarize(run))["attempts"]]
    assert ["attempt 2 was made in its place" in title for title in titles] == [True, False]


def test_damage_does_not_bring_it_back(made: Path) -> None:
    with (made / "run.sqlite").open("ab") as file:
        file.write(b"\0" * 4096)
    assert judge(made).counts == {Verdict.INCONCLUSIVE: 1}


def test_what_was_never_begun_does_not_take_it_for_another_test(tmp_path: Path) -> None:
    script = Script(tmp_path, planned={"assoc": 3})
    attempt(script, 0.5, Verdict.NOT_RUN, f"{CUT_SHORT}killed")
    attempt(script, 0.5, Verdict.PASS)
    script.record.seal("interrupted")
    with folder.opened(script.folder) as run:
        digest = summarize(run)
        said = content(run, digest)
    assert "2 of 3 planned attempts were never begun" in digest.ended
    assert "2 of 3 planned attempts of assoc were never begun." in said["also_not"]


def test_compare_tells_the_interruption_in_words(made: Path, tmp_path: Path) -> None:
    script = Script(tmp_path / "a", planned={"assoc": 1})
    attempt(script, 0.5, Verdict.PASS)
    script.record.seal()

    found = compare(script.folder, made)

    told = "\n".join(lines(found))
    assert "the second run was made in parts: killed after 22 attempts, gone on with 2026-11-21T10:20:00+00:00" in told
    assert "clock_s" not in told
    assert found.after.reqs["ASSOC-S15.1"][1].n == 1
