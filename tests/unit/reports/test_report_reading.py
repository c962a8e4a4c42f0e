"""What a report says to somebody who did not write the bench: every requirement, every rate, no private words."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from unit.reports.synthetic_run import Script, call

from offhook.bench.record import Verdict
from offhook.reports import render
from offhook.reports.shortfall import without

BROKE = "StepFailed: S15: expected desk-{0} rings; heard no ring of 100{0} in 3 s; wire: ringer sensor"


def made(script: Script) -> tuple[dict, str]:  # type: ignore[type-arg]
    """results.json and the words of report.html."""
    script.record.seal()
    render(script.folder)
    html = (script.folder / "report.html").read_text("utf-8")
    html = re.sub(r"<(style|svg|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    words = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))
    return json.loads((script.folder / "results.json").read_text("utf-8")), words


@pytest.fixture
def broken(tmp_path: Path) -> Script:
    """Three phones that never rang: the attempts name four requirements and judge one of them."""
    script = Script(tmp_path)
    for phone in (1, 2, 3):
        reqs = ("ASSOC-S11.1", "ASSOC-S15.1", "ASSOC-S15.2", "ASSOC-S36.1")
        script.begin(f"test_association[desk-{phone}]", f"association [desk-{phone}]", "assoc", *reqs)
        script.step("S4", "the cloud asks to monitor", script.clock.time_s + 0.1, "C", "cti-tap", "MonitorStart")
        script.step("S11", "the PBX monitors", script.clock.time_s + 0.2, "C", "cti-tap", "MonitorStartResponse")
        script.interval("ASSOC-S11.1", "S4 to S11", "S4", "S11", 1.0)
        script.clock.time_s += 5.0
        script.end(Verdict.FAIL, BROKE.format(phone))
    return script


@pytest.mark.req("REP-VER.1")
def test_a_requirement_that_was_not_reached_is_not_left_out(broken: Script) -> None:
    results, words = made(broken)
    lines = {line["req"]: (line["verdict"], line["title"]) for line in results["requirements"]}
    assert lines["ASSOC-S15.1"] == ("FAIL", "association")
    assert lines["ASSOC-S15.2"] == ("FAIL", "association")
    assert lines["ASSOC-S36.1"] == ("NOT_RUN", "not reached: the attempt broke off at S15")
    assert lines["ASSOC-S11.1"][0] == "PASS"
    assert [line["req"] for line in results["requirements"]][:2] == ["ASSOC-S15.1", "ASSOC-S15.2"]
    assert "not reached: the attempt broke off at S15" in words


def test_what_went_wrong_alike_on_several_phones_is_said_once(broken: Script) -> None:
    _, words = made(broken)
    first = words[words.index("Where it failed") : words.index("Tested")]
    assert first.count("association") == 1
    assert "in 3 attempts" in first


def test_what_differs_between_phones_is_not_a_difference() -> None:
    assert without("desk-1 heard 4711 at 1.2 s", "desk-1") == without("desk-2 heard 99 at 13 s", "#3-desk-2")
    assert without("no ring", "desk-1") != without("no tone", "desk-1")


@pytest.mark.req("REP-VER.1")
def test_requirements_of_a_test_that_judges_nothing_or_was_skipped_have_a_line(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_plain", "plain asserts", "assoc", "ASSOC-S1.4")
    script.end()
    script.begin("test_skipped", "needs a line", "line", "LINE-RING.1")
    script.end(Verdict.NOT_RUN, "no line on this station", required=False)
    results, _ = made(script)
    lines = {line["req"]: (line["verdict"], line["passed"], line["n"]) for line in results["requirements"]}
    assert lines == {"ASSOC-S1.4": ("PASS", 1, 1), "LINE-RING.1": ("NOT_RUN", 0, 0)}
    assert all(line["judgements"] == [] for line in results["requirements"])


@pytest.mark.req("REP-STAT.1", "REP-STAT.2")
def test_a_requirement_says_what_it_is_about(tmp_path: Path) -> None:
    """In its own words; of a lab's own id the test that is made for it."""
    script = Script(tmp_path)
    script.begin("test_guessing[desk-1]", "Guessing ends in a lockout [desk-1]", "assoc", "LAB-7", "ASSOC-N09")
    script.step("S8", "the code is at the server", 0.5, "K", "cloud", "code_heard")
    for req, title in (("LAB-7", "failed contexts"), ("ASSOC-S4.2", "order"), ("LAB-8", "safe")):
        script.record.judge(req, title, "figure", unit="s", value=1.0, u=0.1, at_most=2.0)
    script.end()

    data, text = made(script)

    assert {line["req"]: line["requirement"] for line in data["requirements"]} == {
        "LAB-7": "Guessing ends in a lockout",
        "ASSOC-N09": "Given the same account asks again for its own extension, when requested, then idempotent",
        "ASSOC-S4.2": "Given the order of steps, when traced, then S4 precedes S5 and S6",
        "LAB-8": "",
    }
    assert "Guessing ends in a lockout shown: failed contexts" in text


