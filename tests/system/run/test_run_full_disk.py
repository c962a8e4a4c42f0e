"""A disk that takes no more in the middle of a call: it is said, the station is safe, what was recorded is readable."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import LIMIT_S, OFFHOOK, Ended, Runner

from offhook.bench.record import Verdict, judge, open_run

LIMITED = """
import resource, sys
from offhook.bench import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
cli.main(sys.argv[2:])
"""
ARGUMENTS = ("run", "simulated", "--suite", "lock")


def run(runner: Runner, command: list[str], folder: Path) -> Ended:
    done = subprocess.run(
        [*command, "--out", str(folder)],
        cwd=runner.place,
        env=runner.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, folder)


def check(ended: Ended, words: str) -> None:
    assert ended.code == 2
    assert "Traceback" not in ended.err
    said = (
        rf"^ended +error: the run could not be recorded any more: {words}; to go on with it: offhook run --resume \S+$"
    )
    assert re.search(said, ended.err, re.M), ended.err
    result = judge(ended.folder)
    assert (result.level, result.sealed, result.exit_code) == ("NOT VERIFIED", False, 2)
    assert result.meta["ended"].startswith("error: the run could not be recorded")
    assert result.attempts
    assert {one.outcome for one in result.attempts} <= {Verdict.PASS, Verdict.NOT_RUN}
    with open_run(ended.folder) as evidence:
        safe = [seen for seen in evidence.observations() if seen.kind == "safe"]
    assert len(safe) > 4
    assert all(seen.data["ok"] for seen in safe)
    assert not (ended.folder / "reserve").exists()


@pytest.mark.req("BENCH-RUN.3", "REP-EV.1")
def test_a_file_that_may_not_grow_any_more(runner: Runner) -> None:
    limit = 3_000_000

    ended = run(runner, [sys.executable, "-c", LIMITED, str(limit), *ARGUMENTS], runner.place / "run")

    check(ended, ".*")


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own; only root may have one."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount a disk of its own; test_a_file_that_may_not_grow covers the rest")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.req("BENCH-RUN.3", "BENCH-RUN.6")
def test_a_full_disk_and_on_with_the_run_once_there_is_room(runner: Runner) -> None:
    with small_disk(runner.place / "disk", "5m") as disk:
        ended = run(runner, [OFFHOOK, *ARGUMENTS], disk / "run")
        check(ended, "no space left on device")

        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        again = runner.command("run", "--resume", str(disk / "run"))

        assert again.code == 0, again.err
        result = judge(disk / "run")
        assert (result.level, result.damages) == ("SIM-VERIFIED", ())
        assert result.meta["interruptions"][0]["ended"].endswith("no space left on device")


def test_no_room_from_the_start_is_one_message(runner: Runner) -> None:
    ended = run(runner, [sys.executable, "-c", LIMITED, "100000", *ARGUMENTS], runner.place / "run")

    assert ended.code == 2
    assert re.fullmatch(r"offhook: \S+: start recording: .* \(try: free some space, or --out\)\n", ended.err)
