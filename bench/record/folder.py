"""A run's own folder: made once, never overwritten, sealed by its manifest; written to by one process at a time."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench.record import schema
from offhook.bench.record.guarded import GUARDIAN, guarded
from offhook.bench.record.reader import sha256
from offhook.drivers.errors import ConfigError

RENDERED = ("report.html", "report.pdf", "results.json", "junit.xml", "summary.txt")
"""What is made from a run folder after it was sealed; none of it is evidence."""


def write_manifest(folder: Path, leave_out: Collection[str] = ()) -> None:
    """Hash every file of the folder (SHA-256) into its manifest, but those that are named, and half-written ones."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    files = [path for path in files if path.name not in leave_out]
    digests = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    content = {"schema_version": schema.SCHEMA_VERSION, "algorithm": "SHA-256", "files": digests}
    part = folder / f"{schema.MANIFEST}.part"
    part.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    part.replace(folder / schema.MANIFEST)


def empty_folder(folder: Path) -> Path:
    """The folder, made if need be. Raises ConfigError if there is anything in it."""
    hint = "name a new folder; runs are never overwritten"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(str(folder), "start a run", "there is something in it", hint)
    except OSError as error:
        raise ConfigError(str(folder), "start a run", error.strerror or str(error), hint) from None
    return folder


def new_folder(runs: Path, started: datetime) -> Path:
    """``runs/2026-11-21_101208``, or with ``-2``, ``-3`` ... if that second is taken."""
    name = started.strftime("%Y-%m-%d_%H%M%S")
    for number in itertools.count(1):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ConfigError(str(runs), "make a run folder", error.strerror or str(error), "--out DIR") from None
        return folder
    raise AssertionError("unreachable")


def set_aside(folder: Path) -> dict[str, Any]:
    """Make a run's folder ready to be written again; returns what is to be remembered of the part it holds.

    The manifest is given up (its hash is remembered), what was rendered goes, and half a line at the end of a log, left
    by a kill, too. Only for who has claimed the folder.
    """
    part: dict[str, Any] = {"last_written_utc": _last_written(folder)}
    if (by_guardian := guarded(folder)) is not None:
        part["guardian"] = str(by_guardian)
        number = next(n for n in itertools.count(1) if not (folder / f"guardian-{n}.json").exists())
        (folder / GUARDIAN).rename(folder / f"guardian-{number}.json")
    manifest = folder / schema.MANIFEST
    if manifest.exists():
        part["manifest_sha256"] = sha256(manifest)
        manifest.unlink()
    for name in RENDERED:
        (folder / name).unlink(missing_ok=True)
    for log in (schema.CTI_LOG, schema.RELAY_LOG):
        _drop_half_a_line(folder / log)
    return part


def _last_written(folder: Path) -> str:
    names = (schema.DATABASE, f"{schema.DATABASE}-wal", schema.CTI_LOG, schema.RELAY_LOG)
    times = [(folder / name).stat().st_mtime for name in names if (folder / name).exists()]
    return datetime.fromtimestamp(max(times), UTC).isoformat(timespec="seconds")


def _drop_half_a_line(log: Path) -> None:
    if log.exists():
        content = log.read_bytes()
        os.truncate(log, content.rfind(b"\n") + 1)
