"""Rates of a run that repeats its associations: what is claimed, of how many, and at which step the others failed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runs import LIMIT_S, Runner

from offhook.bench.record import Verdict, judge

ROOT = Path(__file__).parents[3]
ONLY = ("simulated", "--suite", "association", "--only", "an_unlocked and (desk-1 or desk-2)", "--repeat", "3")


@pytest.mark.req("ASSOC-RATE.1", "REP-STAT.1")
def test_rate_times_and_failing_steps_are_reported_for_each_kind_of_phone(runner: Runner) -> None:
    """desk-1 (ip) is well; desk-2 (analog) has no sound in its ear, so that the prompt of S33 is never heard."""
    ended = runner.run(*ONLY, "--fault", "cut:handset:desk-2", "--quarantine", "0")

    assert ended.code == 1
    judged = {one.title: one for one in judge(ended.folder) if one.attempt is None}
    well, ill = (judged[f"associations that succeed, {kind} phones"] for kind in ("ip", "analog"))
    assert (well.verdict, well.n, well.figure) == (Verdict.INCONCLUSIVE, 3, 1.0)
    assert "3 of 3 passed; at least 36.84 % (95 %; interval 29.24 % to 100 %); n = 3, needs 299" in well.reason
    assert (ill.verdict, ill.n, ill.figure) == (Verdict.FAIL, 3, 0.0)
    assert "failures by step: S33 3" in ill.reason
    times = judged["S3 to S36, ip phones"]
    assert times.n == 3
    assert times.reason.startswith("p50 ")
    assert "max " in times.reason
    digits = judged["code digits that reach the IVR wrong (TH-10)"]
    assert (digits.verdict, digits.n, digits.figure) == (Verdict.INCONCLUSIVE, 12, 0.0)
    lines = {one["req"]: one for one in json.loads((ended.folder / "results.json").read_text())["requirements"]}
    assert lines["ASSOC-RATE.1"]["verdict"] == "FAIL"
    assert "rate      FAIL  ASSOC-RATE.1  associations that succeed, analog phones: 0 of 3 passed" in ended.err


def test_a_repeated_run_that_claims_nothing_ends_well(runner: Runner) -> None:
    claimed = runner.run(*ONLY, name="claimed")
    shown = runner.run(*ONLY, "--no-rates", name="shown")

    assert (claimed.code, shown.code) == (3, 0), claimed.err + shown.err
    assert "rate      6 of 6 associations succeeded; not claimed, as --no-rates or the profile asks" in shown.err


def test_fifty_at_once_get_their_own_phones() -> None:
    command = [sys.executable, "benchmarks/associations.py", "--at-once", "50", "--in-turn", "8"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    assert done.returncode == 0, done.stderr
    assert "50 at once          0 cross-pairs, 50 associated" in done.stdout
    assert "8 in turn          0 failed" in done.stdout
