"""Every verdict of a run, made anew from its folder alone.

A judgement that read a file which is no longer what was sealed is INCONCLUSIVE, whatever is in that file now, and names
it: the telephone is not to blame for it. A run that was never sealed is read as it lies and vouches for no level.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from offhook.bench.record import blinking, kinds, listening, rates
from offhook.bench.record.heard import Ear
from offhook.bench.record.interrupted import superseded
from offhook.bench.record.kinds import Case, Finding, NoEvidence, Rule
from offhook.bench.record.reader import Evidence, open_run
from offhook.bench.record.schema import DATABASE, MANIFEST, Attempt, Judgement, Verdict
from offhook.bench.record.verdicts import worst

RULES: dict[str, Rule] = {
    "interval": kinds.interval,
    "count": kinds.count,
    "equal": kinds.equal,
    "search": kinds.search,
    "figure": kinds.figure,
    "reading": kinds.reading,
    "note": kinds.note,
    "lamp": blinking.lamp,
    "cadence": blinking.cadence,
    "digits": listening.digits,
    "no_digits": listening.no_digits,
    "tone": listening.tone,
    "voice": listening.voice,
    "rate": rates.rate,
    "digit_errors": rates.digit_errors,
    "percentile": rates.percentile,
}
OVER_ATTEMPTS = ("rate", "digit_errors", "percentile")
"""Kinds that rest on what other judgements came to: made last."""
ENDS = {"interrupted": 130, "terminated": 143}
UNVERIFIED = "NOT VERIFIED"
TESTED = (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE)
NEVER_SEALED = "the run was never sealed: it was killed"
RECORDED_NOW = "the run is being recorded now: it is sealed when it ends"
NO_MANIFEST = f"{MANIFEST} is missing: nothing vouches that the files are what was recorded"
UNTESTED = "nothing was tested: no attempt came to a verdict"


@dataclass(frozen=True)
class AttemptResult:
    """An attempt with its judgements as recomputed; ``outcome`` is the worst of them and of what pytest said."""

    attempt: Attempt
    judgements: tuple[Judgement, ...]
    outcome: Verdict


@dataclass(frozen=True)
class RunResult:
    """A run as its folder proves it; iterating yields the judgements that count.

    All count but those of attempts that were cut short and made anew.
    """

    folder: Path
    meta: dict[str, Any]
    attempts: tuple[AttemptResult, ...]
    judgements: tuple[Judgement, ...]
    sealed: bool
    damages: tuple[str, ...]
    live: bool = False
    """It was being recorded when it was read."""

    def __iter__(self) -> Iterator[Judgement]:
        return (one for one in self.judgements if one.attempt not in self.superseded)

    @cached_property
    def superseded(self) -> dict[int, int]:
        """Attempts that were cut short and made anew, each with the one that counts in its place."""
        outcomes = {one.attempt.id: one.outcome for one in self.attempts}
        return superseded((one.attempt for one in self.attempts), outcomes)

    @property
    def counted(self) -> tuple[AttemptResult, ...]:
        """The attempts, without those that were cut short and made anew."""
        return tuple(one for one in self.attempts if one.attempt.id not in self.superseded)

    @property
    def counts(self) -> Counter[Verdict]:
        """The attempts that count, by outcome."""
        return Counter(one.outcome for one in self.counted)

    @property
    def tested(self) -> bool:
        """True if any attempt came to a verdict: neither NOT_RUN nor NOT_APPLICABLE."""
        return any(result.outcome in TESTED for result in self.counted)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the folder vouches for nothing: files altered or missing, no seal. Empty if it does."""
        if self.sealed:
            return self.damages
        return (*self.damages, RECORDED_NOW if self.live else unsealed(self.meta))

    @property
    def never_begun(self) -> int:
        """Planned attempts that were never begun; zero if the run does not say what it had planned.

        One that was cut short and not made again is among those that were begun.
        """
        planned = self.meta.get("planned")
        if not isinstance(planned, dict):
            return 0
        begun = {result.attempt.nodeid for result in self.attempts}
        return max(0, sum(int(count) for count in planned.values()) - len(begun))

    @property
    def verdict(self) -> Verdict:
        """The run's own: a NOT_RUN that the station cannot help does not count; NOT_RUN if nothing was tested."""
        counted = [
            result.outcome
            for result in self.counted
            if result.attempt.required or result.outcome is not Verdict.NOT_RUN
        ]
        loose = [judgement.verdict for judgement in self if judgement.attempt is None]
        return worst(counted + loose) if self.tested else worst([Verdict.NOT_RUN, *counted, *loose])

    @property
    def exit_code(self) -> int:
        """As ``judged_code``, and 3 instead of 0 if the folder was altered or never sealed."""
        return self.judged_code or (3 if self.doubts else 0)

    @property
    def judged_code(self) -> int:
        """0 all PASS; 1 a FAIL; 2 an error; 3 INCONCLUSIVE or NOT_RUN; 130 and 143 when stopped from outside.

        It is what the verdicts alone come to, sealed or not.
        """
        ended = self.meta.get("ended")
        if ended in ENDS:
            return ENDS[ended]
        if isinstance(ended, str) and ended.startswith("error"):
            return 2
        if self.verdict is Verdict.FAIL:
            return 1
        return 0 if self.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) else 3

    @property
    def level(self) -> str:
        """What this run may claim. HW-CERTIFIED needs physical wires and a live calibration, never otherwise."""
        if self.exit_code != 0 or self.verdict is not Verdict.PASS:
            return UNVERIFIED
        return reach(self.meta)


