"""The flow script of the simulated station, unchanged, against a real Asterisk and real SIP phones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Runner


@pytest.mark.timeout(300)
@pytest.mark.req("BENCH-RUN.1", "REP-VER.2")
def test_a_phone_is_associated_on_asterisk_with_and_without_lock(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run(
        "asterisk", "--suite", "association", "--only", "(an_unlocked_phone or a_locked_phone) and desk-1"
    )

    assert ended.code == 0, ended.err
    results = json.loads((ended.folder / "results.json").read_text("utf-8"))
    assert [each["outcome"] for each in results["attempts"]] == ["PASS", "PASS"]
    assert results["level"] == "LOOPBACK-VERIFIED"
    names = [sorted(step["name"] for step in each["steps"]) for each in results["attempts"]]
    unlocked = "S1 S21 S2 S3 S4 S11 S6 S14 S15 S16 S31 S32 S33 S27 S8 S9 S10 S36".split()
    locked = "S1 S21 S2 S3 S4 S11 S5 S13 S22 S6 S14 S15 S24 S25 S16 S31 S32 S33 S27 S8 S9 S10 S36".split()
    assert sorted(names) == sorted([sorted(unlocked), sorted(locked)])


SHOWN = (
    "every_combination_associates[desk-1-nothing]",
    "every_combination_associates[desk-1-lock]",
    "context_id_over_the_established_connection[desk-1-unlocked]",
    "context_id_over_the_established_connection[desk-1-locked]",
    "association_locked_either_way[desk-1-notify]",
    "refused_lock_stops_before_the_call[desk-1-prefix]",
    "extensions_of_others_and_of_nobody_are_refused_alike",
)
NOT_SHOWN = {
    "association_locked_either_way[desk-1-prefix]": "LOCK-S5.2  1 case: the PBX offers no lock by prefix over CTI",
    "refused_lock_stops_before_the_call[desk-1-notify]": "LOCK-N01  1 case: desk-1 takes a lock by notify",
}


@pytest.mark.timeout(300)
@pytest.mark.req("REP-VER.2")
def test_what_asterisk_cannot_show_is_not_applicable_and_says_why(tmp_path: Path) -> None:
    cases = [name.partition("[")[0] for name in SHOWN]
    only = f"extensions_of_others or ({' or '.join(cases[2:6])}) and desk-1 or desk-1-nothing or desk-1-lock]"
    suites = ["--suite", "matrix", "--suite", "disturbances", "--suite", "refusals"]

    ended = Runner(tmp_path).run("asterisk", *suites, "--only", only)

    assert ended.code == 0, ended.err
    attempts = json.loads((ended.folder / "results.json").read_text("utf-8"))["attempts"]
    outcomes = {each["nodeid"].partition("::test_")[2]: each["outcome"] for each in attempts}
    assert {name for name, outcome in outcomes.items() if outcome == "PASS"} == set(SHOWN)
    assert {name for name, outcome in outcomes.items() if outcome == "NOT_APPLICABLE"} == set(NOT_SHOWN)
    for line in NOT_SHOWN.values():
        assert line in ended.err
    assert f"PASS {len(SHOWN)} " in ended.err
    assert f"NOT APPLICABLE {len(NOT_SHOWN)}" in ended.err
