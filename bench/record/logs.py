"""The two text logs of a run: relay commands as CSV, CTI messages as JSON lines."""

from __future__ import annotations

import bisect
import csv
import json
import math
import re
from array import array
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


class LogIndex:
    """When each line of a log is, and where: of a log that grows, what was read before is not read again.

    Lines are in order of time; one whose time cannot be read counts as that of the line before it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times = array("d")
        self._ends = array("q", [0])

    def first(self, from_s: float, to_s: float) -> int | None:
        """The number (counted from 1) of the first line within a time span."""
        first, last = self.span(from_s, to_s)
        return first + 1 if first < last else None

    def span(self, from_s: float, to_s: float) -> tuple[int, int]:
        """The lines within a time span: index of the first, and of the one after the last."""
        self._grow()
        first = bisect.bisect_left(self._times, from_s)
        return first, bisect.bisect_right(self._times, to_s, lo=first)

    def lines(self, first: int, last: int) -> list[str]:
        """Some lines by index."""
        if first >= last:
            return []
        with self._path.open("rb") as file:
            file.seek(self._ends[first])
            return file.read(self._ends[last] - self._ends[first]).decode("utf-8", errors="replace").splitlines()

    def _grow(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._ends[-1])
            for line in file:
                if line.endswith(b"\n"):  # else it is being written
                    self._times.append(_time_s(line, self._times[-1] if self._times else -math.inf))
                    self._ends.append(self._ends[-1] + len(line))


_CTI_TIME = re.compile(rb'\{"time_s": (-?[\d.e+-]+),')


def _time_s(line: bytes, otherwise: float) -> float:
    """The time at the head of a line of either log."""
    found = _CTI_TIME.match(line)
    try:
        return float(found[1] if found else line.split(b",", 1)[0])
    except ValueError:
        return otherwise
