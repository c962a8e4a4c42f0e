"""Rates and percentiles of a run, judged once when it ends: TH-10, TH-11, and the p95 of each timed step.

A claim needs trials (299 associations without a failure for 99 %), so it is made when tests are repeated
(``offhook run --repeat N``); a run that repeats nothing says n and the bound, and claims nothing.
"""

from __future__ import annotations

from typing import Any

from offhook.bench.record import RunRecord
from offhook.bench.record.rates import TRIAL

ASSOCIATION = "ASSOC-RATE.1"
CODE_DIGITS = "ASSOC-S27.1"
SUCCESS = 0.99
"""TH-11: 95 % lower bound of the share of associations that succeed."""
DIGIT_ERRORS = {"smoke": 1e-3, "certify": 1e-4}
"""TH-10: 95 % upper bound of the share of digits that go wrong, by profile."""
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


def judge_rates(record: RunRecord, *, claimed: bool, profile: str = "smoke") -> None:
    """Judge every rate that was tried, and no other; belongs to no attempt."""
    kinds = _phone_kinds(record)
    for kind in kinds:
        spec: dict[str, Any] = {"of": ASSOCIATION, "where": {"phone_kind": kind}, "claimed": claimed}
        title = f"associations that succeed, {kind} phones"
        record.judge(ASSOCIATION, title, "rate", **spec, at_least=SUCCESS, hint="offhook run --repeat 300")
    if kinds:
        limit = DIGIT_ERRORS.get(profile, DIGIT_ERRORS["smoke"])
        spec = {"of": CODE_DIGITS, "wire": "ivr-*", "claimed": claimed, "at_most": limit}
        record.judge(CODE_DIGITS, "code digits that reach the IVR wrong (TH-10)", "digit_errors", **spec)
    if claimed:
        _judge_times(record, kinds)


def _judge_times(record: RunRecord, kinds: list[str]) -> None:
    for kind in kinds:
        spec: dict[str, Any] = {"of": ASSOCIATION, "where": {"phone_kind": kind}, "steps": ["S3|S1", "S36"]}
        record.judge(ASSOCIATION, f"S3 to S36, {kind} phones", "percentile", unit="s", **spec)
    timed = {
        (one.req, one.title, float(one.spec["at_most"]))
        for one in record.all_judgements("interval")
        if one.attempt is not None and one.req in P95 and "at_most" in one.spec and "at_least" not in one.spec
    }
    for req, title, at_most in sorted(timed):
        spec = {"of": req, "title": title, "at_most": at_most}
        record.judge(req, f"p95 of {title} ({P95[req]})", "percentile", unit="s", **spec)


def _phone_kinds(record: RunRecord) -> list[str]:
    """The kinds of phone that associations were tried with."""
    trials = [seen for seen in record.observed(TRIAL) if ASSOCIATION in seen.data["rates"]]
    return sorted({str(seen.data["phone_kind"]) for seen in trials})
