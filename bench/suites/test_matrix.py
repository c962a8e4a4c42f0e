"""MATRIX: every combination of the options, every way of locking, both ways to identify the call, on every phone."""

from __future__ import annotations

import itertools

import pytest

from offhook.bench.devices import Station
from offhook.bench.flows import Association, associate
from offhook.bench.flows.evidence import judge_ddi, judge_local_code_stayed, judge_phones, judged_anyway
from offhook.bench.phone import Phone
from offhook.bench.station_model import Options
from offhook.drivers.cti import Capability

NAMES = ("S3", "lock", "context", "DDI")


def _combinations() -> list[object]:
    """The 16 of ASSOC-VAR.1; each is marked with what it alone can show."""
    made: list[object] = []
    for chosen in itertools.product((True, False), repeat=len(NAMES)):
        marks = [] if chosen[0] else [pytest.mark.req("ASSOC-S3.2")]
        marks += [] if chosen[2] else [pytest.mark.req("ASSOC-S21.4")]
        name = "+".join(name for name, on in zip(NAMES, chosen, strict=True) if on) or "nothing"
        made.append(pytest.param(chosen, id=name, marks=marks))
    return made


@pytest.mark.req("ASSOC-VAR.1", "ASSOC-S1.5")
@pytest.mark.parametrize("chosen", _combinations())
def test_every_combination_associates(station: Station, desk: Phone, chosen: tuple[bool, ...]) -> None:
    """With and without completion request, lock, context id and DDI: the phone is associated, and each option shows."""
    s3, lock, context, ddi = chosen
    if lock and (reason := station.why_not_locked(desk, desk.lock_variant)):
        station.not_applicable("ASSOC-VAR.1", reason)
        return
    options = Options(lock=station.options.lock, s3=s3, context=context, ddi=ddi)
    alice = station.first_account

    title = f"phones of the account, by a phone of kind {desk.model.kind}"
    with judged_anyway(station, alice, ("ASSOC-VAR.1", "ASSOC-S1.5"), title):
        flow = associate(station, alice, desk, lock=lock, options=options)

    _judge_options(flow, options)
    assert alice.phones() == [desk.extension]


def _judge_options(flow: Association, options: Options) -> None:
    """That the combination was the one meant: each option left its trace, and no other did."""
    assert ("S3" in flow.steps, bool(flow.context)) == (options.s3, options.context)
    assert ("S24" in flow.steps, "S25" in flow.steps) == (flow.lock != "none",) * 2
    if flow.lock != "none":
        judge_local_code_stayed(flow)
    if options.ddi:
        judge_ddi(flow)
        return
    state = flow.account.state(flow.association)
    now_s = flow.station.clock.now_s()
    seen = flow.station.watch.note("K", "cloud", "bound", flow.account.name, now_s, 0.05, ddi=state.ddi)
    flow.equal("ASSOC-VAR.1", "number bound where the option is off", seen, "ddi", "")


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param("notify", marks=pytest.mark.req("LOCK-S13.1")),
        pytest.param("prefix", marks=pytest.mark.req("LOCK-S5.2")),
    ],
)
@pytest.mark.req("LOCK-S5.1", "LOCK-S24.1", "LOCK-S25.1")
def test_association_locked_either_way(station: Station, desk: Phone, variant: str) -> None:
    """Locked by a command to the phone, and by a call to the lock prefix: unlocked by its local code in both cases."""
    if reason := station.why_not_locked(desk, variant):
        station.not_applicable("LOCK-S13.1" if variant == "notify" else "LOCK-S5.2", reason)
        return
    alice = station.first_account

    flow = associate(station, alice, desk, lock=variant)

    judge_local_code_stayed(flow)
    assert alice.phones() == [desk.extension]


@pytest.mark.req("ASSOC-S16.4", "ASSOC-S31.2")
@pytest.mark.parametrize("lock", [False, True], ids=["unlocked", "locked"])
def test_context_id_over_the_established_connection(station: Station, desk: Phone, lock: bool) -> None:
    """The service has the PBX dial the context digits once the IVR has answered; MakeCall carries the number alone."""
    if Capability.GENERATE_DIGITS not in station.rig.cti.capabilities:
        station.not_applicable("ASSOC-S16.4", "the PBX does not generate digits in a call over CTI")
        return
    if lock and (reason := station.why_not_locked(desk, desk.lock_variant)):
        station.not_applicable("ASSOC-S16.4", reason)
        return
    alice = station.first_account

    flow = associate(station, alice, desk, lock=lock, in_call=True)

    judge_phones(flow, "ASSOC-S16.4", "phones of the account", expected=1)
    assert alice.phones() == [desk.extension]
