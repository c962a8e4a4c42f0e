"""The suite `instruments`: on its station it certifies; late, foreign and absent instruments are never a number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Ended, Runner

from offhook.bench.record import judge, open_run
from offhook.bench.station_file import find_station

CASES = 5


def outcomes(ended: Ended) -> dict[str, str]:
    attempts = json.loads((ended.folder / "results.json").read_text("utf-8"))["attempts"]
    return {str(each["nodeid"]).rpartition("::test_")[2]: str(each["outcome"]) for each in attempts}


@pytest.mark.timeout(300)
@pytest.mark.req("DRV-VISA.1", "DRV-VISA.2", "LINE-HOOK.1", "LINE-RING.1", "DTMF-MEAS.4")
def test_the_station_of_instruments_is_certified(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run("instruments", "--suite", "instruments")

    assert ended.code == 0, ended.err
    assert list(outcomes(ended).values()) == ["PASS"] * CASES
    assert "SIM-VERIFIED" in ended.err
    with open_run(ended.folder) as run:
        readings = [seen for seen in run.observations() if seen.kind == "reading"]
    assert {seen.probe for seen in readings} == {"I"}
    assert {seen.data["unit"] for seen in readings} == {"V", "mA", "Hz", "s", "dBm0"}
    assert all(seen.data["range"] > 0 for seen in readings if seen.wire == "meter")
    assert all(seen.data["u"] > 0 and "SIM-" in seen.data["instrument"] for seen in readings)
    judged = [one for one in judge(ended.folder) if one.kind == "reading"]
    assert {number for one in judged for number in one.spec["of"]} == {seen.id for seen in readings} - {
        seen.id for seen in readings if seen.data["quantity"] == "frequency in the ear, nothing"
    }


@pytest.fixture
def in_simulated_time(tmp_path: Path) -> str:
    file = tmp_path / "simulated_time.toml"
    file.write_text(find_station("instruments").read_text("utf-8").replace("realtime    = true", ""), "utf-8")
    return str(file)


@pytest.mark.req("DRV-VISA.1")
def test_where_instruments_cannot_be_used_the_suite_is_not_run(in_simulated_time: str, tmp_path: Path) -> None:
    ended = Runner(tmp_path).run(in_simulated_time, "--suite", "instruments")
    assert ended.code == 3, ended.err
    assert list(outcomes(ended).values()) == ["NOT_RUN"] * CASES
    assert "this station runs in simulated time" in ended.err


@pytest.mark.timeout(200)
@pytest.mark.req("DRV-VISA.1")
def test_without_visa_the_suite_is_not_run(tmp_path: Path) -> None:
    """As on a machine where PyVISA was never installed."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "pyvisa.py").write_text('raise ImportError("no PyVISA here")\n', "utf-8")
    without = {"PYTHONPATH": str(tmp_path / "without")}
    ended = Runner(tmp_path).run("instruments", "--suite", "instruments", environment=without)
    assert ended.code == 3, ended.err
    assert list(outcomes(ended).values()) == ["NOT_RUN"] * CASES
    assert "no PyVISA here (try: pip install PyVISA PyVISA-py)" in ended.err


def test_a_station_without_instruments_says_so_in_one_line(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run("simulated", "--suite", "instruments")
    assert list(outcomes(ended).values()) == ["NOT_APPLICABLE"] * CASES
    (line,) = [line for line in ended.err.splitlines() if line.startswith("n/a")]
    assert line.endswith(f"{CASES} cases: station 'simulated' has no [instrument]")


CHANGED = """
import pytest

from offhook.bench.line_instruments import at_lines


@pytest.mark.req("DRV-VISA.1")
def test_read(station):
    for meter in at_lines(station, "dmm", "DRV-VISA.1"):
        before = meter.read("battery on hook", meter.driver.voltage_dc)
        station.rig.wires.plant.faults.add("{fault}")
        station.clock.sleep(0.5)
        meter.identify()
        after = meter.read("battery on hook", meter.driver.voltage_dc)
        meter.judge("DRV-VISA.1", "battery", before + after, "V", at_least=20.0, size=True)
"""


@pytest.mark.req("DRV-VISA.1")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wrong-identity:meter", 'says serial "SIM-meter", and "Offhook,SIM-DMM,SIM-meter'),
        ("late-reply:meter:9", "no reply within"),
    ],
)
def test_what_changes_in_mid_run_is_inconclusive_and_never_a_number(tmp_path: Path, fault: str, said: str) -> None:
    (tmp_path / "test_changed.py").write_text(CHANGED.format(fault=fault), "utf-8")
    ended = Runner(tmp_path).pytest("--station", "instruments", "-q", "test_changed.py")
    (attempt,) = judge(ended.folder).attempts
    assert str(attempt.outcome) == "INCONCLUSIVE"
    assert said in attempt.attempt.message
    with open_run(ended.folder) as run:
        assert len([seen for seen in run.observations() if seen.kind == "reading"]) == 5
