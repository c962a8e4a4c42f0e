import errno
import io
import json
import os
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import click
import pytest

from offhook.bench import cli
from offhook.bench.signals import Terminated
from offhook.drivers.errors import DeviceGone


def added(monkeypatch: pytest.MonkeyPatch, name: str, command: Any) -> None:
    """A command of another package, as its entry point would bring it."""
    module = types.ModuleType("somebody_elses")
    module.command = click.command(name)(command)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "somebody_elses", module)
    entry = types.SimpleNamespace(name=name, value="somebody_elses:command", module="somebody_elses")
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry])


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["--help"]) == 0

    shown = capsys.readouterr().out
    listed = {line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line.startswith("  ")}
    assert listed >= {"run", "check", "report", "stations", "schema", "dtmf", "cloud"}


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run", "--seed", "x"], ["run", "--repeat", "0"], ["report"]])
def test_bad_arguments_are_bad_input(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(arguments) == 2
    assert "Error:" in capsys.readouterr().err


def test_an_error_on_purpose_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise DeviceGone("relay.keys", "open", "no such port", "is it plugged in?")

    added(monkeypatch, "fail", fail)

    assert cli.execute(["fail"]) == 2
    shown = capsys.readouterr()
    assert shown.err == "offhook: relay.keys: open: no such port (try: is it plugged in?)\n"
    assert shown.out == ""


def test_a_mistake_of_ours_shows_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("oops")

    added(monkeypatch, "fail", fail)

    assert cli.execute(["fail"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_path_the_system_refuses_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A folder where a page should go; and the name that was asked for, not that of the part."""
    (tmp_path / "part").write_text("")
    added(monkeypatch, "page", lambda: (tmp_path / "part").replace(tmp_path))

    assert cli.execute(["page"]) == 2
    assert capsys.readouterr().err.startswith(f"offhook: {tmp_path}: open or write: ")


def test_an_error_of_the_system_without_a_path_is_a_mistake_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(22, "Invalid argument")

    added(monkeypatch, "fail", fail)

    assert cli.execute(["fail"]) == 70


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_mistake_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, number: int
) -> None:
    """The system says so of a write, which names no file."""

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(number, os.strerror(number))

    def opened(self: Path, *arguments: Any, **options: Any) -> Full:
        return Full()

    def save() -> None:
        monkeypatch.setattr(Path, "open", opened)
        monkeypatch.setattr(io, "open", opened)
        (tmp_path / "page.html").write_text("much")

    added(monkeypatch, "save", save)
    code = cli.execute(["save"])
    monkeypatch.undo()

    shown = capsys.readouterr().err
    assert code == 2
    assert shown == (
        f"offhook: {tmp_path / 'page.html'}: write: {os.strerror(number)} (try: free some space, then do it again)\n"
    )


def test_a_full_disk_behind_standard_output_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        def write(text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(sys.stdout, "write", write)
        click.echo("much")

    added(monkeypatch, "fail", fail)

    code = cli.execute(["fail"])
    monkeypatch.undo()
    assert code == 2
    assert capsys.readouterr().err.startswith("offhook: standard output: write: No space left on device (try: ")


def interrupt() -> None:
    raise KeyboardInterrupt


def terminate() -> None:
    raise Terminated(15)


@pytest.mark.parametrize(("end", "words"), [(interrupt, "interrupted"), (terminate, "told to end by SIGTERM")])
def test_an_interrupted_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: Any, words: str
) -> None:
    added(monkeypatch, "stop", end)

    code = cli.execute(["stop"])

    assert code == (143 if end is terminate else 130)
    assert f"offhook: {words}" in capsys.readouterr().err


def test_the_exit_code_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    added(monkeypatch, "three", lambda: 3)

    assert cli.execute(["three"]) == 3


def test_run_passes_its_options_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def run_station(station: str, **options: Any) -> int:
        asked.append((station, options))
        return 1

    fake = types.ModuleType("offhook.bench.run")
    fake.run_station = run_station  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "offhook.bench.run", fake)
    words = f"run lab3.toml --suite assoc --suite lock --only desk-1 --realtime --out {tmp_path} --seed 7"
    words += " --fault cut:cti --repeat 20 --no-rates --profile certification --quarantine 5 --jobs 4"

    assert cli.execute(words.split()) == 1
    assert cli.execute(["run"]) == 1

    given = {
        "suites": ("assoc", "lock"),
        "only": "desk-1",
        "realtime": True,
        "out": tmp_path,
        "seed": 7,
        "faults": ("cut:cti",),
        "repeat": 20,
        "rates": False,
        "profile": "certification",
        "quarantine": 5,
        "jobs": 4,
    }
    default = {"suites": (), "only": "", "realtime": False, "out": None, "seed": 1, "faults": (), "repeat": None}
    default |= {"rates": None, "profile": "smoke", "quarantine": 3, "jobs": 1}
    assert asked == [("lab3.toml", given), ("simulated", default)]


@pytest.mark.parametrize("only", ["", " "])
def test_an_empty_expression_does_not_run_everything(capsys: pytest.CaptureFixture[str], only: str) -> None:
    assert cli.execute(["run", "--only", only]) == 2
    assert "leave it out to run everything" in capsys.readouterr().err


def test_report_names_the_files_it_made_and_says_the_verdict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The golden run holds a FAIL: a report of it must not look like a success in a script."""
    folder = tmp_path / "run"
    shutil.copytree(Path(__file__).parents[2] / "golden" / "run-v1", folder)

    assert cli.execute(["report", str(folder)]) == 1

    said = capfd.readouterr()
    assert {Path(line).name for line in said.out.split()} == {"results.json", "junit.xml", "report.pdf", "report.html"}
    assert "NOT VERIFIED" in said.err
    assert "FAIL 1" in said.err


def test_an_unknown_station_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "simulatd"]) == 2
    assert capsys.readouterr().err == ("offhook: simulatd: find station: no station of that name (try: simulated)\n")


def test_a_folder_is_no_station_and_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab.toml").mkdir()

    assert cli.execute(["check", str(tmp_path / "lab.toml")]) == 2
    assert "read station: it is a folder (try: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"), [("{", "it is not JSON: "), ("{}", 'it has no "files"'), ("[]", "it has no ")]
)
def test_a_broken_manifest_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(Path(__file__).parents[2] / "golden" / "run-v1", folder)
    (folder / "manifest.json").write_text(text)

    assert cli.execute(["report", str(folder)]) == 2
    shown = capsys.readouterr().err
    assert f"manifest.json: read the manifest: {words}" in shown
    assert "Error(" not in shown


def test_a_broken_station_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('schema_version = 1\nnme = "lab"\n')

    assert cli.execute(["check", str(file)]) == 2
    shown = capsys.readouterr().err
    assert f"{file}:2  nme: unknown key (try: name)" in shown
    assert "Traceback" not in shown


def test_stations_and_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["stations"]) == 0
    assert "simulated    R1  4 phones" in capsys.readouterr().out

    assert cli.execute(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "StationModel"
