"""What a campaign has done so far, in a SQLite file: each piece of work is on disk before the next is asked for."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from offhook.bench.characterize import fingerprint
from offhook.drivers.errors import ConfigError

DATABASE = "results.sqlite"
Key = tuple[str, str, int]
"""Receiver, cell (a condition or a recording) and batch."""


class Results:
    """Finds by (receiver, its code, cell, batch)."""

    def __init__(self, folder: Path, campaign: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / DATABASE
        try:
            self.connection = sqlite3.connect(self.path)
        except sqlite3.Error as error:
            raise ConfigError(str(self.path), "open results", str(error), "use another folder") from None
        try:
            self.connection.execute("CREATE TABLE IF NOT EXISTS meta (campaign INTEGER NOT NULL)")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS done (receiver TEXT, code TEXT, cell TEXT, batch INTEGER, "
                "found TEXT NOT NULL, PRIMARY KEY (receiver, code, cell, batch)) WITHOUT ROWID"
            )
            known = self.connection.execute("SELECT campaign FROM meta").fetchone()
            if known is None:
                self.connection.execute("INSERT INTO meta VALUES (?)", (campaign,))
            elif known[0] != campaign:
                raise ConfigError(
                    str(folder), "resume", f"it holds campaign {known[0]}, not {campaign}", "use another folder"
                )
            self.connection.commit()
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise ConfigError(str(self.path), "open results", str(error), "use another folder") from None
        except ConfigError:
            self.connection.close()
            raise

    def get(self, key: Key) -> dict[str, Any] | None:
        """What is known of a piece of work, by the receiver's code as it is now."""
        row = self.connection.execute(
            "SELECT found FROM done WHERE receiver = ? AND code = ? AND cell = ? AND batch = ?", self._place(key)
        ).fetchone()
        return dict(json.loads(row[0])) if row else None

    def put(self, key: Key, found: dict[str, Any]) -> None:
        """Keep it."""
        text = json.dumps(found, sort_keys=True)
        self.connection.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", (*self._place(key), text))
        self.connection.commit()

    @staticmethod
    def _place(key: Key) -> tuple[str, str, str, int]:
        receiver, cell, batch = key
        return receiver, fingerprint.of(receiver), cell, batch

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
