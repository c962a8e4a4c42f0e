"""Phones that are dead: after some failures in a row on its own wires a phone is left alone, and the others go on.

What counts is silence: no dial tone, no ring, a hook sensor that does not follow, a relay board that does not answer.
A phone that does the wrong thing is not dead, and goes on being tested. A quarantine ends with the run; one that shall
outlast it is set by hand (``offhook quarantine add``) and is in force until it is released.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench.phone import WireCut
from offhook.bench.station_model import PhoneModel, ref
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceTimeout
from offhook.drivers.nearest import nearest

LIMIT = 3
"""Failures in a row after which a phone is left alone."""
FILE = "quarantine.json"
SILENT = ("none", "nothing", "silence", "no ")


@dataclass
class Quarantine:
    """The phones of one run; ``out`` says why of each that is left alone. ``limit`` 0: none ever is."""

    phones: Mapping[str, PhoneModel]
    limit: int = LIMIT
    out: dict[str, str] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)

    def passed(self, phone: str) -> None:
        """A test with this phone passed: it lives."""
        self._failures.pop(phone, None)

    def failed(self, phone: str, error: BaseException) -> str:
        """A test with this phone failed; returns why the phone is left alone from now on, "" if it is not."""
        if not self.limit or phone in self.out or not self._is_dead(phone, error):
            return ""
        self._failures[phone] = self._failures.get(phone, 0) + 1
        if self._failures[phone] < self.limit:
            return ""
        last = re.sub(r" \(try: .*\)$", "", str(error).splitlines()[0])
        self.out[phone] = f"{self.limit} failures in a row on its own wires, the last: {last}"
        return self.out[phone]

    def _is_dead(self, phone: str, error: BaseException) -> bool:
        """True if nothing came over one of this phone's own wires."""
        model = self.phones.get(phone)
        while model is not None and error is not None:
            heard = getattr(error, "heard", None)
            silent = isinstance(error, WireCut | DeviceGone | DeviceTimeout)
            if (silent or (isinstance(heard, str) and heard.startswith(SILENT))) and _concerns(phone, model, error):
                return True
            if error.__cause__ is None:
                break
            error = error.__cause__
        return False


def _concerns(phone: str, model: PhoneModel, error: BaseException) -> bool:
    """True if an error names the phone, or a board that moves its contacts."""
    boards = {f"relay.{ref(contact).board}" for contact in _contacts(model)}
    named = {getattr(error, "resource", "")}
    return bool(boards & named) or bool(re.search(rf"(?<![\w-]){re.escape(phone)}(?![\w-])", str(error)))


def _contacts(model: PhoneModel) -> list[str]:
    return [model.hook.contact, *model.keypad.rows, *model.keypad.columns, *model.keypad.keys.values()]


# ---- set by hand, for later runs -----------------------------------------------------------------------------------


def by_hand(runs: Path, station: str) -> dict[str, str]:
    """The phones of a station that somebody has set aside for all runs kept in a folder, and why."""
    return {
        phone: f"set aside since {about['since_utc']}: {about['reason']}"
        for phone, about in _read(runs).get(station, {}).items()
    }


def everything(runs: Path) -> dict[str, dict[str, dict[str, str]]]:
    """By station and phone: since when, and why."""
    return _read(runs)


def add(runs: Path, station: str, phone: str, reason: str) -> None:
    """Set a phone aside until it is released."""
    content = _read(runs)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    content.setdefault(station, {})[phone] = {"since_utc": since, "reason": reason}
    _write(runs, content)


def release(runs: Path, station: str, phone: str) -> None:
    """Let a phone be tested again. Raises ConfigError if it was not set aside."""
    content = _read(runs)
    if phone not in content.get(station, {}):
        known = [f"{name} {one}" for name, phones in content.items() for one in phones]
        detail = f"it is not in quarantine in {runs} (there are: {', '.join(known) or 'none'})"
        raise ConfigError(f"{station} {phone}", "release", detail, nearest(f"{station} {phone}", known))
    del content[station][phone]
    _write(runs, {name: phones for name, phones in content.items() if phones})


def _read(runs: Path) -> dict[str, Any]:
    file = runs / FILE
    try:
        content = json.loads(file.read_text("utf-8"))
        if all(set(about) == {"since_utc", "reason"} for phones in content.values() for about in phones.values()):
            return dict(content)
        raise ValueError("not as offhook writes it")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(str(file), "read the quarantine", str(error), "repair or remove it") from None


def _write(runs: Path, content: dict[str, Any]) -> None:
    runs.mkdir(parents=True, exist_ok=True)
    part = runs / f"{FILE}.part"
    try:
        part.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")
        part.replace(runs / FILE)
    finally:
        part.unlink(missing_ok=True)
