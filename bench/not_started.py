"""Runs that could not begin: a station that was not reached leaves no run folder, but a note beside those of its runs.

Else the morning would only know of the last night that went well. The note goes when the station is opened again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FILE = "not-started.json"
LONGEST = 300


def note(runs: Path, station: str, error: Exception) -> None:
    """Say why a run of a station did not begin. Without a folder of runs, or room for it, nothing is noted."""
    known = _known(runs)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    known[station] = {"when_utc": when, "why": " ".join(str(error).split())[:LONGEST]}
    _write(runs, known)


def clear(runs: Path, station: str) -> None:
    """The station was opened: what was noted of it is over."""
    known = _known(runs)
    if known.pop(station, None) is not None:
        _write(runs, known)


def read(runs: Path) -> list[str]:
    """A line for each station whose last run did not begin."""
    known = sorted(_known(runs).items())
    return [f"{name} could not begin at {one.get('when_utc')}: {one.get('why')}" for name, one in known]


def _known(runs: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads((runs / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _write(runs: Path, known: dict[str, dict[str, str]]) -> None:
    with suppress(OSError):
        if not known:
            (runs / FILE).unlink(missing_ok=True)
        elif runs.is_dir():
            (runs / FILE).write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