def unsealed(meta: dict[str, Any]) -> str:
    """Why a run without a manifest has none, by what it noted of its end."""
    return NEVER_SEALED if meta.get("ended") is None else NO_MANIFEST


def reach(meta: dict[str, Any]) -> str:
    """The level that the weakest wire of a run allows, if everything passes."""
    grade = str(meta.get("grade", "")).upper()
    if grade == "HARDWARE":
        return "HW-CERTIFIED" if _calibrated(meta) else UNVERIFIED
    return {"SIMULATED": "SIM-VERIFIED", "LOOPBACK": "LOOPBACK-VERIFIED"}.get(grade, UNVERIFIED)


def _calibrated(meta: dict[str, Any]) -> bool:
    calibration = meta.get("calibration")
    if not isinstance(calibration, dict):
        return False
    until = str(calibration.get("valid_until_utc", ""))
    return bool(until) and until >= str(meta.get("started_utc", "9999"))


def judge(folder: Path | str) -> RunResult:
    """Recompute every verdict of a run. Raises ConfigError if the folder is not a readable run."""
    with open_run(folder) as evidence:
        return judge_evidence(evidence)


def judge_evidence(evidence: Evidence, ear: Ear | None = None) -> RunResult:
    """The same on evidence that is already open; ``ear`` may have decoded some of it before."""
    ear = ear or Ear(evidence)
    attempts = {attempt.id: attempt for attempt in evidence.attempts()}
    stored = evidence.judgements()

    def made(one: Judgement, others: rates.Made | None = None) -> Judgement:
        return judge_one(one, evidence, ear, attempts.get(one.attempt) if one.attempt else None, others)

    first = {one.id: made(one) for one in stored if one.kind not in OVER_ATTEMPTS}
    grouped: dict[int | None, list[Judgement]] = defaultdict(list)
    for one in first.values():
        grouped[one.attempt].append(one)
    outcomes = {number: outcome_of(attempt, tuple(grouped[number])) for number, attempt in attempts.items()}
    others = rates.Made.of(tuple(attempts.values()), outcomes, tuple(first.values()))
    judgements = tuple(first[one.id] if one.id in first else made(one, others) for one in stored)
    for one in judgements:
        if one.id not in first:
            grouped[one.attempt].append(one)
    results = tuple(_result(attempt, tuple(grouped[number])) for number, attempt in attempts.items())
    return RunResult(
        folder=evidence.folder,
        meta=evidence.meta(),
        attempts=results,
        judgements=judgements,
        sealed=evidence.sealed,
        damages=tuple(evidence.damages()),
        live=evidence.live,
    )


def _result(attempt: Attempt, mine: tuple[Judgement, ...]) -> AttemptResult:
    return AttemptResult(attempt, mine, outcome_of(attempt, mine))


def outcome_of(attempt: Attempt, judgements: tuple[Judgement, ...]) -> Verdict:
    """The worst of an attempt's judgements and of what pytest said; NOT_RUN at best if it never ended.

    A test that passed with nothing to say but NOT_APPLICABLE is NOT_APPLICABLE.
    """
    verdicts = [judgement.verdict for judgement in judgements]
    if attempt.raised is None:
        return worst([Verdict.NOT_RUN, *verdicts])
    if attempt.raised is Verdict.PASS and verdicts:
        return worst(verdicts)
    return worst([attempt.raised, *verdicts])


def judge_one(
    judgement: Judgement, evidence: Evidence, ear: Ear, attempt: Attempt | None, others: rates.Made | None = None
) -> Judgement:
    """One judgement, made anew; ``others`` says what those came to that a rule over many attempts rests on."""
    secrets = evidence.secrets
    spec = secrets.reveal(judgement.spec, evidence) if secrets else judgement.spec
    case = Case(spec, evidence, ear, attempt, judgement.unit, others)
    rule = RULES.get(judgement.kind, _unknown)
    try:
        finding = rule(case)
    except (NoEvidence, ValueError, OSError) as error:
        finding = Finding(Verdict.INCONCLUSIVE, str(error))
    finding = _distrust(finding, evidence)
    return replace(
        judgement,
        verdict=finding.verdict,
        reason=secrets.mask_reason(finding.reason, judgement.spec, finding.verdict is Verdict.PASS, evidence),
        figure=finding.figure,
        limit_low=finding.low,
        limit_high=finding.high,
        u=finding.u,
        n=finding.n,
        evidence=finding.evidence,
    )


def _unknown(case: Case) -> Finding:
    return Finding(Verdict.INCONCLUSIVE, "this version does not know this kind of judgement")


def _distrust(finding: Finding, evidence: Evidence) -> Finding:
    """INCONCLUSIVE and without a figure if a file it rests on is damaged: it speaks for and against nothing."""
    if evidence.manifest is None:
        names = finding.files
    else:
        names = (DATABASE, *finding.files)
    damages = [text for name in dict.fromkeys(names) if (text := evidence.damage(name))]
    if not damages:
        return finding
    reason = "; ".join([*damages, finding.reason] if finding.reason else damages)
    return replace(finding, verdict=Verdict.INCONCLUSIVE, reason=reason, figure=None, u=None)
