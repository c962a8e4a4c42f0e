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


def shown(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    """The lines of the check, and the drawing."""
    text, _, drawing = capsys.readouterr().out.partition("\n\n")
    return text.splitlines(), drawing.splitlines()


def check(capsys: pytest.CaptureFixture[str], *faults: str) -> tuple[int, list[str]]:
    """Exit code, and the lines that failed."""
    words = [word for fault in faults for word in ("--fault", fault)]
    code = cli.execute(["check", "simulated", *words])
    lines, _ = shown(capsys)
    hints = [lines[number + 1].strip() for number, line in enumerate(lines[:-1]) if line.endswith("FAIL")]
    failed = [" ".join(line.split()) for line in lines if line.endswith("FAIL")]
    return code, [f"{line} | {hint}" for line, hint in zip(failed, [*hints, ""], strict=False)]


def test_every_wire_of_the_shipped_station_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "simulated"]) == 0

    lines, _ = shown(capsys)
    model = load_station(find_station("simulated")).model
    wires = len(model.relay) + len(model.sense) + len(model.audio) + 3
    phones = 5 * len(model.phone)  # extension, hook, handset, keys, ring
    phones += sum(bool(phone.lamp) for phone in model.phone.values())
    calls = sum(len(trunk.seized) for trunk in model.trunk.values()) + len(model.ivr) + 1  # and the tap
    assert len(lines) == wires + phones + calls + 2  # clock drift, safe state
    assert all(line.endswith(" ok") for line in lines)
    assert "not tried" not in " ".join(lines)
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
        ("cut:sense", "sense.arduino", "is StandardFirmata loaded, and the port right?"),
        ("cut:audio", "audio.rack", "is the far end still running?"),
        ("cut:cti", "pbx", "is its CTI service on, and our login right?"),
        ("cut:http", "cloud", "is the service running and the address right?"),
        ("cut:tap", "tap", "the tap saw nothing FAIL | is the tap in the cloud's link"),
        ("dead-hook-sensor:desk-1", "phone.desk-1", "is keys1/8 wired to the cradle switch, and arduino/3 to it?"),
        ("stuck-relay:desk-1", "phone.desk-1", "lift: relay set, hook sensor sees nothing"),
        ("welded-relay:desk-1", "phone.desk-1", "hang up: relay set, hook sensor sees nothing"),
        ("swapped-handsets:desk-1:desk-2", "phone.desk-1", "its dial tone is at rack/1, where the handset of desk-2"),
        ("low-level:40", "phone.desk-1", "is the handset's cable in that channel"),
        ("frozen-audio", "phone.desk-1", "listen: frames stand still since"),
        ("drifted-clock:2000", "audio.rack", "its clock is +2000 ppm off"),
        ("drifted-clock:2000", "audio.rack", "FAIL | is rate_hz"),
        ("dead-key:desk-1:5", "phone.desk-1", 'key "5": no tone is heard at rack/0'),
        ("one-way:desk-1", "phone.desk-1", "does anything of desk-1 reach the line?"),
        ("dead-ring-sensor:desk-2", "phone.desk-2", "is arduino/4 at the bell or lamp of desk-2?"),
        ("dead-bell:desk-3", "phone.desk-3", "is arduino/6 at the bell or lamp of desk-3?"),
        ("crossed-ring-sensor:desk-2", "phone.desk-1", "arduino/4 (ring of desk-2) sees it too"),
        ("dead-lamp:desk-1", "phone.desk-1", "is arduino/14 (red), arduino/15 (green) before the lamp of desk-1"),
        ("dead-lamp-sensor:desk-3", "phone.desk-3", "its lamp shows dark, not red FAIL | is arduino/16 (red) before"),
        (
            "wrong-lamp:desk-1:green",
            "phone.desk-1",
            "shows green, not red FAIL | are its colours exchanged? else lamps",
        ),
        ("stuck-lamp:desk-3", "phone.desk-3", "put down, its lamp shows red, not dark FAIL | is its lamp lit on hook?"),
        ("swapped-lamp-sensors:desk-1:desk-3", "phone.desk-1", "the light sensor of desk-3 saw it light"),
        ("dead-line-sensor", "trunk.co", "is a loop-current sensor at arduino/8, arduino/9, arduino/10?"),
        ("stuck-line-sensor", "trunk.co", "is the line released? else the sensor sticks"),
        ("no-trunk", "trunk.co", "did the call go out? dial it by hand, and look at outside_prefix"),
        ("cut:ivr", "ivr.1", "does it answer when called by hand, and are its taps plugged?"),
        ("dead-prompt", "ivr.1", "is rack/5 at what the service sends?"),
        ("swapped-ivr-taps", "ivr.2", "are its two taps exchanged?"),
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


def test_the_wiring_is_drawn_and_the_broken_wire_marked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "check.html"
    assert cli.execute(["check", "simulated", "--fault", "dead-ring-sensor:desk-2", "--html", str(page)]) == 2

    lines, drawing = shown(capsys)
    model = load_station(find_station("simulated")).model
    assert [line for line in drawing if line.endswith("FAIL")] == [
        "  |-- 4          ring sensor of desk-2".ljust(72) + " FAIL"
    ]
    for board in (*model.relay, *model.sense, *model.audio):
        assert sum(f".{board} " in line for line in drawing) == 1
    for name, phone in model.phone.items():  # hook, rows, columns, handset, two sensors, and those at its lamp
        assert sum(f" of {name}" in line for line in drawing) == 6 + len(phone.lamp)
    text = page.read_text("utf-8")
    assert text.count("<tr ") == sum(line.endswith((" ok", " FAIL")) for line in lines)
    assert text.count("<tr class=bad>") == 1
    assert "is arduino/4 at the bell or lamp of desk-2?" in text
    assert "ring sensor of desk-2" in text


def test_wires_that_were_not_tried_are_not_proven(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nobody may be called, so that ring sensors, outside lines and the taps of the voice service stay unknown."""
    head, _, rest = find_station("simulated").read_text("utf-8").partition("[dial]\n")
    file = tmp_path / "lab.toml"
    file.write_text(head + rest[rest.index("\n[") :])

    assert cli.execute(["check", str(file)]) == 3

    lines, drawing = shown(capsys)
    untried = [line for line in lines if line.endswith("not tried")]
    assert len(untried) == len(load_station(file).model.phone) + 1
    assert not any(line.endswith("FAIL") for line in lines)
    last = "not proven, as it was not tried: phone.desk-1, phone.desk-2, phone.desk-3, phone.desk-4, dial"
    assert drawing[-1] == last


def test_a_page_that_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.execute(["check", "simulated", "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "write the page" in capsys.readouterr().err


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
