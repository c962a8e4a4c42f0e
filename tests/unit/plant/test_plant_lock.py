"""The lock in both variants, and where the local code may be heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unit.plant.plant_hands import IVR, Hands

from offhook import dsp
from offhook.drivers.cti import Capability, EventKind
from offhook.drivers.errors import ConfigError

VARIANTS = [("notify", 1), ("notify", 3), ("prefix", 1), ("prefix", 2), ("prefix", 3)]
CODES = {1: "8642", 2: "7531", 3: "2468"}
NUMBERS = {1: "1001", 2: "1002", 3: "1003"}


def lock(hands: Hands, variant: str, desk: int) -> None:
    assert hands.plant.pbx.lock(NUMBERS[desk], variant, "*66").ok
    hands.wait_event(EventKind.LOCKED, NUMBERS[desk])


def up_to_the_prompt(hands: Hands, variant: str, desk: int) -> float:
    """Locked, called over CTI and lifted; the prompt's start."""
    lock(hands, variant, desk)
    assert hands.plant.pbx.make_call(NUMBERS[desk], f"{IVR}*1234567#").ok
    hands.clock.sleep(1.0)
    lifted_s = hands.now_s
    hands.lift(desk)
    hands.clock.sleep(1.5)
    return lifted_s


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize(("variant", "desk"), VARIANTS)
def test_the_right_code_lets_the_call_go_on(hands: Hands, variant: str, desk: int) -> None:
    lifted_s = up_to_the_prompt(hands, variant, desk)
    assert dsp.progress.classify(hands.audio(desk - 1, lifted_s))[0].name == "stutter"
    assert hands.state(NUMBERS[desk]) == "PROMPTING"
    assert not hands.plant.trunk.seizures
    hands.press(CODES[desk] + "#", desk)
    hands.clock.sleep(8.0)
    assert hands.kinds(NUMBERS[desk]) == [
        "Locked",
        "ServiceInitiated",
        "Unlocked",
        "Originated",
        "Delivered",
        "Established",
    ]
    assert hands.state(NUMBERS[desk]) == "UNLOCKED"
    assert hands.calls[0].heard == "1234567#"


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize(("variant", "desk"), VARIANTS)
@pytest.mark.parametrize("typed", ["8643#", "#", "86428642#", "1234#"])
def test_a_wrong_code_ends_the_call_before_the_trunk(hands: Hands, variant: str, desk: int, typed: str) -> None:
    up_to_the_prompt(hands, variant, desk)
    hands.press(typed, desk)
    start_s = hands.now_s
    hands.clock.sleep(3.0)
    assert hands.event(EventKind.LOCK_DENIED, NUMBERS[desk]).cause == "local_code"
    assert hands.kinds(NUMBERS[desk])[-3:] == ["LockDenied", "Failed", "ConnectionCleared"]
    assert dsp.progress.classify(hands.audio(desk - 1, start_s + 0.3))[0].name == "reorder"
    assert not hands.plant.trunk.seizures
    assert hands.state(NUMBERS[desk]) == "LOCKED"


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize(("variant", "desk"), VARIANTS)
def test_the_local_code_is_on_no_other_wire(hands: Hands, variant: str, desk: int) -> None:
    up_to_the_prompt(hands, variant, desk)
    hands.press(CODES[desk] + "#", desk)
    hands.clock.sleep(8.0)
    for channel in range(10):
        heard = dsp.decode(hands.audio(channel)).text()
        assert (CODES[desk] in heard) == (channel == desk - 1)
        for end in (CODES[desk][-1] + "#", "#1"):  # not a part of it either
            assert channel == desk - 1 or end not in heard.replace("1234567#", "")
    assert not any(CODES[desk] in str(event) for event in hands.events)


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize("desk", [1, 3])
def test_a_phone_that_asks_itself_sends_the_pbx_nothing(hands: Hands, desk: int) -> None:
    """Beyond the phone there is not even the noise of the room from the prompt to the verdict."""
    up_to_the_prompt(hands, "notify", desk)
    leg = hands.plant.pbx.extensions[NUMBERS[desk]].leg
    assert leg is not None
    hands.plant.grid.tap(9, lambda first: hands.plant.grid.sent(leg))
    start_s = hands.now_s
    hands.press(CODES[desk] + "#", desk)
    unlocked_s = hands.wait_event(EventKind.UNLOCKED, NUMBERS[desk]).time_s
    hands.clock.sleep(1.0)
    sent = hands.audio(9, start_s)
    silent = round((unlocked_s - start_s - 0.04) * 8000)
    assert not sent[:silent].any()
    assert sent[silent + 640 :].any()  # the probe works: room noise is back


