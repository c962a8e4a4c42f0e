"""The fault matrix of the safe state, on real wires: `make safety`.

Every row of tests/safety_rows.py is a scene with real processes, ptys, TCP and PulseAudio: something goes wrong while
relays are closed. A row holds if everything the scene asserts is so, and the safe state came within the row's limit.
A row that was too slow is measured again, up to three times in all (the machine may be busy); one that was wrong is
not.

    python tools/safety.py [--only TEXT] [--write] [--rounds N]

``--write`` puts the table into docs/safety.md. Exit code 1 if a row does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from safety_rows import ROWS, Row  # noqa: E402
from safety_scenes import Seen  # noqa: E402

PAGE = ROOT / "docs" / "safety.md"
BEGIN, END = "<!-- results: written by tools/safety.py -->", "<!-- end of results -->"
ROUNDS = 3


@dataclass(frozen=True)
class Result:
    """A row as it came out; ``wrong`` is "" if it holds."""

    row: Row
    seen: Seen | None
    wrong: str = ""
    rounds: int = 1


def run(row: Row, place: Callable[[], Path], rounds: int = ROUNDS) -> Result:
    """Play a row's scene; once more only if nothing but the time was wrong."""
    for number in range(1, rounds + 1):
        try:
            seen = row.scene(place())
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            traceback.print_exc()
            return Result(row, None, f"{type(error).__name__}: {error}", number)
        if seen.took_s <= row.limit_s:
            return Result(row, seen, "", number)
    return Result(row, seen, f"took {seen.took_s:.2f} s, not {row.limit_s:g} s", rounds)


def line_of(result: Result) -> str:
    """A result as the page shows it."""
    row, seen = result.row, result.seen
    if result.wrong or seen is None:
        return f"| {row.fault} | {row.wires} | **WRONG: {result.wrong.splitlines()[0]}** | | {row.limit_s:g} | |"
    return f"| {row.fault} | {row.wires} | {seen.did} | {seen.took_s:.2f} | {row.limit_s:g} | {seen.kept} |"


def write_page(results: Sequence[Result]) -> None:
    """Put them into the page; rows that were not run now keep what they said, rows that are no more go."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    known = {line.split("|")[1].strip(): line for line in old.splitlines() if line.startswith("| ")}
    known |= {result.row.fault: line_of(result) for result in results}
    head = ["| fault | wires | what the bench did | seconds | limit | read afterwards |", "|---|---|---|---|---|---|"]
    lines = [*head, *(known[row.fault] for row in ROWS if row.fault in known)]
    PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + after, "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows, print them; 1 if one does not hold."""
    parser = argparse.ArgumentParser(description="The fault matrix of the safe state, on real wires.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose fault holds TEXT")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often a row may be measured (default 3)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/safety.md")
    options = parser.parse_args(arguments)
    results = []
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="offhook-safety-") as scratch:

        def place() -> Path:
            return Path(tempfile.mkdtemp(dir=scratch))

        for row in ROWS:
            if options.only not in row.fault:
                continue
            result = run(row, place, options.rounds)
            results.append(result)
            again = f" (measured {result.rounds} times)" if result.rounds > 1 else ""
            print(f"{'WRONG' if result.wrong else 'ok':6}{line_of(result)}{again}", flush=True)
    bad = [result for result in results if result.wrong]
    print(f"\n{len(results) - len(bad)} of {len(results)} rows hold, in {time.monotonic() - started_s:.0f} s")
    if options.write:
        write_page(results)
    return 1 if bad or not results else 0


if __name__ == "__main__":
    sys.exit(main())
