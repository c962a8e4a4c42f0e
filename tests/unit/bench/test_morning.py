"""The summary of the morning, over run folders made for it."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from record_standin import Bench

from offhook.bench import morning
from offhook.bench.record import Verdict

PASS, FAIL, INCONCLUSIVE, NOT_RUN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN
META: dict[str, Any] = {
    "station": "lab 3",
    "dut": {"firmware": "1"},
    "versions": {"offhook": "0.1"},
    "station_toml": 'name = "lab 3"\npress_ms = 100\n',
    "limits": {"first_ring_s": 2.0},
    "planned": {"x": 1},
}


class Nights:
    """Runs of one station side by side, one a day."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.day = 0

    def run(self, outcomes: dict[str, Verdict | list[Verdict]], ended: str = "completed", **meta: Any) -> Path:
        """Each test's outcome, or those of its repetitions; returns the folder."""
        self.day += 1
        bench = Bench(self.runs / "made", META | meta)
        bench.record.note_meta(started_utc=f"2026-11-{self.day:02d}T22:00:00+00:00")
        for name, given in outcomes.items():
            several = given if isinstance(given, list) else [given]
            for number, outcome in enumerate(several, 1):
                repetition = f"#{number}-" if isinstance(given, list) else ""
                bench.record.begin(f"test_x.py::{name}[{repetition}desk-1]", f"{name} [{repetition}desk-1]", "x")
                bench.record.finish(outcome, "" if outcome is PASS else "StepFailed: S15: no ring (try: a bell)")
        bench.record.seal(ended)
        folder = self.runs / f"2026-11-{self.day:02d}"
        return bench.record.folder.rename(folder)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def told(folder: Path) -> list[tuple[str, str]]:
    night = morning.read(folder)
    return morning.lines(night, morning.before(night))


def test_nothing_to_tell_is_nothing(nights: Nights) -> None:
    nights.run({"test_call": PASS})
    folder = nights.run({"test_call": PASS})

    assert told(folder) == []
    assert "good       nothing failed" in morning.summary(morning.read(folder), [])


def test_a_failure_says_since_when_and_what_changed_since_it_was_good(nights: Nights) -> None:
    nights.run({"test_call": PASS, "test_other": PASS})
    nights.run({"test_call": FAIL, "test_other": PASS}, dut={"firmware": "2"})
    changed = {"dut": {"firmware": "2"}, "versions": {"offhook": "0.2"}, "limits": {"first_ring_s": 3.0}}
    text = 'name = "lab 3"\npress_ms = 80\n'

    folder = nights.run({"test_call": FAIL, "test_other": PASS}, **changed, station_toml=text)

    assert told(folder) == [
        ("failed", "test_call [desk-1]: S15: no ring; since 2026-11-02 (2 runs), last good 2026-11-01"),
        (
            "changed",
            "since 2026-11-01: firmware 1 -> 2, station file (1 line: press_ms = 80), offhook 0.1 -> 0.2, "
            "limit first_ring_s 2.0 -> 3.0",
        ),
    ]


def test_repetitions_are_one_line_and_each_of_them_counts(nights: Nights) -> None:
    nights.run({"test_call": [PASS, PASS, PASS]})
    folder = nights.run({"test_call": [PASS, FAIL, FAIL]})

    [(label, text), changed] = told(folder)
    assert (label, text) == (
        "failed",
        "test_call [desk-1]: 2 of 3, S15: no ring; new in this run, last good 2026-11-01",
    )
    assert changed == ("changed", "since 2026-11-01: nothing that is on record")


def test_runs_in_which_it_was_not_run_tell_nothing_of_it(nights: Nights) -> None:
    nights.run({"test_call": PASS})
    nights.run({"test_call": NOT_RUN})
    nights.run({"test_other": PASS})

    folder = nights.run({"test_call": INCONCLUSIVE})

    assert told(folder)[0][1].endswith("new in this run, last good 2026-11-01")
    assert told(folder)[0][0] == "open"


def test_what_was_never_good_and_what_is_good_again(nights: Nights) -> None:
    nights.run({"test_never": FAIL, "test_back": FAIL})

    folder = nights.run({"test_never": FAIL, "test_back": PASS})

    assert told(folder) == [
        ("failed", "test_never [desk-1]: S15: no ring; since 2026-11-01 (2 runs), never good before"),
        ("mended", "test_back [desk-1]: passes again, was FAIL in 2026-11-01"),
    ]


