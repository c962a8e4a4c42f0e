"""Which requirements are proven: `make trace`, after `make test`.

An id is proven when a test marked with it passed in the last run and a test marked with it was seen to fail under a
named fault. A test may be marked with many ids; those whose own judgement failed under a fault, not only the test
around it, have a star. Read are build/trace/*.json: what each part of `make test` wrote (nodeid, ids, outcome),
faults*.json (the tests that failed under each fault) and, if there, faults-judged*.json (the ids whose judgements did).
Ids that the list of requirements does not know are an error.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
IDS = ROOT / "reports" / "requirements.csv"
TRACE = ROOT / "build" / "trace"
FAULTS, JUDGED = "faults", "faults-judged"
"""How the files of each sort begin: one run of the tests writes several."""
PRIORITIES = ("P0", "P1", "P2", "P3")


@dataclass
class Trace:
    """Requirement ids by what is known of them, each sorted."""

    proven: list[str] = field(default_factory=list)
    never_failed: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    starred: set[str] = field(default_factory=set)


def priorities(path: Path = IDS) -> dict[str, str]:
    """Priority of every requirement id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["priority"] for row in csv.DictReader(file)}


def trace(
    known: Mapping[str, str],
    tests: Iterable[Mapping[str, object]],
    faults: Mapping[str, Sequence[str]],
    judged: Mapping[str, Sequence[str]],
) -> Trace:
    """Sort the ids.

    ``tests`` are {"nodeid", "reqs", "outcome"}; ``faults`` maps a fault to the nodeids that failed, ``judged`` to the
    ids whose own judgement failed.
    """
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    seen_failing: set[str] = set()
    broken = {nodeid for nodeids in faults.values() for nodeid in nodeids}
    for test in tests:
        for req in map(str, test["reqs"] if isinstance(test["reqs"], list) else ()):
            outcomes[req][str(test["outcome"])] += 1
            if test["nodeid"] in broken:
                seen_failing.add(req)
    result = Trace(unknown=sorted(set(outcomes) - set(known)))
    result.starred = {req for reqs in judged.values() for req in reqs}
    for req in sorted(known):
        if outcomes[req]["failed"]:
            result.failing.append(req)
        elif not outcomes[req]["passed"]:
            result.not_proven.append(req)
        elif req in seen_failing:
            result.proven.append(req)
        else:
            result.never_failed.append(req)
    return result


Named = dict[str, list[str]]


def read(folder: Path = TRACE) -> tuple[list[dict[str, object]], Named, Named, list[str]]:
    """Tests, what failed under faults, what was judged FAIL under faults, and warnings about the files themselves."""
    tests: list[dict[str, object]] = []
    named: dict[str, Named] = {FAULTS: {}, JUDGED: {}}
    commits: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        sort = next((each for each in (JUDGED, FAULTS) if path.name.startswith(each)), "")
        if sort:
            for fault, ones in content.items():
                named[sort].setdefault(str(fault), []).extend(str(one) for one in ones)
        else:
            tests += content["tests"]
            if content.get("commit"):
                commits[path.name] = str(content["commit"])
    warnings = []
    if not tests:
        warnings.append(f"nothing in {folder}: run make test first")
    if not named[FAULTS]:
        warnings.append(f"no {FAULTS}.json: no test was seen to fail under a fault in this run")
    if len(set(commits.values())) > 1:
        listing = ", ".join(f"{name} at {commit[:10]}" for name, commit in commits.items())
        warnings.append(f"not one run: {listing}; run make test again")
    return tests, named[FAULTS], named[JUDGED], warnings


def report(known: Mapping[str, str], found: Trace) -> list[str]:
    """The lines of the listing."""
    lines = []
    for title, ids in (
        ("PROVEN (passed, and seen to fail under a named fault; * by its own judgement)", found.proven),
        ("PASSED, NEVER SEEN TO FAIL under a named fault", found.never_failed),
        ("FAILING", found.failing),
        ("NOT PROVEN", found.not_proven),
    ):
        lines.append(f"{title}: {len(ids)}")
        for priority in PRIORITIES:
            of_it = [req + "*" * (req in found.starred) for req in ids if known[req] == priority]
            if of_it:
                lines += [f"  {priority} {line}" for line in _wrapped(of_it)]
    lines.append("")
    lines.append(f"{'':8}{'proven':>9}{'passed':>9}{'failing':>9}{'open':>9}{'all':>9}")
    for priority in PRIORITIES:
        groups = (found.proven, found.never_failed, found.failing, found.not_proven)
        counts = [sum(known[req] == priority for req in ids) for ids in groups]
        lines.append(f"{priority:8}" + "".join(f"{count:>9}" for count in [*counts, sum(counts)]))
    return lines


def _wrapped(ids: Sequence[str], width: int = 100) -> list[str]:
    lines = [""]
    for req in ids:
        if len(lines[-1]) + len(req) > width:
            lines.append("")
        lines[-1] += req + " "
    return [line.rstrip() for line in lines]


def main() -> int:
    """Print the listing; 1 if a test names an unknown id or nothing was run."""
    known = priorities()
    tests, faults, judged, warnings = read()
    found = trace(known, tests, faults, judged)
    print("\n".join(report(known, found)))
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for req in found.unknown:
        nodeids = [str(test["nodeid"]) for test in tests if req in list(map(str, test["reqs"]))]  # type: ignore[call-overload]
        print(f"error: {req} is not in {IDS.relative_to(ROOT)} (marked on {nodeids[0]})", file=sys.stderr)
    return 1 if found.unknown or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
