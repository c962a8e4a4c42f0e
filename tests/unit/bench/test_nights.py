"""``offhook summary`` over a folder of runs: which run it speaks of, what it must not pass over, and its exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from record_standin import Bench

from offhook.bench import not_started
from offhook.bench.nights import told
from offhook.bench.record import Verdict
from offhook.bench.run import run_station
from offhook.drivers.errors import ConfigError, DeviceGone

PASS = Verdict.PASS
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def run(runs: Path, day: int, raised: Verdict = PASS, ended: str = "completed", **meta: Any) -> Path:
    """A run of one attempt."""
    bench = Bench(runs / "made", {"station": "lab 3"} | meta)
    bench.record.note_meta(started_utc=f"2026-11-{day:02d}T22:00:00+00:00")
    bench.record.begin("test_x.py::test_call[desk-1]", "a call [desk-1]", "x")
    bench.record.finish(raised, "" if raised is PASS else "StepFailed: S15: no ring")
    bench.record.seal(ended)
    return bench.record.folder.rename(runs / f"2026-11-{day:02d}")


def test_the_newest_run_is_named_with_its_age(tmp_path: Path) -> None:
    run(tmp_path, 17)
    run(tmp_path, 18)
    text, code = told(tmp_path, NOW)
    assert text.startswith(f"run        {tmp_path}/2026-11-18: lab 3, run of 2026-11-18 22:00 UTC, 34 hours ago, 1")
    assert ("good       nothing failed" in text, code) == (True, 0)


@pytest.mark.req("BENCH-RUN.5")
@pytest.mark.parametrize("size", [0, 5000, 30_000])
def test_a_run_that_cannot_be_read_is_said_first_and_the_night_is_not_good(tmp_path: Path, size: int) -> None:
    run(tmp_path, 17)
    spoilt = run(tmp_path, 18)
    os.truncate(spoilt / "run.sqlite", size)

    text, code = told(tmp_path, NOW)

    assert text.startswith(f"unreadable {spoilt}: ")
    assert "restore it from a copy" in text
    assert f"run        {tmp_path}/2026-11-17" in text
    assert code == 3


def test_a_run_without_its_database_is_not_passed_over(tmp_path: Path) -> None:
    gone = run(tmp_path, 18)
    (gone / "run.sqlite").unlink()
    text, code = told(tmp_path, NOW)
    assert text.startswith(f"unreadable {gone}: there is no run.sqlite")
    assert code == 3


@pytest.mark.req("BENCH-RUN.5")
@pytest.mark.parametrize(
    ("raised", "ended", "code"),
    [
        (PASS, "completed", 0),
        (Verdict.FAIL, "completed", 1),
        (Verdict.FAIL, "interrupted", 1),
        (Verdict.INCONCLUSIVE, "completed", 3),
        (Verdict.NOT_RUN, "completed", 3),
        (PASS, "interrupted", 3),
        (PASS, "terminated", 3),
        (PASS, "error: the guardian is gone", 2),
    ],
)
def test_the_exit_code_is_0_for_a_good_night_only(tmp_path: Path, raised: Verdict, ended: str, code: int) -> None:
    folder = run(tmp_path, 18, raised, ended)
    assert told(tmp_path, NOW)[1] == told(folder, NOW)[1] == code


def test_the_worst_station_decides_and_an_altered_run_is_no_good_night(tmp_path: Path) -> None:
    run(tmp_path, 17, station="lab 4")
    altered = run(tmp_path, 18)
    (altered / "relays.csv").write_text("x")
    assert told(tmp_path, NOW)[1] == 3
    run(tmp_path, 16, Verdict.FAIL, station="lab 5")
    assert told(tmp_path, NOW)[1] == 1


def test_a_run_that_is_being_recorded_is_told_as_such(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "made", {"station": "lab 3"})
    text, code = told(tmp_path / "made", NOW)
    bench.record.close()
    assert "unsealed   the run is being recorded now" in text
    assert "killed" not in text
    assert code == 3


def test_no_run_at_all_is_no_good_night(tmp_path: Path) -> None:
    text, code = told(tmp_path, NOW)
    assert text.startswith(f"nothing    {tmp_path}: there is no run in it")
    assert code == 3


def test_a_named_run_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    spoilt = run(tmp_path, 18)
    os.truncate(spoilt / "run.sqlite", 5000)
    with pytest.raises(ConfigError, match="read the run"):
        told(spoilt, NOW)


def test_a_run_that_could_not_begin_is_told_until_the_station_is_opened_again(tmp_path: Path) -> None:
    run(tmp_path, 18)
    not_started.note(tmp_path, "lab3.toml", DeviceGone("relay.keys1", "open", "no such device", "plug it in"))

    text, code = told(tmp_path, NOW)
    not_started.clear(tmp_path, "lab3.toml")

    assert text.startswith("no run     lab3.toml could not begin at 20")
    assert "relay.keys1: open: no such device" in text
    assert code == 2
    assert told(tmp_path, NOW)[1] == 0
    assert not (tmp_path / not_started.FILE).exists()


@pytest.mark.parametrize("content", ["", "[1]", '{"lab": 3}', "{"])
def test_a_note_that_cannot_be_read_costs_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / not_started.FILE).write_text(content)
    assert not_started.read(tmp_path) == []
    not_started.note(tmp_path / "no folder", "lab", ValueError("x"))
    not_started.note(tmp_path, "lab", ValueError("x"))
    assert len(not_started.read(tmp_path)) == 1


def test_a_station_that_is_not_reached_leaves_a_note_where_its_runs_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def unreached(wanted: object) -> Iterator[None]:
        raise DeviceGone("relay.keys1", "open", "no such device", "plug it in")
        yield

    monkeypatch.setattr("offhook.bench.run.opened", unreached)
    with pytest.raises(DeviceGone):
        run_station("simulated", out=tmp_path / "tonight")

    [said] = not_started.read(tmp_path)
    assert said.startswith("simulated could not begin at ")
    assert said.endswith("relay.keys1: open: no such device (try: plug it in)")
