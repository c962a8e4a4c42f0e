"""What ``offhook summary`` answers: the newest run of each station, after what was to be one and cannot be read.

::

    unreadable runs/2026-11-28_220000: database disk image is malformed; restore it from a copy, or move it away
    run        runs/2026-11-27_220000: lab 3, run of 2026-11-27 22:00 UTC, 33 hours ago, 12 earlier runs beside it
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from offhook.bench import not_started
from offhook.bench.morning import NOTHING, Night, before, read, summary
from offhook.bench.record import open_run
from offhook.bench.record.claim import being_recorded
from offhook.bench.record.schema import DATABASE, MANIFEST
from offhook.drivers.errors import ConfigError

ORDER = (0, 3, 2, 1)
"""Exit codes, the worst last."""
SPOILT = (ConfigError, ValueError, LookupError, TypeError, OSError)
"""What a damaged run may raise on being read."""


def told(runs: Path, now: datetime) -> tuple[str, int]:
    """The whole answer, and the exit code.

    0: every station's newest run was good; 1: a FAIL; 2: a run broke off or could not start; 3: something was left
    open, not run, altered or cannot be read, or there is no run. Raises ConfigError if ``runs`` is itself a run that
    cannot be read.
    """
    if (runs / DATABASE).is_file():
        night = read(runs)
        return summary(night, before(night), now), night.exit_code
    nights, unread = look(runs)
    lines = [f"{'unreadable':<10} {folder}: {why}\n" for folder, why in unread]
    never = not_started.read(runs)
    lines += [f"{'no run':<10} {one}\n" for one in never]
    if not nights:
        lines.append(f"{'nothing':<10} {runs}: {NOTHING}; offhook run, or name the folder of the runs\n")
    text = "\n".join(["".join(lines)] * bool(lines) + [summary(night, before(night), now) for night in nights])
    codes = [night.exit_code for night in nights] + [3] * bool(unread or not nights) + [2] * bool(never)
    return text, max(codes, key=ORDER.index)


def look(runs: Path) -> tuple[list[Night], list[tuple[Path, str]]]:
    """The newest run of each station that can be read, and what cannot be read, with why."""
    stations: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    unread: dict[Path, str] = {}
    for folder in sorted({path.parent for name in (DATABASE, MANIFEST) for path in runs.glob(f"*/{name}")}):
        try:
            about = _about(folder)
            stations[str(about.get("station"))].append((str(about.get("started_utc", "")), folder))
        except SPOILT as error:
            unread[folder] = _why(folder, error)
    nights = []
    for found in stations.values():
        for _, folder in sorted(found, reverse=True):
            try:
                nights.append(read(folder))
            except SPOILT as error:
                unread[folder] = _why(folder, error)
                continue
            break
    nights.sort(key=lambda night: str(night.meta.get("started_utc", "")))
    return nights, sorted(unread.items())


def _about(folder: Path) -> dict[str, Any]:
    with open_run(folder) as evidence:
        return evidence.meta()


def _why(folder: Path, error: Exception) -> str:
    if being_recorded(folder):
        return "it is being recorded now"
    detail = error.detail if isinstance(error, ConfigError) else repr(error)
    return f"{detail}; restore it from a copy, or move it away"