def test_a_rate_says_what_was_seen_its_bound_and_the_n_it_needs(tmp_path: Path) -> None:
    script = Script(tmp_path)
    for number in range(20):
        script.begin(f"test_association[#{number + 1}-desk-1]", "association", "assoc", "ASSOC-S10.1")
        script.record.observe("T", "bench", "trial", "desk-1", script.clock.time_s, 0.0, rates=["ASSOC-RATE.1"])
        script.clock.time_s += 1.0
        script.end()
    script.record.judge("ASSOC-RATE.1", "associations that succeed", "rate", of="ASSOC-RATE.1", at_least=0.99)
    results, words = made(script)
    (line,) = [line for line in results["requirements"] if line["req"] == "ASSOC-RATE.1"]
    assert (line["n"], line["success_rate_lower_bound_95"]) == (0, None)  # a claim is no sample of itself
    table = words[words.index("Rates over all attempts verdict") :]
    assert "100 % of 20 ≥ 86.1 % ≥ 99 % 20 299" in table  # 0.05 ** (1 / 20), and the rule of three
    assert "1 of the rates need more attempts than were made" in words[: words.index("Tested")]


def test_steps_and_probes_are_in_words(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_association[lock]", "association", "assoc", "ASSOC-S10.1")
    call(script, lock=True)
    script.end()
    _, words = made(script)
    assert "What the steps mean" in words
    assert "S15 PBX to phone the phone rings" in words
    assert re.search(r"\b(A-i|A-h|G-r|K|C|R) on [a-z]", words) is None
    assert "ring sensor, arduino" in words or "ring sensor, " in words


def test_faults_that_were_set_are_said_first(tmp_path: Path) -> None:
    script = Script(tmp_path, faults=["slow-pbx:0.3"])
    script.begin("test_x", "x", "assoc")
    script.end()
    results, words = made(script)
    assert "Faults were set on purpose at the far end: slow-pbx:0.3." in results["remarks"]
    assert words.index("Faults were set on purpose") < words.index("SIM-VERIFIED")


def test_what_happened_on_the_way_is_among_the_facts(tmp_path: Path) -> None:
    parts = [{"ended": "killed", "attempts": 12, "resumed_utc": "2026-11-21T11:00:00+00:00"}]
    valid = {"id": "R5-7", "made_utc": "2026-11-20", "valid_until_utc": "2026-12-20", "sha256": "ab12"}
    script = Script(tmp_path, interruptions=parts, quarantine={"desk-2": "3 failures in a row"}, calibration=valid)
    script.begin("test_x", "x", "assoc")
    script.end()
    _, words = made(script)
    assert "interrupted killed after 12 attempts, gone on with 2026-11-21T11:00:00+00:00" in words
    assert "left alone desk-2: 3 failures in a row" in words
    assert "calibration R5-7, made 2026-11-20, valid until 2026-12-20, SHA-256 ab12" in words


def test_the_telephones_are_named_with_their_kind_and_numbers(tmp_path: Path) -> None:
    desk = '[phone.desk-1]\nkind = "ip"\nextension = "1001"\nddi = "+3311"\n'
    station = desk + '[phone.fax]\nkind = "analog"\nlock = "prefix"\n'
    script = Script(tmp_path, station_toml=station)
    script.begin("test_x", "x", "assoc")
    script.end()
    _, words = made(script)
    assert "desk-1 ip telephone, extension 1001, direct number +3311" in words
    assert "fax analog telephone, extension ?, locked by prefix" in words


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"plan": {"suites": ["lock"]}}, "Only a part of the suites was asked for: suites lock."),
        ({"only": "desk-1"}, "Only a part of the suites was asked for: tests that match 'desk-1'."),
        ({"plan": {"suites": []}}, ""),
    ],
)
def test_a_part_of_the_suites_is_not_taken_for_all_of_them(tmp_path: Path, meta: dict[str, object], said: str) -> None:
    script = Script(tmp_path, **meta)
    script.begin("test_x", "x", "assoc")
    script.end()
    results, words = made(script)
    assert results["document"] == f"Verification report{' in part' if said else ''}, simulated devices"
    assert ("Only a part" in words) == bool(said)
    assert said in words
