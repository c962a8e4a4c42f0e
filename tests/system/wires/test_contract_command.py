"""The contract suites as a lab runs them, away from this checkout."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "pytest", "--pyargs", "offhook.bench.contract", "-q", "-p", "no:cacheprovider"]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *options], cwd=folder, capture_output=True, text=True, timeout=580, check=False)


@pytest.mark.timeout(600)
def test_the_simulated_station_keeps_every_contract(tmp_path: Path) -> None:
    done = run(tmp_path, "--station", "simulated")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 80
    assert "skipped" not in done.stdout


@pytest.mark.timeout(600)
def test_a_dead_relay_wire_breaks_them(tmp_path: Path) -> None:
    done = run(tmp_path, "--fault", "cut:relay:desk-1", "-k", "TestRelays", "-x")
    assert done.returncode == 1
    assert "relay.keys1" in done.stdout
