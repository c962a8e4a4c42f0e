"""The flow script of the simulated station, unchanged, against a real Asterisk and real SIP phones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Runner


@pytest.mark.timeout(300)
@pytest.mark.req("BENCH-RUN.1", "REP-VER.2")
def test_a_phone_is_associated_on_asterisk_with_and_without_lock(tmp_path: Path) -> None:
    ended = Runner(tmp_path).run(
        "asterisk", "--suite", "association", "--only", "(an_unlocked_phone or a_locked_phone) and desk-1"
    )

    assert ended.code == 0, ended.err
    results = json.loads((ended.folder / "results.json").read_text("utf-8"))
    assert [each["outcome"] for each in results["attempts"]] == ["PASS", "PASS"]
    assert results["level"] == "LOOPBACK-VERIFIED"
    names = [sorted(step["name"] for step in each["steps"]) for each in results["attempts"]]
    unlocked = "S1 S21 S2 S3 S4 S11 S6 S14 S15 S16 S31 S32 S33 S27 S8 S9 S10 S36".split()
    locked = "S1 S21 S2 S3 S4 S11 S5 S13 S22 S6 S14 S15 S24 S25 S16 S31 S32 S33 S27 S8 S9 S10 S36".split()
    assert sorted(names) == sorted([sorted(unlocked), sorted(locked)])
