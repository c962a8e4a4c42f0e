"""DISTURBANCES: phones in use, callers who say nothing, digits that come twice, voices on the line, locks refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows import Association, StepFailed, association
from offhook.bench.flows.absence import judge_no_association, judge_no_bell, judge_no_command, judge_no_seizure
from offhook.bench.flows.evidence import judge_phones
from offhook.bench.flows.keying import doubled, why_doubled
from offhook.bench.phone import Phone, WireCut
from offhook.drivers.cti import Service
from offhook.dsp import talkoff

BUSY_WAYS = ("in a call", "called", "off hook", "in peace")
SETTLE_S = 3.0
SILENCE_S = 60.0
"""By then an IVR that hears nothing has given up (three prompts of ten seconds)."""
PROMPT_S = 3.0
"""A prompt is over by then."""
TALK_S = 12.0
"""Of speech and music while a code is expected; short enough that the IVR still waits behind it."""
TALK_SEED = 7
QUICK_S = 0.08
"""A key held and let go this long, twice: a contact that closes twice where a person pressed once."""
KEYED_DIGITS = "0123456789*#" * 2


@pytest.mark.req("ASSOC-N10")
@pytest.mark.parametrize("way", BUSY_WAYS)
def test_phone_in_use_is_left_in_peace(station: Station, desk: Phone, way: str) -> None:
    """In a call, ringing, off hook, or not to be disturbed: the attempt ends with a reason, and disturbs nothing."""
    other, alice = station.neighbour(desk), station.first_account
    codes = station.feature_codes
    if way == "in peace" and codes is None:
        station.not_applicable("ASSOC-N10", "the station file names no codes for do not disturb: [pbx] dnd_on, dnd_off")
        return
    _occupy(station, desk, other, way)
    try:
        _ask_for(station, alice, desk, way)
        _judge_unbroken(station, desk, other, way)
    finally:
        if way == "in peace" and codes is not None:
            _dial_feature(station, desk, codes[1])


def _ask_for(station: Station, alice: Account, desk: Phone, way: str) -> None:
    """An association is asked for: it ends, with a reason to try again later, and without a bell or a line."""
    known = bool(station.cti.call(Service.SNAPSHOT_DEVICE, device=desk.extension).calls)
    with station.policy(completion_required=True, lock="none"):
        name, asked = alice.request(desk.extension)
        alice.complete(name)
        ended = alice.wait_state(name, ("FAILED",), 10.0)
    station.clock.sleep(SETTLE_S)

    judge_no_seizure(station, "ASSOC-N10", asked.time_s)
    if way != "called":
        judge_no_bell(station, "ASSOC-N10", asked.time_s)
    if ended is None:
        alice.abandon()  # so that the phone is not rung any longer
        raise StepFailed("S6", "the service gives way", str(alice.state(name)), "cloud service or PBX")
    if known or way != "off hook":
        station.record.judge("ASSOC-N10", "reason given", "equal", observation=ended.id, key="reason", expected="busy")
    if known or way in ("in a call", "called"):
        judge_no_command(station, "ASSOC-N10", asked.time_s, desk.extension, names=("MakeCall",))
    elif way == "off hook":
        station.not_applicable("ASSOC-N10", "the PBX does not see a handset that is merely off hook, so cannot say so")


def _occupy(station: Station, desk: Phone, other: Phone, way: str) -> None:
    if way == "in a call":
        station.connect(other, desk)
    elif way == "called":
        since_s = other.lift().time_s
        assert other.hears_dial_tone()
        other.dial(desk.extension)
        if desk.ring(8.0, since_s) is None:
            raise WireCut(f"ringer of {desk.name}", "call", f"{other.name} dialled, no ring", "offhook check")
    elif way == "in peace":
        assert station.feature_codes is not None
        _dial_feature(station, desk, station.feature_codes[0])
    else:
        desk.lift()
        assert desk.hears_dial_tone()
        station.clock.sleep(1.0)


def _dial_feature(station: Station, desk: Phone, code: str) -> None:
    """Dial a code from an idle phone and hear the PBX take it."""
    desk.hang_up()
    station.clock.sleep(1.0)
    desk.lift()
    assert desk.hears_dial_tone()
    desk.dial(code)
    assert desk.hears("confirmation"), f"{desk.name} dialled {code}, the PBX did not confirm it"
    desk.hang_up()
    station.clock.sleep(1.0)


def _judge_unbroken(station: Station, desk: Phone, other: Phone, way: str) -> None:
    """What the phone was used for before goes on: both hear each other, the call is answered, the number is dialled."""
    since_s = station.clock.now_s()
    if way == "in peace":
        other.lift()
        assert other.hears_dial_tone()
        other.dial(desk.extension)
        station.clock.sleep(SETTLE_S)
        judge_no_bell(station, "ASSOC-N10", since_s)
        return
    if way == "called":
        desk.lift()
        station.clock.sleep(0.5)
    elif way == "off hook":
        desk.dial(other.extension)
        assert other.ring(8.0, since_s) is not None, f"{desk.name} was off hook and can no longer dial"
        other.lift()
        station.clock.sleep(0.5)
    for speaker, hearer in ((desk, other), (other, desk)):
        from_s, _ = speaker.key("5")
        station.clock.sleep(0.5)
        to_s = station.clock.now_s()
        title = f"the call of before: {speaker.name} to {hearer.name}"
        station.record.judge("ASSOC-N10", title, "digits", wire=hearer.name, from_s=from_s, to_s=to_s, expected="5")


@pytest.mark.req("ASSOC-N12")
@pytest.mark.parametrize("keyed", [0, 2], ids=["silence", "half a code"])
def test_silence_is_asked_again_and_then_ended(station: Station, first: Phone, keyed: int) -> None:
    """Nothing, or half a code, after the prompt: the IVR asks again, gives up, hangs up; nothing is associated."""
    flow = association(station, station.first_account, first)
    flow.run_to("prompted")
    if keyed:
        flow.key_code(flow.code[:keyed])
    quiet = station.watch.note("R", first.name, "silence", first.name, station.clock.now_s(), 0.05)

    again = flow.account.wait_again(flow.association, quiet.time_s, SILENCE_S)
    ended = flow.account.wait_state(flow.association, ("FAILED",), SILENCE_S)
    released = station.watch.expect("seizure", 10.0, quiet.time_s, active=False)

    judge_no_association(station, "ASSOC-N12", flow.steps["S1"].time_s)
    assert again is not None, "the IVR did not ask again"
    flow.interval("ASSOC-N12", "silence to the next prompt", quiet, again, SILENCE_S)
    spec: dict[str, Any] = {"wire": flow.spoken, "from_s": again.time_s - 0.1, "to_s": station.clock.now_s()}
    flow.judge("ASSOC-N12", "prompted again by voice", "voice", **spec)
    assert ended is not None, "the context is still open"
    flow.equal("ASSOC-N12", "why it ended", ended, "reason", "timeout")
    assert released is not None, "the IVR did not end the call"
    flow.interval("ASSOC-N12", "silence to the end of the call", quiet, released, SILENCE_S)


@pytest.mark.req("ASSOC-N15")
def test_doubled_digit_is_refused_and_its_cause_named(station: Station, desk: Phone) -> None:
    """One digit of the code comes twice: not taken for the code, and the bench says where the second one came from."""
    flow = association(station, station.first_account, desk)
    flow.run_to("request")
    while len(set(flow.code)) == 1:  # one more of the same digit would not make it another code
        flow.request()
    flow.run_to("prompted", first="complete")
    station.clock.sleep(PROMPT_S)  # so that the ear hears the first digit as well as the IVR does
    from_s = station.clock.now_s()

    for at, key in enumerate(flow.code):
        desk.press(key, QUICK_S)
        if at == 0:
            desk.press(key, QUICK_S)
    station.clock.sleep(SETTLE_S)

    digits = {wire: list(station.watch.all("digit", from_s, wire)) for wire in (desk.name, flow.heard)}
    twice = {wire: doubled(flow.code, heard) for wire, heard in digits.items()}
    causes = [why_doubled(station.watch, desk.name, each, twice[desk.name]) for each in twice[flow.heard]]
    judge_no_association(station, "ASSOC-N15", flow.steps["S1"].time_s)
    flow.account.wait_step(flow.association, "S9", 1.0)
    flow.count("ASSOC-N15", "attempts counted", "cloud-step", from_s, station.clock.now_s(), step="S9",
               d_equal=False, at_least=1)  # fmt: skip
    named = station.watch.note("R", desk.name, "doubled", desk.name, from_s, 0.05, cause="; ".join(causes) or "none")
    expected = f"the contact {_first_contact(desk, flow.code[0])} closed twice"
    flow.equal("ASSOC-N15", "cause that the bench names", named, "cause", expected)
    assert causes, f"heard {''.join(str(seen.data['key']) for seen in digits[flow.heard])} for {flow.code}"


def _first_contact(desk: Phone, key: str) -> str:
    return str(desk.model.keypad.contacts(key)[0])


@pytest.mark.req("ASSOC-N15")
def test_no_digit_comes_twice(station: Station, desk: Phone) -> None:
    """Every key twice, to another phone: none is heard more often than it was pressed."""
    far = station.neighbour(desk)
    station.connect(desk, far)

    from_s, _ = desk.key(KEYED_DIGITS)
    station.clock.sleep(0.5)

    heard = list(station.watch.all("digit", from_s, far.name))
    per_1000 = 1000 * len(doubled(KEYED_DIGITS, heard)) / len(KEYED_DIGITS)
    title = f"duplicates per 1000 digits, {len(KEYED_DIGITS)} keyed"
    station.figure("ASSOC-N15", title, per_1000, "1/1000", 0.0, 0.0)
    spec: dict[str, Any] = {"wire": far.name, "from_s": from_s, "to_s": station.clock.now_s()}
    station.record.judge("ASSOC-N15", f"digits of {desk.name} at {far.name}", "digits", **spec, expected=KEYED_DIGITS)


@pytest.mark.req("ASSOC-N16")
def test_voices_at_the_handset_key_nothing(station: Station, desk: Phone) -> None:
    """Harsh speech and music into the handset while the code is awaited: no digit, no association; the code then works.

    Twelve seconds prove no rate an hour: receivers are characterized for that (DTMF-DEC.9).
    """
    flow = association(station, station.first_account, desk)
    flow.run_to("prompted")
    station.clock.sleep(1.0)
    voice = talkoff.harsh(TALK_S, TALK_SEED, desk.audio_rate_hz)
    from_s, to_s = desk.say((voice * 32767).astype(np.int16))
    station.clock.sleep(to_s - station.clock.now_s() + 0.5)

    _judge_talk_off(station, flow, from_s, station.clock.now_s())
    judge_no_association(station, "ASSOC-N16", flow.steps["S1"].time_s)

    listener, clock = station.listener, station.clock  # a prompt in the ear would cover the first key there
    clock.wait_for(lambda: not listener.sounding(flow.spoken, clock.now_s() - 0.3), PROMPT_S)
    flow.key_code()
    flow.decided()
    judge_phones(flow, "ASSOC-N16", "phones of the account once the code is keyed", expected=1)


def _judge_talk_off(station: Station, flow: Association, from_s: float, to_s: float) -> None:
    """The voice did reach the IVR's leg, as voice, and neither the bench nor the service heard a digit in it."""
    span: dict[str, Any] = {"from_s": from_s, "to_s": to_s}
    flow.judge("ASSOC-N16", "the voice at the IVR", "voice", wire=flow.heard, at_least=TALK_S / 4, **span)
    for wire in (flow.phone.name, flow.heard):
        flow.count("ASSOC-N16", f"digits inserted by voice on {wire}", "digit", **span, wire=wire, at_most=0)
    flow.account.wait_step(flow.association, "S33", 1.0)  # fetches what the service has seen meanwhile
    title = "digits inserted by voice, as the service hears them"
    flow.count("ASSOC-N16", title, "cloud-step", **span, step="S27", at_most=0)


