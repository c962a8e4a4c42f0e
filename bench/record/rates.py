"""The kinds of judgement over many attempts: rate, digit_errors and percentile.

Each is a claim with 95 % confidence, by exact binomial bounds (Clopper and Pearson 1934). PASS: the bound is within the
limit. FAIL: the other bound is beyond it, so that no further trial can help. Between the two n is too small, and the
reason says how many trials it needs. A claim that was not asked for (``claimed`` false) is only shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from offhook.bench.record.interrupted import superseded
from offhook.bench.record.kinds import Case, Finding, NoEvidence
from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import Attempt, Judgement, Verdict
from offhook.dsp import stats

TRIAL = "trial"
"""The kind of observation that says of an attempt which rates it is a trial of."""
UNTRIED = (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE)
OPEN = Verdict.INCONCLUSIVE


@dataclass
class Made:
    """What the attempts of a run that count came to: outcomes by attempt, and the judgements of each."""

    attempts: Sequence[Attempt]
    outcomes: dict[int, Verdict]
    judgements: Sequence[Judgement]

    @classmethod
    def of(cls, attempts: Sequence[Attempt], outcomes: Mapping[int, Verdict], judgements: Iterable[Judgement]) -> Made:
        """Without the attempts that were cut short and made anew."""
        again = superseded(attempts, outcomes)
        return cls(
            tuple(one for one in attempts if one.id not in again),
            {number: outcome for number, outcome in outcomes.items() if number not in again},
            tuple(one for one in judgements if one.attempt not in again),
        )

    @classmethod
    def stored(cls, evidence: Evidence) -> Made:
        """As the run itself wrote it."""
        attempts = evidence.attempts()
        return cls.of(attempts, {one.id: one.outcome or Verdict.NOT_RUN for one in attempts}, evidence.judgements())

    @cached_property
    def by_attempt(self) -> dict[int, list[Judgement]]:
        """The judgements of each attempt."""
        found: dict[int, list[Judgement]] = defaultdict(list)
        for judgement in self.judgements:
            if judgement.attempt is not None:
                found[judgement.attempt].append(judgement)
        return found


def rate(case: Case) -> Finding:
    """The share of trials that passed. An attempt left open counts against the claim, and not for its failure."""
    made = case.made or Made.stored(case.evidence)
    outcomes = {one.id: made.outcomes.get(one.id, Verdict.NOT_RUN) for one in _trials(case, made)}
    tried = {number: outcome for number, outcome in outcomes.items() if outcome not in UNTRIED}
    n, passed = len(tried), sum(outcome is Verdict.PASS for outcome in tried.values())
    undecided = sum(outcome is OPEN for outcome in tried.values())
    limit = float(case.need("at_least"))
    if n == 0:
        return _nothing(case, low=limit)
    text = f"{passed} of {n} passed"
    if undecided:
        text += f", {undecided} left open"
    if untried := len(outcomes) - n:
        text += f", {untried} not run"
    text += _failing_steps(made, [number for number, outcome in tried.items() if outcome is not Verdict.PASS])
    bound = 1.0 - stats.error_bound(n - passed, n)
    proof = _proof(n - passed, n - passed - undecided, n, 1.0 - limit)
    interval = stats.clopper_pearson(passed, n)
    text += f"; at least {_percent(bound)} (95 %; interval {_percent(interval.low)} to {_percent(interval.high)})"
    return _claimed(case, proof, text, passed / n, passed / n - bound, n, n - passed, 1.0 - limit, low=limit)


def _trials(case: Case, made: Made) -> list[Attempt]:
    """The attempts that say they are trials of this rate."""
    of, where = str(case.need("of")), dict(case.spec.get("where") or {})
    named = {
        seen.attempt
        for seen in case.evidence.observations_between(TRIAL, case.from_s, case.to_s)
        if of in seen.data.get("rates", ()) and all(seen.data.get(key) == value for key, value in where.items())
    }
    return [one for one in made.attempts if one.id in named]


def _failing_steps(made: Made, attempts: Iterable[int]) -> str:
    """``; failures by step: S16 2, S27 1``."""
    messages = {one.id: one.message for one in made.attempts}
    steps = Counter(failing_step(messages[number], made.by_attempt.get(number, [])) for number in attempts)
    return "; failures by step: " + ", ".join(f"{name} {count}" for name, count in steps.most_common()) if steps else ""


def failing_step(message: str, judgements: Sequence[Judgement]) -> str:
    """The step an attempt failed at: of the exception if there was one, else of the first judgement that failed."""
    head, colon, rest = message.partition(": ")
    if colon and head == "StepFailed":
        return rest.partition(":")[0]
    for one in judgements:
        if one.verdict in (Verdict.FAIL, OPEN):
            return one.req.partition("-")[2].partition(".")[0] or one.req or one.title
    return head if colon and head.isidentifier() else "test"


def digit_errors(case: Case) -> Finding:
    """Digits lost, doubled or taken for others on some wires, as a share of those keyed (TH-10)."""
    made, limit = case.made or Made.stored(case.evidence), float(case.need("at_most"))
    req, wires = str(case.need("of")), str(case.spec.get("wire", "*"))
    found = [
        one
        for one in made.judgements
        if one.kind == "digits" and one.req == req and one.n and fnmatchcase(str(one.spec.get("wire")), wires)
    ]
    read = [one for one in found if one.figure is not None]
    n = sum(one.n or 0 for one in read)
    if n == 0:
        return _nothing(case, high=limit)
    errors = min(n, sum(round(one.figure or 0.0) for one in read))
    bound = stats.error_bound(errors, n)
    text = f"{errors} wrong of {n} digits, at most {_percent(bound)} (95 %)"
    if lost := len(found) - len(read):
        text += f"; {lost} codes could not be read"
    return _claimed(
        case, _proof(errors, errors, n, limit), text, errors / n, bound - errors / n, n, errors, limit, high=limit
    )


def percentile(case: Case) -> Finding:
    """A percentile of times (``share``, 0.95 if not given): of equal judgements, or between two steps of a flow.

    "p95 at most 2 s" is the claim that at most 5 % of all times are longer; without ``at_most`` it is only shown.
    A time within its own uncertainty of the limit speaks neither for nor against it.
    """
    made, share = case.made or Made.stored(case.evidence), float(case.spec.get("share", 0.95))
    limit, name = case.limit("at_most"), f"p{100 * share:g}"
    times = _between_steps(case, made) if "steps" in case.spec else _judged_times(case, made)
    if not times:
        return _nothing(case, high=limit)
    figures = stats.percentiles([seconds for seconds, _ in times])
    value = {0.5: figures.p50, 0.95: figures.p95, 0.99: figures.p99}.get(share)
    if value is None:
        raise ValueError(f"share {share} is none of 0.5, 0.95 and 0.99")
    figure = None if value != value else value  # NaN: n is too small for this percentile
    if limit is None:
        return Finding(Verdict.NOT_APPLICABLE, f"{figures} (s); no limit", figure, n=len(times), u=_largest_u(times))
    beyond = sum(seconds + u > limit for seconds, u in times)
    surely = sum(seconds - u > limit for seconds, u in times)
    text = (
        f"{figures} (s); {beyond} of {len(times)} not within {limit:g} s, {name} claims at most {_percent(1 - share)}"
    )
    proof = _proof(beyond, surely, len(times), 1.0 - share)
    return _claimed(case, proof, text, figure, _largest_u(times), len(times), beyond, 1.0 - share, high=limit)


def _largest_u(times: Sequence[tuple[float, float]]) -> float:
    return max(u for _, u in times)


def _judged_times(case: Case, made: Made) -> list[tuple[float, float]]:
    req, title = str(case.need("of")), str(case.need("title"))
    return [
        (one.figure, one.u or 0.0)
        for one in made.judgements
        if one.kind == "interval" and one.req == req and one.title == title and one.figure is not None
    ]


def _between_steps(case: Case, made: Made) -> list[tuple[float, float]]:
    """From the first to the last named step of every trial that passed; a first step may have alternatives: "S3|S1"."""
    first, last = case.spec["steps"]
    wanted = {one.id for one in _trials(case, made) if made.outcomes.get(one.id) is Verdict.PASS}
    seen: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    for step in case.evidence.steps():
        if step.attempt in wanted and step.attempt is not None:
            seen[step.attempt].setdefault(step.name, (step.time_s, step.u_s))
    times = []
    for steps in seen.values():
        start = next((steps[name] for name in str(first).split("|") if name in steps), None)
        if start is not None and last in steps:
            times.append((steps[last][0] - start[0], (steps[last][1] ** 2 + start[1] ** 2) ** 0.5))
    return times


def _proof(errors: int, surely: int, n: int, limit: float) -> Verdict:
    """Of the claim "the share of errors is at most ``limit``", with ``surely`` of the errors beyond doubt."""
    if stats.error_bound(errors, n) <= limit:
        return Verdict.PASS
    lower = 1.0 - stats.error_bound(n - surely, n)  # one-sided, as the upper one
    return Verdict.FAIL if lower > limit else OPEN


def _claimed(
    case: Case,
    proof: Verdict,
    text: str,
    figure: float | None,
    u: float,
    n: int,
    errors: int,
    limit: float,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Finding:
    if proof is OPEN:
        text += f"; n = {n}, needs {stats.trials_needed(limit, errors)}"
    if not case.spec.get("claimed", True):
        return Finding(Verdict.NOT_APPLICABLE, f"not claimed: {text}", figure, low, high, u, n)
    return Finding(proof, text, figure, low, high, u, n)


def _nothing(case: Case, *, low: float | None = None, high: float | None = None) -> Finding:
    if case.spec.get("claimed", True):
        raise NoEvidence("n = 0: nothing was tried")
    return Finding(Verdict.NOT_APPLICABLE, "not claimed: n = 0", None, low, high, None, 0)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
