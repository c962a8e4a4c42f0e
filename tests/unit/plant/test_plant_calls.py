"""Calls at the simulated PBX: states, tones, events, the trunk."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from unit.plant.plant_hands import IVR, Hands, station

from offhook import dsp
from offhook.drivers.cti import EventKind
from offhook.drivers.errors import ConfigError
from offhook.fixtures.plant import build_simulated

MADE = ["ServiceInitiated", "Originated", "Delivered", "Established"]


def tones(hands: Hands, channel: int, from_s: float) -> list[str]:
    return [segment.name for segment in dsp.progress.classify(hands.audio(channel, from_s))]


@pytest.mark.req("SIM-PBX.1")
def test_lifting_the_handset_gives_dial_tone(hands: Hands) -> None:
    hands.clock.sleep(1.0)
    hands.lift()
    hands.clock.sleep(2.0)
    segment = dsp.progress.classify(hands.audio(0))[0]
    assert segment.name == "dial"
    assert segment.start_s == pytest.approx(1.06, abs=0.01)
    assert hands.kinds() == ["ServiceInitiated"]


@pytest.mark.req("SIM-PHONE.1", "LINE-RING.1")
@pytest.mark.parametrize(
    ("region", "pattern_s"), [("US", [2, 4]), ("EU", [1, 4]), ("UK", [0.4, 0.2, 0.4, 2]), ("JP", [1, 2])]
)
def test_the_bell_rings_as_the_region_has_it(region: str, pattern_s: list[float]) -> None:
    hands = Hands(build_simulated(station() | {"region": region}, 1))
    hands.lift()
    hands.clock.sleep(1.0)
    hands.press("1003")
    hands.clock.sleep(13.0)
    bell = [time_s for time_s, pin, _ in hands.edges if pin == "arduino/6"]
    spans_s = [end_s - start_s for start_s, end_s in itertools.pairwise(bell)]
    assert len(spans_s) > len(pattern_s)
    assert spans_s == pytest.approx(list(itertools.islice(itertools.cycle(pattern_s), len(spans_s))), abs=0.001)


@pytest.mark.req("SIM-PBX.1")
def test_an_internal_call_dialled_on_the_keypad(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(1.0)
    hands.press("1003")
    hands.clock.sleep(1.0)
    assert hands.plant.room.phones["desk-3"].ringing
    hands.lift(3)
    hands.clock.sleep(0.5)
    assert hands.kinds() == MADE
    assert hands.kinds("1003") == ["Delivered", "Established"]
    start_s = hands.now_s
    hands.press("5", desk=3)
    hands.press("8", desk=1)
    hands.clock.sleep(0.2)
    assert dsp.decode(hands.audio(0, start_s)).text() == "58"
    assert dsp.decode(hands.audio(2, start_s)).text() == "58"
    hands.hang_up(3)
    hands.clock.sleep(2.0)
    assert tones(hands, 0, hands.now_s - 1.9) == ["reorder"]
    assert hands.kinds()[-1] == "ConnectionCleared"
    assert not hands.plant.pbx.calls


@pytest.mark.req("SIM-PBX.1")
def test_calling_a_busy_extension_gives_busy_tone(hands: Hands) -> None:
    hands.lift(3)
    hands.clock.sleep(0.5)
    hands.lift(1)
    hands.clock.sleep(0.5)
    hands.press("1003")
    start_s = hands.now_s + 0.2
    hands.clock.sleep(3.0)
    assert tones(hands, 0, start_s) == ["busy"]
    assert hands.event(EventKind.FAILED).cause == "busy"


@pytest.mark.req("SIM-PBX.1")
def test_a_number_nobody_has_gives_reorder(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(0.5)
    hands.press("9")
    start_s = hands.now_s + 0.1
    hands.clock.sleep(2.0)
    assert tones(hands, 0, start_s) == ["reorder"]
    assert hands.event(EventKind.FAILED).cause == "invalid_number"


@pytest.mark.req("SIM-PBX.1")
@pytest.mark.parametrize(
    ("dialled", "routed"),
    [("05550100", "5550100"), (IVR, "+33390677069"), ("0" + IVR, "+33390677069")],
)
def test_an_outside_call_dialled_on_the_keypad(hands: Hands, dialled: str, routed: str) -> None:
    hands.lift()
    hands.clock.sleep(0.5)
    hands.press(dialled + "#")
    hands.clock.sleep(8.0)
    assert [call.called for _, call in hands.plant.trunk.seizures] == [routed]
    assert hands.kinds() == MADE
    assert [edge[1:] for edge in hands.edges if edge[1] == "arduino/8"] == [("arduino/8", True)]


@pytest.mark.req("SIM-PBX.1")
def test_a_far_subscriber_rings_answers_and_speaks(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(0.5)
    hands.press("05550100#")
    hands.wait_event(EventKind.ESTABLISHED)
    answered_s = hands.now_s
    hands.clock.sleep(2.5)
    (start_s, end_s), *_ = dsp.progress.voice(hands.audio(0, answered_s))
    assert 0.2 < start_s < 0.7
    assert 0.5 < end_s - start_s < 1.6
    assert not dsp.decode(hands.audio(0, answered_s)).text()


def test_a_busy_outside_number_is_refused(build: Callable[..., Hands]) -> None:
    hands = build(busy_numbers=["5550100"])
    hands.lift()
    hands.clock.sleep(0.5)
    hands.press("05550100#")
    hands.clock.sleep(3.0)
    assert hands.event(EventKind.FAILED).cause == "busy"
    assert hands.edges[-1][1:] == ("arduino/8", False)


@pytest.mark.req("SIM-PBX.1")
def test_a_call_made_over_cti_rings_the_phone_first(hands: Hands) -> None:
    response = hands.plant.pbx.make_call("1001", IVR)
    assert response.ok
    hands.clock.sleep(1.0)
    assert hands.edges == [(pytest.approx(0.15), "arduino/2", True)]
    assert not hands.plant.trunk.seizures
    hands.lift()
    hands.wait_event(EventKind.ESTABLISHED)
    assert hands.kinds() == MADE
    assert {event.call_id for event in hands.events} == {response.call_id}
    assert hands.calls[0].call == ("+33390671001", "allowed", "+33390677069")


@pytest.mark.req("SIM-PBX.1")
@pytest.mark.parametrize("when_s", [0.5, 1.1, 1.6, 2.2, 3.5])
def test_hanging_up_at_any_point_frees_everything(hands: Hands, when_s: float) -> None:
    assert hands.plant.pbx.make_call("1001", f"{IVR}*1234567#").ok
    hands.clock.wait_until(0.4)
    hands.lift()
    hands.clock.wait_until(when_s)
    hands.hang_up()
    hands.clock.sleep(0.1)
    assert hands.kinds()[-1] == "ConnectionCleared"
    assert not hands.plant.pbx.calls
    assert not any(line.is_seized for line in hands.plant.trunk.lines)
    blocks = hands.plant.grid.blocks_rendered
    hands.clock.sleep(60.0)
    assert hands.plant.grid.blocks_rendered == blocks


def test_the_ivr_hangs_up(hands: Hands) -> None:
    app = hands.call_ivr()
    app.on_hangup()
    hands.clock.sleep(2.0)
    assert hands.event(EventKind.CONNECTION_CLEARED).cause == "far_end"
    assert tones(hands, 0, hands.now_s - 1.9) == ["reorder"]
    assert not hands.plant.trunk.lines[0].is_seized


def test_an_unanswered_phone_ends_the_call(hands: Hands) -> None:
    hands.plant.pbx.make_call("1001", IVR)
    hands.clock.sleep(70.0)
    assert hands.event(EventKind.FAILED).cause == "no_answer"
    assert not hands.plant.room.phones["desk-1"].ringing


def test_services_say_why_not(hands: Hands) -> None:
    pbx = hands.plant.pbx
    assert pbx.make_call("1009", IVR).error == "unknown_extension"
    assert pbx.make_call("1001", "12*x").error == "invalid_number"
    assert pbx.monitor_start("1009").error == "unknown_extension"
    assert pbx.clear("1001", "99").error == "unknown_call"
    assert pbx.hold("1001", "99").error == "unknown_call"
    hands.lift()
    assert pbx.make_call("1001", IVR).error == "busy"


def test_hold_and_retrieve_cut_and_restore_the_audio(hands: Hands) -> None:
    app = hands.call_ivr(context="")
    (call_id,) = hands.plant.pbx.calls
    assert hands.plant.pbx.retrieve("1001", call_id).error == "invalid_state"
    assert hands.plant.pbx.hold("1001", call_id).ok
    hands.press("1")
    hands.clock.sleep(0.3)
    assert hands.plant.pbx.retrieve("1001", call_id).ok
    hands.press("2")
    hands.clock.sleep(0.3)
    assert app.heard == "2"
    assert hands.kinds()[-2:] == ["Held", "Retrieved"]


def test_clear_over_cti_ends_the_call_and_stops_the_ringing(hands: Hands) -> None:
    call_id = hands.plant.pbx.make_call("1001", IVR).call_id
    hands.clock.sleep(1.0)
    assert hands.plant.pbx.clear("1001", call_id).ok
    hands.clock.sleep(0.1)
    assert not hands.plant.room.phones["desk-1"].ringing
    assert hands.edges[-1][1:] == ("arduino/2", False)


def test_answer_over_cti_is_hands_free_and_not_for_analog_phones(hands: Hands) -> None:
    pbx = hands.plant.pbx
    call_id = pbx.make_call("1003", "1001").call_id
    hands.clock.sleep(0.5)
    assert pbx.answer("1003", call_id).ok
    hands.clock.sleep(0.5)
    assert pbx.answer("1001", call_id).ok
    hands.clock.sleep(0.5)
    assert hands.kinds("1001")[-1] == "Established"
    assert pbx.snapshot("1001").calls[0]["state"] == "connected"
    pbx.clear("1003", call_id)
    call_id = pbx.make_call("1002", "1001").call_id
    hands.clock.sleep(0.5)
    assert pbx.answer("1002", call_id).error == "not_supported"


def test_the_ringer_keeps_its_cadence(hands: Hands) -> None:
    hands.plant.pbx.make_call("1001", IVR)
    hands.clock.sleep(13.0)
    times = [time_s for time_s, pin, _ in hands.edges if pin == "arduino/2"]
    assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([2.0, 4.0, 2.0, 4.0])


def test_a_monitor_that_was_stopped_is_silent(hands: Hands) -> None:
    pbx = hands.plant.pbx
    monitor = pbx.monitor_start("1001").monitor_id
    hands.lift()
    hands.clock.sleep(0.2)
    assert sum(event.monitor_id == monitor for event in hands.events) == 1
    assert pbx.monitor_stop(monitor).ok
    assert pbx.monitor_stop(monitor).error
    hands.hang_up()
    hands.clock.sleep(0.2)
    assert sum(event.monitor_id == monitor for event in hands.events) == 1


@pytest.mark.req("SIM-PBX.4")
def test_a_pbx_with_a_monitor_limit_refuses_the_next_one(build: Callable[..., Hands]) -> None:
    hands = build(monitor_limit=3)  # the hands have one on each of three extensions
    assert hands.plant.pbx.monitor_start("1001").error == "monitor_refused"


@pytest.mark.req("SIM-PBX.4")
def test_a_pbx_may_send_its_digits_too_early(build: Callable[..., Hands]) -> None:
    hands = build(timings={"post_dial_s": 0.05})
    app = hands.call_ivr()
    hands.clock.sleep(3.0)
    assert app.heard == "1234567#"
    assert app.digits[0][1] - app.seized_s < 0.2


def test_a_time_the_pbx_has_none_of_is_refused(build: Callable[..., Hands]) -> None:
    with pytest.raises(ConfigError, match="post_dial_s"):
        build(timings={"postdial": 1})


def test_all_lines_taken_is_a_named_failure(build: Callable[..., Hands]) -> None:
    hands = build(trunk_lines=1)
    hands.call_ivr("", desk=1)
    hands.lift(3)
    hands.clock.sleep(0.5)
    hands.press("05550100#", desk=3)
    hands.clock.sleep(2.0)
    assert hands.event(EventKind.FAILED, "1003").cause == "no_trunk"


def test_two_calls_to_the_ivr_reach_two_ports_and_a_third_is_busy(hands: Hands) -> None:
    first = hands.call_ivr("1111111", desk=1)
    second = hands.call_ivr("2222222", desk=2)
    hands.clock.sleep(5.0)
    assert (first.heard, second.heard) == ("1111111#", "2222222#")
    hands.lift(3)
    hands.clock.sleep(0.5)
    hands.press(IVR + "#", desk=3)
    hands.clock.sleep(3.0)
    assert hands.event(EventKind.FAILED, "1003").cause == "busy"
