"""What a run comes to: verdict and level, counts, a line per requirement, the figures closest to their limits."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offhook.bench.record.guarded import guarded
from offhook.bench.record.judge import OVER_ATTEMPTS, UNVERIFIED, reach
from offhook.bench.record.schema import Judgement, Verdict
from offhook.bench.record.verdicts import worst
from offhook.reports.folder import WORST_FIRST, Case, Run
from offhook.reports.requirements import texts
from offhook.reports.steps import legend, step_of

RULE = (
    "PASS needs the figure plus its uncertainty (k = 2) within the limit. A figure outside its limit by more than its "
    "uncertainty is FAIL; in between it is INCONCLUSIVE. Every attempt counts, none is dropped or repeated until it "
    "passes. A requirement is as good as its worst judgement, a run as good as its worst requirement. All verdicts "
    "here were recomputed from the stored evidence when this report was made."
)
BROKE_AT = re.compile(r"(?:\w+: )?(S\d+): ")
"""How the message of an attempt begins that broke off at a step."""
AS_A_WHOLE = "attempt"
"""The kind of a line that rests on the test as a whole, not on a judgement."""
_TIMED = {"interval", "figure", "reading"}
_COUNTED = {Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement: its judgements taken together, and the figure that came closest to its limit."""

    req: str
    title: str
    verdict: Verdict
    judgements: tuple[Judgement, ...]
    shown: Judgement
    passed: int
    n: int
    bound: float | None
    requirement: str = ""
    """What it asks for, in words; of an id that is a lab's own, the step it belongs to or the test made for it."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything page one says."""

    verdict: Verdict
    level: str
    reach: str
    ended: str
    whole: bool
    remarks: tuple[str, ...]
    outcomes: dict[Verdict, int]
    judged: dict[Verdict, int]
    lines: tuple[Line, ...]
    closest: tuple[tuple[Judgement, float], ...]


def summarize(run: Run) -> Digest:
    """Take a run together."""
    lines = requirement_lines(run)
    outcomes = run.result.counts
    judged = Counter(judgement.verdict for judgement in run.result)
    ended, whole = how_it_ended(run.meta, live=run.result.live)
    ended += _undone(run)
    remarks = _remarks(run, ended, whole)
    verdict = run.result.verdict
    level = UNVERIFIED if run.integrity.altered else run.result.level
    if (verdict is Verdict.PASS and level == UNVERIFIED) or (verdict is Verdict.NOT_RUN and not whole):
        verdict = Verdict.INCONCLUSIVE  # all is well as far as it goes, but nothing vouches for it
    return Digest(
        verdict=verdict,
        level=level,
        reach=reach(run.meta),
        ended=ended,
        whole=whole,
        remarks=remarks,
        outcomes={name: outcomes[name] for name in WORST_FIRST},
        judged={name: judged[name] for name in WORST_FIRST},
        lines=lines,
        closest=closest(run),
    )


def how_it_ended(meta: dict[str, Any], *, live: bool = False) -> tuple[str, bool]:
    """How the run ended, in a sentence, and whether it came to its own end."""
    ended = meta.get("ended")
    if ended == "completed":
        return "The run was completed.", True
    if live:
        return "The run is being recorded now.", False
    if not ended:
        return "The run was killed: it never came to an end of its own.", False
    if ended == "interrupted":
        return "The run was interrupted (Ctrl-C) before it was complete.", False
    if ended == "terminated":
        return "The run was terminated (TERM) before it was complete.", False
    return f"The run broke off: {str(ended).removeprefix('error: ')}", False


def _undone(run: Run) -> str:
    """How many of the planned tests were never begun, if the run says what it had planned."""
    missing = run.result.never_begun
    return f" {missing} of {sum(run.meta['planned'].values())} planned attempts were never begun." if missing else ""


def requirement_lines(run: Run) -> tuple[Line, ...]:
    """One line per requirement id, worst first, then in order of the ids.

    A requirement that a test names and never came to judge has its line, too: what became of the test.
    """
    groups: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in run.result:
        groups[judgement.req or "(no id)"].append(judgement)
    judged = set(groups)
    for case in run.counted:
        broke = went_wrong(case) and case.attempt.raised is not Verdict.PASS
        for req in case.attempt.reqs:
            if req not in judged or (broke and _broke_at(case, req)):
                groups[req].append(_unjudged(case, req))
    about = _about(run)
    lines = [_line(req, group, about(req)) for req, group in groups.items()]
    return tuple(sorted(lines, key=lambda line: (WORST_FIRST.index(line.verdict), natural(line.req))))


def went_wrong(case: Case) -> bool:
    """True for an attempt that a reader must look at: FAIL, INCONCLUSIVE, or cut off by the end of the run."""
    return case.anew is None and (case.outcome in (Verdict.FAIL, Verdict.INCONCLUSIVE) or case.attempt.raised is None)


def made_again(case: Case) -> str:
    """Which attempt counts in place of one that was cut short; "" for one that counts itself."""
    return "" if case.anew is None else f" (does not count: attempt {case.anew} was made in its place)"


def _broke_at(case: Case, req: str) -> bool:
    """True if an attempt broke off at the very step that a requirement is about."""
    found = BROKE_AT.match(case.attempt.message)
    return found is not None and step_of(req) == found[1]


