"""The acceptance of a driver, as a lab runs it, on the sound card of the loopback station."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "pytest", "--pyargs", "offhook.bench.contract", "-q", "-p", "no:cacheprovider"]

RUNS = 3
"""A machine without time for its sound server loses audio, and the card says so: that is no breach of the contract."""


@pytest.mark.timeout(290)
@pytest.mark.req("DRV-SIM.1")
def test_a_loop_of_the_station_keeps_the_audio_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    options = ["--station", "loopback", "-k", "TestLoops and (heard_at_its_frame or says_what)"]
    for _ in range(RUNS):
        done = subprocess.run(
            [*COMMAND, *options], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
        )
        if "hear the pilot" not in done.stdout:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) == 4
