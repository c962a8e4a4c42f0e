"""``offhook calibrate --meter`` with a dmm across a simulated cable: what is stored is what the cable does."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from runs import OFFHOOK, Runner

STATION = """
schema_version = 1
name = "cabled"
role = "R5"
dut = {{ vendor = "v", model = "m", firmware = "f", serial = "s" }}

[world]
end = "simulated"
realtime = {realtime}
faults = [{faults}]
instruments = {{ meter = {{ {meter} }} }}
cables = {{ a = {{ {cable} }} }}

[audio.rack]
driver = "pipe"
link = "end://rack"
rate_hz = 8000
channels = 2

[instrument.meter]
driver = "dmm"
link = "end://meter"
vendor = "Offhook"
model = "SIM-DMM"

[loop.a]
play = "rack/0"
hear = "rack/1"
meter = "meter"
"""


class Bench:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.stored = place / "calibrations" / "cabled.json"

    def calibrate(self, *, realtime: bool = True, typed: str = "", ohms: str = "600", **world: str) -> tuple[int, str]:
        file = self.place / "cabled.toml"
        given = {"faults": "", "meter": 'wire = "socket"', "cable": "", "realtime": str(realtime).lower(), **world}
        file.write_text(STATION.format(**given), "utf-8")
        done = subprocess.run(
            [OFFHOOK, "calibrate", str(file), "--meter", "--ohms", ohms],
            input=typed,
            env=Runner(self.place).environment({"OFFHOOK_CALIBRATIONS": str(self.stored.parent)}),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    @property
    def channels(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads(self.stored.read_text("utf-8"))["channels"]
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.timeout(180)
@pytest.mark.req("BENCH-CLK.2", "DTMF-MEAS.4", "DRV-VISA.2")
@pytest.mark.parametrize(("volts", "gain_db", "ohms", "wire"), [(0.95, -2.5, 600, "socket"), (1.6, 4.0, 900, "serial")])
def test_the_injected_gain_comes_out_within_its_uncertainty(
    bench: Bench, volts: float, gain_db: float, ohms: float, wire: str
) -> None:
    cable = f"full_scale_v = {volts}, gain_db = {gain_db}"
    code, said = bench.calibrate(cable=cable, ohms=str(ohms), meter=f'wire = "{wire}"')
    assert code == 0, said
    full_scale_dbm = 10 * math.log10(volts**2 / ohms * 1000)
    out, back = bench.channels["rack/0"], bench.channels["rack/1"]
    assert abs(out["play_dbm"] - full_scale_dbm) <= out["u_db"]
    assert abs(back["hear_dbm"] - (full_scale_dbm - gain_db)) <= back["u_db"]
    assert out["u_db"] < 0.1
    assert out["by"] == "Offhook, SIM-DMM, SIM-meter, 1.0"
    assert "linear within 0.0" in said


@pytest.mark.timeout(180)
@pytest.mark.req("DRV-VISA.2")
@pytest.mark.parametrize(
    ("world", "words"),
    [
        ({"faults": '"leads-off:meter"'}, "are the leads of instrument.meter across this wire"),
        ({"meter": 'late_s = 8.0, late_query = "READ?"'}, "no reply within"),
        ({"faults": '"stuck-reading:meter"'}, "off between -30 and -10 dBFS"),
    ],
    ids=["leads off", "late", "stuck"],
)
def test_a_meter_that_does_not_follow_makes_no_calibration(bench: Bench, world: dict[str, str], words: str) -> None:
    code, said = bench.calibrate(**world)
    assert code == 2
    assert words in said
    assert "not stored: a wire is not as it must be" in said
    assert not bench.stored.exists()


def test_where_visa_cannot_be_used_the_reading_is_asked_for(bench: Bench) -> None:
    code, said = bench.calibrate(realtime=False, typed="0.07746\n")
    assert code == 0, said
    assert "instrument.meter is not used" in said
    assert bench.channels["rack/0"]["play_dbm"] == pytest.approx(0.0, abs=0.02)
    assert "by" not in bench.channels["rack/0"]
