"""``results.json``: what the other two files show, for machines. ``schema_version`` changes when a meaning does."""

from __future__ import annotations

import json
import math
from typing import Any

from offhook.bench.record.schema import Judgement
from offhook.reports.deviations import alarm, deviations
from offhook.reports.explain import Place, explain
from offhook.reports.folder import Case, Run
from offhook.reports.front import wires
from offhook.reports.steps import source_of
from offhook.reports.summary import RULE, Digest, Line, margin
from offhook.reports.wording import document_title

SCHEMA_VERSION = 1
KEPT_IN_THE_FOLDER = ("station_toml", "secrets")
"""The station file, and the hashes of local codes: ten thousand tries find a code of four digits."""


def text(run: Run, digest: Digest) -> str:
    """The whole file, keys sorted. Figures that JSON has no number for (NaN, infinity) become null."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "run": {key: value for key, value in run.meta.items() if key not in KEPT_IN_THE_FOLDER},
        "wires": dict(wires(run.meta)),
        "verdict": digest.verdict,
        "level": digest.level,
        "highest_level_of_station": digest.reach,
        "decision_rule": RULE,
        "ended": digest.ended,
        "document": document_title(run, digest),
        "remarks": [*alarm(run.meta), *digest.remarks],
        "deviations": deviations(run.meta),
        "counts": {"attempts": digest.outcomes, "judgements": digest.judged},
        "closest_to_limit": [{**_judgement(run, item), "margin": left} for item, left in digest.closest],
        "requirements": [_line(line) for line in digest.lines],
        "attempts": [_attempt(run, case) for case in run.cases],
        "files": _files(run),
    }
    members = (f" {json.dumps(key)}: {_member(content[key])}" for key in sorted(content))
    return "{\n" + ",\n".join(members) + "\n}\n"


def _member(value: Any) -> str:
    """A list's items on a line each: that can be read and compared, and takes a fifth of the time to write."""
    if not isinstance(value, list) or not value:
        return _one_line(value)
    return "[\n  " + ",\n  ".join(_one_line(item) for item in value) + "\n ]"


def _one_line(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _line(line: Line) -> dict[str, Any]:
    return {
        "req": line.req,
        "title": line.title,
        "requirement": line.requirement,
        "source": source_of(line.req),
        "verdict": line.verdict,
        "figure": line.shown.figure,
        "unit": line.shown.unit,
        "limit_low": line.shown.limit_low,
        "limit_high": line.shown.limit_high,
        "u": line.shown.u,
        "n": line.n,
        "passed": line.passed,
        "success_rate_lower_bound_95": line.bound,
        "judgements": [judgement.id for judgement in line.judgements if judgement.id],
    }


def _judgement(run: Run, judgement: Judgement) -> dict[str, Any]:
    return {
        "id": judgement.id,
        "attempt": judgement.attempt,
        "req": judgement.req,
        "title": judgement.title,
        "kind": judgement.kind,
        "spec": judgement.spec,
        "unit": judgement.unit,
        "figure": judgement.figure,
        "limit_low": judgement.limit_low,
        "limit_high": judgement.limit_high,
        "u": judgement.u,
        "n": judgement.n,
        "margin": margin(judgement),
        "verdict": judgement.verdict,
        "verdict_of_the_run": run.stored.get(judgement.id),
        "reason": judgement.reason,
    }


def _attempt(run: Run, case: Case) -> dict[str, Any]:
    attempt = case.attempt
    judgements = []
    for judgement in case.judgements:
        evidence = [_evidence(place) for place in explain(run, case, judgement).places]
        judgements.append({**_judgement(run, judgement), "evidence": evidence})
    return {
        "id": attempt.id,
        "nodeid": attempt.nodeid,
        "title": attempt.title,
        "suite": attempt.suite,
        "reqs": list(attempt.reqs),
        "required": attempt.required,
        "started_s": attempt.started_s,
        "ended_s": attempt.ended_s,
        "outcome": case.outcome,
        "superseded_by": case.anew,
        "message": attempt.message,
        "steps": [
            {"flow": step.flow, "name": step.name, "title": step.title, "time_s": step.time_s, "u_s": step.u_s}
            for step in case.steps
        ],
        "judgements": judgements,
    }


def _evidence(place: Place) -> dict[str, Any]:
    file, _, line = place.file.partition(":")
    return {"file": file, "at": line or None, "offset_s": place.offset_s, "time_s": place.time_s}


def _files(run: Run) -> list[dict[str, Any]]:
    integrity = run.integrity
    names = sorted({*integrity.hashes, *integrity.missing})
    return [
        {
            "file": name,
            "sha256": integrity.hashes.get(name),
            "bytes": integrity.sizes.get(name),
            "as_sealed": integrity.as_sealed(name),
        }
        for name in names
    ]


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
