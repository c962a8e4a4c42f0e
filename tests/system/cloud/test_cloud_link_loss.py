"""ASSOC-N13: the CTI cable is cut at each point of the flow; nobody is told, the wires just go silent."""

from __future__ import annotations

import contextlib

import pytest
from lab import LabBuilder

from offhook.bench.flows import STAGES, StepFailed, associate, association
from offhook.drivers.cti import Service
from offhook.drivers.errors import DeviceError, DeviceRefused

POINTS = ("request", "monitored", "called", "answer", "identified", "prompted")


@pytest.mark.req("ASSOC-N13")
@pytest.mark.parametrize("point", POINTS)
def test_no_association_without_proof_over_the_link(labs: LabBuilder, point: str) -> None:
    with labs.open() as lab:
        alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")
        flow = association(lab.station, alice, desk)
        flow.run_to(point)
        lab.plant.faults.add("cut:cti")

        with contextlib.suppress(StepFailed, DeviceError):  # as far as the phone and the IVR get without it
            flow.run_to(STAGES[-1], first=STAGES[STAGES.index(point) + 1])
        if "S27" not in flow.steps and "S31" in flow.steps:
            flow.key_code()

        ended = alice.wait_state(flow.association, ("FAILED",), 90.0)
        assert ended is not None
        assert ended.data["reason"] == "cti_lost", "the state is reported"
        assert alice.phones() == []

        desk.hang_up()
        lab.plant.faults.remove("cut:cti")
        lab.station.clock.sleep(70.0)  # a phone nobody answered stops ringing
        lab.station.watch.forget(keep=("hook", "seizure"))
        associate(lab.station, alice, desk)
        assert alice.phones() == ["1001"]


@pytest.mark.req("ASSOC-N13")
def test_a_link_cut_between_the_last_digit_and_the_decision_proves_nothing(labs: LabBuilder) -> None:
    """The PBX answers the last question 0.3 s late, the cable is cut in that time: after S8, before S10."""
    with labs.open() as lab:
        alice = lab.station.account("alice")
        flow = association(lab.station, alice, lab.station.phone("desk-1"))
        flow.run_to("prompted")
        lab.plant.faults.add("slow-pbx:0.3")
        flow.key_code()
        assert alice.wait_state(flow.association, ("COMPARING",), 2.0) is not None
        lab.plant.faults.add("cut:cti")

        ended = alice.wait_state(flow.association, ("FAILED",), 10.0)

        assert ended is not None
        assert ended.data["reason"] == "cti_lost"
        assert alice.wait_step(flow.association, "S10", 0.1) is None
        assert alice.phones() == []


@pytest.mark.req("ASSOC-N13")
def test_after_s10_the_association_stays_and_control_comes_back_with_the_link(labs: LabBuilder) -> None:
    with labs.open() as lab:
        alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")
        associate(lab.station, alice, desk)
        desk.hang_up()
        lab.station.clock.sleep(2.0)
        lab.plant.faults.add("cut:cti")

        lab.station.cloud.make_call("alice", "1001", "1003")  # the first that finds the wire silent
        lab.station.clock.sleep(6.0)
        with pytest.raises(DeviceRefused, match="503 cti_lost"):
            lab.station.cloud.make_call("alice", "1001", "1003")
        assert alice.phones() == ["1001"]

        since_s = lab.station.clock.now_s()
        lab.plant.faults.remove("cut:cti")
        lab.station.clock.sleep(10.0)
        assert list(lab.station.watch.all("cti", since_s, name=str(Service.MONITOR_START))), "watched again"
        assert list(lab.station.watch.all("cti", since_s, name=str(Service.SNAPSHOT_DEVICE))), "and asked after"
        assert alice.controls(desk, to="1003") is not None
