"""junit.xml and results.json: what CI and programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import parse
from unit.reports.synthetic_run import Script

from offhook.bench.record import Verdict
from offhook.reports import render


def results(folder: Path) -> dict[str, Any]:
    render(folder)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"), parse_constant=refuse)
    return found


def test_junit_counts_what_it_holds(bad: Path) -> None:
    render(bad)
    root = parse(bad / "junit.xml").getroot()
    assert root.tag == "testsuites"
    for element in (root, *root.findall("testsuite")):
        assert int(element.get("tests")) == len(list(element.iter("testcase")))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(attribute)) == len(list(element.iter(tag)))
    names = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert names == {
        "test_association[plain]": [],
        "test_association[lock]": [],
        "test_association[doubled]": ["failure"],
        "test_association[late]": ["failure"],
        "test_association[close]": ["error"],
        "test_cut": ["failure"],
    }
    assert {case.get("classname") for case in root.iter("testcase")} == {"assoc.test_assoc", "cut.test_cut"}


def test_junit_failure_carries_the_four_lines(bad: Path) -> None:
    render(bad)
    root = parse(bad / "junit.xml").getroot()
    text = root.find(".//testcase[@name='test_association[doubled]']/failure").text
    lines = [line.split(" ", 1)[0] for line in text.splitlines()]
    assert lines == ["FAIL", "expected", "heard", "listen", "try"]
    assert "ASSOC-S27.1" in text
    assert "@" in text


def test_junit_survives_control_characters(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_x", "x", "assoc")
    script.end(Verdict.FAIL, "bytes \x00\x1b[31m <&> ]]> came\nsecond line")
    script.record.seal()
    render(script.folder)
    failure = parse(script.folder / "junit.xml").getroot().find(".//failure")
    assert "<&> ]]> came" in failure.get("message")
    assert "second line" in failure.text


@pytest.mark.req("REP-VER.1")
def test_results_hold_figure_limit_uncertainty_n_and_verdict(bad: Path) -> None:
    found = results(bad)
    assert found["schema_version"] == 1
    assert found["verdict"] == "FAIL"
    assert found["level"] == "NOT VERIFIED"
    assert found["highest_level_of_station"] == "SIM-VERIFIED"
    assert found["counts"]["attempts"] == {
        "FAIL": 3, "INCONCLUSIVE": 1, "NOT_RUN": 0, "PASS": 2, "NOT_APPLICABLE": 0
    }  # fmt: skip
    line = next(line for line in found["requirements"] if line["req"] == "ASSOC-S15.1")
    assert line["verdict"] == "FAIL"
    assert line["figure"] == pytest.approx(2.6)
    assert (line["limit_low"], line["limit_high"], line["unit"]) == (None, 2.0, "s")
    assert line["u"] == pytest.approx(0.002 * 2**0.5)
    assert (line["passed"], line["n"]) == (3, 5)
    assert line["source"] == "S15, US 11,082,555 claim 11"


@pytest.mark.req("REP-TRC.1")
def test_results_point_from_a_judgement_into_the_recording(bad: Path) -> None:
    found = results(bad)
    attempt = next(item for item in found["attempts"] if "doubled" in item["nodeid"])
    judgement = next(item for item in attempt["judgements"] if item["kind"] == "digits")
    place = judgement["evidence"][0]
    assert (bad / place["file"]).is_file()
    keyed_s = next(step["time_s"] for step in attempt["steps"] if step["name"] == "S27")
    assert place["time_s"] == pytest.approx(keyed_s - 5 * 0.2, abs=0.1)  # its first of five digits, 200 ms each


@pytest.mark.req("REP-EV.1")
def test_results_list_every_file_with_its_hash(good: Path) -> None:
    files = {item["file"]: item for item in results(good)["files"]}
    sealed = json.loads((good / "manifest.json").read_text("utf-8"))["files"]
    assert {name: item["sha256"] for name, item in files.items()} == sealed
    assert all(item["as_sealed"] for item in files.values())
    assert all(item["bytes"] == (good / name).stat().st_size for name, item in files.items())


def test_figures_that_json_cannot_hold_become_null(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_level", "level", "line")
    script.record.judge("LINE-TONE.4", "level", "figure", unit="dBm0", value=float("nan"), at_most=-9.0, u=0.5)
    script.end()
    script.record.seal()
    judgement = results(script.folder)["attempts"][0]["judgements"][0]
    assert judgement["figure"] is None
    assert judgement["verdict"] == "INCONCLUSIVE"


def test_the_station_file_and_its_secrets_are_not_in_the_results(good: Path) -> None:
    found = results(good)
    assert "station_toml" not in json.dumps(found)
    assert found["wires"]["relay keys1"] == "numato, simulated"