def test_other_stations_later_runs_and_spoilt_folders_are_not_looked_at(nights: Nights) -> None:
    nights.run({"test_call": PASS}, station="lab 4")
    folder = nights.run({"test_call": FAIL})
    nights.run({"test_call": PASS})
    spoilt = nights.run({"test_call": PASS})
    (spoilt / "run.sqlite").write_bytes(b"no database at all")

    assert told(folder)[0][1].endswith("no earlier run to compare with")


@pytest.mark.req("BENCH-RUN.5")
def test_what_was_left_out_is_said(nights: Nights) -> None:
    folder = nights.run(
        {"test_call": [PASS, NOT_RUN, NOT_RUN]},
        ended="interrupted",
        quarantine={"desk-1": "3 failures in a row"},
        planned={"x": 5},
        interruptions=[
            {"ended": "killed", "last_written_utc": "01:00", "attempts": 2, "resumed_utc": "02:00"},
        ],
    )

    assert told(folder) == [
        ("quarantine", "desk-1, 2 tests not run: 3 failures in a row"),
        ("not done", "2 of the planned tests"),
        ("resumed", "killed at 01:00 after 2 attempts, resumed at 02:00"),
        ("ended", "interrupted"),
    ]


def test_many_failures_do_not_fill_the_screen(nights: Nights) -> None:
    folder = nights.run({f"test_{number}": FAIL for number in range(30)})

    failed = [text for label, text in told(folder) if label == "failed"]
    assert len(failed) == 21
    assert failed[-1] == "and 10 more: see the report"


def test_a_run_of_before_a_key_was_known_is_read_all_the_same(nights: Nights) -> None:
    old = nights.run({"test_call": PASS})
    db = sqlite3.connect(old / "run.sqlite")
    db.execute("DELETE FROM meta WHERE key NOT IN ('schema_version', 'station', 'started_utc', 'ended')")
    db.commit()
    db.close()

    assert told(nights.run({"test_call": FAIL}))[0][1].endswith("last good 2026-11-01")


def test_a_run_that_was_altered_or_is_not_sealed_is_not_good(nights: Nights) -> None:
    folder = nights.run({"test_call": PASS})
    with (folder / "relays.csv").open("a") as file:
        file.write("\n")
    assert told(folder) == [("altered", "relays.csv is not what was sealed (SHA-256 differs)")]

    (folder / "manifest.json").unlink()
    text = morning.summary(morning.read(folder), [])
    assert "unsealed   manifest.json is missing" in text
    assert "good" not in text


@pytest.mark.req("REP-EV.1")
def test_verdicts_are_made_anew_and_not_those_of_before_a_file_was_altered(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.attempt("test_x.py::test_code[desk-1]"):
        bench.key("4711", 1.0)
        bench.judge("digits", wire="ear", expected="4711")
    bench.record.seal()
    path = bench.record.folder / "audio" / "ear_0001.wav"
    content = path.read_bytes()
    path.write_bytes(content[:44] + bytes(len(content) - 44))

    text = morning.summary(morning.read(bench.record.folder), [])

    assert "tests      PASS 0   FAIL 0   INCONCLUSIVE 1   NOT_RUN 0" in text
    assert "open       a test: ASSOC-S1.1 a rule: audio/ear_0001.wav is not what was sealed" in text


@pytest.mark.parametrize(
    ("meta", "part"),
    [
        ({"only": "desk-1"}, "tests that match 'desk-1'"),
        ({"plan": {"suites": ["lock", "matrix"]}}, "suites lock, matrix"),
    ],
)
def test_a_part_of_the_suites_is_not_called_good_for_all_of_them(nights: Nights, meta: Any, part: str) -> None:
    text = morning.summary(morning.read(nights.run({"test_call": PASS}, **meta)), [])
    assert f"part       not all of the suites: {part}" in text
    assert f"good       nothing failed and nothing was left out of what was asked for, {part}" in text


@pytest.mark.parametrize(
    ("hours", "ago"), [(0.5, "30 minutes ago"), (26, "26 hours ago"), (75, "3 days ago"), (-1, "yet to come")]
)
def test_it_says_how_long_ago_the_run_was_where_that_is_asked(nights: Nights, hours: float, ago: str) -> None:
    night = morning.read(nights.run({"test_call": PASS}))
    now = datetime.fromisoformat(str(night.meta["started_utc"])) + timedelta(hours=hours)
    assert "run of 2026-11-01 22:00 UTC, 0 earlier" in morning.summary(night, [])
    assert ago in morning.summary(night, [], now).splitlines()[0]


def test_a_run_that_tested_nothing_is_not_good(nights: Nights) -> None:
    folder = nights.run({"test_call": Verdict.NOT_APPLICABLE})
    assert told(folder) == [("untested", "nothing was tested: no attempt came to a verdict")]
