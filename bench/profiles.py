"""Profiles: which limits and options a run is judged by. Two are built in; a file may deviate from either.

::

    schema_version = 1
    name     = "acme 2026"
    based_on = "certification"     # a built-in profile; smoke if left out

    [limits]                       # only those that differ; their names are those of Thresholds
    first_ring_s = 3.0

    [options]
    repeat = 300                   # how often each test is run, unless --repeat says otherwise
    rates  = true                  # claim rates: INCONCLUSIVE where n is too small for the claim
    suites = ["association"]       # only these, unless --suite says otherwise
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from offhook.bench.station_lines import key_lines
from offhook.bench.thresholds import CERTIFICATION, MOST, SMOKE, Deviation, Thresholds, deviations
from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import instead_of

BuiltIn = Literal["smoke", "certification"]
MAX_BYTES = 100_000
HINT = f"{', '.join(get_args(BuiltIn))}, or a path to a .toml file"


@dataclass(frozen=True)
class Profile:
    """Limits and options of a run, and how they deviate from the built-in profile they are based on."""

    name: str
    limits: Thresholds
    based_on: str
    repeat: int | None = None
    rates: bool | None = None
    suites: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    sha256: str = ""
    """Of the file; empty for a built-in profile."""

    def on_record(self) -> dict[str, Any]:
        """What a run says of its profile in table meta."""
        return {
            "profile": self.name,
            "profile_based_on": self.based_on,
            "profile_sha256": self.sha256,
            "limits": asdict(self.limits),
            "deviations": [asdict(one) for one in self.deviations],
        }

    def lines(self) -> list[str]:
        """The deviations for a person to read."""
        return [str(one) for one in self.deviations]


PROFILES = {
    "smoke": Profile("smoke", SMOKE, "smoke"),
    "certification": Profile("certification", CERTIFICATION, "certification", rates=True),
}


class ProfileError(ConfigError):
    """A profile with mistakes: the message has all of them, each with file, line and key."""

    def __init__(self, file: Path, mistakes: list[tuple[int, str]]) -> None:
        self.mistakes = sorted(mistakes)
        count = f"{len(mistakes)} mistake" + ("s" if len(mistakes) != 1 else "")
        super().__init__(str(file), "read profile", count)
        lines = [f"  {file}:{line}  {text}" for line, text in self.mistakes]
        self._text = "\n".join([f"{file}: {count} in this profile", *lines])

    def __str__(self) -> str:
        return self._text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Options(_Section):
    repeat: Annotated[int, Field(ge=1, le=10_000)] | None = None
    rates: bool | None = None
    suites: Annotated[list[str], Field(min_length=1)] | None = None


def _limits_model() -> type[_Section]:
    """A section with a number for every limit; shares are below one, times below an hour, others have limits too."""
    found: dict[str, Any] = {}
    for one in fields(Thresholds):
        most = MOST[str(one.metadata["unit"])]
        about = Field(
            gt=0.0, lt=most, allow_inf_nan=False, description=f"{one.metadata['req']}: {one.metadata['what']}"
        )
        found[one.name] = (Annotated[float | None, about], None)
    return create_model("Limits", __base__=_Section, **found)


if TYPE_CHECKING:
    _Limits = _Section  # its fields are those of Thresholds
else:
    _Limits = _limits_model()


class _File(_Section):
    schema_version: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    based_on: BuiltIn = "smoke"
    limits: _Limits = Field(default_factory=_Limits)
    options: _Options = Field(default_factory=_Options)


def load_profile(name_or_path: str | Path, known_suites: Collection[str] | None = None) -> Profile:
    """A built-in profile by name, or one from a file. Raises ConfigError; a ProfileError has every mistake.

    With ``known_suites`` one that names another suite is a mistake, too.
    """
    built_in = PROFILES.get(str(name_or_path))
    if built_in is not None:
        return built_in
    file = Path(name_or_path)
    if not file.is_file():
        hint = instead_of(str(name_or_path), PROFILES, HINT)
        raise ConfigError(f"profile {str(name_or_path)!r}", "find", "there is none", hint)
    return _read(file, known_suites)


def schema() -> str:
    """The JSON schema of profile files, for editors."""
    return json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **_File.model_json_schema()}, indent=2
    )


def _read(file: Path, known_suites: Collection[str] | None) -> Profile:
    try:
        raw = file.read_bytes()
        if len(raw) > MAX_BYTES:
            raise ConfigError(str(file), "read profile", f"{len(raw)} bytes are too many", "is it a profile?")
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(str(file), "read profile", error.strerror or str(error), HINT) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), "read profile", "not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(file), "read profile", f"not TOML: {error}", 'quotes around text: name = "acme"'
        ) from None
    return _checked(file, text, data, hashlib.sha256(raw).hexdigest(), known_suites)


def _checked(file: Path, text: str, data: dict[str, Any], sha256: str, known_suites: Collection[str] | None) -> Profile:
    mistakes: list[tuple[tuple[str | int, ...], str]] = []
    parsed: _File | None = None
    try:
        parsed = _File.model_validate(data)
    except ValidationError as error:
        mistakes = [
            _in_words(detail["loc"], detail["type"], detail["msg"], detail["input"]) for detail in error.errors()
        ]
    if known_suites is not None:
        mistakes += _unknown_suites(data, known_suites)
    if str(data.get("name")) in PROFILES:
        mistakes.append((("name",), f"name: {data['name']!r} is a built-in profile; call yours something else"))
    if parsed is not None:
        mistakes += _contradictions(parsed)
    if parsed is None or mistakes:
        lines = key_lines(text)
        raise ProfileError(file, [(_line_of(lines, key), words) for key, words in mistakes])
    base, options = PROFILES[parsed.based_on], parsed.options
    limits = _limits_of(parsed, base)
    rates = base.rates if options.rates is None else options.rates
    changed = deviations(limits, base.limits)
    if base.rates and not rates:
        changed.append(Deviation("", "rates", "rates are claimed", "", "yes", "no", "loosened"))
    if options.suites:
        changed.append(Deviation("", "suites", "suites", "", "all", ", ".join(options.suites), "changed"))
    return Profile(
        parsed.name, limits, parsed.based_on, options.repeat, rates, tuple(options.suites or ()), tuple(changed), sha256
    )


def _limits_of(parsed: _File, base: Profile) -> Thresholds:
    given = {key: value for key, value in parsed.limits.model_dump().items() if value is not None}
    return replace(base.limits, **given)


def _unknown_suites(data: dict[str, Any], known: Collection[str]) -> list[tuple[tuple[str | int, ...], str]]:
    options = data.get("options")
    suites = options.get("suites") if isinstance(options, dict) else None
    return [
        (("options", "suites", index), f"options.suites.{index}: no suite {name!r} (try: {instead_of(name, known)})")
        for index, name in enumerate(suites if isinstance(suites, list) else [])
        if isinstance(name, str) and name not in known
    ]


def _contradictions(parsed: _File) -> list[tuple[tuple[str | int, ...], str]]:
    limits = asdict(_limits_of(parsed, PROFILES[parsed.based_on]))
    found: list[tuple[tuple[str | int, ...], str]] = []
    for one in fields(Thresholds):
        other = one.name.replace("_min_", "_max_")
        if other != one.name and not limits[one.name] < limits[other]:
            low = f"{limits[one.name]:g} {one.metadata['unit']}"
            text = f"limits.{one.name}: {low} is not below {other}, {limits[other]:g} {one.metadata['unit']}"
            found.append((("limits", one.name), text))
    return found


def _in_words(key: tuple[int | str, ...], kind: str, message: str, given: Any) -> tuple[tuple[str | int, ...], str]:
    path = ".".join(map(str, key))
    if kind == "extra_forbidden":
        return key, f"{path}: unknown key (try: {instead_of(str(key[-1]), _known(key[:-1]))})"
    if kind == "missing":
        return key, f"{path}: missing (try: add {key[-1]} = ...)"
    return key, f"{path}: {given!r}: {message[:1].lower()}{message[1:]}"


def _known(section: tuple[int | str, ...]) -> list[str]:
    models: dict[tuple[int | str, ...], type[_Section]] = {(): _File, ("limits",): _Limits, ("options",): _Options}
    return list(models[section].model_fields) if section in models else []


def _line_of(lines: dict[tuple[str | int, ...], int], key: tuple[str | int, ...]) -> int:
    while key not in lines:
        key = key[:-1]
    return lines[key]
