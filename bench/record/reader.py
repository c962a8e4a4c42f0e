"""Reading a run folder: rows, audio on the common clock, and whether each file is still what was sealed.

A sealed database is opened immutable. One that was left behind by a killed run is read from a private copy together
with its write-ahead log, so that looking at the evidence never changes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.bench.record import schema
from offhook.bench.record.audio import LONGEST_S, read_wav
from offhook.bench.record.claim import being_recorded
from offhook.bench.record.logs import LogIndex
from offhook.bench.record.schema import Attempt, Clip, Judgement, Observation, Step, Verdict
from offhook.bench.record.secrets import META, Secrets
from offhook.drivers.errors import ConfigError

Numbered = tuple[int, str]
"""A line of a log with its number, counted from 1."""
ESCAPED = re.compile(r"\\u00[2-7]")
"""An escape, in JSON, of a letter that needs none."""
LONGEST_CLIP_S = LONGEST_S + 60.0
MOST_OBSERVED = 20_000
"""Observations that are kept as they were read: those of a whole certification."""


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Evidence:
    """What one run left behind. ``manifest`` is None while it runs and for a run that was never sealed.

    ``live``: it was being recorded, by another process, when it was opened.
    """

    def __init__(
        self, folder: Path, db: sqlite3.Connection, manifest: dict[str, str] | None, *, live: bool = False
    ) -> None:
        self.folder = folder
        self.live = live
        self.manifest = manifest
        self._db = db
        self._db.row_factory = sqlite3.Row
        self._damage: dict[str, str] = {}
        self._fields: set[tuple[str, str]] = set()
        self._secrets: Secrets | None = None
        self._logs: dict[str, LogIndex] = {}
        self._sifted: dict[tuple[str, int, tuple[str, ...]], tuple[int, list[Numbered]]] = {}
        self._rows: dict[tuple[str, ...], tuple[int, int, list[int]]] = {}
        self._observed: dict[int, Observation] = {}

    @property
    def sealed(self) -> bool:
        """True if a manifest vouches for the files."""
        return self.manifest is not None

    @property
    def secrets(self) -> Secrets:
        """What the judgements of this run must not spell out."""
        if self._secrets is None:
            self._secrets = Secrets.read(self.meta().get(META))
        return self._secrets

    @secrets.setter
    def secrets(self, known: Secrets) -> None:
        self._secrets = known

    def texts(self) -> Iterator[str]:
        """Every text of every observation, as it is stored."""
        for row in self._db.execute("SELECT subject, wire, data FROM observation"):
            yield "\n".join(row)

    def heard_digits(self) -> Iterator[tuple[str, str]]:
        """Wire and data of every digit that was heard, wire by wire in order of time."""
        heard = "SELECT wire, data FROM observation WHERE kind = 'digit' ORDER BY wire, time_s, id"
        for row in self._db.execute(heard):
            yield row["wire"], row["data"]

    def meta(self) -> dict[str, Any]:
        """Table meta, values decoded."""
        return {row["key"]: json.loads(row["value"]) for row in self._db.execute("SELECT key, value FROM meta")}

    def attempts(self) -> list[Attempt]:
        """Every attempt, in the order they were made."""
        return [schema.attempt_row(row) for row in self._db.execute("SELECT * FROM attempt ORDER BY id")]

    def attempt(self, attempt: int) -> Attempt | None:
        """One attempt."""
        row = self._db.execute("SELECT * FROM attempt WHERE id = ?", (attempt,)).fetchone()
        return schema.attempt_row(row) if row else None

    def steps(self, attempt: int | None = None) -> list[Step]:
        """The steps of one attempt, or of all, in order of time."""
        return [schema.step_row(row) for row in self._select("step", attempt)]

    def observations(self, attempt: int | None = None) -> list[Observation]:
        """The observations of one attempt, or of all, in order of time."""
        return [self._observation(row) for row in self._select("observation", attempt)]

    def observations_between(self, kind: str, from_s: float, to_s: float) -> list[Observation]:
        """Observations of one kind within a time span, both ends included."""
        rows = self._db.execute(
            "SELECT * FROM observation WHERE kind = ? AND time_s BETWEEN ? AND ? ORDER BY time_s, id",
            (kind, from_s, to_s),
        )
        return [self._observation(row) for row in rows]

    def levels_at(self, kind: str, subject: str, time_s: float) -> list[Observation]:
        """The last observation of a kind and subject on each wire, up to a time."""
        rows = self._db.execute(
            "SELECT *, max(time_s) FROM observation WHERE kind = ? AND subject = ? AND time_s <= ? "
            "GROUP BY wire ORDER BY wire",
            (kind, subject, time_s),
        )
        return [schema.observation_row(row[:-1]) for row in rows]

    def lacks(self, kind: str, key: str) -> bool:
        """True if there are observations of a kind and none of them has a field."""
        if (kind, key) in self._fields:  # observations are only ever added
            return False
        some = False
        for (data,) in self._db.execute("SELECT data FROM observation WHERE kind = ?", (kind,)):
            some = True
            if key in json.loads(data):
                self._fields.add((kind, key))
                return False
        return some

    def observations_with(
        self,
        texts: Sequence[str],
        kinds: Collection[str] | None = None,
        from_s: float = -np.inf,
        to_s: float = np.inf,
    ) -> tuple[int, list[Observation]]:
        """How many observations of some kinds (None: of all) there are, and those of them that may hold a text.

        Left out are only those whose row cannot hold any of the texts, in whatever field.
        """
        names = [name for (name,) in self._db.execute("SELECT DISTINCT kind FROM observation")]
        names = [name for name in names if kinds is None or name in kinds]
        where = f"id > ? AND kind IN ({', '.join('?' * len(names))}) AND time_s BETWEEN ? AND ?"
        whole = from_s == -np.inf and to_s == np.inf
        key = (*texts, "in", *names)
        done, n, ids = self._rows.get(key, (0, 0, [])) if whole else (0, 0, [])
        newest = self._db.execute("SELECT ifnull(max(id), 0) AS id FROM observation").fetchone()["id"]
        values: list[Any] = [done, *names, from_s, to_s]
        n += self._db.execute(f"SELECT count(*) AS n FROM observation WHERE {where}", values).fetchone()["n"]
        if all(map(is_plain, texts)):
            places = [f"instr({column}, ?)" for column in ("data", "subject", "wire") for _ in texts]
            where = f"{where} AND (data GLOB '*\\u00[2-7]*' OR {' OR '.join(places)})"
            values += [*texts] * 3
        ids = ids + [row["id"] for row in self._db.execute(f"SELECT id FROM observation WHERE {where}", values)]
        if whole:  # it is asked for again when the run has grown
            self._rows[key] = (newest, n, ids)
        found = [seen for number in ids if (seen := self.observation(number)) is not None]
        return n, sorted(found, key=lambda seen: (seen.time_s, seen.id))

    def observation(self, observation: int) -> Observation | None:
        """One observation."""
        known = self._observed.get(observation)
        if known is not None:
            return known
        row = self._db.execute("SELECT * FROM observation WHERE id = ?", (observation,)).fetchone()
        return self._observation(row) if row else None

    def _observation(self, row: sqlite3.Row) -> Observation:
        """A row, read once: rows are added and never changed, and a rule asks for the same few again and again."""
        known = self._observed.get(row["id"])
        if known is None:
            if len(self._observed) >= MOST_OBSERVED:
                self._observed.clear()
            known = self._observed[row["id"]] = schema.observation_row(row)
        return known

    def latest_s(self) -> float:
        """The time of the last thing that was observed, or zero."""
        row = self._db.execute("SELECT max(time_s) AS t FROM observation").fetchone()
        return float(row["t"] or 0.0)

    def end_s(self) -> float:
        """The latest time that anything on record has: what was observed, attempts and audio."""
        ends = [one.ended_s or one.started_s for one in self.attempts()] + [clip.end_s for clip in self.clips()]
        return max([self.latest_s(), *ends])

    def judgements(self, attempt: int | None = None) -> list[Judgement]:
        """Judgements of one attempt, or all, as the run wrote them (:func:`offhook.bench.record.judge`: made anew)."""
        return [schema.judgement_row(row) for row in self._select("judgement", attempt, "id")]

    def judgements_over_all_or(self, verdicts: Collection[Verdict]) -> list[Judgement]:
        """Those of no attempt, and those of these verdicts, as the run wrote them."""
        marks = ", ".join("?" * len(verdicts))
        rows = self._db.execute(
            f"SELECT * FROM judgement WHERE attempt IS NULL OR verdict IN ({marks}) ORDER BY id", tuple(verdicts)
        )
        return [schema.judgement_row(row) for row in rows]

    def clips(self, wire: str | None = None, from_s: float = -np.inf, to_s: float = np.inf) -> list[Clip]:
        """The WAV files of a wire (or of all) that overlap a time span, in order of time."""
        rows = self._db.execute(
            "SELECT * FROM audio WHERE start_s BETWEEN ? AND ? AND wire = ifnull(?, wire) AND start_s < ? "
            "AND start_s + CAST(frames AS REAL) / rate_hz > ? ORDER BY start_s, file",
            (from_s - LONGEST_CLIP_S, to_s, wire, to_s, from_s),  # the first two for the index
        )
        return [schema.clip_row(row) for row in rows]

    def recorded(self) -> list[str]:
        """The wires that were being recorded, whether they made a sound or not."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'recorded'").fetchone()
        return list(json.loads(row["value"])) if row else []

    def samples(self, clip: Clip, from_s: float = -np.inf, to_s: float = np.inf) -> tuple[NDArray[np.int16], float]:
        """Frames of a clip within a time span, and the time of the first. Raises ValueError if they are gone."""
        if not (self.folder / clip.file).is_file():
            raise ValueError(f"{clip.file} is missing")
        start = 0 if from_s <= clip.start_s else round((from_s - clip.start_s) * clip.rate_hz)
        stop = clip.frames if to_s >= clip.end_s else round((to_s - clip.start_s) * clip.rate_hz)
        samples, rate_hz = read_wav(self.folder / clip.file, start, max(stop, start))
        if rate_hz != clip.rate_hz:
            raise ValueError(f"{clip.file} says {rate_hz} Hz, recorded were {clip.rate_hz} Hz")
        return samples, clip.start_s + start / clip.rate_hz

    def lines(self, name: str) -> list[str]:
        """The lines of a text file of the run; none if there is no such file."""
        path = self.folder / name
        return path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []

    def log(self, name: str) -> LogIndex:
        """One of the two logs, by time."""
        if name not in self._logs:
            self._logs[name] = LogIndex(self.folder / name)
        return self._logs[name]

    def log_lines_with(self, name: str, texts: Sequence[str], from_s: float, to_s: float) -> tuple[int, list[Numbered]]:
        """How many lines a log has within a time span, and those of them (by number) that may hold a text."""
        first, last = self.log(name).span(from_s, to_s)
        key = (name, first, tuple(texts))
        done, found = self._sifted.get(key, (first, []))
        if done > last:
            done, found = first, []
        lines = self.log(name).lines(done, last)
        found = found + [(number, line) for number, line in enumerate(lines, done + 1) if _may_hold(line, texts)]
        if first == 0:  # a search of the whole run is asked for again when the run has grown
            self._sifted[key] = (last, found)
        return last - first, found

    def damage(self, name: str) -> str:
        """Why a file cannot be trusted; empty if it can. Without a manifest only a missing file shows."""
        if self.manifest is None:
            return "" if (self.folder / name).exists() else f"{name} is missing"
        if name not in self._damage:
            self._damage[name] = self._compare(name, self.manifest)
        return self._damage[name]

    def _compare(self, name: str, manifest: dict[str, str]) -> str:
        path = self.folder / name
        if not path.exists():
            return f"{name} is missing"
        if name not in manifest:
            return f"{name} is not in the manifest"
        return "" if sha256(path) == manifest[name] else f"{name} is not what was sealed (SHA-256 differs)"

    def damages(self) -> list[str]:
        """Every file of the manifest that is missing or changed."""
        return [text for name in self.manifest or {} if (text := self.damage(name))]

    def _select(self, table: str, attempt: int | None, order: str = "time_s, id") -> Iterator[sqlite3.Row]:
        where, values = ("WHERE attempt = ?", (attempt,)) if attempt is not None else ("", ())
        return self._db.execute(f"SELECT * FROM {table} {where} ORDER BY {order}", values)


