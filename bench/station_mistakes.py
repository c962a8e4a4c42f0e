"""Mistakes in a station file, in words: which line, which key, what is wrong, what to try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from offhook.bench.station_lines import KeyPath
from offhook.bench.station_model import StationModel
from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import nearest

UNKNOWN, MISSING = "unknown key", "missing"
_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "list_type": "a list in [ ]",
}


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a station file."""

    key: KeyPath
    wrong: str
    hint: str = ""

    def __str__(self) -> str:
        path = ".".join(str(part) for part in self.key)
        text = f"{path}: {self.wrong}" if path else self.wrong
        return f"{text} (try: {self.hint})" if self.hint else text


class StationError(ConfigError):
    """A station file with mistakes: ``mistakes`` has all of them, each with its line."""

    def __init__(self, file: str, mistakes: Iterable[tuple[int, Mistake]]) -> None:
        self.mistakes = sorted(mistakes, key=lambda pair: pair[0])
        count = f"{len(self.mistakes)} mistake" + ("s" if len(self.mistakes) != 1 else "")
        super().__init__(file, "read station", count)
        self._text = f"{file}: {count} in this station file\n" + "\n".join(
            f"  {file}:{line}  {mistake}" for line, mistake in self.mistakes
        )

    def __str__(self) -> str:
        return self._text


def in_words(details: Iterable[ErrorDetails]) -> list[Mistake]:
    """Our words for pydantic errors. A misspelt key is one mistake, not an unknown key and a missing one."""
    mistakes = [_in_words(detail) for detail in details]
    misspelt = {(*mistake.key[:-1], mistake.hint) for mistake in mistakes if mistake.wrong == UNKNOWN}
    return [mistake for mistake in mistakes if mistake.wrong != MISSING or mistake.key not in misspelt]


def _in_words(detail: ErrorDetails) -> Mistake:
    key = tuple(part for part in detail["loc"] if part != "[key]")
    kind, context, given = detail["type"], detail.get("ctx", {}), _shown(detail["input"])
    if kind == "extra_forbidden":
        return Mistake(key, UNKNOWN, _nearest(key))
    if kind == "missing":
        return Mistake(key, MISSING, f"add [{key[-1]}]" if _fields_at(key) else f"add {key[-1]} = ...")
    if kind.startswith("offhook_"):
        return Mistake(key, str(context["what"]), str(context["hint"]))
    if kind == "literal_error":
        return Mistake(key, f"{given} is not allowed", str(context["expected"]))
    if kind in ("model_type", "dict_type"):
        return Mistake(key, f"{given} where a table should be", f"[{'.'.join(map(str, key))}]")
    if kind in _TYPES:
        return Mistake(key, f"{given} is not {_TYPES[kind]}")
    return Mistake(key, f"{given} {detail['msg'].removeprefix('Input ')}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _nearest(key: KeyPath) -> str:
    """The known key most like an unknown one, here or in another section."""
    known = _fields_at(key[:-1])
    close = nearest(str(key[-1]), known)
    if close:
        return close
    if key[-1] in StationModel.model_fields:
        return f"[{key[-1]}], a section of its own"
    for section in StationModel.model_fields:
        if key[-1] in _fields_at((section,)):
            return f"[{section}], where {key[-1]} belongs"
        if key[-1] in _fields_at((section, "*")):
            return f"[{section}.NAME], where {key[-1]} belongs"
    return "one of " + ", ".join(known)


def _fields_at(key: KeyPath) -> list[str]:
    """Names that may stand at a place of the model; none where names are free."""
    place: Any = StationModel
    for part in key:
        if get_origin(place) is dict:
            place = get_args(place)[1]
        elif _is_model(place) and part in place.model_fields:
            annotation = place.model_fields[str(part)].annotation
            place = next((choice for choice in get_args(annotation) if _is_model(choice)), annotation)
            place = annotation if get_origin(annotation) is dict else place
        else:
            return []
    return list(place.model_fields) if _is_model(place) else []


def _is_model(place: Any) -> bool:
    return isinstance(place, type) and issubclass(place, BaseModel)
