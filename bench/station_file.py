"""Reading a station file: every mistake at once, each with file, line, key and what to try.

::

    loaded = load_station(find_station("simulated"))     # or a path
    loaded.model.relay["keys1"].channels
    loaded.where("relay", "keys1")                        # "simulated.toml:41"
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from offhook.bench.station_checks import cross_check, fill_secrets
from offhook.bench.station_lines import KeyPath, key_lines
from offhook.bench.station_mistakes import Mistake, StationError, in_words
from offhook.bench.station_model import StationModel
from offhook.drivers import registry
from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import instead_of

STATIONS, ENDS = "offhook.stations", "offhook.ends"
MAX_BYTES = 1_000_000
WHERE = "a path to a .toml file, or a name from: offhook stations"


@dataclass(frozen=True)
class Loaded:
    """A station file without a mistake."""

    file: Path
    text: str
    data: dict[str, Any]
    """The parsed file, with secrets filled in; it goes to the far end."""
    model: StationModel
    """The same, validated."""
    lines: dict[KeyPath, int] = field(repr=False)

    def where(self, *key: str | int) -> str:
        """``file:line`` of a key, or of what surrounds it."""
        return f"{self.file.name}:{_line_of(self.lines, key)}"


def stations() -> dict[str, EntryPoint]:
    """Installed stations by name, none of them loaded yet."""
    return _installed(STATIONS)


def ends() -> dict[str, EntryPoint]:
    """Installed far ends by name, none of them loaded yet."""
    return _installed(ENDS)


def find_station(name_or_path: str | Path) -> Path:
    """The file of a station given by name or path. Raises ConfigError, with the nearest known name."""
    given = Path(name_or_path)
    if given.is_file():
        return given
    if given.is_dir():
        raise ConfigError(str(given), "read station", "it is a folder", f"a station file in it: {given}/NAME.toml")
    if given.suffix == ".toml":
        raise ConfigError(str(given), "read station", "no such file", WHERE)
    known = stations()
    entry = known.get(str(name_or_path))
    if entry is None:
        hint = instead_of(str(name_or_path), known, f"one of {', '.join(known)}, or a path to a .toml file")
        raise ConfigError(str(name_or_path), "find station", "no station of that name", hint)
    try:
        return Path(entry.load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(entry.name, "find station", f"{entry.value}: {error}", "reinstall what brings it") from error


def load_station(file: Path) -> Loaded:
    """Read and check a station file. Raises ConfigError; a StationError has every mistake in the file."""
    text = _read(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StationError(str(file), [_not_toml(text, error)]) from None
    lines = key_lines(text)
    filled, mistakes = fill_secrets(data)
    model: StationModel | None = None
    try:
        model = StationModel.model_validate(filled)
    except ValidationError as error:
        mistakes += in_words(error.errors(include_url=False))
    mistakes += cross_check(data, registry.known(), list(ends()))
    if model is None or mistakes:
        raise StationError(str(file), [(_line_of(lines, mistake.key), mistake) for mistake in mistakes])
    return Loaded(file, text, filled, model, lines)


def schema() -> str:
    """The JSON schema of station files, for editors."""
    return json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **StationModel.model_json_schema()}, indent=2
    )


def _installed(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=group), key=lambda entry: entry.name)}


def _line_of(lines: dict[KeyPath, int], key: KeyPath) -> int:
    """Line of a key; of what surrounds it when the key is not there."""
    while key not in lines:
        key = key[:-1]
    return lines[key]


def _read(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(str(file), "read station", error.strerror or str(error), WHERE) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(str(file), "read station", f"{len(raw)} bytes are too many", "is it a station file?")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{file}:{line}", "read station", "not UTF-8 text", "save it as UTF-8") from None


def _not_toml(text: str, error: tomllib.TOMLDecodeError) -> tuple[int, Mistake]:
    place = re.search(r"\(at line (\d+)", str(error))
    line = int(place[1]) if place else text.count("\n") + 1
    wrong = re.sub(r" \(at .*\)$", "", str(error))
    return line, Mistake((), f"not TOML: {wrong}", 'quotes around text, as in name = "lab 3"')
