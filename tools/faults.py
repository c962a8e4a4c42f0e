"""Every (wire x fault) pair of docs/faults.md, run: `make faults`.

Each row of the tables there is a pair: a fault at the far end of a wire, the certification cases that are run with it,
and what the run must say. The bench is told nothing of the fault. A pair is covered if the verdict is the one listed
(never PASS) and the failures name what is listed. Every pair is a run of its own in a process of its own, two at a
time; all on the simulated clock, but for instruments and lines.

    python tools/faults.py [--only TEXT] [--every N] [--explain] [--write] [--json FILE]

``--write`` puts the results into docs/faults.md. Written as well, for `make trace`: build/trace/faults.json (the cases
that failed under each fault) and faults-judged.json (the requirements whose own judgement failed). Exit code 1 if a
pair is not covered.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "faults.md"
TRACE = ROOT / "build" / "trace"
SUITES = "bench/suites/"
BEGIN, END = "<!-- results: written by tools/faults.py -->", "<!-- end of results -->"
UNREACHABLE = "UNREACHABLE"
"""The run does not begin: exit code 2, and the wire is named."""
VERDICTS = ("FAIL", "INCONCLUSIVE", UNREACHABLE)
JOBS = 2
STATIONS = {"instrument": "instruments", "line": "instruments"}
"""Where a wire's pairs are run, if not on the simulated station; that one is in real time."""
SLOW_TO_IMPORT = (
    "fastapi",
    "httpx",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "scipy.signal",
    "offhook.bench.flows",
    "offhook.bench.run",
    "offhook.fixtures.ends",
    "offhook.fixtures.plants",
    "offhook.reports.html",
    "offhook.reports.pdf",
)
"""A third of the time of a pair of simulated wires."""
LIMIT_S = 300.0
"""For the tests of one pair."""


@dataclass(frozen=True)
class Pair:
    """One row: ``shape`` is the fault's name with its arguments, ``fault`` the one that is switched on."""

    wire: str
    shape: str
    fault: str
    cases: str
    verdict: str
    says: tuple[str, ...]


@dataclass
class Outcome:
    """What a run made of a pair: its verdict, the cases that did not pass, the requirements judged FAIL, the words."""

    fault: str
    verdict: str
    failed: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    text: str = ""
    took_s: float = 0.0


def pairs(page: str) -> list[Pair]:
    """The rows of every table of a page, in order. Raises ValueError naming a row that cannot be read."""
    found: list[Pair] = []
    wire = ""
    for line in page.split(BEGIN)[0].splitlines():
        heading = re.match(r"### `([\w-]+)`", line)
        wire = heading[1] if heading else wire
        if line.startswith("| `"):
            found.append(_pair(wire, line))
    return found


def _pair(wire: str, line: str) -> Pair:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    if len(cells) != 5:
        raise ValueError(f"not a row of five cells: {line}")
    shape, _, fault, cases, says = cells
    verdict, _, words = says.partition(":")
    if verdict not in VERDICTS or not words.strip():
        raise ValueError(f"not a verdict and words: {line}")
    named = tuple(word.strip() for word in words.split(";"))
    return Pair(wire, shape.strip("`"), fault.strip("`"), cases.strip("`"), verdict, named)


def wrong_with(pair: Pair, outcome: Outcome) -> str:
    """Why a pair is not covered; "" if it is."""
    if outcome.verdict != pair.verdict:
        return f"{outcome.verdict}, not {pair.verdict}"
    missing = [word for word in pair.says if word not in outcome.text]
    if missing:
        return f"does not say {', '.join(map(repr, missing))}"
    return ""


# ---- running ----------------------------------------------------------------------------------------------------


def run(pair: Pair, place: Path) -> Outcome:
    """A pair's cases with its fault: certification cases, or tests of this repository."""
    started_s = time.monotonic()
    outcome = (run_tests if pair.cases.startswith("tests/") else run_suites)(pair, place)
    outcome.took_s = time.monotonic() - started_s
    return outcome


