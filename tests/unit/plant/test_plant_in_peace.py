"""Do not disturb: dialled on the phone, kept by the PBX; and what a PBX that gets it wrong does."""

from __future__ import annotations

import pytest
from unit.plant.plant_hands import IVR, Hands

from offhook import dsp


def dial(hands: Hands, code: str, desk: int = 1) -> list[str]:
    """Dial a code on an idle phone; the tones heard after it."""
    hands.lift(desk)
    hands.clock.sleep(0.5)
    hands.press(code, desk)
    from_s = hands.now_s + 0.3
    hands.clock.sleep(2.0)
    hands.hang_up(desk)
    hands.clock.sleep(1.0)
    return [tone.name for tone in dsp.progress.classify(hands.audio(desk - 1, from_s))]


def rang(hands: Hands, since_s: float) -> bool:
    return any(address == "arduino/2" and active for at_s, address, active in hands.edges if at_s >= since_s)


@pytest.mark.req("ASSOC-N10")
def test_a_phone_in_peace_is_not_rung_by_anybody_and_then_again(hands: Hands) -> None:
    pbx, since_s = hands.plant.pbx, hands.now_s
    assert set(dial(hands, "*78")) & {"confirmation", "stutter"}, "three bursts; stutter dial tone begins like that"
    assert pbx.make_call("1001", f"{IVR}*1234567#").error == "busy"
    hands.lift(3)
    hands.clock.sleep(0.5)
    hands.press("1001", 3)
    hands.clock.sleep(5.0)
    hands.hang_up(3)
    hands.clock.sleep(1.0)
    assert not rang(hands, since_s)

    dial(hands, "*79")
    again_s = hands.now_s
    assert pbx.make_call("1001", f"{IVR}*1234567#").ok
    hands.clock.sleep(1.0)
    assert rang(hands, again_s)


@pytest.mark.req("ASSOC-N10")
def test_a_pbx_that_rings_all_rings_it_all_the_same(hands: Hands) -> None:
    dial(hands, "*78")
    hands.plant.faults.add("wrong-pbx:rings-all")
    since_s = hands.now_s
    assert hands.plant.pbx.make_call("1001", f"{IVR}*1234567#").ok
    hands.clock.sleep(1.0)
    assert rang(hands, since_s)
