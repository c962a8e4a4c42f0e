"""What a run folder holds: the tables of ``run.sqlite`` and one dataclass per row.

Times are seconds on the run's common clock; every ``u`` is an expanded uncertainty (k=2) in the unit of its figure.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1
DATABASE = "run.sqlite"
MANIFEST = "manifest.json"
CTI_LOG = "cti.log"
RELAY_LOG = "relays.csv"
AUDIO = "audio"
CUT_SHORT = "cut short: "
"""How the message of an attempt begins during which the run was stopped or killed; it is NOT_RUN."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY, nodeid TEXT NOT NULL, title TEXT NOT NULL, suite TEXT NOT NULL, reqs TEXT NOT NULL,
    started_s REAL NOT NULL, ended_s REAL, raised TEXT, required INTEGER NOT NULL DEFAULT 1, outcome TEXT,
    message TEXT NOT NULL DEFAULT '');
CREATE TABLE step (
    id INTEGER PRIMARY KEY, attempt INTEGER, flow TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
    time_s REAL NOT NULL, u_s REAL NOT NULL, cause INTEGER, effect INTEGER);
CREATE TABLE observation (
    id INTEGER PRIMARY KEY, attempt INTEGER, time_s REAL NOT NULL, u_s REAL NOT NULL, probe TEXT NOT NULL,
    wire TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX observation_time ON observation (kind, time_s);
CREATE TABLE audio (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, wire TEXT NOT NULL, start_s REAL NOT NULL,
    rate_hz INTEGER NOT NULL, frames INTEGER NOT NULL);
CREATE INDEX step_attempt ON step (attempt);
CREATE INDEX observation_attempt ON observation (attempt);
CREATE INDEX audio_start ON audio (start_s);
CREATE TABLE judgement (
    id INTEGER PRIMARY KEY, attempt INTEGER, req TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL,
    spec TEXT NOT NULL, unit TEXT NOT NULL, figure REAL, limit_low REAL, limit_high REAL, u REAL, n INTEGER,
    verdict TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL);
CREATE INDEX judgement_attempt ON judgement (attempt);
"""


class Verdict(StrEnum):
    """What a judgement, an attempt or a run came to."""

    PASS = "PASS"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NOT_RUN = "NOT_RUN"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one test. ``raised`` is what pytest alone says of it; None while it runs.

    ``required`` is False for a test skipped because the station has no such hardware: its NOT_RUN costs nothing.
    """

    id: int
    nodeid: str
    title: str
    suite: str
    reqs: tuple[str, ...]
    started_s: float
    ended_s: float | None
    raised: Verdict | None
    required: bool
    outcome: Verdict | None
    message: str

    @property
    def cut_short(self) -> bool:
        """True if the run was stopped or killed in the middle of it."""
        return self.message.startswith(CUT_SHORT)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow; ``cause`` and ``effect`` are observation ids."""

    id: int
    attempt: int | None
    flow: str
    name: str
    title: str
    time_s: float
    u_s: float
    cause: int | None
    effect: int | None


@dataclass(frozen=True, slots=True)
class Observation:
    """Something a probe saw, with the uncertainty of its time."""

    id: int
    attempt: int | None
    time_s: float
    u_s: float
    probe: str
    wire: str
    kind: str
    subject: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clip:
    """One WAV file: ``file`` relative to the run folder, mono, int16, full scale +3.14 dBm0."""

    id: int
    file: str
    wire: str
    start_s: float
    rate_hz: int
    frames: int

    @property
    def end_s(self) -> float:
        """When its last frame was on the wire."""
        return self.start_s + self.frames / self.rate_hz


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule over the evidence and what it came to. ``evidence`` names files with the second to listen at."""

    id: int
    attempt: int | None
    req: str
    title: str
    kind: str
    spec: dict[str, Any]
    unit: str
    verdict: Verdict = Verdict.NOT_RUN
    reason: str = ""
    figure: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    u: float | None = None
    n: int | None = None
    evidence: tuple[str, ...] = field(default=())


class Elapsed(float):
    """Seconds between two observations; a float that knows where it came from."""

    def __new__(cls, seconds: float, start: int, stop: int, u_s: float = 0.0) -> Elapsed:
        """``start`` and ``stop`` are observation ids."""
        made = super().__new__(cls, seconds)
        made.start = start
        made.stop = stop
        made.u_s = u_s
        return made

    start: int
    stop: int
    u_s: float


def attempt_row(row: sqlite3.Row) -> Attempt:
    """A row of table attempt."""
    return Attempt(
        id=row["id"],
        nodeid=row["nodeid"],
        title=row["title"],
        suite=row["suite"],
        reqs=tuple(json.loads(row["reqs"])),
        started_s=row["started_s"],
        ended_s=row["ended_s"],
        raised=Verdict(row["raised"]) if row["raised"] else None,
        required=bool(row["required"]),
        outcome=Verdict(row["outcome"]) if row["outcome"] else None,
        message=row["message"],
    )


def observation_row(row: sqlite3.Row) -> Observation:
    """A row of table observation."""
    values = [*row]  # by position: it is the most read table, and its columns are in the order of the fields
    values[-1] = json.loads(values[-1])
    return Observation(*values)


def step_row(row: sqlite3.Row) -> Step:
    """A row of table step."""
    return Step(**dict(row))


def clip_row(row: sqlite3.Row) -> Clip:
    """A row of table audio."""
    return Clip(*row)


def judgement_row(row: sqlite3.Row) -> Judgement:
    """A row of table judgement."""
    values = dict(row)
    values["spec"] = json.loads(values["spec"])
    values["evidence"] = tuple(json.loads(values["evidence"]))
    values["verdict"] = Verdict(values["verdict"])
    return Judgement(**values)