def run_tests(pair: Pair, place: Path) -> Outcome:
    """Tests of this repository, with a fault at the far ends they put up or a bug in the bench itself."""
    option = ["--bug", pair.fault.removeprefix("bug:")] if pair.fault.startswith("bug:") else ["--fault", pair.fault]
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=line", *option, *shlex.split(pair.cases)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    failed = re.findall(r"^FAILED (tests/\S+(?:\[.*?\])?)(?: - |$)", done.stdout, flags=re.MULTILINE)
    verdict = {0: "PASS", 1: "FAIL"}.get(done.returncode, f"exit code {done.returncode}")
    # The names first: what a failed comparison of two pages prints is longer than what is kept.
    return Outcome(pair.fault, verdict, failed, text="\n".join([*failed, done.stdout[-4000:] + done.stderr[-1000:]]))


def run_suites(pair: Pair, place: Path) -> Outcome:
    """Certification cases. Call it in a process of its own: pytest runs once in a process."""
    from offhook.bench.record import judge
    from offhook.bench.run import run_station
    from offhook.drivers.errors import OffhookError

    folder = place / re.sub(r"\W+", "_", pair.fault + " " + pair.cases)[:100]
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)  # the console writes there, and to stdout where that is apart
    os.environ["OFFHOOK_LOCKS"] = str(folder) + "-locks"
    try:
        code = run_station(STATIONS.get(pair.wire, "simulated"), only=pair.cases, out=folder, faults=[pair.fault])
    except OffhookError as error:
        return Outcome(pair.fault, UNREACHABLE, text=str(error))
    result = judge(folder)
    outcome = Outcome(pair.fault, str(result.verdict) if code in (0, 1, 3) else f"exit code {code}")
    lines = [str(result.meta.get("ended"))] if code == 2 else []
    for each in result.attempts:
        if str(each.outcome) not in ("FAIL", "INCONCLUSIVE"):
            continue
        if str(each.outcome) == "FAIL":
            outcome.failed.append(SUITES + each.attempt.nodeid)
        lines += [f"{each.outcome} {each.attempt.nodeid}: {each.attempt.message}"]
        bad = [one for one in each.judgements if str(one.verdict) in ("FAIL", "INCONCLUSIVE")]
        lines += [f"{one.verdict} {one.req} {one.title}: {one.reason}" for one in bad]
        outcome.judged += [one.req for one in bad if str(one.verdict) == "FAIL"]
    loose = [one for one in result.judgements if one.attempt is None and str(one.verdict) in ("FAIL", "INCONCLUSIVE")]
    lines += [f"{one.verdict} {one.req} {one.title}: {one.reason}" for one in loose]
    outcome.judged = sorted(set(outcome.judged))
    outcome.text = "\n".join(lines)
    return outcome


def run_all(wanted: Sequence[Pair], place: Path, jobs: int = JOBS) -> Iterator[tuple[Pair, Outcome]]:
    """Run pairs, each in a fresh process, and hand over each as it ends."""
    for module in SLOW_TO_IMPORT:  # once, here, and not in every process
        importlib.import_module(module)
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        yield from zip(wanted, pool.imap(partial(run, place=place), wanted, chunksize=1), strict=True)


# ---- telling ----------------------------------------------------------------------------------------------------


def result_row(pair: Pair, outcome: Outcome) -> str:
    """A result as the page shows it."""
    cases = sorted({case_of(nodeid) for nodeid in outcome.failed})
    shown = ", ".join(cases[:2]) + (f" and {len(cases) - 2} more" if len(cases) > 2 else "")
    judged = ", ".join(outcome.judged[:4]) + (" ..." if len(outcome.judged) > 4 else "")
    return f"| {pair.wire} | `{pair.fault}` | {outcome.verdict} | {shown} | {judged} |"


def results_table(page: str, done: Iterable[tuple[Pair, Outcome]]) -> list[str]:
    """The results of every pair of a page, in its order; those of pairs that were not run now are kept."""
    new = {pair: result_row(pair, outcome) for pair, outcome in done}
    old: dict[str, list[str]] = defaultdict(list)
    for row in re.findall(r"^\| [\w-]+ \| `.*$", page.partition(BEGIN)[2], flags=re.MULTILINE):
        old[row.split("`")[1]].append(row)
    lines = ["| wire | fault | verdict | failed | judged FAIL |", "|---|---|---|---|---|"]
    for pair in pairs(page):
        kept = old[pair.fault].pop(0) if old[pair.fault] else ""
        lines += [row for row in [new.get(pair, kept)] if row]
    return lines


