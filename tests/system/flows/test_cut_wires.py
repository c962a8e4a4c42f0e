"""The cut-wire matrix: no digit passes by a side door. Cut any one wire, the association fails and names that wire."""

from __future__ import annotations

import pytest
from lab import LabBuilder

from offhook.bench.flows import StepFailed, associate
from offhook.bench.phone import WireCut
from offhook.drivers.errors import OffhookError

CUTS = {
    "cut:relay:desk-1": "relay",
    "cut:handset:desk-1": "handset",
    "cut:ivr": "IVR leg",
    "cut:cti": "CTI",
    "cut:http": "cloud",
}


@pytest.mark.parametrize("lock", [False, True], ids=["unlocked", "locked"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.req("SIM-IVR.1", "ASSOC-S27.1", "ASSOC-S16.2")
def test_a_cut_wire_fails_the_association_and_is_named(labs: LabBuilder, cut: str, lock: bool) -> None:
    with labs.open() as lab:
        alice = lab.station.account("alice")
        lab.plant.faults.add(cut)

        with pytest.raises((StepFailed, WireCut, OffhookError)) as failure:
            associate(lab.station, alice, lab.station.phone("desk-1"), lock=lock)

        lab.plant.faults.remove(cut)
        assert CUTS[cut] in str(failure.value)
        assert alice.phones() == []


@pytest.mark.req("ASSOC-S27.1", "ASSOC-N01")
def test_swapped_keys_are_refused(labs: LabBuilder) -> None:
    """Two keys' frequencies swapped in the phone: the IVR hears the wrong digits, the code is not taken for right."""
    with labs.open(faults=["swap-keys:desk-1:1:2"]) as lab:
        assert lab.station.choose_codes("1212")
        alice = lab.station.account("alice")

        with pytest.raises(StepFailed) as failure:
            associate(lab.station, alice, lab.station.phone("desk-1"))

        assert failure.value.step == "S27"
        assert "2121" in failure.value.heard
        lab.station.clock.sleep(3.0)
        assert alice.phones() == []


NEVER_CAME = {
    "dead-bell:desk-1": "ASSOC-S15.1",
    "call-refused": "ASSOC-S14.1",
    "no-post-dial": "ASSOC-S16.2",
    "dead-prompt": "ASSOC-S33.1",
    "wrong-cloud:unwatched": "ASSOC-S4.1",
    "wrong-cloud:no-context": "ASSOC-S21.1",
}


@pytest.mark.parametrize("fault", NEVER_CAME)
@pytest.mark.req(*NEVER_CAME.values())
def test_a_step_that_never_came_is_judged_by_its_requirement(labs: LabBuilder, fault: str) -> None:
    with labs.open(faults=[fault]) as lab:
        alice = lab.station.account("alice")
        with pytest.raises(StepFailed):
            associate(lab.station, alice, lab.station.phone("desk-1"))
        lab.station.clock.sleep(15.0)
        alice.note_phones()  # the last thing seen: until then it might have come

        failed = {judgement.req for judgement in lab.judged() if judgement.verdict == "FAIL"}
    assert failed == {NEVER_CAME[fault]}


@pytest.mark.req("ASSOC-S10.1")
def test_the_same_station_uncut_associates(labs: LabBuilder) -> None:
    """The matrix means something only because the uncut station passes."""
    with labs.open() as lab:
        desk = lab.station.phone("desk-1")

        associate(lab.station, lab.station.account("alice"), desk)

        assert lab.station.account("alice").phones() == [desk.extension]
        verdicts = {judgement.verdict for judgement in lab.judged()}
        assert verdicts == {"PASS"}
