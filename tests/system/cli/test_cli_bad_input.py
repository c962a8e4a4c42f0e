"""Bad input on the command line: one clear message, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from rig_standin import STATION

from offhook.bench import cli
from offhook.bench.locks import hold


@pytest.fixture(autouse=True)
def _own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("ALICE", "secret")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nobody() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def lab(tmp_path: Path, nobody: str) -> Path:
    """The small station on real wires, none of which leads anywhere."""
    text = STATION.replace('[world]\nend = "standin"\n', "").replace('"pw"', '"env:ALICE"')
    text = text.replace("end://cloud", f"http://{nobody}")
    for number, name in enumerate(["cti-tap", "cti", "rack", "sense"]):
        text = text.replace(f"end://{name}", f"tcp://127.0.0.{2 + number}:{nobody.rpartition(':')[2]}")
    for name in ("one", "two"):
        text = text.replace(f"end://{name}", f"/dev/serial/by-id/usb-nobody-{name}")
    file = tmp_path / "lab.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("command", ["run", "check"])
def test_unreachable_hardware_is_named_wire_by_wire(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    before = set(tmp_path.iterdir()) | {tmp_path / "locks"}

    assert cli.execute([command, str(lab)]) == 2

    shown = capsys.readouterr()
    for resource in ("relay.one", "relay.two", "sense.arduino", "audio.rack", "tap", "pbx", "cloud"):
        assert resource in (shown.err if command == "run" else shown.out)
    assert "Traceback" not in shown.err
    assert set(tmp_path.iterdir()) <= before, "a run folder of a run that never was"


def test_a_busy_port_is_refused_before_anything_is_opened(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hold(["/dev/serial/by-id/usb-nobody-two"], "the night run of lab 3"):
        assert cli.execute(["run", str(lab)]) == 2

    shown = capsys.readouterr().err
    assert "usb-nobody-two: lock: held by pid" in shown
    assert "for the night run of lab 3 since" in shown
    assert "do not answer" not in shown


def test_a_lab_that_was_refused_can_be_used_at_once(lab: Path) -> None:
    assert cli.execute(["run", str(lab)]) == 2

    with hold(["station small", "/dev/serial/by-id/usb-nobody-one"], "the next"):
        pass


def test_a_file_that_is_no_station(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in (("empty.toml", b""), ("noise.toml", bytes(range(256))), ("list.toml", b"[[relay]]\n")):
        (tmp_path / name).write_bytes(content)

        assert cli.execute(["run", name]) == 2

        shown = capsys.readouterr().err
        assert shown.startswith(f"offhook: {name}")
        assert "Traceback" not in shown
