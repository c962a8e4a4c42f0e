"""What differs between two runs in what was tested, by what, and by which limits."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from offhook.bench.record.judge import reach

NOT_COMPARED = {
    "run_id", "started_utc", "command", "ended", "exit_code", "station_toml", "planned", "recorded", "plan", "made_of",
    "cases_sha256", "schema_version", "guarded", "profile_sha256", "secrets", "parts", "resumed", "interruptions",
}  # fmt: skip
"""Keys of table meta that are the run's own, or that another key says better."""
FIRST = ("dut", "station", "role", "grade", "region", "profile", "limits", "deviations", "faults", "seed")


@dataclass(frozen=True, slots=True)
class Difference:
    """A thing that is not the same in both runs."""

    what: str
    before: str
    after: str


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Everything that differs, the device under test first."""
    a, b = _flat(before), _flat(after)
    keys = sorted({*a, *b}, key=lambda key: (_rank(key), key))
    return [Difference(key, a.get(key, "–"), b.get(key, "–")) for key in keys if a.get(key) != b.get(key)]


def _rank(key: str) -> int:
    head = key.partition(".")[0].partition(" ")[0]
    return FIRST.index(head) if head in FIRST else len(FIRST) + (head == "station")


def _flat(meta: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in meta.items():
        if key not in NOT_COMPARED:
            _spread(found, key, value)
    try:
        station = tomllib.loads(str(meta.get("station_toml") or ""))
    except tomllib.TOMLDecodeError:
        station = {}
    for key, value in station.items():
        if key not in ("dut", "name", "role", "region", "schema_version"):  # meta has them
            _spread(found, f"station file: {key}", value)
    return found


def _spread(found: dict[str, str], key: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _spread(found, f"{key}.{name}", item)
    elif value not in (None, [], ""):
        found[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def unlike(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Why two runs may not be compared as they stand: another station, other suites, another level, a run cut short."""
    said = []
    for key, words in (("station", "stations"), ("role", "roles"), ("only", "selections of tests")):
        if before.get(key) != after.get(key):
            said.append(f"different {words}: {before.get(key) or 'all'} against {after.get(key) or 'all'}")
    if reach(before) != reach(after):
        said.append(f"different levels in reach: {reach(before)} against {reach(after)}")
    mine, theirs = (set(meta.get("planned") or {}) for meta in (before, after))
    if mine != theirs:
        said.append(f"different suites: {_listed(mine)} against {_listed(theirs)}")
    if before.get("faults") != after.get("faults"):
        said.append("faults were set in one of them" if not (before.get("faults") and after.get("faults"))
                    else "different faults were set")  # fmt: skip
    for name, meta in (("the first", before), ("the second", after)):
        if meta.get("ended") != "completed":
            said.append(f"{name} run did not come to its end ({meta.get('ended') or 'killed'})")
        said += [f"{name} run was made in parts: {text}" for text in interruptions(meta.get("interruptions") or ())]
    return said


def interruptions(parts: Iterable[Any]) -> list[str]:
    """Each time a run was interrupted or killed and gone on with, in words."""
    return [
        f"{part.get('ended')} after {part.get('attempts')} attempts, gone on with {part.get('resumed_utc')}"
        for part in parts
        if isinstance(part, dict)
    ]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "unknown"
