"""Rates and percentiles of a run, judged once when it ends: TH-10, TH-11, and the p95 of each timed step.

A claim needs trials (299 associations without a failure for 99 %), so it is made when tests are repeated
(``offhook run --repeat N``); a run that repeats nothing says n and the bound, and claims nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offhook.bench.record import RunRecord
from offhook.bench.record.judge import OVER_ATTEMPTS
from offhook.bench.record.rates import TRIAL
from offhook.bench.thresholds import Thresholds

ASSOCIATION = "ASSOC-RATE.1"
CODE_DIGITS = "ASSOC-S27.1"
P95 = {
    "ASSOC-S2.1": "TH-01",
    "ASSOC-S11.1": "TH-02",
    "LOCK-S5.1": "TH-03",
    "ASSOC-S15.1": "TH-04",
    "ASSOC-S16.1": "TH-05",
    "ASSOC-S33.1": "TH-07",
    "ASSOC-S8.1": "TH-08",
    "ASSOC-S10.1": "TH-08",
    "ASSOC-S36.1": "TH-09",
}
"""Requirements whose time limit is one of the 95th percentile."""


def note_trial(record: RunRecord, rates: list[str], phone: str, phone_kind: str) -> None:
    """Say of the attempt that is being made that it is a trial of these rates."""
    record.observe(
        "T", "bench", TRIAL, phone, record.clock.now_s(), 0.0, rates=rates, phone=phone, phone_kind=phone_kind
    )


def judge_rates(record: RunRecord, limits: Thresholds, *, claimed: bool) -> None:
    """Judge every rate that was tried (TH-10, TH-11), and no other; belongs to no attempt."""
    known = {(one.req, one.title) for one in record.judgements() if one.kind in OVER_ATTEMPTS}
    for req, title, kind, spec in _rates(record, limits, claimed):
        if (req, title) not in known:  # else it is that of a run gone on with, and is judged again with all others
            record.judge(req, title, kind, unit="s" if kind == "percentile" else "", **spec)


def _rates(record: RunRecord, limits: Thresholds, claimed: bool) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    kinds = _phone_kinds(record)
    for kind in kinds:
        spec: dict[str, Any] = {"of": ASSOCIATION, "where": {"phone_kind": kind}, "claimed": claimed}
        spec |= {"at_least": limits.association_success, "hint": "offhook run --repeat 300"}
        yield ASSOCIATION, f"associations that succeed, {kind} phones", "rate", spec
    if kinds:
        spec = {"of": CODE_DIGITS, "wire": "ivr-*", "claimed": claimed, "at_most": limits.digit_errors}
        yield CODE_DIGITS, "code digits that reach the IVR wrong (TH-10)", "digit_errors", spec
    if claimed:
        yield from _times(record, kinds)


def _times(record: RunRecord, kinds: list[str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for kind in kinds:
        spec: dict[str, Any] = {"of": ASSOCIATION, "where": {"phone_kind": kind}, "steps": ["S3|S1", "S36"]}
        yield ASSOCIATION, f"S3 to S36, {kind} phones", "percentile", spec
    timed = {
        (one.req, one.title, float(one.spec["at_most"]))
        for one in record.all_judgements("interval")
        if one.attempt is not None and one.req in P95 and "at_most" in one.spec and "at_least" not in one.spec
    }
    for req, title, at_most in sorted(timed):
        yield req, f"p95 of {title} ({P95[req]})", "percentile", {"of": req, "title": title, "at_most": at_most}


def _phone_kinds(record: RunRecord) -> list[str]:
    """The kinds of phone that associations were tried with."""
    trials = [seen for seen in record.observed(TRIAL) if ASSOCIATION in seen.data["rates"]]
    return sorted({str(seen.data["phone_kind"]) for seen in trials})
