"""Real-time calls of ``offhook run`` on boards and phones that outlive it, and how their end is looked at."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from runs import OFFHOOK, Runner
from safety_room import SECRETS

from offhook.bench.record import Evidence, open_run
from offhook.drivers import registry
from offhook.drivers.links import LabWires

BOARDS = ("keys1", "keys2", "keys3", "keys4")
HOOKS = {(board, "8") for board in BOARDS}


class Lab(Runner):
    """A runner that knows the station's secrets."""

    def environment(self, extra: object = None) -> dict[str, str]:
        return super().environment(SECRETS)

    def report(self, folder: Path) -> str:
        """Page one and the rest, as ``offhook report`` writes it."""
        subprocess.run([OFFHOOK, "report", str(folder)], check=False, capture_output=True, timeout=100)
        return (folder / "report.html").read_text("utf-8")


def relays_now(run: Evidence) -> set[tuple[str, str]]:
    rows = (line.split(",") for line in run.lines("relays.csv")[1:])
    last = {(row[2], row[3]): row[4] for row in rows if len(row) == 5}
    return {relay for relay, state in last.items() if state == "closed"}


def in_mid_call(folder: Path) -> bool:
    """True while a handset is up and its phone's digits have crossed."""
    try:
        with open_run(folder) as run:
            digits = sum(seen.kind == "digit" for seen in run.observations())
            return digits >= 4 and bool(relays_now(run) & HOOKS)
    except Exception:  # not there yet, or being made
        return False


def everything_is_down(station: Path) -> None:
    """Asked anew, as another bench would: every relay open, every phone on hook."""
    tables, wires = tomllib.loads(station.read_text("utf-8")), LabWires()
    try:
        for name in BOARDS:
            board = registry.open_driver("relay", name, tables["relay"][name], wires)
            assert not any(board.read_all()), name
        inputs = registry.open_driver("sense", "arduino", tables["sense"]["arduino"], wires)
        inputs.connect()
        wires.clock.sleep(0.3)
        assert not any(inputs.active(pin) for pin in (3, 5, 7))
    finally:
        wires.close()


def json_of(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / "guardian.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return content
