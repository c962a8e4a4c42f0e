"""``offhook check`` on the shipped station: all is well, and under each fault it names the wire."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offhook.bench import cli
from offhook.bench.station_file import find_station, load_station

LIMIT_S = 100.0


def check(capsys: pytest.CaptureFixture[str], *faults: str) -> tuple[int, list[str]]:
    """Exit code, and the lines that failed."""
    words = [word for fault in faults for word in ("--fault", fault)]
    code = cli.execute(["check", "simulated", *words])
    lines = capsys.readouterr().out.splitlines()
    hints = [lines[number + 1].strip() for number, line in enumerate(lines[:-1]) if line.endswith("FAIL")]
    failed = [" ".join(line.split()) for line in lines if line.endswith("FAIL")]
    return code, [f"{line} | {hint}" for line, hint in zip(failed, [*hints, ""], strict=False)]


def test_every_wire_of_the_shipped_station_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "simulated"]) == 0

    lines = capsys.readouterr().out.splitlines()
    model = load_station(find_station("simulated")).model
    wires = len(model.relay) + len(model.sense) + len(model.audio) + 3
    assert len(lines) == wires + 4 * len(model.phone) + 1
    assert all(line.endswith(" ok") for line in lines)
    assert "safe state reached and read back" in lines[-1]


@pytest.mark.parametrize(
    ("fault", "resource", "words"),
    [
        ("cut:relay:desk-1", "relay.keys1", "no acknowledgement"),
        ("cut:handset:desk-2", "phone.desk-2", "no dial tone at rack/1"),
        ("cut:cti", "pbx", "open the CTI session"),
        ("cut:http", "cloud", "POST /v1/session"),
        ("swap-keys:desk-3:1:2", "phone.desk-3", 'key "1": "2" is heard at rack/2'),
        ("stuck-key:desk-1:5", "phone.desk-1", 'key "5" is heard whatever is pressed'),
        ("bounce:desk-2:31", "phone.desk-2", "is heard 2 times at rack/1"),
    ],
)
def test_a_fault_is_found_and_its_wire_named(
    capsys: pytest.CaptureFixture[str], fault: str, resource: str, words: str
) -> None:
    code, failed = check(capsys, fault)

    assert code == 2
    assert any(resource in line and words in line for line in failed), failed


def test_other_phones_are_well_beside_a_broken_one(capsys: pytest.CaptureFixture[str]) -> None:
    _, failed = check(capsys, "swap-keys:desk-3:1:2")

    assert ["phone.desk-3" in line for line in failed] == [True]


def test_an_unknown_fault_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "--fault", "cut:everything"]) == 2
    shown = capsys.readouterr()
    assert "cut:everything" in shown.err
    assert "cut:cti" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_time_station_is_left_safe_when_its_terminal_stops_it(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C goes to the whole process group, the far end's process with it; the board must still answer."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "offhook.bench.cli", "check", "simulated", "--realtime"],
        env=os.environ | {"OFFHOOK_LOCKS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "hook relay clicks" in line:  # the phone is off hook now
                break
        os.killpg(process.pid, number)
        out, errors = process.communicate(timeout=LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()

    assert process.returncode == code, errors
    assert "safe state reached and read back" in errors + out
    assert "Traceback" not in errors
