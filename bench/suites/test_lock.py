"""LOCK: a locked phone dials nobody outside, and its owner's local code opens it."""

from __future__ import annotations

import pytest

from offhook.bench.devices import Station
from offhook.bench.flows import StepFailed, association
from offhook.bench.flows.evidence import judged_anyway
from offhook.bench.flows.lock import OUTSIDE, dial_outside, wait_local_prompt
from offhook.bench.phone import Phone

PROMPT_LIMIT_S = 70.0
"""A prompt that nobody answers has ended by then."""


def _lockable(station: Station, desk: Phone, req: str, variant: str = "") -> bool:
    reason = station.why_not_locked(desk, variant or desk.lock_variant)
    if reason:
        station.not_applicable(req, reason)
    return not reason


@pytest.mark.req("LOCK-S22.1")
def test_unlocked_phone_reaches_the_trunk(station: Station, desk: Phone) -> None:
    """The counter-proof: what the lock must stop does work without it."""
    since_s = dial_outside(desk)

    seized = station.watch.expect("seizure", 10.0, since_s, active=True)

    station.judge_count("LOCK-S22.1", "outside call while unlocked", "seizure", since_s, active=True, at_least=1)
    assert seized is not None, f"{desk.name} dialled {OUTSIDE}, no outside line was seized"


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param("notify", marks=pytest.mark.req("LOCK-S13.1")),
        pytest.param("prefix", marks=pytest.mark.req("LOCK-S5.2")),
    ],
)
@pytest.mark.req("LOCK-S22.1", "LOCK-N02")
def test_locked_phone_cannot_dial_out(station: Station, desk: Phone, variant: str) -> None:
    """Lock over CTI, then prove on the keypad and at the trunk that it holds; the PBX's word is not enough."""
    req = "LOCK-S13.1" if variant == "notify" else "LOCK-S5.2"
    if not _lockable(station, desk, req, variant):
        return
    station.lock(desk, variant)

    since_s = dial_outside(desk)
    station.clock.sleep(6.0)

    for each in ("LOCK-S22.1", "LOCK-N02", req):
        station.judge_count(each, "outside calls while locked", "seizure", since_s, active=True, at_most=0)
    assert not station.trunk.seizures, f"false lock: {desk.name} is said to be locked and still seized a line"


@pytest.mark.req("LOCK-N08")
def test_neighbours_are_not_locked(station: Station, desk: Phone) -> None:
    """Locking one phone leaves the next one free."""
    if not _lockable(station, desk, "LOCK-N08"):
        return
    station.lock(desk)
    neighbour = station.neighbour(desk)

    since_s = dial_outside(neighbour)

    seized = station.watch.expect("seizure", 10.0, since_s, active=True)
    station.judge_count("LOCK-N08", "outside call of the neighbour", "seizure", since_s, active=True, at_least=1)
    assert seized is not None, f"{neighbour.name} cannot dial out while {desk.name} is locked"


@pytest.mark.req("LOCK-END.1")
def test_a_failed_association_leaves_the_phone_as_it_was(station: Station, desk: Phone) -> None:
    """Locked for an association that then fails: afterwards the phone, which was free before, dials out again."""
    if not _lockable(station, desk, "LOCK-END.1"):
        return
    alice = station.first_account
    flow = association(station, alice, desk, lock=True)
    flow.run_to("answer")
    station.clock.sleep(0.4)  # a person's shortest; a loop closed for less is no answer
    desk.hang_up()
    assert alice.wait_state(flow.association, ("FAILED",), 15.0) is not None
    station.clock.sleep(2.0)

    since_s = dial_outside(desk)

    seized = station.watch.expect("seizure", 10.0, since_s, active=True)
    station.judge_count("LOCK-END.1", "outside call after the failure", "seizure", since_s, active=True, at_least=1)
    assert seized is not None, f"{desk.name} is still locked"


@pytest.mark.req("LOCK-N03")
@pytest.mark.parametrize("variant", ["notify", "prefix"])
def test_no_local_code_in_time_ends_the_call(station: Station, variant: str) -> None:
    """The prompt is left unanswered: the call ends, no outside line, context FAILED, and the phone is free again."""
    reasons = {phone.name: station.why_not_locked(phone, variant) for phone in station.usable}
    able = next((name for name, reason in reasons.items() if not reason), None)
    if able is None:
        station.not_applicable("LOCK-N03", "; ".join(dict.fromkeys(reasons.values())))
        return
    alice, desk = station.first_account, station.phone(able)
    flow = association(station, alice, desk, lock=variant)
    flow.run_to("answer")
    lifted = flow.steps["lift"]
    wait_local_prompt(flow, desk, lifted)

    ended = alice.wait_state(flow.association, ("FAILED",), PROMPT_LIMIT_S)
    station.clock.sleep(2.0)

    title = "outside lines seized without a code"
    station.judge_count("LOCK-N03", title, "seizure", lifted.time_s, active=True, at_most=0)
    assert ended is not None, f"nobody keyed a code, the call goes on: {alice.state(flow.association)}"
    flow.interval("LOCK-N03", "answer to the end of the attempt", lifted, ended, PROMPT_LIMIT_S)
    desk.hang_up()
    station.clock.sleep(1.0)
    since_s = dial_outside(desk)
    seized = station.watch.expect("seizure", 10.0, since_s, active=True)
    station.judge_count("LOCK-N03", "outside call afterwards", "seizure", since_s, active=True, at_least=1)
    assert seized is not None, f"{desk.name} is still locked"


@pytest.mark.req("LOCK-S25.2", "LOCK-S25.3", "ASSOC-RETRY.1")
def test_wrong_local_code_stops_the_association(station: Station, desk: Phone) -> None:
    """A wrong local code: no outside line, context FAILED; from S3 a new attempt works."""
    if not _lockable(station, desk, "LOCK-S25.2"):
        return
    alice = station.first_account
    flow = association(station, alice, desk, lock=True)
    flow.run_to("answer")
    since_s = flow.steps["lift"].time_s

    flow.unlock("0000" if desk.local_code != "0000" else "1111")
    refused = alice.wait_state(flow.association, ("FAILED",), 10.0)
    station.clock.sleep(2.0)

    station.judge_count("LOCK-S25.2", "calls to the IVR after a wrong code", "seizure", since_s, active=True, at_most=0)
    station.judge_count("LOCK-S25.2", "lock denied on CTI", "cti", since_s, name="LockDenied", at_least=1)
    assert refused is not None, "the service does not say FAILED"
    assert refused.data["reason"] == "local_code", refused.data
    with pytest.raises(StepFailed, match="S16"):
        flow.dialled_out()

    desk.hang_up()
    station.clock.sleep(1.0)
    again = flow.again()
    with judged_anyway(station, alice, ("LOCK-S25.3", "ASSOC-RETRY.1"), "phones of the account after the second pass"):
        again.run_to("decided", first="complete")
    assert desk.extension in alice.phones()
