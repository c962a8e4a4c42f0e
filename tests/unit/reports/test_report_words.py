"""The words of the four lines and of page one, kind by kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from unit.reports.synthetic_run import Script, keyed

from offhook.bench.record import Judgement, Verdict
from offhook.reports import folder
from offhook.reports.bars import WIDTH, counts_bar, gauge
from offhook.reports.explain import Told, explain
from offhook.reports.front import facts, wires
from offhook.reports.html import text as page_text
from offhook.reports.strips import named
from offhook.reports.summary import summarize


def told(tmp_path: Path, req: str, kind: str, **spec: Any) -> Told:
    """What is said of one judgement in a call whose code came in as 4711."""
    script = Script(tmp_path)
    script.begin("test_code", "the code", "assoc")
    keyed(script, "4711", "4711")
    spec = {key: script.steps[value] if value in ("S27", "S8") else value for key, value in spec.items()}
    script.record.judge(req, "title", kind, **spec)
    script.end()
    script.record.seal()
    with folder.opened(script.folder) as run:
        return explain(run, run.cases[0], run.cases[0].judgements[-1])


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("interval", {"from_": "S27", "to": "S8", "at_most": 0.5}, "≤ 0.5 s from press 1001 to code_heard 1001"),
        ("count", {"observed": "press", "at_least": 1, "at_most": 1}, "once press"),
        ("count", {"observed": "press", "at_most": 0, "wire": "keys1"}, "no press keys1"),
        ("count", {"observed": "press", "at_most": 2}, "at most 2 times press"),
        ("count", {"observed": "press", "at_least": 3}, "at least 3 times press"),
        ("count", {"observed": "press", "at_least": 2, "at_most": 4}, "2 to 4 times press"),
        ("count", {"observed": "press", "at_least": 2, "at_most": 2}, "2 times press"),
        (
            "count",
            {"observed": "press", "at_most": 0, "not_subject": "1001", "from_s": 0.0, "to_s": 1.5},
            "no press, not 1001, 0.00 to 1.50 s",
        ),
        ("digits", {"wire": "ivr-1-heard", "expected": "99"}, "ivr-1-heard carries exactly '99'"),
        ("no_digits", {"wires": ["ivr-1-heard"], "forbidden": "71"}, "none of ivr-1-heard carries '71'"),
        (
            "no_digits",
            {"wires": "*", "except_": ["desk-1"], "forbidden": "71"},
            "no wire (but desk-1) carries '71'",
        ),
        ("tone", {"wire": "desk-1", "expected": "dial", "at_least": 0.2}, "dial tone on desk-1 for at least 0.2 s"),
        ("voice", {"wire": "ivr-1-heard", "at_least": 2.0}, "voice on ivr-1-heard for at least 2 s"),
        ("search", {"forbidden": "8642"}, "'8642' in no message and no log"),
        ("figure", {"value": 3.0, "at_most": 2.0, "u": 0.1}, "title ≤ 2"),
    ],
)
def test_expected_says_what_the_rule_asks(tmp_path: Path, kind: str, spec: dict[str, Any], expected: str) -> None:
    assert told(tmp_path, "ASSOC-S27.1", kind, **spec).expected == expected


def test_an_interval_says_its_figure_first(tmp_path: Path) -> None:
    found = told(tmp_path, "ASSOC-S10.1", "interval", from_="S27", to="S8", at_most=0.5)
    assert found.heard.startswith("1.1000 ± 0.0028 s from press 1001")
    assert found.step is not None
    assert found.step.name == "S8"  # the step whose effect came too late, not the S10 of the id
    assert found.span == pytest.approx((0.1, 1.2))


def test_a_judgement_without_observations_belongs_to_the_step_of_its_id(tmp_path: Path) -> None:
    found = told(tmp_path, "ASSOC-S27.1", "digits", wire="ivr-1-heard", expected="99")
    assert found.step is not None
    assert found.step.name == "S27"


def test_a_hint_of_the_rule_comes_before_our_own(tmp_path: Path) -> None:
    found = told(tmp_path, "ASSOC-S27.1", "digits", wire="ivr-1-heard", expected="99", hint="ask the vendor")
    assert found.hint == "ask the vendor"


def test_listen_is_where_the_digits_are(tmp_path: Path) -> None:
    found = told(tmp_path, "ASSOC-S27.1", "digits", wire="ivr-1-heard", expected="99")
    assert found.places[0].file == "audio/ivr-1-heard_0001.wav"
    assert found.places[0].time_s == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize(
    ("used", "u", "end", "whisker"),
    [(1.0, 0.0, 0.5, 0.0), (1.0, 0.5, 0.75, 0.5), (2.4, 0.0, 1.2, 0.0), (9.0, 0.0, 1.25, 0.0)],
)
def test_the_gauge_ends_where_figure_and_uncertainty_end(used: float, u: float, end: float, whisker: float) -> None:
    item = Judgement(1, 1, "X", "ring", "interval", {}, "s", Verdict.PASS, "", used, None, 2.0, u, 1)
    drawn = gauge(item, 1 - (used + u) / 2)
    scale = (WIDTH - 24) / 1.25
    bar = re.search(r'width="([\d.]+)" height="12" class="g-used"', drawn)
    assert bar
    assert float(bar[1]) == pytest.approx((end - whisker / 2) * scale, abs=0.1)
    lines = re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)" class="g-u"', drawn)
    assert bool(lines) == bool(u)
    if lines:
        assert float(lines[0][1]) - float(lines[0][0]) == pytest.approx(whisker * scale, abs=0.2)


def test_every_outcome_that_occurs_is_visible_in_the_bar() -> None:
    drawn = counts_bar({Verdict.PASS: 5000, Verdict.FAIL: 1, Verdict.NOT_RUN: 0})
    widths = {
        name: float(width) for width, name in re.findall(r'width="([\d.]+)" height="14" class="count-(\w+)"', drawn)
    }
    assert set(widths) == {"PASS", "FAIL"}
    assert widths["FAIL"] >= 6
    assert widths["PASS"] > 300


def facts_of(script: Script) -> dict[str, str]:
    script.record.seal()
    with folder.opened(script.folder) as run:
        return {name: value for block in facts(run, summarize(run)) for name, value in block["rows"]}


def test_faults_that_were_set_are_on_page_one(tmp_path: Path) -> None:
    assert facts_of(Script(tmp_path / "a", faults=["cut:cti", "bounce:desk-1:31"]))["faults set"] == (
        "cut:cti, bounce:desk-1:31"
    )
    assert "faults set" not in facts_of(Script(tmp_path / "b", faults=[]))


def test_the_safe_state_is_what_was_read_back(tmp_path: Path) -> None:
    quiet, good, bad = (Script(tmp_path / name) for name in "abc")
    for script, ok in ((good, True), (bad, False)):
        script.record.observe("R", "relay.keys1", "safe", "", 1.0, 0.0, ok=True, read_back="open", error="")
        script.record.observe("R", "relay.keys2", "safe", "", 1.0, 0.0, ok=ok, read_back="relay 8 closed", error="")
    assert facts_of(quiet)["safe state"] == "not read back"
    assert facts_of(good)["safe state"] == "read back on 2 wires: all safe"
    assert facts_of(bad)["safe state"] == "NOT reached: relay.keys2: relay 8 closed"


def test_a_calibration_is_named_with_its_end(tmp_path: Path) -> None:
    script = Script(tmp_path, calibration={"id": "R5-0042", "valid_until_utc": "2027-01-01"})
    assert facts_of(script)["calibration"] == "R5-0042, valid until 2027-01-01"


def test_a_wire_that_does_not_go_to_the_far_end_is_physical() -> None:
    station = '[relay.k]\ndriver = "numato"\nlink = "/dev/ttyACM0"\n[pbx]\ndriver = "csta"\nlink = "end://cti"\n'
    found = wires({"station_toml": station, "grade": "SIMULATED", "wires": {"relay.k": "16 relays"}})
    assert found == [("pbx", "csta, simulated"), ("relay k", "numato, physical: 16 relays")]
    assert wires({"station_toml": "not = [toml"}) == [("wires", "the station file cannot be read")]


def test_a_verdict_that_moved_tells_both(good: Path) -> None:
    path = sorted((good / "audio").glob("ivr-1-heard*"))[0]
    content = bytearray(path.read_bytes())
    content[-2:] = b"\1\0"
    path.write_bytes(content)
    with folder.opened(good) as run:
        page = page_text(run, summarize(run))
    assert "the run itself said PASS; audio/ivr-1-heard_0001.wav is not what was sealed" in page


def test_what_was_seen_is_told_in_words(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_words", "words", "assoc")
    script.record.observe("C", "cti-tap", "cti", "1001", 1.0, 0.0, name="MakeCall")
    script.record.observe("G-r", "arduino/2", "ring", "desk-1", 1.1, 0.0, active=True)
    script.record.observe("A-i", "ivr-1-heard", "digit", "ivr-1-heard", 1.2, 0.0, key="7")
    script.end()
    script.record.seal()
    with folder.opened(script.folder) as run:
        seen = {item.kind: named(item) for item in run.cases[0].observations}
    assert seen["cti"] == "MakeCall 1001"
    assert seen["ring"] == "ring on desk-1"
    assert seen["digit"] == "digit 7 ivr-1-heard"
