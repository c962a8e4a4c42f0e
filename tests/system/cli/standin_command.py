"""``offhook`` with the small stand-in station: lifts a phone in mid-call, says so, and waits to be stopped.

Arguments: the station file, then ``call`` (waits inside the station) or ``suite`` (waits inside a test of an in-process
pytest). What the far end's relays are at the very end goes to standard output.
"""

from __future__ import annotations

import sys
import time
import types
from pathlib import Path
from typing import Any

import click
import pytest
from rig_standin import StandInEnd

from offhook.bench import cli, station, station_file
from offhook.bench.station import Rig, open_rig

END = StandInEnd()


def wait(rig: Rig) -> None:
    rig.relays["one"].set(8, True)
    print("lifted", END.opened[0].boards["one"].closed[8], flush=True)
    for _ in range(3000):
        rig.clock.sleep(60.0)  # simulated time: the signal finds us anywhere in the world
        time.sleep(0.01)


class Suite:
    """A pytest plugin: one test that waits, one that must not run, a fixture whose teardown must."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @pytest.fixture(scope="session")
    def rig(self) -> Any:
        yield self._rig
        print("session fixture torn down", flush=True)


TESTS = """
from standin_command import wait

def test_waits(rig):
    wait(rig)

def test_must_not_run(rig):
    print("went on", flush=True)
"""


@click.command("hold")
@click.argument("file")
@click.argument("way")
def hold(file: str, way: str) -> int:
    """Hold the station until a signal comes."""
    with open_rig(file) as rig:
        if way == "call":
            wait(rig)
            return 0
        tests = Path(file).parent / "test_hold.py"
        tests.write_text(TESTS)
        return pytest.main(["-q", "-s", "-p", "no:cacheprovider", str(tests)], plugins=[Suite(rig)])


def main() -> None:
    for module in (station, station_file):
        module.ends = lambda: {"standin": END}  # type: ignore[assignment]
    entry = types.SimpleNamespace(name="hold", value="standin_command:hold", module="standin_command")
    sys.modules["standin_command"] = sys.modules["__main__"]
    cli.entry_points = lambda group: [entry]  # type: ignore[assignment]
    code = cli.execute(["hold", *sys.argv[1:]])
    print("relays closed at the end:", sum(END.opened[0].boards["one"].closed), flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
