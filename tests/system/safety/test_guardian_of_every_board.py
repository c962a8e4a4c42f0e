"""The bench is killed outright while relays are closed: whatever board it is, they open, and it is read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from relay_room import BOARDS
from safety_room import Bench, Board, board, gone, said, until

from offhook.bench.guardian_board import Armed, Safed, make_safe
from offhook.bench.record.guarded import guarded
from offhook.drivers import registry
from offhook.drivers.links import LabWires

SAFE_WITHIN_S = 1.0
SCRIPT = Path(__file__).parents[2] / "guarded_board.py"
REAL = [name for name in BOARDS if name not in ("waveshare-30", "devantech-2", "lcus-4")]


def killed(table: dict[str, Any], folder: Path, keys: Board) -> float:
    """Start a bench on it, kill it, wait for its guardian to end; when it was killed."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), json.dumps({**table, "link": keys.address}), str(folder)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        guardian = said(process, "ready")
        until(lambda: keys.closed == {0, table["channels"] - 1})
        running = Bench(process, folder, guardian)
        at_s = running.signal(signal.SIGKILL)
        assert running.ended() == -signal.SIGKILL
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert gone(guardian)
    return at_s


@pytest.mark.req("DRV-SER.4", "BENCH-RUN.3")
@pytest.mark.parametrize("name", REAL)
def test_relays_open_within_a_second_and_are_read_back(name: str, tmp_path: Path) -> None:
    table = BOARDS[name]
    with board(tmp_path / "keys", table) as keys:
        killed_s = killed(table, tmp_path / "run", keys)
        until(lambda: not keys.closed)

        assert 0 < keys.opened_after(killed_s) < SAFE_WITHIN_S
        (account,) = json.loads((tmp_path / "run" / "guardian.json").read_text("utf-8"))["boards"]
        assert account["ok"]
        assert account["safe_after_s"] < SAFE_WITHIN_S
        told = str(guarded(tmp_path / "run"))
        if name == "lcus-1":
            assert not account["can_be_read"]
            assert "not read back, as these boards cannot be: relay.keys" in told
            assert "read back 0" not in told
        else:
            assert account["can_be_read"]
            assert account["read_back"]
            assert "made 1 relay board safe and read back" in told


@pytest.mark.req("DRV-SER.4")
@pytest.mark.parametrize("name", ["waveshare", "kmtronic-8", "denkovi", "hid-8"])
def test_a_board_that_does_not_obey_is_not_called_safe(name: str, tmp_path: Path) -> None:
    """Its relay is stuck at what the firmware believes: the answer is another than the one expected."""
    table = BOARDS[name]
    with board(tmp_path / "keys", table) as keys:
        wires = LabWires()
        driver = registry.open_driver("relay", "keys", {**table, "link": keys.address}, wires)
        driver.connect()
        action = driver.safe_action((0,))
        wires.close()
        before = [[step.sent.hex(), step.expected.hex(), step.pause_s] for step in driver.safe_action(()).before]
        order = {"address": action.address, "baud": action.baud, "before": before, "length": action.length}
        armed = Armed.of({**order, "send": action.sent.hex(), "expect": action.expected.hex()})
        done = Safed("relay.keys", keys.address)
        make_safe(armed, done, 0.0, 0.0)
    assert not done.ok
    assert done.error == "it answered something else"
