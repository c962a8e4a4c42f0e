"""A bench with one relay board and nothing else, as a process of its own: ``guarded_board.py TABLE FOLDER``.

``TABLE`` is a section of a station file as JSON. It says ``ready PID`` (of its guardian) once its first and its last
relay are closed, and then waits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from offhook.bench.guardian import Guardian
from offhook.bench.station_gate import GatedBoard
from offhook.drivers import registry
from offhook.drivers.links import LabWires


def main(table: dict[str, Any], folder: Path) -> None:
    wires = LabWires()
    guard = Guardian(wires.clock, 2.0)
    gate = GatedBoard("keys", registry.open_driver("relay", "keys", table, wires))
    assert guard.arm("relay.keys", gate.inner, (), table.get("baud"))
    gate.connect()
    guard.watch("relay.keys", gate, ())
    guard.note_folder(folder)
    for relay in sorted({0, gate.channels - 1}):
        gate.set(relay, True)
    print("ready", guard.pid, flush=True)
    wires.clock.sleep(600)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
