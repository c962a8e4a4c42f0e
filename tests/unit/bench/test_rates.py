"""Rates, digit errors and percentiles over the attempts of a run, against figures worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_standin import Bench

from offhook.bench.rates import judge_rates, note_trial
from offhook.bench.record import Judgement, Verdict, judge
from offhook.bench.record.schema import CUT_SHORT
from offhook.bench.thresholds import SMOKE

RATE = {"of": "ASSOC-RATE.1", "at_least": 0.99}


def trials(bench: Bench, *outcomes: Verdict, kind: str = "ip", message: str = "") -> None:
    for outcome in outcomes:
        bench.record.begin("test_x.py::test_x", "a test", "x")
        note_trial(bench.record, ["ASSOC-RATE.1"], "desk-1", kind)
        bench.record.finish(outcome, message if outcome is not Verdict.PASS else "")


def judged(bench: Bench, kind: str, **spec: Any) -> Judgement:
    """The judgement as it is when the folder is judged again."""
    made = bench.judge(kind, **spec)
    bench.record.seal()
    [again] = [one for one in judge(bench.record.folder) if one.id == made.id]
    return again


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.req("REP-STAT.1")
def test_299_without_a_failure_prove_99_percent_and_298_do_not(bench: Bench) -> None:
    """0.99 ** 299 = 0.0495, 0.99 ** 298 = 0.0500 (rounded up)."""
    trials(bench, *[Verdict.PASS] * 298)
    short = bench.judge("rate", **RATE)
    trials(bench, Verdict.PASS)

    made = judged(bench, "rate", **RATE)

    assert (short.verdict, short.n) == (Verdict.INCONCLUSIVE, 298)
    assert "n = 298, needs 299" in short.reason
    assert (made.verdict, made.n, made.figure) == (Verdict.PASS, 299, 1.0)
    assert made.u == pytest.approx(1 - 0.05 ** (1 / 299), abs=1e-9)


def test_each_failure_is_counted_named_by_its_step_and_raises_what_is_needed(bench: Bench) -> None:
    trials(bench, *[Verdict.PASS] * 300)
    trials(bench, Verdict.FAIL, message="StepFailed: S16: expected an outside line seized; heard none")

    made = judged(bench, "rate", **RATE)

    assert made.verdict is Verdict.INCONCLUSIVE
    assert "300 of 301 passed" in made.reason
    assert "failures by step: S16 1" in made.reason
    assert "n = 301, needs 473" in made.reason  # the textbook figure for one failure and 99 %


def test_a_rate_that_no_further_trial_can_save_is_a_failure(bench: Bench) -> None:
    trials(bench, *[Verdict.PASS] * 10, *[Verdict.FAIL] * 5, message="StepFailed: S27: expected 4711")

    made = judged(bench, "rate", **RATE)

    assert made.verdict is Verdict.FAIL
    assert "failures by step: S27 5" in made.reason


def test_attempts_left_open_prove_nothing_either_way(bench: Bench) -> None:
    """Five of 15: as failures they would prove the rate wrong, as successes they would help to prove it right."""
    trials(bench, *[Verdict.PASS] * 10, *[Verdict.INCONCLUSIVE] * 5, message="DeviceTimeout: relay.keys1: no answer")

    made = judged(bench, "rate", **RATE)

    assert made.verdict is Verdict.INCONCLUSIVE
    assert "10 of 15 passed, 5 left open" in made.reason


def test_what_was_not_run_is_no_trial_and_is_said(bench: Bench) -> None:
    trials(bench, *[Verdict.PASS] * 299, *[Verdict.NOT_RUN] * 4)

    made = judged(bench, "rate", **RATE)

    assert (made.verdict, made.n) == (Verdict.PASS, 299)
    assert "4 not run" in made.reason


def test_kinds_of_phone_are_judged_apart(bench: Bench) -> None:
    trials(bench, *[Verdict.PASS] * 299)
    trials(bench, *[Verdict.PASS] * 3, kind="tdm")
    judge_rates(bench.record, SMOKE, claimed=True)
    bench.record.seal()

    made = {one.title: one.verdict for one in judge(bench.record.folder) if one.kind == "rate"}

    assert made == {
        "associations that succeed, ip phones": Verdict.PASS,
        "associations that succeed, tdm phones": Verdict.INCONCLUSIVE,
    }


def test_without_repetition_nothing_is_claimed_and_nothing_is_lost_by_it(bench: Bench) -> None:
    trials(bench, Verdict.PASS)
    judge_rates(bench.record, SMOKE, claimed=False)

    assert bench.record.seal() == 0
    [made] = [one for one in judge(bench.record.folder) if one.kind == "rate"]
    assert (made.verdict, made.n, made.figure) == (Verdict.NOT_APPLICABLE, 1, 1.0)
    assert made.reason.startswith("not claimed: 1 of 1 passed; at least 5 %")


def test_a_run_without_associations_judges_no_rate(bench: Bench) -> None:
    with bench.attempt():
        pass
    judge_rates(bench.record, SMOKE, claimed=True)

    assert bench.record.seal() == 0
    assert list(judge(bench.record.folder)) == []


@pytest.mark.req("REP-STAT.2")
def test_digit_errors_are_those_the_wav_files_hold(bench: Bench) -> None:
    """Two codes of four keyed at the IVR, one of which lost a digit there; what is in the ear does not count."""
    with bench.attempt():
        for start_s, keyed in ((1.0, "4711"), (10.0, "471")):
            end_s = bench.key(keyed, start_s, channel=1) + 1.0
            bench.judge("digits", wire="ivr", from_s=start_s, to_s=end_s, expected="4711")
        bench.judge("digits", wire="ear", from_s=1.0, to_s=2.0, expected="4711")

    made = judged(bench, "digit_errors", of="ASSOC-S1.1", wire="i*", at_most=1e-3)

    assert (made.n, made.figure, made.verdict) == (8, 0.125, Verdict.FAIL)
    assert "1 wrong of 8 digits" in made.reason


def times(bench: Bench, *seconds: float, u_s: float = 0.0) -> None:
    with bench.attempt():
        for number, each_s in enumerate(seconds):
            start, stop = bench.see("a", number, u_s), bench.see("b", number + each_s)
            bench.judge("interval", **{"from": start, "to": stop, "at_most": 9.0})


def p95(bench: Bench, at_most: float) -> Judgement:
    return judged(bench, "percentile", of="ASSOC-S1.1", title="a rule", at_most=at_most)


def test_59_times_within_prove_a_p95_and_58_do_not(bench: Bench) -> None:
    """0.95 ** 59 = 0.0485, 0.95 ** 58 = 0.0510."""
    times(bench, *[0.5] * 58)
    short = bench.judge("percentile", of="ASSOC-S1.1", title="a rule", at_most=1.0)
    times(bench, 0.5)

    made = p95(bench, 1.0)

    assert short.verdict is Verdict.INCONCLUSIVE
    assert "n = 58, needs 59" in short.reason
    assert (made.verdict, made.n, made.figure) == (Verdict.PASS, 59, pytest.approx(0.5))


def test_a_p95_that_is_surely_beyond_its_limit_fails(bench: Bench) -> None:
    times(bench, *[0.5] * 15, *[2.0] * 5)

    made = p95(bench, 1.0)

    assert made.verdict is Verdict.FAIL
    assert "5 of 20 not within 1 s" in made.reason


def test_times_within_their_uncertainty_of_the_limit_speak_neither_for_nor_against(bench: Bench) -> None:
    times(bench, *[0.99] * 100, u_s=0.02)

    assert p95(bench, 1.0).verdict is Verdict.INCONCLUSIVE


def test_an_attempt_that_was_made_anew_is_no_trial_of_a_rate_and_no_sample_of_a_percentile(bench: Bench) -> None:
    for raised, message in ((Verdict.NOT_RUN, f"{CUT_SHORT}killed"), (Verdict.PASS, "")):
        bench.record.begin("test_x.py::test_x", "a test", "x")
        note_trial(bench.record, ["ASSOC-RATE.1"], "desk-1", "ip")
        start = bench.see("ring", bench.record.clock.now_s())
        spec = {"from": start, "to": bench.see("ring", bench.record.clock.now_s() + 0.5), "at_most": 2.0}
        bench.record.judge("ASSOC-S15.1", "first ring", "interval", unit="s", **spec)
        bench.record.finish(raised, message, required=not message)
    live = bench.judge("rate", **RATE)

    times = judged(bench, "percentile", of="ASSOC-S15.1", title="first ring", at_most=2.0)
    [rate] = [one for one in judge(bench.record.folder) if one.kind == "rate"]

    assert (live.n, rate.n, times.n) == (1, 1, 1)
    assert rate.reason.startswith("1 of 1 passed; at least")
