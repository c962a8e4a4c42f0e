"""ENDINGS: asked for twice, owned already, answered by nobody, failed to the last try: one call, a word, no remains."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows import Association, StepFailed, associate, association
from offhook.bench.flows.absence import (
    judge_no_bell,
    judge_no_effect,
    judge_no_row,
    judge_no_seizure,
    refusal_of,
    rows,
)
from offhook.bench.flows.evidence import judged_anyway
from offhook.bench.flows.lock import dial_outside, wait_local_prompt
from offhook.bench.phone import Phone
from offhook.bench.watch import Seen

SETTLE_S = 3.0
"""For a decision and what follows from it."""
RINGS_S = 15.0
"""How long an unanswered phone may ring, as the policy of the test has it; the service's own limit is a minute."""
LET_GO_S = 5.0
"""From that limit to the end of the attempt."""
QUIET_S = 8.0
"""Longer than the pause between two rings of any country."""
TRIES = 3


def _judge_owner(station: Station, req: str, account: Account, expected: int) -> None:
    seen = account.note_phones()
    title = f"phones of {account.name}"
    station.record.judge(req, title, "equal", observation=seen.id, key="count", expected=expected)


def _wait_ring(flow: Association) -> None:
    called = flow.steps["S6"]
    ring = flow.phone.ring(flow.limits.first_ring_s + 1.0, called.time_s)
    if ring is None:
        raise StepFailed("S15", f"{flow.phone.name} rings", "no ring", "ringer sensor or PBX", "offhook check")
    flow.mark("S15", "the phone rings", ring, called)


def _judge_failed(flow: Association, req: str, step: str) -> Seen:
    """The service's word that the attempt has failed by now. Raises StepFailed, judged as well, if it has not."""
    context = flow.account.state(flow.association)
    now_s = flow.station.clock.now_s()
    values = {"state": context.state, "reason": context.reason}
    seen = flow.station.watch.note("K", "cloud", "state", flow.account.name, now_s, 0.05, **values)
    flow.equal(req, "state of the context in the end", seen, "state", "FAILED")
    if context.state != "FAILED":
        flow.account.abandon()  # so that the phone is not rung any longer
        raise StepFailed(step, "the attempt fails", f"state {context.state}", "cloud service")
    return seen


def _judge_monitor(flow: Association, req: str, title: str, since_s: float, **limits: int) -> None:
    """How often the monitor of this attempt was stopped since then; by its id, where the link has one."""
    where = {"name": "MonitorStop", "direction": ">"}
    if "f_monitor_id" in flow.steps["S11"].data:
        where["f_monitor_id"] = str(flow.steps["S11"].data["f_monitor_id"])
    spec: dict[str, Any] = {"subject": flow.phone.extension, "where": where}
    flow.count(req, title, "cti", since_s, flow.station.clock.now_s(), **spec, **limits)


@pytest.mark.req("ASSOC-S3.5")
def test_two_completion_requests_make_one_call(station: Station, first: Phone) -> None:
    """The user says twice that he is near the phone, and again while it rings: one call, and it goes on."""
    alice = station.first_account
    flow = association(station, alice, first, options=station.options.model_copy(update={"s3": True}))
    flow.run_to("complete")
    refusal_of(partial(alice.complete, flow.association))  # to refuse it is well, too
    flow.run_to("called", first="monitored")
    _wait_ring(flow)

    refusal_of(partial(alice.complete, flow.association))  # to refuse it is well, too
    flow.run_to("answer", first="answer")
    station.clock.sleep(SETTLE_S)

    spec: dict[str, Any] = {"subject": first.extension, "where": {"name": "MakeCall", "direction": ">"}}
    now_s = station.clock.now_s()
    flow.count("ASSOC-S3.5", "calls made", "cti", flow.steps["S1"].time_s, now_s, **spec, at_least=1, at_most=1)
    state = alice.state(flow.association)
    assert state.state not in ("FAILED", "EXPIRED", "CANCELLED"), f"the call that was under way has ended: {state}"


@pytest.mark.req("ASSOC-N09")
def test_asking_again_for_ones_own_phone_changes_nothing(station: Station, first: Phone) -> None:
    """The account that has the phone asks for it once more: no command, no bell, no new context; it keeps the phone."""
    alice = station.first_account
    associate(station, alice, first)
    since_s, contexts = station.clock.now_s(), rows(station, "context")

    with station.policy(completion_required=False):  # a request that is taken goes on to the PBX at once
        refusal_of(partial(alice.request, first.extension))
        station.clock.sleep(SETTLE_S)

    judge_no_effect(station, "ASSOC-N09", since_s, first.extension)
    judge_no_row(station, "ASSOC-N09", "context", contexts)
    _judge_owner(station, "ASSOC-N09", alice, 1)


