"""``offhook new station``: the file it writes is right as it stands, and shows everything a station file may say."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from offhook.bench import cli
from offhook.bench.numbers import DialRule
from offhook.bench.station_file import load_station
from offhook.bench.station_mistakes import StationError
from offhook.bench.station_model import StationModel
from offhook.bench.station_new import missing_options, options_of, station_text
from offhook.bench.station_wires import Hook, Instrument, Keypad
from offhook.bench.suites.test_lock import OUTSIDE
from offhook.drivers import registry

LONGEST = 120
EXCLUSIVE = (
    "has it already",
    "takes no",
    "needs either link or device",
    "in a file",
    "sound card",
    "driver pipe has no",
)
"""What is said of an option that is right, and does not go with what stands beside it."""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "lab 7.toml"
    assert cli.execute(["new", "station", "lab 7", "-o", str(file)]) == 0
    return file


def test_it_is_valid_as_it_stands(written: Path) -> None:
    model = load_station(written).model
    assert model.name == "lab 7"
    assert len(model.phone) == 2
    assert model.world is not None


def test_it_allows_every_number_that_the_suites_dial(written: Path) -> None:
    model = load_station(written).model
    rule = DialRule(model.name, model.dial.allow)
    for number in (OUTSIDE, *(phone.extension for phone in model.phone.values())):
        assert rule.check(number) == number


def test_every_section_and_key_of_the_schema_stands_in_it(written: Path) -> None:
    text = written.read_text("utf-8")
    assert missing_options(text) == {}
    shown = options_of(text)
    for name, field in StationModel.model_fields.items():
        assert name in shown or name in shown[""], name
        assert field is not None
    for model, prefix, section in (
        (Hook, "hook", "phone"),
        (Keypad, "keypad", "phone"),
        (Instrument, "", "instrument"),
    ):
        for key in model.model_fields:
            assert (f"{prefix}.{key}" if prefix else key) in shown[section], key


def test_every_driver_is_named_in_it(written: Path) -> None:
    text = written.read_text("utf-8")
    for name in registry.known():
        kind, _, driver = name.partition(".")
        assert re.search(rf"\b{re.escape(driver)}\b", text), f"{kind}: {driver}"


def test_every_line_says_what_it_is_and_fits(written: Path) -> None:
    text = written.read_text("utf-8")
    assert max(map(len, text.splitlines())) <= LONGEST


def _commented() -> list[str]:
    text = station_text("lab", "lab.toml")
    return [line for line in text.splitlines() if re.match(r"#\w+ *= (?!\.\.\.)", line)]


@pytest.mark.parametrize("line", _commented())
def test_an_option_may_be_commented_in(line: str, tmp_path: Path) -> None:
    """Alone it is valid TOML, no unknown key, and at most at odds with what stands beside it."""
    lines = station_text("lab", "lab.toml").splitlines()
    at = lines.index(line)
    start = max(number for number in range(at) if lines[number].lstrip("#").startswith("["))
    section = lines[start]
    for number in range(start, ([*lines, ""].index("", at))):
        if section.startswith("#"):
            lines[number] = lines[number].removeprefix("#")
        elif re.match(rf"{line[1:].split()[0]} *= ", lines[number]):
            lines[number] = ""
    lines[at] = line[1:]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    file = tmp_path / "lab.toml"
    file.write_text(text, "utf-8")
    try:
        load_station(file)
    except StationError as error:
        wrong = [mistake.wrong for _, mistake in error.mistakes]
        assert all("unknown" not in each and "is not" not in each for each in wrong), (section, wrong)


def test_a_file_that_is_there_is_not_written_over(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written.write_text("mine", "utf-8")
    assert cli.execute(["new", "station", "x", "-o", str(written)]) == 2
    assert "there is such a file already" in capsys.readouterr().err
    assert written.read_text("utf-8") == "mine"
    assert cli.execute(["new", "station", "x", "-o", str(written), "--force"]) == 0
    assert load_station(written).model.name == "x"


@pytest.mark.parametrize(
    ("given", "file", "name"),
    [("x.toml", "x.toml", "x"), ("lab 3", "lab 3.toml", "lab 3"), ("v1.2", "v1.2.toml", "v1.2")],
)
def test_the_file_is_named_as_it_was_meant_and_can_be_pasted(
    given: str,
    file: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["new", "station", given]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert tomllib.loads((tmp_path / file).read_text("utf-8"))["name"] == name
    assert shlex.split(capsys.readouterr().out)[-3:] == ["offhook", "check", file]


@pytest.mark.parametrize("name", ["", " ", 'a"b', "a\\b"])
def test_what_is_no_name_of_a_station_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["new", "station", name]) == 2
    assert "no name of a station" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_to_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.execute(["new", "station", "lab", "-o", "-"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["name"] == "lab"


def test_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.execute(["new", "station", "lab", "-o", str(tmp_path / "no" / "lab.toml")]) == 2
    assert "write station" in capsys.readouterr().err


def test_a_key_that_the_text_forgot_is_added_by_itself() -> None:
    text = "[dut]\nvendor = 1\n\n[pbx]\n"
    assert ("model", "") in missing_options(text)["dut"]
    assert {key for key, _ in missing_options(text)["pbx"]} == set(
        StationModel.model_fields["pbx"].annotation.__args__[0].model_fields
    )  # type: ignore[union-attr]
