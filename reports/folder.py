"""A run folder in memory, with every verdict recomputed from it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offhook.bench.record.heard import Ear
from offhook.bench.record.judge import RunResult, judge_evidence
from offhook.bench.record.reader import Evidence, open_run
from offhook.bench.record.schema import Attempt, Clip, Judgement, Observation, Step, Verdict
from offhook.reports.integrity import Integrity, check

LOCAL_CODE_KEYED = "local-code-keyed"
"""The observation that says of a handset from when to when a local code was keyed."""
WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt with everything that belongs to it; ``outcome`` rests on the recomputed verdicts."""

    attempt: Attempt
    outcome: Verdict
    judgements: tuple[Judgement, ...]
    steps: tuple[Step, ...]
    observations: tuple[Observation, ...]
    anew: int | None = None
    """The attempt that counts in its place, if it was cut short and made anew."""

    @property
    def id(self) -> int:
        """The attempt's id."""
        return self.attempt.id

    @property
    def last_s(self) -> float:
        """When it ended, or when the last thing known of it happened."""
        if self.attempt.ended_s is not None:
            return self.attempt.ended_s
        seen = [step.time_s for step in self.steps] + [item.time_s for item in self.observations]
        return max([self.attempt.started_s, *seen])


@dataclass(frozen=True, slots=True)
class Run:
    """An open run folder.

    ``stored``: the verdicts the run itself came to, by judgement id; ``times``: time and line of each log, once read;
    ``starts``: when each recording begins; ``secret_spans``: when a local code was keyed, by handset;
    ``silenced``: what is not to be heard, by wire (a run that is exported).
    """

    path: Path
    result: RunResult
    cases: tuple[Case, ...]
    clips: tuple[Clip, ...]
    stored: dict[int, Verdict]
    integrity: Integrity
    evidence: Evidence
    ear: Ear
    times: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    secret_spans: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    silenced: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def counted(self) -> tuple[Case, ...]:
        """Without the attempts that were cut short and made anew, as every count and rate of the run is."""
        return tuple(case for case in self.cases if case.anew is None)

    @property
    def meta(self) -> dict[str, Any]:
        """What the run says about itself."""
        return self.result.meta

    @property
    def name(self) -> str:
        """The run's id."""
        return str(self.meta.get("run_id") or "run")


@contextmanager
def opened(run_dir: Path) -> Iterator[Run]:
    """Open a run folder and recompute its verdicts. Raises ConfigError if it cannot be read as one."""
    with open_run(run_dir) as evidence:
        ear = Ear(evidence)
        result = judge_evidence(evidence, ear)
        clips = tuple(evidence.clips())
        yield Run(
            path=run_dir,
            result=result,
            cases=_cases(evidence, result),
            clips=clips,
            stored={item.id: item.verdict for item in evidence.judgements()},
            integrity=check(run_dir, evidence.manifest),
            evidence=evidence,
            ear=ear,
            starts={clip.file: clip.start_s for clip in clips},
            secret_spans=_secret_spans(evidence),
        )


def _secret_spans(evidence: Evidence) -> dict[str, list[tuple[float, float]]]:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for item in evidence.observations_between(LOCAL_CODE_KEYED, -math.inf, math.inf):
        spans[item.wire].append((float(item.data.get("from_s", item.time_s)), item.time_s))
    return dict(spans)


def _cases(evidence: Evidence, judged: RunResult) -> tuple[Case, ...]:
    steps: dict[int | None, list[Step]] = defaultdict(list)
    for step in evidence.steps():
        steps[step.attempt].append(step)
    seen: dict[int | None, list[Observation]] = defaultdict(list)
    for observation in evidence.observations():
        seen[observation.attempt].append(observation)
    return tuple(
        Case(
            attempt=result.attempt,
            outcome=result.outcome,
            judgements=result.judgements,
            steps=tuple(steps[result.attempt.id]),
            observations=tuple(seen[result.attempt.id]),
            anew=judged.superseded.get(result.attempt.id),
        )
        for result in judged.attempts
    )
