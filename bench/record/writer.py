"""The recorder of a run: everything is committed to the run folder as it happens."""

from __future__ import annotations

import copy
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench.record import schema
from offhook.bench.record.audio import PortRecorder
from offhook.bench.record.claim import claimed
from offhook.bench.record.folder import RENDERED, empty_folder, new_folder, set_aside, write_manifest
from offhook.bench.record.heard import Ear
from offhook.bench.record.interrupted import interruptions
from offhook.bench.record.judge import RunResult, judge_evidence, judge_one, outcome_of
from offhook.bench.record.logs import CtiLog, RelayLog
from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import Attempt, Judgement, Observation, Verdict
from offhook.bench.record.secrets import META
from offhook.bench.record.spec import clean_spec
from offhook.bench.record.store import Store
from offhook.bench.record.verdicts import worst
from offhook.drivers.audio import AudioPort
from offhook.drivers.clock import Clock


class RunRecord:
    """One run being recorded. Make it with :meth:`create`; end it with :meth:`seal`.

    Between attempts observations belong to none. Nothing here waits.
    """

    def __init__(self, folder: Path, clock: Clock, *, again: bool = False, claim: int | None = None) -> None:
        self.folder = folder
        self._clock = clock
        self._claim = claimed(folder) if claim is None else claim
        self._store = Store(folder, again=again)
        self._cti = CtiLog(folder)
        self._relays = RelayLog(folder)
        self._ports: list[PortRecorder] = []
        self._current: Attempt | None = None
        self._evidence = Evidence(folder, self._store.db, None)
        self._ear: Ear | None = None
        self._names: tuple[str, ...] = ()
        self._owners: dict[str, int] = {}
        self._open = True

    @classmethod
    def create(cls, runs: Path, clock: Clock, meta: Mapping[str, Any], folder: Path | None = None) -> RunRecord:
        """Make a folder of its own under ``runs``, named by the time of day (or ``folder``), and start recording.

        ``meta`` goes to table meta as it is; see docs/architecture.md for what a run should say of itself. Raises
        ConfigError if ``folder`` has anything in it, or if no folder can be made.
        """
        started = datetime.now(UTC)
        folder = new_folder(runs, started) if folder is None else empty_folder(folder)
        record = cls(folder, clock)
        record.note_meta(
            schema_version=schema.SCHEMA_VERSION,
            run_id=folder.name,
            started_utc=started.isoformat(timespec="seconds"),
            recorded=[],
            ended=None,
            exit_code=None,
            **meta,
        )
        return record

    @classmethod
    def reopen(cls, folder: Path, clock: Clock) -> RunRecord:
        """Go on recording a run that was stopped or killed; table meta says so under ``interruptions``.

        ``clock`` must be past everything that is on record. Raises ConfigError if the run is still being recorded.
        """
        claim = claimed(folder)
        part = set_aside(folder)
        record = cls(folder, clock, again=True, claim=claim)
        noted = interruptions(record._store, record._evidence, part)
        record.note_meta(interruptions=noted, recorded=[], ended=None, exit_code=None)
        return record

    @property
    def lost(self) -> str:
        """Why nothing is recorded any more (a full disk); "" while all is well."""
        return self._store.lost

    def check(self) -> None:
        """Raise RecordLost if anything could not be written."""
        self._store.check()

    def last_words(self) -> None:
        """From here on what still can be written is, and what cannot raises nothing: the run ends in any case."""
        self._store.last_words()

    @property
    def clock(self) -> Clock:
        """The run's common clock."""
        return self._clock

    @property
    def current(self) -> Attempt | None:
        """The attempt that is being made."""
        return self._current

    def keep_secret(self, name: str, text: str, *, word: bool = False) -> None:
        """Never spell out a secret in the folder. A ``word`` is masked wherever it is written; a code of digits is
        only named in judgements and reasons, so that a search for it finds it where it has no business.
        """
        self._evidence.secrets.add(name, text, word=word)
        self.note_meta(**{META: self._evidence.secrets.on_record()})

    def note_meta(self, **values: Any) -> None:
        """Set keys of table meta."""
        for key, value in values.items():
            self._store.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, json.dumps(value)))

    def meta(self) -> dict[str, Any]:
        """Table meta as it stands."""
        return self._evidence.meta()

    # ---- attempts ----------------------------------------------------------------------------------------------

    @contextmanager
    def attempt(self, nodeid: str, title: str, suite: str, reqs: Sequence[str] = ()) -> Iterator[RunRecord]:
        """Everything inside belongs to one attempt. An exception makes it FAIL and goes on."""
        self.begin(nodeid, title, suite, reqs)
        try:
            yield self
        except BaseException as error:
            self.finish(Verdict.FAIL, f"{type(error).__name__}: {error}")
            raise
        self.finish(Verdict.PASS)

    def lane(self, names: Sequence[str]) -> RunRecord:
        """The same record for one of several attempts that are made at the same time.

        What is observed of ``names`` (subjects and wires) by whoever belongs to it.
        """
        self._ears()
        beside = copy.copy(self)
        beside._current, beside._names = None, tuple(names)
        return beside

    def begin(self, nodeid: str, title: str, suite: str, reqs: Sequence[str] = ()) -> int:
        """Start an attempt; one at a time, or one in each lane."""
        if self._current is not None:
            raise RuntimeError(f"attempt {self._current.nodeid} has not ended")
        started_s = self._clock.now_s()
        attempt = self._insert(
            "attempt", nodeid=nodeid, title=title, suite=suite, reqs=json.dumps(list(reqs)), started_s=started_s
        )
        self._store.check()
        self._current = self._evidence.attempt(attempt)
        self._owners.update(dict.fromkeys(self._names, attempt))
        return attempt

    def finish(self, raised: Verdict, message: str = "", *, required: bool = True) -> Verdict:
        """End the attempt with what pytest alone says of it; judge again and return its outcome."""
        attempt = self._current
        if attempt is None:
            raise RuntimeError("no attempt is being made")
        ended_s = self._clock.now_s()
        message = self._evidence.secrets.mask(message)
        attempt = replace(attempt, ended_s=ended_s, raised=raised, required=required, message=message)
        judgements = self._judge_again(attempt)
        outcome = outcome_of(attempt, tuple(judgements))
        self._store.execute(
            "UPDATE attempt SET ended_s = ?, raised = ?, required = ?, outcome = ?, message = ? WHERE id = ?",
            (ended_s, raised, required, outcome, message, attempt.id),
        )
        self._store.check()
        self._current = None
        for name in self._names:
            self._owners.pop(name, None)
        return outcome

    def amend(self, attempt: int, raised: Verdict, message: str) -> None:
        """Say that an attempt which has ended went wrong after all (in its tear-down)."""
        found = self._evidence.attempt(attempt)
        if found is None or found.raised is None:
            raise ValueError(f"attempt {attempt} has not ended")
        outcome = worst([found.outcome or Verdict.NOT_RUN, raised])
        text = self._evidence.secrets.mask(f"{found.message}\n{message}".strip())
        self._store.execute(
            "UPDATE attempt SET raised = ?, outcome = ?, message = ? WHERE id = ?",
            (worst([found.raised, raised]), outcome, text, attempt),
        )

    # ---- what happens ------------------------------------------------------------------------------------------

    def observe(self, probe: str, wire: str, kind: str, subject: str, time_s: float, u_s: float, **data: Any) -> int:
        """Store what a probe saw (``u_s``: k=2) and return its id. ``data`` must be fit for JSON."""
        return self._insert(
            "observation",
            attempt=self._attempt_id() or self._owners.get(subject) or self._owners.get(wire),
            time_s=time_s,
            u_s=u_s,
            probe=probe,
            wire=wire,
            kind=kind,
            subject=subject,
            data=json.dumps(self._evidence.secrets.mask_words(data)),
        )

    def step(
        self,
        flow: str,
        name: str,
        title: str,
        time_s: float,
        u_s: float,
        cause: int | None = None,
        effect: int | None = None,
    ) -> int:
        """Store a step of a flow; cause and effect are observation ids."""
        return self._insert(
            "step",
            attempt=self._attempt_id(),
            flow=flow,
            name=name,
            title=title,
            time_s=time_s,
            u_s=u_s,
            cause=cause,
            effect=effect,
        )

    def relay(self, board: str, relay: int, closed: bool, sent_s: float, acked_s: float) -> int:
        """Log an acknowledged relay command; returns its line in relays.csv, counted from 1."""
        with self._store.writing():
            self._relays.write(board, relay, closed, sent_s, acked_s)
        return self._relays.line

    def cti(self, direction: str, time_s: float, raw: bytes, name: str = "") -> None:
        """Log one CTI message as it crossed the wire."""
        with self._store.writing():
            self._cti.write(direction, time_s, self._evidence.secrets.mask_bytes(raw), name)

    def record_audio(self, port: AudioPort, wires: Mapping[int, str]) -> None:
        """Record named channels of a port from now on: ``{0: "desk-1"}`` becomes ``audio/desk-1_0001.wav`` ..."""
        known = self._evidence.recorded()
        for wire in wires.values():
            if wire in known or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", wire):
                raise ValueError(f"{wire!r} cannot name a recording (in use, or not letters, digits, '.', '_' and '-')")
            known.append(wire)
        self._ports.append(PortRecorder(self._store, port, wires))
        self.note_meta(recorded=known)

    def stop_audio(self) -> None:
        """Close every WAV file; what the ports capture afterwards is not recorded."""
        while self._ports:
            self._ports.pop().stop()

    # ---- judging -----------------------------------------------------------------------------------------------

    def judge(self, req: str, title: str, kind: str, /, *, unit: str = "", **spec: Any) -> Judgement:
        """Judge at once from what is there; it is judged again when the attempt and when the run ends.

        Kinds and their spec: docs/architecture.md. A trailing underscore is dropped (``from_=7``). For ``count`` any
        other key compares a field of the data. Raises ValueError for an unknown kind or key.
        """
        clean, attempt = self._evidence.secrets.hide(clean_spec(kind, spec)), self._attempt_id()
        self._settle()
        self._store.check()  # what a judgement rests on is on the disk before it is
        values = {"attempt": attempt, "req": req, "title": title, "kind": kind, "unit": unit}
        undecided = {"verdict": Verdict.NOT_RUN, "reason": "", "evidence": "[]"}
        number = self._insert("judgement", **values, spec=json.dumps(clean), **undecided)
        draft = Judgement(number, attempt, req, title, kind, clean, unit)
        made = judge_one(draft, self._evidence, self._ears(), self._current)
        self._write(made)
        return made

    def judgements(self, attempt: int | None = None) -> list[Judgement]:
        """The judgements of an attempt (of the one that is being made), as they stand."""
        wanted = self._attempt_id() if attempt is None else attempt
        if wanted is None:
            return [one for one in self._evidence.judgements() if one.attempt is None]
        return self._evidence.judgements(wanted)

    def all_judgements(self, kind: str) -> list[Judgement]:
        """Every judgement of a kind, as it stands."""
        return [one for one in self._evidence.judgements() if one.kind == kind]

    def observed(self, kind: str | None = None) -> list[Observation]:
        """Every observation of a kind so far; without a kind, those of the attempt that is being made."""
        if kind is None:
            return self._evidence.observations(self._attempt_id())
        return self._evidence.observations_between(kind, -math.inf, math.inf)

    def attempt_made(self, attempt: int) -> Attempt:
        """An attempt by its id. Raises KeyError if there is none."""
        found = self._evidence.attempt(attempt)
        if found is None:
            raise KeyError(attempt)
        return found

    def result(self) -> RunResult:
        """The run as it stands, every verdict made anew."""
        self._settle()
        return judge_evidence(self._evidence, self._ears())

    def seal(self, ended: str = "completed", exit_code: int | None = None) -> int:
        """Stop recording, judge everything again, close the database and hash every file; returns the exit code."""
        if not self._open:
            raise RuntimeError(f"{self.folder} is sealed")
        if self._current is not None:
            self.finish(Verdict.NOT_RUN, f"{schema.CUT_SHORT}{ended}")
        self._store.execute(  # in lanes
            "UPDATE attempt SET ended_s = ?, raised = ?, outcome = ?, message = ? WHERE raised IS NULL",
            (self._clock.now_s(), Verdict.NOT_RUN, Verdict.NOT_RUN, f"{schema.CUT_SHORT}{ended}"),
        )
        self.stop_audio()
        if self.lost:
            return self._end_lost()
        self.note_meta(ended=ended)
        result = judge_evidence(self._evidence, self._ears())
        with self._store.together():
            for made in result.judgements:
                self._write(made)
            for one in result.attempts:
                self._store.execute("UPDATE attempt SET outcome = ? WHERE id = ?", (one.outcome, one.attempt.id))
        code = result.judged_code if exit_code is None else exit_code
        self.note_meta(exit_code=code)
        return self._close_sealed(code)

    def _close_sealed(self, code: int) -> int:
        if self.lost:
            return self._end_lost()
        self._let_go()
        try:
            with self._store.writing():
                write_manifest(self.folder, RENDERED)
        finally:
            os.close(self._claim)  # not before: what somebody else writes here must not be taken for evidence
        return code

    def _end_lost(self) -> int:
        """Note that the run could not be recorded to its end; it is not sealed."""
        self.last_words()
        self.note_meta(ended=f"error: the run could not be recorded any more: {self.lost}", exit_code=2)
        self.close()
        return 2

    def close(self) -> None:
        """Let go of the files without sealing."""
        if self._open:
            self._let_go()
            os.close(self._claim)

    def _let_go(self) -> None:
        self.stop_audio()
        self._open = False
        for log in (self._cti, self._relays):
            with self._store.writing():
                log.close()
        self._store.close()

    def _judge_again(self, attempt: Attempt) -> list[Judgement]:
        self._settle()
        stored = self._evidence.judgements(attempt.id)
        made = [judge_one(one, self._evidence, self._ears(), attempt) for one in stored]
        for before, one in zip(stored, made, strict=True):
            if one != before:
                self._write(one)
        return made

    def _write(self, made: Judgement) -> None:
        values = (made.figure, made.limit_low, made.limit_high, made.u, made.n, made.verdict, made.reason)
        self._store.execute(
            "UPDATE judgement SET figure = ?, limit_low = ?, limit_high = ?, u = ?, n = ?, verdict = ?, reason = ?, "
            "evidence = ? WHERE id = ?",
            (*values, json.dumps(made.evidence), made.id),
        )

    def _settle(self) -> None:
        for port in self._ports:
            port.settle()

    def _ears(self) -> Ear:
        if self._ear is None:
            self._ear = Ear(self._evidence)
        return self._ear

    def _attempt_id(self) -> int | None:
        return self._current.id if self._current else None

    def _insert(self, table: str, **values: Any) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self._store.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return (cursor.lastrowid or 0) if cursor is not None else 0