def case_of(nodeid: str) -> str:
    """``wrong_code_associates_nothing`` of a node id."""
    return nodeid.rpartition("::")[2].partition("[")[0].removeprefix("test_")


def write_page(done: Sequence[tuple[Pair, Outcome]]) -> None:
    """Put the results into the page."""
    page = PAGE.read_text("utf-8")
    lines = [page.split(BEGIN)[0] + BEGIN, "", *results_table(page, done), "", END, ""]
    PAGE.write_text("\n".join(lines), "utf-8")


def write_trace(done: Iterable[tuple[Pair, Outcome]]) -> None:
    """Write what `make trace` reads."""
    failed: dict[str, list[str]] = {}
    judged: dict[str, list[str]] = {}
    for _, outcome in done:
        failed[outcome.fault] = sorted({*failed.get(outcome.fault, []), *outcome.failed})
        judged[outcome.fault] = sorted({*judged.get(outcome.fault, []), *outcome.judged})
    TRACE.mkdir(parents=True, exist_ok=True)
    (TRACE / "faults.json").write_text(json.dumps(failed, indent=1), "utf-8")
    (TRACE / "faults-judged.json").write_text(json.dumps(judged, indent=1), "utf-8")


def _tell(pair: Pair, outcome: Outcome, explain: bool) -> None:
    wrong = wrong_with(pair, outcome)
    cases = sorted({case_of(nodeid) for nodeid in outcome.failed})
    first = cases[0] + (f" +{len(cases) - 1}" if len(cases) > 1 else "") if cases else "-"
    print(
        f"{'WRONG' if wrong else 'ok':6}{pair.wire:11}{pair.fault:32}{outcome.verdict:13}{first:44}"
        + "; ".join(pair.says)
    )
    if wrong:
        print(f"      {wrong}")
    if wrong or explain:
        print("\n".join(f"        {line[:220]}" for line in outcome.text.splitlines()[:24]))
    sys.stdout.flush()


def sampled(listed: Sequence[Pair], every: int) -> list[Pair]:
    """The first pair of each wire, and every so many-th of them all."""
    wires = [pair.wire for pair in listed]
    return [pair for place, pair in enumerate(listed) if place % every == 0 or wires.index(pair.wire) == place]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the pairs, print the coverage; 1 if a pair is not covered."""
    parser = argparse.ArgumentParser(description="Run every (wire x fault) pair of docs/faults.md.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only pairs whose wire or fault holds TEXT")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="only the first pair of each wire and every N-th"
    )
    parser.add_argument("--explain", action="store_true", help="show what each run said")
    parser.add_argument("--write", action="store_true", help="put the results into docs/faults.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes there, too")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"processes (default {JOBS})")
    options = parser.parse_args(arguments)
    listed = sampled(pairs(PAGE.read_text("utf-8")), options.every)
    wanted = [pair for pair in listed if options.only in f"{pair.wire} {pair.fault}"]
    started_s = time.monotonic()
    done = []
    with tempfile.TemporaryDirectory(prefix="offhook-faults-") as place:
        for pair, outcome in run_all(wanted, Path(place), options.jobs):
            _tell(pair, outcome, options.explain)
            done.append((pair, outcome))
    bad = [pair.fault for pair, outcome in done if wrong_with(pair, outcome)]
    kinds = {pair.shape for pair, _ in done}
    took_s = time.monotonic() - started_s
    print(f"\n{len(done) - len(bad)} of {len(done)} pairs covered ({len(kinds)} faults) in {took_s:.0f} s")
    if bad:
        print(f"not covered: {', '.join(bad)}")
    if options.json:
        rows = [{**asdict(outcome), "cases": pair.cases, "wrong": wrong_with(pair, outcome)} for pair, outcome in done]
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    if options.write:
        write_page(done)
    if not options.only and options.every == 1:
        write_trace(done)
    return 1 if bad or not done else 0


if __name__ == "__main__":
    sys.exit(main())
