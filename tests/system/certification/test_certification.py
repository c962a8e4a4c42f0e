"""The certification suites as their users run them. Written for `make trace`: which of their tests passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Ended, Runner

TRACE = Path(__file__).parents[3] / "build" / "trace"
SUITES = "bench/suites/"


def attempts(ended: Ended) -> list[dict[str, object]]:
    return list(json.loads((ended.folder / "results.json").read_text("utf-8"))["attempts"])


def reasons(attempt: dict[str, object]) -> list[str]:
    """Why an attempt is not applicable."""
    rows: list[dict[str, object]] = list(attempt["judgements"])  # type: ignore[call-overload]
    told = [str(row["reason"]) for row in rows if row["verdict"] == "NOT_APPLICABLE"]
    return told or [str(attempt["message"])] * bool(attempt.get("message"))


def told(reason: str, screen: str, nodeid: str) -> bool:
    """Whether the console tells it: as it is, or as that of another phone with this one named as ``likewise``."""
    phone = next((name for name in ("desk-1", "desk-2", "desk-3", "desk-4") if name in nodeid and name in reason), "")
    before, named, after = reason.partition(phone) if phone else (reason, "", "")
    lines = [line for line in screen.splitlines() if line.startswith("n/a")]
    return any(
        reason in line
        or (named and before in line and after in line and f"{phone} likewise" in line.replace(",", " likewise"))
        for line in lines
    )


def _write_trace(name: str, content: object) -> None:
    TRACE.mkdir(parents=True, exist_ok=True)
    (TRACE / name).write_text(json.dumps(content, indent=1), "utf-8")


@pytest.mark.timeout(900)  # all suites, on a machine that may be busy
@pytest.mark.req("SIM-CLOUD.1")
def test_the_simulated_station_passes_every_suite(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run("simulated")

    assert ended.code == 0, ended.err
    outcomes = {str(each["nodeid"]): str(each["outcome"]) for each in attempts(ended)}
    assert list(outcomes.values()).count("PASS") >= 150
    assert set(outcomes.values()) == {"PASS", "NOT_APPLICABLE"}
    for each in attempts(ended):
        if each["outcome"] == "NOT_APPLICABLE":
            assert reasons(each), f"{each['nodeid']} does not say why it is not applicable"
            assert all(told(reason, ended.err, str(each["nodeid"])) for reason in reasons(each)), each
    assert "SIM-VERIFIED" in ended.out + ended.err
    words = {"PASS": "passed", "NOT_APPLICABLE": "skipped"}  # what could not be shown is not proven
    tests = [
        {"nodeid": SUITES + str(each["nodeid"]), "reqs": each["reqs"], "outcome": words[str(each["outcome"])]}
        for each in attempts(ended)
    ]
    _write_trace("suites.json", {"commit": "", "tests": tests})