def _unjudged(case: Case, req: str) -> Judgement:
    """What an attempt says of a requirement that it names and has no judgement of."""
    found = BROKE_AT.match(case.attempt.message)
    broke = went_wrong(case) and case.attempt.raised is not Verdict.PASS
    if broke and found and not _broke_at(case, req):
        verdict, title = Verdict.NOT_RUN, f"not reached: the attempt broke off at {found[1]}"
    else:
        variant = case.attempt.nodeid.partition("[")[2]
        verdict, title = case.outcome, (case.attempt.title or case.attempt.nodeid).removesuffix(f" [{variant}")
    reason = case.attempt.message.partition("\n")[0]
    return Judgement(0, case.id, req, title, AS_A_WHOLE, {}, "", verdict, reason)


def _about(run: Run) -> Callable[[str], str]:
    steps = {name: what for name, _, what in legend(run)}
    tests: dict[str, str] = {}
    for case in run.cases:
        for req in case.attempt.reqs:
            tests.setdefault(req, title_of(case))
    return lambda req: texts().get(req) or steps.get(step_of(req)) or tests.get(req, "")


def title_of(case: Case) -> str:
    """The title without the variant that stands in its brackets."""
    title = (case.attempt.title or case.attempt.nodeid).removesuffix(".")
    return title.removesuffix(f" [{variant_of(case)}]")


def variant_of(case: Case) -> str:
    """What a test was called with: ``desk-1``; with its number if it was repeated."""
    return case.attempt.nodeid.partition("[")[2].removesuffix("]")


def _line(req: str, judgements: list[Judgement], requirement: str) -> Line:
    verdict = worst([judgement.verdict for judgement in judgements])
    at_worst = [judgement for judgement in judgements if judgement.verdict == verdict]
    shown = min(at_worst, key=lambda judgement: (_rank(judgement), judgement.id))
    counted = [one for one in judgements if one.verdict in _COUNTED and one.kind not in OVER_ATTEMPTS]
    passed = sum(judgement.verdict is Verdict.PASS for judgement in counted)
    return Line(
        req=req,
        title=shown.title,
        verdict=verdict,
        judgements=tuple(judgements),
        shown=shown,
        passed=passed,
        n=len(counted),
        bound=lower_bound(passed, len(counted)) if counted else None,
        requirement="" if requirement == shown.title else requirement,
    )


def _rank(judgement: Judgement) -> float:
    left = margin(judgement)
    return math.inf if left is None else left


def margin(judgement: Judgement) -> float | None:
    """What is left between figure with its uncertainty and the limit, as a share of the limit; None if not a quantity.

    1 is the whole limit, 0 is on it, below 0 is past it.
    """
    figure, u = judgement.figure, judgement.u or 0.0
    if judgement.kind not in _TIMED or not isinstance(figure, int | float):
        return None
    low, high = judgement.limit_low, judgement.limit_high
    width = abs(high - low) if low is not None and high is not None else abs(high if high is not None else low or 0.0)
    if not width:
        return None
    sides = []
    if high is not None:
        sides.append((high - figure - u) / width)
    if low is not None and (low > 0 or high is None):
        sides.append((figure - u - low) / width)
    return min(sides) if sides else None


def closest(run: Run, count: int = 3) -> tuple[tuple[Judgement, float], ...]:
    """The figures closest to their limits, one per requirement, the closest first.

    One without uncertainty is a count or follows from one: it keeps its place, and within the limit says nothing of
    what might come to pass next time.
    """
    best: dict[str, tuple[Judgement, float]] = {}
    for judgement in run.result:
        left = margin(judgement)
        if left is None or (left >= 0.0 and not judgement.u):
            continue
        if judgement.req not in best or left < best[judgement.req][1]:
            best[judgement.req] = (judgement, left)
    ranked = sorted(best.values(), key=lambda pair: (pair[1], natural(pair[0].req)))
    return tuple(ranked[:count])


def lower_bound(passed: int, n: int, confidence: float = 0.95) -> float:
    """One-sided lower bound of a success rate (Clopper and Pearson 1934), found by bisection."""
    if passed == 0:
        return 0.0
    low, high = 0.0, passed / n
    for _ in range(60):
        middle = (low + high) / 2
        tail = sum(math.comb(n, k) * middle**k * (1 - middle) ** (n - k) for k in range(passed, n + 1))
        low, high = (middle, high) if tail < 1 - confidence else (low, middle)
    return low


def _remarks(run: Run, ended: str, whole: bool) -> tuple[str, ...]:
    remarks = [] if whole else [ended]
    if run.meta.get("faults"):
        remarks.append(f"Faults were set on purpose at the far end: {', '.join(map(str, run.meta['faults']))}.")
    if (by_guardian := guarded(run.path)) is not None:
        remarks.append(str(by_guardian))
    integrity = run.integrity
    if integrity.altered:
        parts = [("changed", integrity.changed), ("missing", integrity.missing), ("added", integrity.added)]
        listed = "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names)
        remarks.append(f"The evidence was altered after it was sealed. {listed}.")
    elif not integrity.sealed and whole:
        remarks.append("The evidence was never sealed: there is no manifest to check it against.")
    moved = {item.id: item for item in run.result if item.verdict != run.stored.get(item.id)}
    if moved:
        names = ", ".join(sorted({item.req or item.title for item in moved.values()}, key=natural))
        text = "One verdict differs from that" if len(moved) == 1 else f"{len(moved)} verdicts differ from those"
        remarks.append(f"{text} of the run when recomputed from the evidence: {names}.")
    return tuple(remarks)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts S6.2 before S10.1."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part)
