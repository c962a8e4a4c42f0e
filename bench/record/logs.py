"""The two text logs of a run: relay commands as CSV, CTI messages as JSON lines."""

from __future__ import annotations

import bisect
import csv
import json
from pathlib import Path

from offhook.bench.record.schema import CTI_LOG, RELAY_LOG

RELAY_COLUMNS = ("acked_s", "sent_s", "board", "relay", "state")


class RelayLog:
    """``relays.csv``: one row for every command a board acknowledged. One that is there is gone on with."""

    def __init__(self, folder: Path) -> None:
        path = folder / RELAY_LOG
        self.line = path.read_bytes().count(b"\n") if path.exists() else 0
        self._file = path.open("a", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        if not self.line:
            self._rows.writerow(RELAY_COLUMNS)
            self._file.flush()
            self.line = 1

    def write(self, board: str, relay: int, closed: bool, sent_s: float, acked_s: float) -> int:
        """Add a row; returns its line, counted from 1 (the heading)."""
        self._rows.writerow((f"{acked_s:.6f}", f"{sent_s:.6f}", board, relay, "closed" if closed else "open"))
        self._file.flush()
        self.line += 1
        return self.line

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CtiLog:
    """``cti.log``: ``{"time_s", "direction", "name", "text"}`` a line. One that is there is gone on with."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / CTI_LOG).open("a", encoding="utf-8", newline="\n")

    def write(self, direction: str, time_s: float, raw: bytes, name: str) -> None:
        """Add a message as it crossed the wire; bytes that are no UTF-8 are kept as latin-1."""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        line = {"time_s": round(time_s, 6), "direction": direction, "name": name, "text": text}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def relay_line(lines: list[str], from_s: float, to_s: float) -> int | None:
    """The line (counted from 1) of the first command acknowledged within a time span; lines are in order of time."""

    def acked_s(line: str) -> float:
        return float(line.split(",", 1)[0])

    index = bisect.bisect_left(lines, from_s, lo=min(1, len(lines)), key=acked_s)
    return index + 1 if index < len(lines) and acked_s(lines[index]) <= to_s else None