@pytest.mark.req("ASSOC-N08")
def test_a_phone_of_another_account_is_refused(station: Station, first: Phone) -> None:
    """Where the policy says so: the other is refused, nothing goes to the PBX, the first one keeps the phone."""
    alice, bob = station.first_account, station.second_account("ASSOC-N08")
    if bob is None:
        return
    associate(station, alice, first)
    since_s = station.clock.now_s()

    with station.policy(reassociation="refuse", completion_required=False):
        refusal = refusal_of(partial(bob.request, first.extension))
        station.clock.sleep(SETTLE_S)

    judge_no_effect(station, "ASSOC-N08", since_s, first.extension)
    _judge_owner(station, "ASSOC-N08", alice, 1)
    _judge_owner(station, "ASSOC-N08", bob, 0)
    assert refusal.startswith("409"), refusal or "the request was accepted"


@pytest.mark.req("ASSOC-N08")
def test_a_phone_of_another_account_changes_hands_with_notice(station: Station, first: Phone) -> None:
    """Where the policy says so: whoever proves to be at the phone has it, and whoever had it is told."""
    alice, bob = station.first_account, station.second_account("ASSOC-N08")
    if bob is None:
        return
    associate(station, alice, first)
    mail = len(station.cloud.inbox(alice.name))

    with station.policy(reassociation="replace"):
        associate(station, bob, first)

    _judge_owner(station, "ASSOC-N08", alice, 0)
    _judge_owner(station, "ASSOC-N08", bob, 1)
    now_s, told = station.clock.now_s(), len(station.cloud.inbox(alice.name)) - mail
    seen = station.watch.note("K", "cloud", "notice", alice.name, now_s, 0.05, told=told)
    station.record.judge("ASSOC-N08", "messages to the one who had it", "equal", observation=seen.id, key="told",
                         expected=1)  # fmt: skip


@pytest.mark.req("ASSOC-S11.3", "ASSOC-END.1")
def test_the_monitor_stays_until_the_account_leaves(station: Station, first: Phone) -> None:
    """After success the phone stays monitored; when the account gives it back, control and monitoring end."""
    alice = station.first_account
    flow = associate(station, alice, first)
    station.clock.sleep(SETTLE_S)
    done_s = flow.steps["S11"].time_s
    _judge_monitor(flow, "ASSOC-S11.3", "monitor stopped although the association lives", done_s, at_most=0)
    station.clock.sleep(0.5)

    left_s = station.clock.now_s()
    alice.leave(first.extension)
    alice.controls(first, to=station.neighbour(first).extension)
    station.clock.sleep(SETTLE_S)

    station.judge_count("ASSOC-END.1", "control refused afterwards", "control-refused", left_s, at_least=1)
    station.judge_count("ASSOC-END.1", "rings by that refused action", "ring", left_s, active=True, at_most=0)
    for req in ("ASSOC-S11.3", "ASSOC-END.1"):
        _judge_monitor(flow, req, "monitor stopped after the association has ended", left_s, at_least=1)
    _judge_owner(station, "ASSOC-END.1", alice, 0)


@pytest.mark.req("ASSOC-S15.2", "ASSOC-S11.3")
def test_a_phone_that_nobody_answers_is_let_go(station: Station, first: Phone) -> None:
    """It rings to a limit, and no longer: the attempt fails for that reason, no line is taken, monitoring stops."""
    alice = station.first_account
    flow = association(station, alice, first)
    with station.policy(answer_limit_s=RINGS_S):
        flow.run_to("called")
        called = flow.steps["S6"]
        _wait_ring(flow)
        ended = alice.wait_state(flow.association, ("FAILED",), RINGS_S + LET_GO_S) or _judge_failed(
            flow, "ASSOC-S15.2", "S15"
        )
    station.clock.sleep(SETTLE_S)
    quiet_s = station.clock.now_s()
    station.clock.sleep(QUIET_S)

    least_s = RINGS_S - 1.0  # who gives up at once has not waited for his user
    flow.interval("ASSOC-S15.2", "MakeCall to the end of the attempt", called, ended, RINGS_S + LET_GO_S, least_s)
    flow.equal("ASSOC-S15.2", "reason given", ended, "reason", "no_answer")
    judge_no_bell(station, "ASSOC-S15.2", quiet_s)
    judge_no_seizure(station, "ASSOC-S15.2", called.time_s)
    _judge_monitor(flow, "ASSOC-S11.3", "monitor stopped after the failure", ended.time_s - 1.0, at_least=1)