def _may_hold(line: str, texts: Sequence[str]) -> bool:
    """False only for a line of JSON that, as it is spelt, cannot hold any of the texts."""
    return any(text in line or not is_plain(text) for text in texts) or bool(ESCAPED.search(line))


def is_plain(text: str) -> bool:
    """True if JSON spells a text as it stands, unless it escapes letters that need no escape."""
    return text.isascii() and text.isprintable() and not set(text) & set('"\\/')


@contextmanager
def open_run(folder: Path | str) -> Iterator[Evidence]:
    """Open a run folder for reading, sealed or not. Raises ConfigError if it is not one."""
    folder = Path(folder)
    path = folder / schema.DATABASE
    if not path.is_file():
        raise ConfigError(str(folder), "open the run", f"there is no {schema.DATABASE}", "name a folder under runs/")
    live, manifest = being_recorded(folder), _manifest(folder)
    with tempfile.TemporaryDirectory(prefix="offhook-run-") as scratch:
        if not _is_closed(path):
            path = Path(shutil.copy(path, scratch))
            wal = folder / f"{schema.DATABASE}-wal"
            if wal.exists():
                shutil.copy(wal, scratch)
            db = sqlite3.connect(path)
        else:
            db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            yield _checked(Evidence(folder, db, manifest, live=live and manifest is None))
        except sqlite3.DatabaseError as error:
            raise ConfigError(
                str(folder / schema.DATABASE), "read the run", str(error), "restore it from a copy"
            ) from error
        finally:
            db.close()


def _checked(evidence: Evidence) -> Evidence:
    version = evidence.meta().get("schema_version")
    if version != schema.SCHEMA_VERSION:
        hint = f"this version reads schema {schema.SCHEMA_VERSION}"
        raise ConfigError(str(evidence.folder), "read the run", f"it has schema version {version}", hint)
    return evidence


def _is_closed(path: Path) -> bool:
    """True if the database needs no write-ahead log (bytes 18 and 19 of its header: 1 = rollback journal)."""
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\x01\x01"


def _manifest(folder: Path) -> dict[str, str] | None:
    path = folder / schema.MANIFEST
    if not path.exists():
        return None
    try:
        files = json.loads(path.read_text("utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        detail = (
            f"it is not JSON: {error}" if isinstance(error, ValueError) else 'it has no "files" as a run writes them'
        )
        raise ConfigError(str(path), "read the manifest", detail, "restore it from a copy") from error
