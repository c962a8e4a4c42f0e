"""The bench is killed outright while relays are closed: whatever board it is, they open, and it is read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from relay_room import BOARDS
from safety_room import board, killed, until

from offhook.bench.guardian_board import Armed, Safed, make_safe
from offhook.bench.record.guarded import guarded
from offhook.drivers import registry
from offhook.drivers.links import LabWires

SAFE_WITHIN_S = 1.0
REAL = [name for name in BOARDS if name not in ("waveshare-30", "devantech-2", "lcus-4")]


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
