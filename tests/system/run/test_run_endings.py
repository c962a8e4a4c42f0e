"""A run that is ended from outside in the middle of a call."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from runs import Ended, Runner

from offhook.bench.record import Evidence, Verdict, judge, open_run

HOOKS = {(f"keys{board}", "8") for board in (1, 2, 3, 4)}


def in_mid_call(folder: Path) -> bool:
    """True while a handset is up and digits were heard."""
    try:
        with open_run(folder) as run:
            return digits_so_far(run) >= 20 and handset_is_up(run)
    except Exception:  # not there yet, or being made
        return False


def digits_so_far(run: Evidence) -> int:
    return sum(seen.kind == "digit" for seen in run.observations())


def handset_is_up(run: Evidence) -> bool:
    rows = (line.split(",") for line in run.lines("relays.csv")[1:])
    last = {(row[2], row[3]): row[4] for row in rows}
    return any(last.get(hook) == "closed" for hook in HOOKS)


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_stopped_in_mid_call_it_is_safe_readable_and_says_what_happened(
    runner: Runner, number: int, code: int, word: str
) -> None:
    ended = runner.stop("simulated", with_signal=number, when=in_mid_call)

    assert ended.code == code, ended.err
    result = judge(ended.folder)
    assert (result.meta["ended"], result.meta["exit_code"], result.exit_code) == (word, code, code)
    assert result.sealed
    assert result.damages == ()
    assert len(result.attempts) < sum(result.meta["planned"].values())
    assert result.counts[Verdict.FAIL] == 0
    assert result.level == "NOT VERIFIED"
    assert f"ended     {word}" in ended.err
    assert "Traceback" not in ended.err
    assert (ended.folder / "report.html").is_file()
    safe_state_was_read_back(ended)


def safe_state_was_read_back(ended: Ended) -> None:
    with open_run(ended.folder) as run:
        safe = [seen for seen in run.observations() if seen.kind == "safe"]
        rows = [line.split(",") for line in run.lines("relays.csv")[1:]]
    boards = [seen for seen in safe if seen.subject.startswith("relay.")]
    assert len(boards) == 4
    assert all(seen.data["ok"] and "as commanded" in seen.data["read_back"] for seen in boards)
    assert {seen.subject for seen in safe if seen.data["read_back"] == "sensor says on hook"} == {
        "phone.desk-1",
        "phone.desk-2",
        "phone.desk-3",
        "phone.desk-4",
    }
    assert any(row[4] == "closed" for row in rows)
    judged = [one for one in judge(ended.folder) if one.req == "BENCH-RUN.3"]
    assert len(judged) == 3
    assert {one.verdict for one in judged} == {Verdict.PASS}


@pytest.mark.req("REP-EV.1")
def test_killed_outright_its_folder_is_readable_and_claims_nothing(runner: Runner) -> None:
    ended = runner.stop("simulated", with_signal=signal.SIGKILL, when=in_mid_call)

    assert ended.code == -signal.SIGKILL
    result = judge(ended.folder)
    assert not result.sealed
    assert (result.level, result.meta["ended"], result.exit_code) == ("NOT VERIFIED", None, 3)
    assert len(result.attempts) < sum(result.meta["planned"].values())
    with open_run(ended.folder) as run:
        assert digits_so_far(run) >= 20
        clips = run.clips()
        assert clips
        for clip in clips:
            samples, _ = run.samples(clip)
            assert len(samples) == clip.frames
