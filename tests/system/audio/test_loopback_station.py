"""The station ``loopback``: the bench certifies its own wires over a real sound server, and says so where it cannot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from runs import OFFHOOK, Ended, Runner

from offhook.bench.record import RunResult, judge
from offhook.bench.record.schema import Verdict

RUNS = 3


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def calibrated(runner: Runner, *arguments: str, station: str = "loopback") -> Ended:
    return runner.command("calibrate", station, *arguments)


def run_whole(runner: Runner, *arguments: str) -> tuple[Ended, RunResult]:
    """A run in which the machine had time for its sound server. One that had not may be INCONCLUSIVE, never FAIL."""
    for number in range(RUNS):
        ended = runner.run(*arguments, name=f"run-{number}")
        result = judge(ended.folder)
        assert not [one.reason for one in result if one.verdict is Verdict.FAIL]
        if Verdict.INCONCLUSIVE not in {one.outcome for one in result.attempts}:
            break
    return ended, result


@pytest.fixture(autouse=True)
def own_calibrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "calibrations"
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(folder))
    return folder


@pytest.mark.timeout(400)
@pytest.mark.req("DRV-AUD.2", "REP-VER.2")
def test_the_bench_certifies_its_own_wires(runner: Runner) -> None:
    """Sixteen keys, time and level on every loop; what needs phones does not apply; never more than loopback."""
    ended, result = run_whole(runner, "loopback")

    assert ended.code == 0, ended.out + ended.err
    assert result.level == "LOOPBACK-VERIFIED"
    assert "HW-CERTIFIED" not in (ended.folder / "report.html").read_text("utf-8")
    assert "calibration none" in " ".join(ended.err.split())
    passed = [one for one in result.attempts if one.outcome is Verdict.PASS]
    assert len(passed) == 6
    assert {one.outcome for one in result.attempts} == {Verdict.PASS, Verdict.NOT_APPLICABLE}
    digits = [one for one in result if one.kind == "digits"]
    assert [one.verdict for one in digits] == [Verdict.PASS] * 2
    trips = [one.figure for one in result if one.req == "BENCH-CLK.2"]
    assert len(trips) == 4
    assert max(figure for figure in trips if figure is not None) <= 0.1
    without_phones = [one for one in result.attempts if one.attempt.suite == "lock"]
    assert without_phones
    assert all("no [phone]" in one.judgements[0].reason for one in without_phones)


@pytest.mark.timeout(240)
@pytest.mark.req("BENCH-CLK.4")
@pytest.mark.parametrize("fault", ["killed-server:6", "frozen-server:6", "removed-sink:6"])
def test_a_run_that_loses_its_card_says_so(runner: Runner, fault: str) -> None:
    """What was measured when the card went is INCONCLUSIVE, never PASS or FAIL, and the safe state is reached."""
    ended = runner.run("loopback", "--suite", "loopback", "--only", "its_time or flat", "--fault", fault)

    assert ended.code == 3, ended.out + ended.err
    result = judge(ended.folder)
    outcomes = {one.outcome for one in result.attempts}
    assert Verdict.INCONCLUSIVE in outcomes
    assert Verdict.FAIL not in outcomes
    assert result.level == "NOT VERIFIED"
    lost = [one for one in result.attempts if one.outcome is Verdict.INCONCLUSIVE]
    assert all("audio.rack" in one.attempt.message for one in lost)
    safe = [one for one in result if one.req == "BENCH-RUN.3"]
    assert [one.verdict for one in safe] == [Verdict.PASS] * 3


@pytest.mark.timeout(180)
def test_a_calibration_is_measured_stored_and_trusted_only_as_it_was_made(
    runner: Runner, own_calibrations: Path
) -> None:
    ended = calibrated(runner)
    assert ended.code == 0, ended.out + ended.err
    file = own_calibrations / "loopback.json"
    data = json.loads(file.read_text("utf-8"))
    assert data["valid_until_utc"] > data["made_utc"]
    assert data["cards"]["rack"]["measured"]
    assert set(data["loops"]) == {"a", "b"}
    for loop in data["loops"].values():
        assert abs(loop["gain_db"]) < 0.01
        assert abs(loop["lag_ms"]) < 0.1
        assert loop["crosstalk_db"] < -60

    data["loops"]["a"]["gain_db"] = 0.5
    file.write_text(json.dumps(data), "utf-8")
    ended = runner.run("loopback", "--suite", "loopback", "--only", "its_time and a")
    assert "was altered" in " ".join(ended.err.split())


@pytest.mark.timeout(120)
def test_a_meter_makes_levels_of_it(own_calibrations: Path, tmp_path: Path) -> None:
    """0.0775 V across 600 ohm is -20 dBm; the tone is -20 dBFS: full scale is 0 dBm on that channel."""
    runner = Runner(tmp_path)
    done = subprocess.run(
        [OFFHOOK, "calibrate", "loopback", "--meter", "--days", "1"],
        input="0.07746\n\n",
        env=runner.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    channels = json.loads((own_calibrations / "loopback.json").read_text("utf-8"))["channels"]
    assert set(channels) == {"rack/0"}
    assert channels["rack/0"]["play_dbm"] == pytest.approx(0.0, abs=0.02)
    assert channels["rack/0"]["hear_dbm"] == pytest.approx(0.0, abs=0.02)
