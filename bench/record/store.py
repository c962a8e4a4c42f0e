"""The database of a run as it is written, and what happens when the disk can take no more.

A write that fails is not retried and not half done: from then on the run is lost (:attr:`Store.lost` says why), writes
are passed over, and whoever asks next gets :class:`RecordLost`. So the bench stops, and nothing that was not recorded
is taken for a result. A reserve of disk space, given up at that moment, lets the end of the run still be noted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from offhook.bench.record import schema
from offhook.drivers.errors import ConfigError, DeviceError

RESERVE = "reserve"
RESERVE_BYTES = 1 << 20
"""Room for some hundred rows and a page for each: the safe state, and how the run ended."""


class RecordLost(DeviceError):
    """What happens can no longer be written down, so it is no evidence."""


class Store:
    """``run.sqlite`` of a folder, being written; ``db`` for reading."""

    def __init__(self, folder: Path, *, again: bool = False) -> None:
        self.folder = folder
        self.lost = ""
        self.closing = False
        """True at the end of the run: what still fits is written, and what does not is nobody's fault any more."""
        self._reserve = folder / RESERVE
        try:
            _fill(self._reserve)
            self.db = sqlite3.connect(folder / schema.DATABASE, isolation_level=None, check_same_thread=False)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
            if not again:
                self.db.executescript(schema.TABLES)
                (folder / schema.AUDIO).mkdir()
        except (OSError, sqlite3.OperationalError) as error:
            self._reserve.unlink(missing_ok=True)
            raise ConfigError(str(folder), "start recording", _words(error), "free some space, or --out") from error

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor | None:
        """One write; None if nothing is written any more."""
        if self.lost and not self.closing:
            return None
        try:
            return self.db.execute(sql, values)
        except sqlite3.OperationalError as error:
            self._lose(error)
            return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around writes to other files of the folder."""
        try:
            yield
        except OSError as error:
            self._lose(error)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Many writes at once: all of them or none."""
        self.execute("BEGIN")
        yield
        if self.db.in_transaction:
            self.execute("COMMIT")

    def check(self) -> None:
        """Raise RecordLost if anything could not be written."""
        if self.lost and not self.closing:
            raise RecordLost(
                str(self.folder), "record", self.lost, f"free some space; offhook run --resume {self.folder}"
            )

    def last_words(self) -> None:
        """Write again what there is room for: the log of what is written already makes place."""
        self.closing = True
        if self.lost:
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give up the reserve, and leave one file without a log beside it, if there is room to."""
        self._reserve.unlink(missing_ok=True)
        self.closing = True
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.execute("PRAGMA journal_mode=DELETE")
        self.db.close()

    def _lose(self, error: Exception) -> None:
        self.lost = self.lost or _words(error)
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)


def _fill(file: Path) -> None:
    with file.open("wb") as reserved:
        os.posix_fallocate(reserved.fileno(), 0, RESERVE_BYTES)


def _words(error: Exception) -> str:
    """Why a write failed: of the system, where it is known."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    full = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
    return "no space left on device" if full else str(error)
