"""The acceptance of a driver, as a lab runs it, on the sound card of the loopback station."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "pytest", "--pyargs", "offhook.bench.contract", "-q", "-p", "no:cacheprovider"]


@pytest.mark.timeout(150)
@pytest.mark.req("DRV-SIM.1")
def test_a_loop_of_the_station_keeps_the_audio_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    options = ["--station", "loopback", "-k", "TestLoops and (heard_at_its_frame or says_what)"]
    done = subprocess.run([*COMMAND, *options], cwd=tmp_path, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) == 4
