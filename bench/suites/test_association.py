"""ASSOC: a phone is associated with an account by the code typed on its keypad, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows import Association, associate, association
from offhook.bench.flows.absence import judge_no_association
from offhook.bench.flows.evidence import judge_control, judge_ddi, judge_local_code_stayed, judge_phones
from offhook.bench.phone import Phone
from offhook.drivers.cti import Capability

HANG_UP_AFTER = ("answer", "dialled_out", "identified", "prompted", "key_code")
RELEASED_S = 5.0
"""From hanging up to the outside line being free."""


@pytest.mark.req(
    "ASSOC-S1.1", "ASSOC-S2.1", "ASSOC-S3.1", "ASSOC-S4.1", "ASSOC-S6.1", "ASSOC-S6.2",
    "ASSOC-S8.1", "ASSOC-S9.1", "ASSOC-S10.1", "ASSOC-S10.2", "ASSOC-S10.3", "ASSOC-S11.1",
    "ASSOC-S11.2", "ASSOC-S14.1", "ASSOC-S15.1", "ASSOC-S16.1", "ASSOC-S16.2", "ASSOC-S16.3",
    "ASSOC-S27.1", "ASSOC-S31.1", "ASSOC-S31.2", "ASSOC-S32.1", "ASSOC-S33.1", "ASSOC-S36.1",
    "LOCK-CAP.1",
)  # fmt: skip
@pytest.mark.rate("ASSOC-RATE.1")
@pytest.mark.side_by_side
def test_association_of_an_unlocked_phone(station: Station, desk: Phone) -> None:
    """S1 to S36 without a lock; before it the account controls nothing, after it the phone rings for it."""
    alice = station.first_account
    before = alice.controls(desk, to=station.neighbour(desk).extension)

    call = associate(station, alice, desk)

    after = alice.controls(desk, to=station.neighbour(desk).extension)
    judge_control(call, before, after)
    if station.options.ddi:
        judge_ddi(call)
    assert before is None, "the account controlled the phone before it was associated"
    assert after is not None, "the account cannot make the phone ring"


@pytest.mark.req("LOCK-CAP.1", "LOCK-S5.1", "LOCK-S24.1", "LOCK-S25.1", "LOCK-CODE.2")
@pytest.mark.rate("ASSOC-RATE.1")
def test_association_of_a_locked_phone(station: Station, desk: Phone) -> None:
    """The same with the lock: the local code is asked for before the trunk is seized, and is found nowhere beyond."""
    if desk.lock_variant == "none":
        station.not_applicable("LOCK-S5.1", "this phone cannot be locked over CTI")
        return
    alice = station.first_account

    call = associate(station, alice, desk, lock=True)

    judge_local_code_stayed(call)
    assert desk.extension in alice.phones()


@pytest.mark.req("ASSOC-N01")
def test_wrong_code_associates_nothing(station: Station, desk: Phone) -> None:
    """A wrong code: no association, one attempt counted, asked again; the right one then works."""
    alice = station.first_account
    flow = association(station, alice, desk)
    flow.run_to("prompted")

    flow.key_code(_other_code(flow.code))
    again = alice.wait_again(flow.association, flow.keyed_s, 5.0)
    station.clock.sleep(3.0)

    state = alice.state(flow.association)
    judge_phones(flow, "ASSOC-N01", "phones of the account after a wrong code", expected=0)
    judge_no_association(station, "ASSOC-N01", flow.steps["S1"].time_s)
    now_s = station.clock.now_s()
    counted = station.watch.note("K", "cloud", "attempts", alice.name, now_s, 0.05, attempts=state.attempts)
    flow.equal("ASSOC-N01", "attempts that the service counts", counted, "attempts", 1)
    assert again is not None, "the IVR did not ask again"
    assert desk.extension not in alice.phones()
    assert state.attempts == 1, state

    flow.key_code()
    flow.decided()
    assert desk.extension in alice.phones()


@pytest.mark.req("LOCK-CODE.1")
def test_swapped_codes_are_both_refused(station: Station, desk: Phone) -> None:
    """The local code at the IVR is as wrong as any; the association code at the phone's prompt does not unlock it."""
    alice = station.first_account
    if desk.lock_variant != "none":
        flow = association(station, alice, desk, lock=True)
        flow.run_to("answer")
        since_s = flow.steps["lift"].time_s
        flow.unlock(flow.code if flow.code != desk.local_code else "0000")
        assert alice.wait_state(flow.association, ("FAILED",), 10.0) is not None
        station.judge_count("LOCK-CODE.1", "outside lines seized", "seizure", since_s, active=True, at_most=0)
        _hang_up(station, desk)

    other = association(station, alice, desk)
    other.run_to("prompted")
    other.key_code(desk.local_code if desk.local_code != other.code else "0000")
    station.clock.sleep(3.0)
    judge_phones(other, "LOCK-CODE.1", "phones of the account", expected=0)
    assert desk.extension not in alice.phones()


