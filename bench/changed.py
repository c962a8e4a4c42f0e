"""What is different between two runs, in words: what was tested, with what, by what limits."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is different between two runs, in words: what was tested, with what, by what limits."""
    found = _pairs("", then.get("dut"), now.get("dut"))
    found += _station_file(str(then.get("station_toml", "")), str(now.get("station_toml", "")))
    wires = [name for name, _ in _differing(then.get("wires"), now.get("wires"))]
    found += [f"other answers from {', '.join(wires[:4])}{' ...' if len(wires) > 4 else ''}"] if wires else []
    found += _pairs("", then.get("versions"), now.get("versions"))
    found += [name for name, _ in _differing(then.get("made_of"), now.get("made_of")) if name.startswith("suite ")]
    found += _pairs("limit ", then.get("limits"), now.get("limits"))
    for key in ("profile", "role", "region", "seed", "realtime", "faults", "machine"):
        found += _pairs("", {key: then.get(key)}, {key: now.get(key)})
    return found


def _pairs(prefix: str, then: Any, now: Any) -> list[str]:
    return [f"{prefix}{name} {change}" for name, change in _differing(then, now)]


def _differing(then: Any, now: Any) -> list[tuple[str, str]]:
    if not isinstance(then, dict) or not isinstance(now, dict):
        return []
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return [(name, f"{_word(then.get(name))} -> {_word(now.get(name))}") for name in names]


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _station_file(then: str, now: str) -> list[str]:
    if not then or not now or then == now:
        return []
    diff = difflib.unified_diff(then.splitlines(), now.splitlines(), n=0, lineterm="")
    changed = [line for line in diff if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    added = [line[1:].strip() for line in changed if line.startswith("+")]
    count = max(len(added), len(changed) - len(added))
    words = f"{count} {'line' if count == 1 else 'lines'}"
    return [f"station file ({words}: {added[0]})" if added else f"station file ({words} removed)"]
