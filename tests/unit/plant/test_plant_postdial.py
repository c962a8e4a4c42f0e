"""The PBX's own DTMF sender after the IVR's answer, and the user's keys on the way to the IVR."""

from __future__ import annotations

import pytest
from unit.plant.plant_hands import Hands

from offhook import dsp


@pytest.mark.req("SIM-PBX.2")
@pytest.mark.parametrize("desk", [1, 2, 3])
def test_the_context_reaches_the_ivr_as_audio(hands: Hands, desk: int) -> None:
    app = hands.call_ivr("1234567", desk)
    answered_s = app.seized_s
    hands.clock.sleep(6.0)
    assert app.heard == "1234567#"
    digits = list(dsp.decode(hands.audio(4, answered_s)))
    assert "".join(digit.key for digit in digits) == "1234567#"
    assert 0.2 <= digits[0].start_s <= 3.0
    assert digits[-1].end_s <= 10.0


@pytest.mark.req("SIM-IVR.1")
@pytest.mark.parametrize("desk", [1, 2, 3])
def test_keys_reach_the_ivr_as_audio(hands: Hands, desk: int) -> None:
    app = hands.call_ivr("1234567", desk)
    hands.clock.sleep(5.0)
    start_s = hands.now_s
    hands.press("4711", desk)
    hands.clock.sleep(0.3)
    assert app.heard == "1234567#4711"
    assert dsp.decode(hands.audio(4, start_s)).text() == "4711"


def test_keys_typed_while_the_pbx_sends_do_not_mix(hands: Hands) -> None:
    app = hands.call_ivr()
    hands.clock.sleep(0.9)
    hands.press("999")
    hands.clock.sleep(3.0)
    assert app.heard == "1234567#"


def test_the_user_hears_the_ivr(hands: Hands) -> None:
    app = hands.call_ivr(context="")
    start_s = hands.now_s
    hands.clock.sleep(0.1)
    app.says = (dsp.encode("2", 8000, on_s=0.2) * 32767).astype("int16")
    hands.clock.sleep(0.6)
    (ear,) = dsp.decode(hands.audio(0, start_s))
    (spoken,) = dsp.decode(hands.audio(5, start_s))
    assert ear.key == spoken.key == "2"
    assert spoken.low_dbm0 - ear.low_dbm0 == pytest.approx(3.0, abs=0.3)
    assert ear.start_s - spoken.start_s == pytest.approx(0.02, abs=0.002)


def test_digits_sent_over_cti_reach_the_far_end_only(hands: Hands) -> None:
    app = hands.call_ivr(context="")
    call_id = next(iter(hands.plant.pbx.calls))
    start_s = hands.now_s
    assert hands.plant.pbx.generate_digits("1001", call_id, "96#").ok
    assert hands.plant.pbx.generate_digits("1001", call_id, "x").error == "invalid_number"
    hands.clock.sleep(1.5)
    assert app.heard == "96#"
    assert dsp.decode(hands.audio(0, start_s)).text() == ""
