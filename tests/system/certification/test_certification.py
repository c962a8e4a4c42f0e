"""The certification suites as their users run them, and what each named fault makes of them.

Files for `make trace` come out of it: which suite tests passed, and what failed under which fault.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from runs import Ended, Runner

TRACE = Path(__file__).parents[3] / "build" / "trace"
SUITES = "bench/suites/"

FAULTS = {
    "cut:ivr": "IVR leg",
    "cut:handset:desk-1": "handset audio of desk-1",
    "swap-keys:desk-1:1:2": "",
    "stuck-key:desk-1:5": "desk-1",
    "bounce:desk-1:60": "",
    "doubled-digit": "",
    "dead-prompt": "IVR leg",
    "false-lock:1001": "false lock",
    "late-ring:5": "S15",
    "dropped-event:Delivered": "Delivered",
    "dropped-event:Established": "Established",
    "dropped-event:Locked": "Locked",
    "slow-pbx:3": "",
    "hidden-ddi": "",
    "wrong-ring:1003": "S15",
}
"""Faults that show in a run, and words its console must say."""
AT_THE_DOOR = {"cut:relay:desk-1": "keys1", "cut:cti": "pbx", "cut:http": "cloud"}
"""Cuts that `offhook run` meets when it connects: it names the wire and runs nothing."""


@pytest.fixture(scope="module")
def fault_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    place = tmp_path_factory.mktemp("faults")

    def run(fault: str) -> Ended:
        runner = Runner(place / fault.replace(":", "_"))
        runner.place.mkdir()
        return runner.run("simulated", "--fault", fault)

    names = [*FAULTS, *AT_THE_DOOR]
    with ThreadPoolExecutor(2) as pool:
        ended = dict(zip(names, pool.map(run, names), strict=True))
    _write_trace("faults.json", {fault: failed(ended[fault]) for fault in FAULTS})
    _write_trace("faults-judged.json", {fault: judged_fail(ended[fault]) for fault in FAULTS})
    return ended


def attempts(ended: Ended) -> list[dict[str, object]]:
    return list(json.loads((ended.folder / "results.json").read_text("utf-8"))["attempts"])


def failed(ended: Ended) -> list[str]:
    return [SUITES + str(each["nodeid"]) for each in attempts(ended) if each["outcome"] == "FAIL"]


def judged_fail(ended: Ended) -> list[str]:
    """Requirement ids whose own judgement failed."""
    rows = [row for each in attempts(ended) for row in list(each["judgements"])]  # type: ignore[call-overload]
    return sorted({str(row["req"]) for row in rows if row["verdict"] == "FAIL"})


def _write_trace(name: str, content: object) -> None:
    TRACE.mkdir(parents=True, exist_ok=True)
    (TRACE / name).write_text(json.dumps(content, indent=1), "utf-8")


@pytest.mark.req("SIM-CLOUD.1")
def test_the_simulated_station_passes_every_suite(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run("simulated")

    assert ended.code == 0, ended.err
    outcomes = {str(each["nodeid"]): each["outcome"] for each in attempts(ended)}
    assert len(outcomes) >= 40
    assert set(outcomes.values()) == {"PASS"}
    assert "SIM-VERIFIED" in ended.out + ended.err
    tests = [
        {"nodeid": SUITES + str(each["nodeid"]), "reqs": each["reqs"], "outcome": "passed"} for each in attempts(ended)
    ]
    _write_trace("suites.json", {"commit": "", "tests": tests})


@pytest.mark.timeout(900)
@pytest.mark.req("DRV-SIM.2")
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_passes(fault_runs: dict[str, Ended], fault: str) -> None:
    """Every fault that the far end has makes the run FAIL, and never an error of the bench itself."""
    ended = fault_runs[fault]

    assert ended.code == 1, f"exit code {ended.code}\n{ended.err}"
    assert failed(ended)
    assert FAULTS[fault] in ended.out + ended.err


@pytest.mark.timeout(900)
@pytest.mark.req("DRV-SIM.2")
@pytest.mark.parametrize("fault", AT_THE_DOOR)
def test_a_dead_wire_is_named_before_anything_runs(fault_runs: dict[str, Ended], fault: str) -> None:
    ended = fault_runs[fault]

    assert ended.code == 2, ended.err
    assert AT_THE_DOOR[fault] in ended.err
    assert "Traceback" not in ended.err
