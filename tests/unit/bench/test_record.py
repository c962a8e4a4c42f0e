from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from record_standin import Bench, HandClock

from offhook.bench.record import RunRecord, Verdict, fingerprint, judge, open_run, schema
from offhook.drivers.errors import ConfigError


def test_a_run_folder_is_never_overwritten(tmp_path: Path) -> None:
    folders = []
    for _ in range(3):
        record = RunRecord.create(tmp_path, HandClock(), {})  # type: ignore[arg-type]
        record.close()
        folders.append(record.folder)

    assert len(set(folders)) == 3
    assert all(folder.parent == tmp_path for folder in folders)


def test_a_named_folder_must_be_empty(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(ConfigError, match="never overwritten"):
        RunRecord.create(tmp_path, HandClock(), {}, folder=tmp_path)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="run folder"):
        RunRecord.create(tmp_path / "file", HandClock(), {})  # type: ignore[arg-type]


@pytest.mark.req("REP-EV.1")
def test_what_was_recorded_can_be_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.attempt():
        cause = bench.see("cti", 1.0, 0.005, name="MakeCall")
        effect = bench.see("ring", 1.5, 0.002)
        bench.record.step("association", "S15", "the phone rings", 1.5, 0.002, cause, effect)
        assert bench.record.relay("keys1", 8, True, 1.6, 1.61) == 2
        bench.record.cti(">", 1.0, "<MakeCall>\né</MakeCall>".encode(), "MakeCall")
        bench.record.cti("<", 1.1, b"\xff\x00", "")
    bench.record.seal()

    with open_run(bench.record.folder) as run:
        [attempt] = run.attempts()
        assert (attempt.nodeid, attempt.outcome, attempt.reqs) == ("test_x.py::test_x", Verdict.PASS, ("ASSOC-S1.1",))
        [step] = run.steps(attempt.id)
        assert (step.name, step.cause, step.effect) == ("S15", cause, effect)
        assert [seen.data for seen in run.observations(attempt.id)] == [{"name": "MakeCall"}, {}]
        lines = [json.loads(line) for line in run.lines("cti.log")]
        assert [line["text"] for line in lines] == ["<MakeCall>\né</MakeCall>", "ÿ\x00"]
        [row] = csv.DictReader(run.lines("relays.csv"))
        assert row == {"acked_s": "1.610000", "sent_s": "1.600000", "board": "keys1", "relay": "8", "state": "closed"}
        meta = run.meta()
        assert (meta["ended"], meta["exit_code"], meta["recorded"]) == ("completed", 0, ["ear", "ivr"])


@pytest.mark.req("REP-EV.1")
def test_the_manifest_holds_the_hash_of_every_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.key("4711", 1.0)
    bench.record.seal()

    folder = bench.record.folder
    manifest = json.loads((folder / "manifest.json").read_text())["files"]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    assert set(manifest) == files
    assert {"run.sqlite", "cti.log", "relays.csv", "audio/ear_0001.wav"} <= files
    for name, digest in manifest.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_a_sealed_run_needs_no_write_ahead_log_and_is_not_touched_by_reading(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.record.seal()
    folder = bench.record.folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    judge(folder)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not list(folder.glob("run.sqlite-*"))


@pytest.mark.req("REP-EV.1")
def test_a_killed_run_is_readable_and_earns_no_level(tmp_path: Path) -> None:
    """What is on disk at any moment is what a killed run leaves; nothing was closed, the log is still beside it."""
    bench = Bench(tmp_path / "runs")
    with bench.attempt("first"):
        bench.see("ring", 1.0)
        bench.judge("count", observed="ring", at_least=1)
    bench.record.begin("second", "cut short", "x")
    bench.see("ring", 101.0)
    bench.key("4711" * 3, 102.0)
    left = tmp_path / "left"
    shutil.copytree(bench.record.folder, left)

    result = judge(left)

    assert not result.sealed
    assert result.level == "NOT VERIFIED"
    assert [one.outcome for one in result.attempts] == [Verdict.PASS, Verdict.NOT_RUN]
    assert result.exit_code == 3
    with open_run(left) as run:
        assert len(run.observations()) == 2
        [clip] = run.clips("ear")
        samples, start_s = run.samples(clip)
        assert start_s == 102.0
        assert len(samples) >= 8000
    assert (left / "run.sqlite-wal").exists()
    bench.record.close()


def test_sealing_ends_the_attempt_that_was_being_made(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.record.begin("cut", "cut short", "x")

    assert bench.record.seal("interrupted") == 130

    result = judge(bench.record.folder)
    assert [one.outcome for one in result.attempts] == [Verdict.NOT_RUN]
    assert result.meta["ended"] == "interrupted"


@pytest.mark.parametrize(
    ("ended", "code"), [("interrupted", 130), ("terminated", 143), ("error: no suite", 2), ("completed", 3)]
)
def test_how_a_run_ended_gives_its_exit_code(tmp_path: Path, ended: str, code: int) -> None:
    """A completed run in which nothing was tried has proven nothing."""
    bench = Bench(tmp_path)
    assert bench.record.seal(ended) == code
    assert judge(bench.record.folder).exit_code == code


def test_an_attempt_that_broke_afterwards_is_amended(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.attempt():
        number = bench.record.current.id if bench.record.current else 0
    bench.record.amend(number, Verdict.FAIL, "the hook stayed up")
    assert bench.record.seal() == 1
    [one] = judge(bench.record.folder).attempts
    assert (one.outcome, one.attempt.message) == (Verdict.FAIL, "the hook stayed up")


def test_one_attempt_at_a_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.record.begin("first", "first", "x")
    with pytest.raises(RuntimeError, match="first"):
        bench.record.begin("second", "second", "x")
    bench.record.close()


def record_one(runs: Path, *, ring_s: float = 1.0, digits: str = "4711") -> Path:
    bench = Bench(runs, {"started": str(runs)})
    with bench.attempt():
        bench.see("ring", ring_s)
        bench.key(digits, 2.0)
        bench.judge("count", observed="ring", at_least=1)
    bench.record.seal()
    return bench.record.folder


@pytest.mark.req("BENCH-RUN.7")
def test_equal_runs_have_equal_fingerprints_whatever_the_time_of_day(tmp_path: Path) -> None:
    first, second = record_one(tmp_path / "a"), record_one(tmp_path / "b")
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize("other", [{"ring_s": 1.000001}, {"digits": "4712"}])
def test_a_fingerprint_tells_different_runs_apart(tmp_path: Path, other: dict[str, object]) -> None:
    assert fingerprint(record_one(tmp_path / "a")) != fingerprint(record_one(tmp_path / "b", **other))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [None, b"", b"SQLite format 3\0 and then nothing of it"])
def test_what_is_no_run_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.sqlite").write_bytes(content)
    with pytest.raises(ConfigError, match=r"run|read"):
        judge(tmp_path)


def test_a_run_of_another_schema_is_refused(tmp_path: Path) -> None:
    folder = record_one(tmp_path)
    with sqlite3.connect(folder / "run.sqlite") as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    db.close()
    with pytest.raises(ConfigError, match="schema version 99"):
        judge(folder)


@pytest.mark.parametrize(("table", "row"), [("observation", schema.Observation), ("audio", schema.Clip)])
def test_rows_that_are_read_by_position_are_in_the_order_of_the_table(table: str, row: type[Any]) -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(schema.TABLES)
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    assert columns == [field.name for field in fields(row)]
    db.close()
