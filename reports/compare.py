"""Two runs side by side: which verdicts changed, which figures moved, and what was different about the runs.

A regression is a case that passed and does not any more, a case that fails more often by an exact test
(Fisher 1922, one-sided, 5 %), or a figure that moved towards its limit beyond the joint uncertainty and significantly
(:mod:`offhook.reports.shift`). A case that is only in one of the runs is said, and is none.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from offhook.bench.record.schema import Judgement, Verdict
from offhook.bench.record.verdicts import worst
from offhook.reports import folder, summary
from offhook.reports.differs import Difference, differences, unlike
from offhook.reports.shift import ALPHA, Key, Samples, Shift, samples_of, shifts

_REPETITION = re.compile(r"(?<=\[)#\d+(?:-|(?=\]))|-#\d+(?=-|\])")
_TRIED = (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE)
SCHEMA_VERSION = 1
NOT_YET = "it is being recorded now"


@dataclass(frozen=True, slots=True)
class Tally:
    """The attempts of one case in one run: its worst outcome, how many passed, how many were tried, what was wrong."""

    verdict: Verdict
    passed: int
    n: int
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """One case or requirement in both runs; None where a run does not have it."""

    kind: str
    """newly failing, newly inconclusive, fails more often, newly passing, no longer run, newly run, appeared,
    disappeared, changed."""
    name: str
    title: str
    before: Tally | None
    after: Tally | None
    p: float | None = None

    @property
    def regression(self) -> bool:
        """True if the second run is worse."""
        return self.kind in REGRESSIONS


REGRESSIONS = ("newly failing", "newly inconclusive", "fails more often")


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared of one run."""

    path: str
    run_id: str
    started: str
    verdict: Verdict
    level: str
    dut: str
    meta: dict[str, Any]
    cases: dict[str, tuple[str, Tally]]
    reqs: dict[str, tuple[str, Tally]]
    samples: dict[Key, Samples]
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything two runs say about each other."""

    before: Side
    after: Side
    unlike: tuple[str, ...]
    differences: tuple[Difference, ...]
    cases: tuple[Change, ...]
    requirements: tuple[Change, ...]
    shifts: tuple[Shift, ...]

    @property
    def common(self) -> int:
        """How many cases came to a verdict in both runs; without any, nothing was compared."""
        shared = self.before.cases.keys() & self.after.cases.keys()
        return sum(bool(self.before.cases[name][1].n and self.after.cases[name][1].n) for name in shared)

    @property
    def exit_code(self) -> int:
        """0 without a regression, 1 with one; 3 if no case came to a verdict in both, so that there was none to see."""
        return 1 if self.regressions else 0 if self.common else 3

    @property
    def worse_figures(self) -> list[Shift]:
        """Figures that moved towards their limit, by test."""
        return [one for one in self.shifts if one.moved and one.tested and one.worse]

    @property
    def regressions(self) -> int:
        """How many there are: cases (requirements only where no case says it) and figures."""
        cases = sum(change.regression for change in self.cases)
        return (cases or sum(change.regression for change in self.requirements)) + len(self.worse_figures)


def compare(before: Path, after: Path) -> Comparison:
    """Compare two run folders. Raises ConfigError if one of them cannot be read."""
    a, b = side(before), side(after)
    return Comparison(
        before=a,
        after=b,
        unlike=(*unlike(a.meta, b.meta), *_of_no_use(a, b)),
        differences=tuple(differences(a.meta, b.meta)),
        cases=tuple(changes(a.cases, b.cases)),
        requirements=tuple(changes(a.reqs, b.reqs)),
        shifts=tuple(shifts(a.samples, b.samples)),
    )


def _of_no_use(*sides: Side) -> Iterator[str]:
    """What is wrong with a run as evidence: what changed for such a reason is no news of the telephone."""
    for name, one in zip(("first", "second"), sides, strict=True):
        if one.altered:
            more = f"; and {len(one.altered) - 3} more" if len(one.altered) > 3 else ""
            yield f"the {name} run was altered after it was sealed: {'; '.join(one.altered[:3])}{more}"


def side(run_dir: Path) -> Side:
    """One run, judged anew. Raises ConfigError if it cannot be read."""
    with folder.opened(Path(run_dir)) as run:
        digest = summary.summarize(run)
        dut = run.meta.get("dut") or {}
        return Side(
            path=str(run_dir),
            run_id=run.name,
            started=str(run.meta.get("started_utc") or ""),
            verdict=digest.verdict,
            level=digest.level,
            dut=" ".join(str(dut[key]) for key in ("vendor", "model", "firmware") if dut.get(key)),
            meta=run.meta | ({"ended": NOT_YET} if run.result.live else {}),
            cases=_cases(run),
            reqs={line.req: (line.title, _of_judgements(line.judgements)) for line in digest.lines},
            samples=samples_of(run.result),
            altered=run.result.damages,
        )


def _cases(run: folder.Run) -> dict[str, tuple[str, Tally]]:
    """By node id without the number of the repetition."""
    groups: dict[str, list[folder.Case]] = defaultdict(list)
    for case in run.counted:
        groups[_REPETITION.sub("", case.attempt.nodeid)].append(case)
    found = {}
    for name, cases in groups.items():
        outcomes = [case.outcome for case in cases]
        bad = next((case for case in cases if case.outcome in (Verdict.FAIL, Verdict.INCONCLUSIVE)), cases[0])
        title = _REPETITION.sub("", cases[0].attempt.title or name)
        found[name] = (title, _tally(outcomes, _why(bad)))
    return found


def _why(case: folder.Case) -> str:
    if case.attempt.message:
        return case.attempt.message.partition("\n")[0].removeprefix("StepFailed: ")
    return next((f"{one.req} {one.title}: {one.reason}" for one in case.judgements if one.verdict is case.outcome), "")


def _of_judgements(judgements: tuple[Judgement, ...]) -> Tally:
    verdict = worst(one.verdict for one in judgements)
    why = next((f"{one.title}: {one.reason}" for one in judgements if one.verdict is verdict), "")
    return _tally([one.verdict for one in judgements], why)


def _tally(outcomes: list[Verdict], why: str) -> Tally:
    verdict = worst(outcomes)
    tried = [outcome for outcome in outcomes if outcome in _TRIED]
    return Tally(verdict, tried.count(Verdict.PASS), len(tried), "" if verdict is Verdict.PASS else why)


def changes(before: dict[str, tuple[str, Tally]], after: dict[str, tuple[str, Tally]]) -> list[Change]:
    """What changed, regressions first."""
    found = []
    for name in sorted({*before, *after}, key=summary.natural):
        title = (after.get(name) or before[name])[0]
        a, b = (found_in[name][1] if name in found_in else None for found_in in (before, after))
        kind, p = _kind(a, b)
        if kind:
            found.append(Change(kind, name, title, a, b, p))
    return sorted(found, key=lambda change: (not change.regression, change.kind))


def _kind(a: Tally | None, b: Tally | None) -> tuple[str, float | None]:
    if a is None or b is None:
        return ("appeared" if a is None else "disappeared"), None
    if a.n == 0 or b.n == 0:
        return ("", None) if a.n == b.n else ("newly run" if a.n == 0 else "no longer run", None)
    if a.verdict is Verdict.PASS and b.verdict is not Verdict.PASS:
        words = {Verdict.FAIL: "newly failing", Verdict.INCONCLUSIVE: "newly inconclusive"}
        return words.get(b.verdict, "no longer run"), more_failures(a, b)
    if b.verdict is Verdict.PASS and a.verdict is not Verdict.PASS:
        return "newly passing", more_failures(b, a)
    p = more_failures(a, b)
    if a.verdict is not Verdict.PASS and p is not None and p < ALPHA:
        return "fails more often", p
    if a.verdict is Verdict.INCONCLUSIVE and b.verdict is Verdict.FAIL:
        return "newly failing", p
    return ("changed", p) if a.verdict is not b.verdict else ("", None)


def more_failures(a: Tally, b: Tally) -> float | None:
    """Chance of as many failures among those of ``b``, or more, if both runs were alike (Fisher's exact test).

    None where one of them is a single attempt: one outcome is no rate.
    """
    if min(a.n, b.n) < 2:
        return None
    failed, total = (a.n - a.passed) + (b.n - b.passed), a.n + b.n
    most = min(failed, b.n)
    ways = sum(math.comb(b.n, k) * math.comb(a.n, failed - k) for k in range(b.n - b.passed, most + 1))
    return ways / math.comb(total, failed)


def as_json(found: Comparison) -> str:
    """The whole comparison for machines."""

    def of(one: Side) -> dict[str, Any]:
        keys = ("path", "run_id", "started", "verdict", "level", "dut")
        return {key: getattr(one, key) for key in keys}

    moved = [
        {
            **{key: getattr(one, key) for key in ("req", "title", "unit", "joint_u", "p", "moved", "worse", "by")},
            "before": _numbers(one.before),
            "after": _numbers(one.after),
        }
        for one in found.shifts
    ]
    content = {
        "schema_version": SCHEMA_VERSION,
        "regressions": found.regressions,
        "cases_in_common": found.common,
        "before": of(found.before),
        "after": of(found.after),
        "unlike": found.unlike,
        "differences": [asdict(one) for one in found.differences],
        "cases": [asdict(one) | {"regression": one.regression} for one in found.cases],
        "requirements": [asdict(one) | {"regression": one.regression} for one in found.requirements],
        "figures": moved,
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _numbers(samples: Samples) -> dict[str, float | int]:
    shares = {f"p{share}": samples.percentile(share) for share in (50, 95)}
    return {"n": samples.n, **shares, "max": max(samples.figures), "u": samples.u}
