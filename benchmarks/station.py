"""How fast the simulated station is: a whole run, one association, and how soon the command answers.

    python benchmarks/station.py [--only run|association|help] [--repeat 10]

Figures are CPU seconds of one process (user and system), as on one core of its own; seconds by the wall clock stand
beside them. Phone time is the station's own clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OFFHOOK = Path(sys.executable).with_name("offhook")
ONE_THREAD = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Spent:
    """What a process took, in seconds, by the clock on the wall and of the processor."""

    wall_s: float
    cpu_s: float


def spent_by(arguments: Sequence[str]) -> Spent:
    """Run ``offhook`` with these arguments. Raises CalledProcessError, with what it said, if it does not end with 0."""
    before, start_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(OFFHOOK), *arguments], env=ONE_THREAD, check=True, capture_output=True, text=True)
    wall_s, after = time.perf_counter() - start_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def phone_time_s(folder: Path) -> float:
    """How far the station's clock went in a run."""
    from offhook.bench.record import open_run

    with open_run(folder) as evidence:
        return max(attempt.ended_s or 0.0 for attempt in evidence.attempts())


def bench_run() -> None:
    """``offhook run simulated``: interpreter, every suite, recording, all judging, the report."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        spent = spent_by(["run", "simulated", "--out", str(folder)])
        phone_s = phone_time_s(folder)
    rate = phone_s / spent.cpu_s
    print(f"whole simulated run    {rate:6.0f} x real time   (goal 50; {phone_s:.0f} s of phone time)")
    print(f"                       {spent.wall_s:6.1f} s by the wall clock, {spent.cpu_s:.1f} s of CPU   (goal 60 s)")


def bench_association(repeat: int) -> None:
    """The association of a locked phone on an open station, recorded and judged as in a run."""
    from offhook.bench.flows import associate
    from offhook.bench.record import Verdict
    from offhook.bench.session import Session, Wanted, opened

    def one(session: Session, number: int) -> None:
        station = session.station
        station.begin()
        with session.record.attempt(f"association-{number}", "association of a locked phone", "benchmark"):
            associate(station, station.account("alice"), station.phone("desk-1"), lock=True)
            station.end()

    with tempfile.TemporaryDirectory() as scratch, opened(Wanted(folder=Path(scratch) / "run")) as session:
        one(session, 0)
        from_s, start_s = session.station.clock.now_s(), time.process_time()
        for number in range(1, repeat + 1):
            one(session, number)
        cpu_s, phone_s = time.process_time() - start_s, session.station.clock.now_s() - from_s
        wrong = [made.attempt.nodeid for made in session.record.result().attempts if made.outcome is not Verdict.PASS]
    if wrong:
        raise SystemExit(f"not PASS: {', '.join(wrong)}")
    each = f"{phone_s / repeat:.1f} s of phone time in {1000 * cpu_s / repeat:.0f} ms"
    print(f"association, locked    {phone_s / cpu_s:6.0f} x real time   (goal 50; {each})")


def bench_help(tries: int = 5) -> None:
    """``offhook --help``, the fastest of a few."""
    best = min((spent_by(["--help"]) for _ in range(tries)), key=lambda spent: spent.wall_s)
    print(f"offhook --help         {best.wall_s:6.2f} s by the wall clock, {best.cpu_s:.2f} s of CPU   (goal 0.5 s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("run", "association", "help"))
    parser.add_argument("--repeat", type=int, default=10, help="associations")
    options = parser.parse_args()
    if options.only in (None, "help"):
        bench_help()
    if options.only in (None, "association"):
        bench_association(options.repeat)
    if options.only in (None, "run"):
        bench_run()


if __name__ == "__main__":
    main()