@pytest.mark.req("LOCK-N01")
@pytest.mark.parametrize("variant", ["notify", "prefix"])
def test_refused_lock_stops_before_the_call(station: Station, desk: Phone, variant: str) -> None:
    """A lock that the phone or the PBX refuses: no MakeCall, no bell, no outside line, and the account is told."""
    reason = station.why_not_locked(desk, variant)
    if not reason:
        station.not_applicable("LOCK-N01", f"{desk.name} takes a lock by {variant}: there is no refusal to be seen")
        return
    alice = station.first_account
    flow = association(station, alice, desk, lock=variant)
    flow.run_to("complete")
    asked = flow.steps["S1"]

    ended = alice.wait_state(flow.association, ("FAILED",), 15.0)
    station.clock.sleep(SETTLE_S)

    judge_no_command(station, "LOCK-N01", asked.time_s, desk.extension, names=("MakeCall",))
    judge_no_bell(station, "LOCK-N01", asked.time_s)
    judge_no_seizure(station, "LOCK-N01", asked.time_s)
    judge_no_association(station, "LOCK-N01", asked.time_s)
    if ended is None:
        raise StepFailed("S5", "the service stops, as the lock was refused", str(alice.state(flow.association)), reason)
    flow.equal("LOCK-N01", "reason given", ended, "reason", "lock_refused")