@pytest.mark.req("ASSOC-N11")
@pytest.mark.parametrize("stage", HANG_UP_AFTER)
def test_hang_up_leaves_nothing_half_done(station: Station, desk: Phone, stage: str) -> None:
    """Hang up before the IVR answers, at its context digits, at the prompt, in mid-code: no half association."""
    alice = station.first_account
    flow = association(station, alice, desk)
    if stage == "key_code":
        flow.run_to("prompted")
        flow.key_code(flow.code[:2])
    else:
        flow.run_to(stage)
    station.clock.sleep(0.4)  # a person's shortest; a loop closed for less is no answer

    hung_up = desk.hang_up()

    ended = alice.wait_state(flow.association, ("FAILED",), 15.0)
    station.clock.sleep(1.0)
    judge_phones(flow, "ASSOC-N11", f"phones of the account after hanging up at {stage}", expected=0)
    state = alice.state(flow.association)
    time_s = station.clock.now_s()
    left = station.watch.note("K", "cloud", "left", alice.name, time_s, 0.05, state=state.state, reason=state.reason)
    flow.equal("ASSOC-N11", "state of the context", left, "state", "FAILED")
    if "S16" in flow.steps:
        assert hung_up is not None
        freed = station.watch.expect("seizure", RELEASED_S, hung_up.time_s, active=False)
        assert freed is not None, "an outside line is still seized"
        flow.interval("ASSOC-N11", "hanging up to the line being free", hung_up, freed, RELEASED_S)
    assert ended is not None, state
    assert desk.extension not in alice.phones()
    assert station.lines_free(), "an outside line is still seized"


@pytest.mark.req("ASSOC-N11")
def test_hang_up_after_the_last_digit_is_all_or_nothing(station: Station, desk: Phone) -> None:
    """The handset goes down with the last digit: associated with all that belongs to it, or failed; nothing between."""
    alice = station.first_account
    flow = association(station, alice, desk)
    flow.run_to("prompted")
    desk.key(flow.code)

    desk.hang_up()

    ended = alice.wait_state(flow.association, ("FAILED", "NOTIFIED"), 15.0)
    station.clock.sleep(1.0)
    assert ended is not None, alice.state(flow.association)
    whole = int(ended.data["state"] == "NOTIFIED")
    judge_phones(flow, "ASSOC-N11", f"phones of the account, the context being {ended.data['state']}", expected=whole)
    assert (desk.extension in alice.phones()) == bool(whole)
    assert station.lines_free(), "an outside line is still seized"


@pytest.mark.parametrize(
    "in_call",
    [
        pytest.param(False, id="context in MakeCall", marks=pytest.mark.req("ASSOC-ID.1", "ASSOC-S21.1")),
        pytest.param(True, id="context in the call", marks=pytest.mark.req("ASSOC-ID.2")),
    ],
)
@pytest.mark.req("ASSOC-N06", "ASSOC-S21.2")
def test_equal_codes_do_not_cross(station: Station, in_call: bool) -> None:
    """Two accounts with the same code at the same time: each code keyed associates its own phone, by the context id."""
    if not station.options.context:
        station.not_applicable("ASSOC-N06", "without context ids the service makes no two codes alike")
        return
    if in_call and Capability.GENERATE_DIGITS not in station.rig.cti.capabilities:
        station.not_applicable("ASSOC-ID.2", "the PBX does not generate digits in a call over CTI")
        return
    accounts = station.first_account, station.second_account("ASSOC-N06")
    if accounts[1] is None:
        return
    if len(station.usable) < 2:
        station.not_applicable("ASSOC-N06", "two phones are needed, and one can be used")
        return
    if not station.choose_codes("4711", "4711"):
        station.not_run("ASSOC-N06", "this service chooses its codes itself")
        pytest.skip("the service chooses its codes itself")
    flows = _two_at_once(station, (accounts[0], accounts[1]), in_call)
    _in_parallel(station, [partial(flow.run_to, "prompted", first="complete") for flow in flows])

    flows[0].key_code()
    station.clock.sleep(3.0)
    for flow, expected in zip(flows, (1, 0), strict=True):
        name = flow.account.name
        for req in ("ASSOC-N06", "ASSOC-S21.2", "ASSOC-ID.2" if in_call else "ASSOC-ID.1"):
            judge_phones(flow, req, f"phones of {name}, once {flows[0].account.name} has keyed the code", expected)
    flows[0].decided()
    flows[1].key_code()
    flows[1].decided()

    for flow in flows:
        if station.options.ddi:
            judge_ddi(flow)
        judge_phones(flow, "ASSOC-N06", f"phones of {flow.account.name}", expected=1)
        assert flow.account.phones() == [flow.phone.extension]


def _two_at_once(station: Station, accounts: Sequence[Account], in_call: bool) -> list[Association]:
    """Two flows on two phones, asked for and with the same code in both accounts."""
    desks = station.usable[:2]
    flows = [
        association(station, account, desk, in_call=in_call) for account, desk in zip(accounts, desks, strict=True)
    ]
    for flow in flows:
        flow.alone = False
        flow.request()
    assert flows[0].code == flows[1].code == "4711"
    assert flows[0].context != flows[1].context
    return flows


def _in_parallel(station: Station, jobs: Sequence[Callable[[], None]]) -> None:
    tasks = [station.clock.spawn(job) for job in jobs]
    for task in tasks:
        task.join(120.0)


def _hang_up(station: Station, desk: Phone) -> None:
    desk.hang_up()
    station.clock.sleep(1.0)


def _other_code(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)
