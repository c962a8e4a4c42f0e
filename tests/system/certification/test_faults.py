"""Pairs of wire and fault in docs/faults.md get the verdict and the words listed there, and none passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offhook.fixtures.faults import BY_WIRE

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import faults  # noqa: E402

LISTED = faults.pairs((ROOT / "docs" / "faults.md").read_text("utf-8"))
EVERY = 12
"""One pair in so many, and one of every wire, for CI's fifteen minutes; `make faults` runs them all."""
PAIRS = [(pair.fault, pair.cases) for pair in faults.sampled(LISTED, EVERY)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, object]]:
    """The chosen pairs, run once."""
    file = tmp_path_factory.mktemp("faults") / "outcomes.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, str(ROOT / "tools" / "faults.py"), "--every", str(EVERY), "--json", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=880, check=False)
    assert file.exists(), done.stderr
    return {(row["fault"], row["cases"]): row for row in json.loads(file.read_text("utf-8"))}


@pytest.mark.timeout(900)
@pytest.mark.req("DRV-SIM.2")
@pytest.mark.parametrize("pair", PAIRS, ids=[fault for fault, _ in PAIRS])
def test_no_fault_passes(outcomes: dict[tuple[str, str], dict[str, object]], pair: tuple[str, str]) -> None:
    outcome = outcomes[pair]

    assert not outcome["wrong"], outcome["text"]
    assert outcome["verdict"] != "PASS"
    assert "Traceback" not in str(outcome["text"])


def test_every_wire_has_pairs() -> None:
    assert len(LISTED) >= sum(len(kinds) for kinds in BY_WIRE.values())