@pytest.mark.parametrize(("variant", "desk"), [("notify", 1), ("prefix", 2)])
def test_no_code_in_time_ends_the_call(hands: Hands, variant: str, desk: int) -> None:
    up_to_the_prompt(hands, variant, desk)
    hands.press("86", desk)
    hands.clock.sleep(25.0)
    assert hands.event(EventKind.LOCK_DENIED, NUMBERS[desk]).cause == "timeout"
    assert hands.state(NUMBERS[desk]) == "LOCKED"
    assert not hands.plant.trunk.seizures


@pytest.mark.parametrize(("variant", "desk"), [("notify", 1), ("prefix", 2)])
def test_hanging_up_at_the_prompt_leaves_it_locked(hands: Hands, variant: str, desk: int) -> None:
    up_to_the_prompt(hands, variant, desk)
    hands.press("86", desk)
    hands.hang_up(desk)
    hands.clock.sleep(30.0)
    assert hands.state(NUMBERS[desk]) == "LOCKED"
    assert "LockDenied" not in hands.kinds(NUMBERS[desk])
    assert not hands.plant.trunk.seizures


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize(("variant", "desk"), VARIANTS)
def test_a_locked_phone_cannot_dial_out_but_inside(hands: Hands, variant: str, desk: int) -> None:
    lock(hands, variant, desk)
    hands.lift(desk)
    hands.clock.sleep(1.0)
    hands.press("05550100#", desk)
    start_s = hands.now_s + 0.1
    hands.clock.sleep(2.0)
    assert dsp.progress.classify(hands.audio(desk - 1, start_s))[0].name == "reorder"
    assert not hands.plant.trunk.seizures
    assert hands.event(EventKind.FAILED, NUMBERS[desk]).cause == "locked"
    hands.hang_up(desk)
    hands.clock.sleep(1.0)
    hands.lift(desk)
    hands.clock.sleep(1.0)
    other = 3 if desk != 3 else 1
    hands.press(NUMBERS[other], desk)
    hands.clock.sleep(1.0)
    assert hands.plant.room.phones[f"desk-{other}"].ringing


@pytest.mark.req("SIM-PBX.3")
def test_lock_by_a_call_to_the_prefix(hands: Hands) -> None:
    response = hands.plant.pbx.make_call("1002", "*66")
    assert response.ok
    hands.clock.sleep(1.0)
    assert hands.state("1002") == "LOCKED"
    assert hands.kinds("1002") == ["ServiceInitiated", "Originated", "ConnectionCleared", "Locked"]
    assert not hands.plant.room.phones["desk-2"].ringing
    assert not hands.plant.trunk.seizures


def test_lock_dialled_on_the_keypad(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(0.5)
    hands.press("*66")
    hands.clock.sleep(1.0)
    assert hands.state() == "LOCKED"
    assert hands.plant.room.phones["desk-1"].text == "LOCKED"


def test_locks_say_why_not(hands: Hands) -> None:
    pbx = hands.plant.pbx
    assert pbx.lock("1002", "notify").error == "not_supported"  # an analog phone
    assert pbx.lock("1009", "notify").error == "unknown_extension"
    assert pbx.lock("1001", "prefix", "*77").error == "invalid_number"


def test_locking_one_phone_locks_no_other_and_twice_is_once(hands: Hands) -> None:
    lock(hands, "notify", 1)
    lock(hands, "notify", 1)
    assert [hands.state(number) for number in ("1001", "1002", "1003")] == ["LOCKED", "UNLOCKED", "UNLOCKED"]
    assert hands.plant.pbx.unlock("1001").ok
    hands.clock.sleep(0.1)
    assert hands.state() == "UNLOCKED"
    assert hands.plant.room.phones["desk-1"].text == ""


@pytest.mark.req("SIM-PBX.3")
@pytest.mark.parametrize("variants", [[], ["notify"], ["prefix"]])
def test_a_pbx_may_have_one_lock_or_none(build: Callable[..., Hands], variants: list[str]) -> None:
    pbx = build(locks=variants).plant.pbx
    for variant in ("notify", "prefix"):
        assert pbx.lock("1001", variant, "*66").ok == (variant in variants)
        assert (Capability(f"lock_{variant}") in pbx.capabilities) == (variant in variants)
    assert Capability.MAKE_CALL in pbx.capabilities


def test_a_lock_there_is_none_of_is_refused(build: Callable[..., Hands]) -> None:
    with pytest.raises(ConfigError, match="padlock"):
        build(locks=["padlock"])
