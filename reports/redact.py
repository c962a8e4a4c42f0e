"""What leaves the lab: which numbers and names of a station become pseudonyms, the same ones in every file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

PROFILES = {"lab": frozenset({"codes"}), "vendor": frozenset({"codes", "numbers", "names"})}
"""What is taken out. Codes: what was keyed as a local code, as text and as audio. Numbers and names: as text."""
_PLAYABLE = re.compile(r"(data:audio/wav;base64,[A-Za-z0-9+/=]+|<style>.*?</style>|<[^>]*>)", re.DOTALL)
_SPOKEN = re.compile(r'((?:aria-label|title|id|href)=")([^"]*)(")')


class Redaction:
    """Replaces numbers and names in texts; ``what`` says which."""

    def __init__(self, meta: dict[str, Any], what: frozenset[str]) -> None:
        self.what = what
        try:
            station = tomllib.loads(str(meta.get("station_toml") or ""))
        except tomllib.TOMLDecodeError:
            station = {}
        pairs = _numbers(station) if "numbers" in what else {}
        names = _names(station) if "names" in what else {}
        self.known = {**pairs, **names}
        self._replace = [_number(text, stand_in) for text, stand_in in pairs.items()]
        self._replace += [_name(text, stand_in) for text, stand_in in names.items()]

    def text(self, text: str) -> str:
        """A text of the run, redacted."""
        for replace in self._replace:
            text = replace(text)
        return text

    def data(self, value: Any) -> Any:
        """The same for every text in lists and objects; their keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.data(item) for key, item in value.items()}
        return [self.data(item) for item in value] if isinstance(value, list | tuple) else value

    def page(self, html: str) -> str:
        """A page: what a reader sees or hears read out, and no coordinate, style or audio."""
        parts = _PLAYABLE.split(html)
        for at, part in enumerate(parts):
            if not part.startswith(("<style", "data:")):
                parts[at] = _SPOKEN.sub(self._in_attribute, part) if part.startswith("<") else self.text(part)
        return "".join(parts)

    def _in_attribute(self, found: re.Match[str]) -> str:
        return found[1] + self.text(found[2]) + found[3]


def _number(number: str, stand_in: str) -> Callable[[str], str]:
    """A number as it stands, or as it is dialled: with 0, 00 or + before it, with digits keyed after it."""
    pattern = re.compile(rf"(?<![\d.])(?:\+|00|0)?{re.escape(number)}(?!\d|\.\d)")
    return lambda text: pattern.sub(stand_in, text)


def _name(name: str, stand_in: str) -> Callable[[str], str]:
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return lambda text: pattern.sub(stand_in, text)


def _numbers(station: dict[str, Any]) -> dict[str, str]:
    """Numbers of the station without their prefix, each with what stands for it; longer ones first."""
    found: dict[str, str] = {}
    for section in _sections(station, "phone"):
        _note(found, section.get("extension"), "extension")
        _note(found, section.get("ddi"), "direct-number")
    for section in _sections(station, "ivr"):
        _note(found, section.get("number"), "ivr-number")
    for number in (station.get("dial") or {}).get("allow", []):
        if not any(known in number for known in found):
            _note(found, number, "number")
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _names(station: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    cloud = station.get("cloud") or {}
    for section in _sections(station, "phone"):
        _note(found, section.get("name"), "person", plain=False)
    for name in (cloud.get("names") or {}).values():
        _note(found, name, "person", plain=False)
    for name in cloud.get("accounts") or {}:
        _note(found, name, "account", plain=False)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _sections(station: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [section for section in (station.get(kind) or {}).values() if isinstance(section, dict)]


def _note(found: dict[str, str], value: Any, kind: str, *, plain: bool = True) -> None:
    """Give a value the next stand-in of its kind; numbers (``plain``) without what is dialled before them."""
    if not isinstance(value, str) or not value:
        return
    text = re.sub(r"^(?:\+|00|0)", "", value) if plain else value
    if len(text) > 1 and (not plain or text.isdigit()):
        found.setdefault(text, f"{kind}-{1 + sum(name.startswith(kind) for name in found.values())}")