@pytest.mark.req("ASSOC-RETRY.2", "ASSOC-S36.2")
def test_wrong_codes_to_the_last_try_end_the_call(station: Station, first: Phone) -> None:
    """Wrong in the first digit, in the last, in all: the call ends, caller and account are told; from S3 it works."""
    alice = station.first_account
    flow = association(station, alice, first)
    with station.policy(max_code_attempts=TRIES):
        flow.run_to("prompted")
        mail = len(station.cloud.inbox(alice.name))
        for wrong in _wrong(flow.code):
            flow.key_code(wrong)
            station.clock.sleep(SETTLE_S)
        alice.wait_state(flow.association, ("FAILED",), 5.0)
        ended = _judge_failed(flow, "ASSOC-RETRY.2", "S9")
        released = station.watch.expect("seizure", 10.0, flow.steps["S16"].time_s, active=False)

    flow.equal("ASSOC-RETRY.2", "reason given", ended, "reason", "wrong_code")
    if released is None:
        raise StepFailed("S9", "the IVR ends the call", "the outside line stays seized", "cloud service")
    spec: dict[str, Any] = {"wire": first.name, "from_s": flow.keyed_s, "to_s": released.time_s}
    flow.judge("ASSOC-S36.2", "spoken refusal at the handset", "voice", **spec)
    _judge_told(station, flow, mail)
    first.hang_up()
    station.clock.sleep(1.0)
    again = flow.again()
    with judged_anyway(station, alice, ("ASSOC-RETRY.2",), "phones of the account after the second pass"):
        again.run_to("decided", first="complete")
    if flow.context:
        fresh = station.watch.note("K", "cloud", "retry", alice.name, again.steps["S10"].time_s, 0.05,
                                   fresh=again.context != flow.context)  # fmt: skip
        flow.equal("ASSOC-RETRY.2", "the context id is a new one", fresh, "fresh", True)


def _wrong(code: str) -> tuple[str, ...]:
    other = "".join(str((int(digit) + 5) % 10) for digit in code)
    return other[0] + code[1:], code[:-1] + other[-1], other


def _judge_told(station: Station, flow: Association, before: int) -> None:
    """One message says that it failed, and names no digit of the code."""
    mail = station.cloud.inbox(flow.account.name)[before:]
    about = [message for message in mail if message.association == flow.association and message.kind != "code"]
    words = " ".join(message.text for message in about).replace(flow.phone.extension, "")
    seen = station.watch.note("K", "cloud", "refusal", flow.account.name, station.clock.now_s(), 0.05,
                              told=len(about), digits=any(char.isdigit() for char in words))  # fmt: skip
    flow.equal("ASSOC-S36.2", "messages to the account that it failed", seen, "told", 1)
    flow.equal("ASSOC-S36.2", "a digit in that message", seen, "digits", False)


@pytest.mark.req("ASSOC-S33.3")
def test_a_code_keyed_into_the_prompt_is_taken(station: Station, first: Phone) -> None:
    """Typed while the IVR still asks for it: every digit is taken, once, and the phone is associated."""
    alice = station.first_account
    flow = association(station, alice, first)
    flow.run_to("prompted")
    if not station.listener.sounding(flow.spoken, station.clock.now_s()):
        station.not_run("ASSOC-S33.3", "the prompt of this IVR is over before a key can be pressed")
        return

    with judged_anyway(station, alice, ("ASSOC-S33.3",), "phones of the account, its code typed over the prompt"):
        flow.key_code(over_prompt=True)
        flow.decided()

    spec: dict[str, Any] = {"wire": flow.heard, "from_s": flow.keyed_s, "to_s": flow.steps["S27"].time_s + 0.03}
    flow.judge("ASSOC-S33.3", "code keyed over the prompt, at the IVR", "digits", **spec, expected=flow.code)


@pytest.mark.req("LOCK-END.2")
def test_a_phone_that_was_locked_before_stays_locked(station: Station) -> None:
    """Locked by its user, rung for an association, no local code keyed: it fails, and the lock is as before."""
    reasons = {phone.name: station.why_not_locked(phone, phone.lock_variant) for phone in station.usable}
    able = next((name for name, reason in reasons.items() if not reason), None)
    if able is None:
        station.not_applicable("LOCK-END.2", "; ".join(dict.fromkeys(reasons.values())))
        return
    alice, desk = station.first_account, station.phone(able)
    station.lock(desk)
    flow = association(station, alice, desk, lock=True)
    flow.run_to("answer")
    wait_local_prompt(flow, desk, flow.steps["lift"])
    desk.hang_up()
    alice.wait_state(flow.association, ("FAILED",), 15.0)
    _judge_failed(flow, "LOCK-END.2", "S25")
    station.clock.sleep(2.0)

    since_s = dial_outside(desk)
    station.clock.sleep(6.0)

    station.judge_count("LOCK-END.2", "outside lines seized", "seizure", since_s, active=True, at_most=0)
    assert not [seen for seen in station.trunk.seizures if seen.time_s > since_s], f"{desk.name} was unlocked"
