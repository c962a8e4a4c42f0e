"""A run's own folder: made once, never overwritten, sealed by its manifest."""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from pathlib import Path

from offhook.bench.record import schema
from offhook.bench.record.reader import sha256
from offhook.drivers.errors import ConfigError


def write_manifest(folder: Path) -> None:
    """Hash every file of the folder (SHA-256) into its manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
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
