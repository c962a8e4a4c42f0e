"""Every named fault does its damage, and no more; taking it away mends it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from unit.plant.plant_hands import IVR, Hands

from offhook import dsp
from offhook.drivers.cti import EventKind
from offhook.drivers.errors import ConfigError
from offhook.fixtures.faults import FaultBoard


@pytest.fixture
def faulty(build: Callable[..., Hands]) -> Callable[[str], Hands]:
    return lambda name: build(faults=[name])


def keyed(hands: Hands, keys: str = "4711") -> str:
    """What the IVR hears of keys after the context."""
    app = hands.call_ivr()
    hands.clock.sleep(5.0)
    before = len(app.heard)
    hands.press(keys)
    hands.clock.sleep(0.5)
    return app.heard[before:]


def test_without_a_fault_the_keys_arrive(hands: Hands) -> None:
    assert keyed(hands) == "4711"


@pytest.mark.req("DRV-SIM.2")
def test_cut_relay_moves_no_contact(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("cut:relay:desk-1")
    hands.lift(1)
    hands.clock.sleep(1.0)
    assert hands.edges == []
    hands.lift(3)
    hands.clock.sleep(1.0)
    assert hands.edges[0][1] == "arduino/7"


@pytest.mark.req("DRV-SIM.2")
def test_cut_handset_is_dead_both_ways(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("cut:handset:desk-1")
    assert keyed(hands) == ""
    assert not hands.audio(0).any()
    assert dsp.decode(hands.audio(4)).text() == "1234567#"  # the PBX's own digits still pass


@pytest.mark.req("DRV-SIM.2")
def test_cut_ivr_is_dead_both_ways(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("cut:ivr")
    app = hands.call_ivr()
    app.says = np.full(8000, 9000, dtype=np.int16)
    hands.clock.sleep(5.0)
    assert app.heard == ""
    assert not hands.audio(4).any()
    assert np.abs(hands.audio(0, app.seized_s + 0.1)).max() < 200


@pytest.mark.req("DRV-SIM.2")
def test_swapped_keys_change_places(faulty: Callable[[str], Hands]) -> None:
    assert keyed(faulty("swap-keys:desk-1:1:7"), "4715") == "4175"


@pytest.mark.req("DRV-SIM.2")
def test_a_stuck_key_spoils_the_others(faulty: Callable[[str], Hands]) -> None:
    assert keyed(faulty("stuck-key:desk-1:5")) != "4711"


@pytest.mark.req("DRV-SIM.2")
@pytest.mark.parametrize(("bounce_ms", "heard"), [("5", "47"), ("31", "4477")])
def test_bounce_doubles_keys_only_beyond_the_debounce(
    faulty: Callable[[str], Hands], bounce_ms: str, heard: str
) -> None:
    hands = faulty(f"bounce:desk-1:{bounce_ms}")
    hands.call_ivr()
    hands.clock.sleep(5.0)
    hands.press("47", hold_s=0.2, gap_s=0.2)
    hands.clock.sleep(0.5)
    assert hands.calls[-1].heard == "1234567#" + heard


@pytest.mark.req("DRV-SIM.2", "SIM-PBX.4")
def test_doubled_digit(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("doubled-digit")
    app = hands.call_ivr()
    hands.clock.sleep(5.0)
    assert app.heard == "12234567#"


@pytest.mark.req("DRV-SIM.2")
def test_dead_prompt(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("dead-prompt")
    app = hands.call_ivr("")
    app.says = np.full(8000, 9000, dtype=np.int16)
    hands.clock.sleep(2.0)
    assert np.abs(hands.audio(5)).max() < 200
    hands.press("6")
    hands.clock.sleep(0.2)
    assert app.heard == "6"


@pytest.mark.req("DRV-SIM.2")
def test_false_lock_says_locked_and_dials_out(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("false-lock:1001")
    assert hands.plant.pbx.lock("1001", "notify").ok
    hands.wait_event(EventKind.LOCKED)
    assert hands.state() == "LOCKED"
    hands.lift()
    hands.clock.sleep(1.0)
    hands.press("05550100#")
    hands.clock.sleep(1.0)
    assert [call.called for _, call in hands.plant.trunk.seizures] == ["5550100"]


@pytest.mark.req("DRV-SIM.2")
def test_late_ring(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("late-ring:3")
    hands.plant.pbx.make_call("1001", IVR)
    hands.clock.sleep(5.0)
    assert hands.edges[0][0] == pytest.approx(3.15)


@pytest.mark.req("DRV-SIM.2")
def test_dropped_event(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("dropped-event:Delivered")
    hands.call_ivr()
    hands.clock.sleep(0.1)
    assert hands.kinds() == ["ServiceInitiated", "Originated", "Established"]


@pytest.mark.req("DRV-SIM.2", "SIM-PBX.4")
def test_slow_pbx(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("slow-pbx:2.5")
    assert hands.plant.pbx.answer_delay_s == 2.5
    hands.lift()
    hands.clock.sleep(5.0)
    assert hands.event(EventKind.SERVICE_INITIATED).time_s == pytest.approx(2.56)


@pytest.mark.req("DRV-SIM.2", "SIM-PBX.4")
def test_hidden_ddi(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("hidden-ddi")
    assert hands.call_ivr().call == ("", "restricted", "+33390677069")


@pytest.mark.req("DRV-SIM.2")
def test_wrong_ring(faulty: Callable[[str], Hands]) -> None:
    hands = faulty("wrong-ring:1003")
    hands.plant.pbx.make_call("1001", IVR)
    hands.clock.sleep(1.0)
    assert [edge[1] for edge in hands.edges] == ["arduino/6"]


@pytest.mark.parametrize(
    "fault",
    [
        "cut:relay:desk-1",
        "cut:handset:desk-1",
        "cut:ivr",
        "swap-keys:desk-1:4:1",
        "stuck-key:desk-1:5",
        "bounce:desk-1:31",
        "wrong-ring:1003",
        "dropped-event:Established",
    ],
)
def test_a_fault_that_is_taken_away_leaves_nothing(hands: Hands, fault: str) -> None:
    hands.plant.faults.add(fault)
    hands.clock.sleep(0.5)
    hands.plant.faults.remove(fault)
    hands.clock.sleep(0.5)
    assert keyed(hands) == "4711"
    assert hands.kinds()[-1] == "Established"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cut:rope", "cut:handset:PHONE"),
        ("cut:relay:desk-9", "desk-1, desk-2, desk-3"),
        ("swap-keys:desk-1:1", "swap-keys:PHONE:KEY:KEY"),
        ("false-lock:9", "1001"),
        ("late-ring:soon", "seconds"),
        ("dropped-event:Nothing", "Delivered"),
        ("bounce:desk-1:-4", "ms"),
        ("noisy-line:desk-1:20", "-100 to 3"),
    ],
)
def test_a_fault_there_is_none_of_names_the_known_ones(hands: Hands, name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        hands.plant.faults.add(name)


def test_whoever_comes_late_learns_of_faults_that_are_on() -> None:
    board = FaultBoard()
    board.add("cut:cti")
    heard: list[tuple[object, bool]] = []
    board.handle("cut:cti", lambda names, on: heard.append((names, on)))
    board.on_switch(lambda name, on: heard.append((name, on)))
    board.remove("cut:cti")
    assert heard == [((), True), ("cut:cti", True), ((), False), ("cut:cti", False)]
