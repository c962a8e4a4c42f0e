"""CONTROL: what an account may do with its phone once it is associated, and not a moment earlier (ASSOC-S10.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows import StepFailed, associate
from offhook.bench.flows.absence import judge_no_bell, judge_no_command, refusal_of
from offhook.bench.phone import Phone
from offhook.drivers.cti import Capability
from offhook.drivers.errors import DeviceRefused

ACTED_S = 2.0
"""From an action to its effect at the phone."""
CONTROLS = ("MakeCall", "AnswerCall", "HoldCall", "RetrieveCall", "ClearConnection")


@pytest.mark.req("ASSOC-S10.2")
def test_nothing_is_controlled_before_the_association(station: Station, desk: Phone) -> None:
    """Calls made, answered, held, retrieved, cleared: each refused, no command to the PBX, no bell."""
    cloud, name, to = station.cloud, station.first_account.name, station.neighbour(desk).extension
    since_s = station.clock.now_s()

    refusals = [
        refusal_of(lambda: cloud.make_call(name, desk.extension, to)),
        *(refusal_of(lambda act=act: act(name, desk.extension, "1"))  # type: ignore[misc]
          for act in (cloud.answer, cloud.hold, cloud.retrieve, cloud.clear)),
    ]  # fmt: skip
    station.clock.sleep(ACTED_S)

    judge_no_command(station, "ASSOC-S10.2", since_s, desk.extension, names=CONTROLS)
    judge_no_bell(station, "ASSOC-S10.2", since_s)
    assert all(refusal.startswith("403") for refusal in refusals), f"not refused: {refusals}"


def _allowed(act: Callable[[], str | None]) -> str:
    """What is refused to the owner of the phone is a fault of the service, not of the bench."""
    try:
        return act() or ""
    except DeviceRefused as refused:
        raise StepFailed("S10", "the account controls its phone", refused.detail, "cloud service") from refused


@pytest.mark.req("ASSOC-S10.2")
def test_a_call_is_made_held_and_taken_back(station: Station, desk: Phone) -> None:
    """The account calls another phone, holds it (no key reaches it any more), takes it back, and ends it."""
    other, alice = station.neighbour(desk), station.first_account
    associate(station, alice, desk)
    call_id = _call(station, alice, desk, other)
    _judge_key(station, desk, other, "5", heard="5", title="in the call that the account made")
    if Capability.HOLD in station.rig.cti.capabilities:
        for act, key, heard, title in (
            (station.cloud.hold, "6", "", "while the account holds the call"),
            (station.cloud.retrieve, "7", "7", "when it has taken the call back"),
        ):
            _allowed(partial(act, alice.name, desk.extension, call_id))
            station.clock.sleep(ACTED_S / 2)
            _judge_key(station, desk, other, key, heard, title)
    else:
        station.not_applicable("ASSOC-S10.2", "the PBX does not hold calls over CTI")

    ended_s = station.clock.now_s()
    _allowed(partial(station.cloud.clear, alice.name, desk.extension, call_id))

    cleared = station.watch.expect("cti", ACTED_S, ended_s, desk.extension, name="ConnectionCleared")
    station.judge_count("ASSOC-S10.2", "call cleared", "cti", ended_s, name="ConnectionCleared", at_least=1)
    assert cleared is not None, "the account could not end the call"


def _call(station: Station, alice: Account, desk: Phone, other: Phone) -> str:
    since_s = station.clock.now_s()
    call_id = _allowed(partial(station.cloud.make_call, alice.name, desk.extension, other.extension))
    assert desk.ring(ACTED_S + 1.0, since_s) is not None, f"{desk.name} does not ring for its account"
    station.clock.sleep(0.5)
    desk.lift()
    assert other.ring(ACTED_S + 6.0, since_s) is not None, f"{other.name} is not called"
    station.clock.sleep(0.5)
    other.lift()
    station.clock.sleep(1.0)
    return call_id


def _judge_key(station: Station, desk: Phone, other: Phone, key: str, heard: str, title: str) -> None:
    """A key pressed on one phone is heard at the other, or nothing is."""
    from_s, _ = desk.key(key)
    station.clock.sleep(0.6)
    span: dict[str, Any] = {"from_s": from_s, "to_s": station.clock.now_s()}
    name = f"key of {desk.name} at {other.name} {title}"
    station.record.judge("ASSOC-S10.2", name, "digits", wire=other.name, expected=heard, **span)


@pytest.mark.req("ASSOC-S10.2")
def test_a_call_is_answered_for_the_phone(station: Station, desk: Phone) -> None:
    """Another phone calls; the account answers: the bell stops, and the call is there without a hand at the phone."""
    if Capability.ANSWER not in station.rig.cti.capabilities:
        station.not_applicable("ASSOC-S10.2", "the PBX does not answer calls over CTI")
        return
    if desk.kind == "analog":
        station.not_applicable("ASSOC-S10.2", f"{desk.name} is an analog set: it cannot go off hook by itself")
        return
    other, alice = station.neighbour(desk), station.first_account
    associate(station, alice, desk)
    since_s = other.lift().time_s
    assert other.hears_dial_tone()
    other.dial(desk.extension)
    assert desk.ring(8.0, since_s) is not None
    station.clock.sleep(0.5)
    ringing = [each for each in station.cloud.phones(alice.name)[0].calls if each["state"] == "ringing"]
    assert ringing, f"the account does not see the call: {station.cloud.phones(alice.name)}"

    asked = station.watch.note("K", "cloud", "answer", alice.name, station.clock.now_s(), 0.05)
    _allowed(partial(station.cloud.answer, alice.name, desk.extension, ringing[0]["call_id"]))

    answered = station.watch.expect("cti", ACTED_S, asked.time_s, desk.extension, name="Established")
    assert answered is not None, "the account could not answer the call"
    spec = {"from": asked.id, "to": answered.id, "at_most": ACTED_S}
    station.record.judge("ASSOC-S10.2", "the account's answer to the call", "interval", unit="s", **spec)
    station.clock.sleep(6.5)  # longer than the bell's pause
    station.judge_count("ASSOC-S10.2", "bell after the answer", "ring", answered.time_s, active=True, at_most=0)
    station.cloud.clear(alice.name, desk.extension, ringing[0]["call_id"])
    station.clock.sleep(0.5)
