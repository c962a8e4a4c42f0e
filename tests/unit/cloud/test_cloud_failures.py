"""What goes wrong on the PBX's side: refusals, hang-ups, a lost link, wrong local codes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cloud_room import Room

from offhook.drivers.cti import Capability, EventKind, Service
from offhook.drivers.errors import DeviceRefused

MakeRoom = Callable[..., Room]


def ended_cleanly(room: Room, extension: str = "1001") -> None:
    """Nothing is left of a failed pass: no association, monitor, call or lock."""
    room.wait(6.0)
    assert room.api.phones("alice") == []
    assert room.pbx.monitors == {}
    assert room.pbx.calls == {}
    assert room.pbx.locks.get(extension, "UNLOCKED") == "UNLOCKED"
    assert room.cloud.ledger.running == {}
    assert room.api.inbox("alice")[-1].kind == "failed"


@pytest.mark.parametrize(
    ("service", "error", "reason"),
    [
        (Service.MONITOR_START, "monitor_refused", "monitor_refused"),
        (Service.MONITOR_START, "unknown_extension", "unknown_extension"),
        (Service.LOCK, "not_supported", "lock_refused"),
        (Service.MAKE_CALL, "busy", "busy"),
        (Service.MAKE_CALL, "invalid_number", "no_answer"),
    ],
)
def test_a_refused_service_ends_the_pass_with_its_reason(
    locking: Room, service: Service, error: str, reason: str
) -> None:
    locking.pbx.refuse[service] = error
    association = locking.ringing()
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", reason)
    ended_cleanly(locking)


def test_refused_monitoring_dials_nothing(room: Room) -> None:
    room.pbx.refuse[Service.MONITOR_START] = "monitor_refused"
    room.ringing()
    assert room.pbx.dialled() == []


@pytest.mark.parametrize("how", ["refused", "silent", "never effective", "not offered"])
def test_without_a_confirmed_lock_there_is_no_call(locking: Room, how: str) -> None:
    if how == "refused":
        locking.pbx.refuse[Service.LOCK] = "refused"
    elif how == "silent":
        locking.pbx.silent.add(Service.LOCK)
    elif how == "never effective":
        locking.pbx.confirms_lock = False
    else:
        locking.pbx.capabilities = frozenset(Capability) - {Capability.LOCK_NOTIFY}
    association = locking.ringing()
    locking.wait(30.0)
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", "lock_refused")
    assert locking.pbx.count(Service.MAKE_CALL) == 0
    ended_cleanly(locking)


def test_the_prefix_variant_names_the_prefix(make_room: MakeRoom) -> None:
    room = make_room(lock="prefix")
    room.ringing()
    asked = [arguments for service, arguments in room.pbx.asked if service is Service.LOCK]
    assert asked == [{"device": "1001", "variant": "prefix", "prefix": "*66"}]


def test_no_lock_is_asked_for_where_none_is_wanted(room: Room) -> None:
    room.associated()
    assert room.pbx.count(Service.LOCK) == room.pbx.count(Service.UNLOCK) == 0


def test_a_wrong_local_code_stops_the_association(locking: Room) -> None:
    association = locking.lifted()
    locking.pbx.local_code("1001", right=False)
    locking.wait(0.1)
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", "local_code")
    assert not {"S16", "S31"} & set(locking.steps(association))
    ended_cleanly(locking)


def test_after_a_wrong_local_code_s3_tries_again_and_succeeds(locking: Room) -> None:
    association = locking.lifted()
    locking.pbx.local_code("1001", right=False)
    locking.wait(1.0)
    code, first = locking.api.code("alice", association), locking.context_digits()
    locking.api.complete("alice", association)
    locking.wait(0.5)
    assert locking.pbx.locks["1001"] == "LOCKED"
    assert locking.context_digits() != first, "a new context id each time"
    assert locking.api.code("alice", association) == code, "the code lives on"
    locking.pbx.lift("1001")
    locking.pbx.local_code("1001", right=True)
    line = locking.call_ivr()
    locking.key(line, locking.context_digits() + code)
    locking.wait(0.1)
    assert locking.state(association).state == "NOTIFIED"


def test_a_locked_phone_that_calls_out_without_its_code_is_not_associated(locking: Room) -> None:
    association = locking.ringing()
    locking.pbx.go_on("1001")  # the PBX says LOCKED, the phone never asked
    line = locking.call_ivr()
    locking.key(line, locking.context_digits() + locking.api.code("alice", association))
    locking.wait(0.1)
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", "local_code")


def test_a_phone_locked_before_stays_locked_after_a_failure(locking: Room) -> None:
    locking.pbx.locks["1001"] = "LOCKED"
    locking.lifted()
    locking.pbx.local_code("1001", right=False)
    locking.wait(5.0)
    assert locking.pbx.count(Service.UNLOCK) == 0
    assert locking.pbx.locks["1001"] == "LOCKED"


def test_no_local_code_keyed_is_a_timeout(locking: Room) -> None:
    association = locking.lifted()
    locking.pbx.emit(EventKind.LOCK_DENIED, "1001", locking.pbx.call_of("1001"), "timeout")
    locking.pbx.hang_up("1001", "timeout")
    assert locking.state(association).reason == "timeout"
    ended_cleanly(locking)


def test_a_phone_in_a_call_is_not_disturbed(locking: Room) -> None:
    locking.pbx.calls["c99"] = ("1001", "connected")
    association = locking.ringing()
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", "busy")
    assert locking.pbx.calls == {"c99": ("1001", "connected")}
    assert locking.pbx.count(Service.LOCK) == locking.pbx.count(Service.MAKE_CALL) == 0


def test_an_unanswered_phone_is_let_go_after_its_limit(room: Room) -> None:
    association = room.ringing()
    room.wait(58.0)
    assert room.state(association).state == "CALLING_EXTENSION"
    room.wait(3.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "no_answer")
    ended_cleanly(room)


def test_a_late_answer_to_make_call_is_cleared(room: Room) -> None:
    association = room.request()
    room.api.complete("alice", association)
    room.wait(0.025)  # MakeCall is on its way
    assert room.pbx.count(Service.MAKE_CALL) == 1
    room.api.cancel("alice", association)
    assert room.state(association).state == "CANCELLED"
    ended_cleanly(room)


def test_an_ivr_that_is_never_reached_ends_the_call(room: Room) -> None:
    association = room.lifted()
    room.wait(61.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "timeout")
    ended_cleanly(room)


HANG_UPS = ["ringing", "prompted for the local code", "dialling", "context digits", "prompt", "mid-code", "after code"]


@pytest.mark.parametrize("point", HANG_UPS[:-1])
def test_hanging_up_leaves_no_half_association(locking: Room, point: str) -> None:
    association = locking.ringing()
    line = None
    if point != "ringing":
        locking.pbx.lift("1001")
    if HANG_UPS.index(point) >= HANG_UPS.index("dialling"):
        locking.pbx.local_code("1001", right=True)
    if HANG_UPS.index(point) >= HANG_UPS.index("context digits"):
        line = locking.call_ivr()
        locking.key(line, locking.context_digits()[:3])
    if line is not None and HANG_UPS.index(point) >= HANG_UPS.index("prompt"):
        locking.key(line, locking.context_digits()[3:])
    if line is not None and point == "mid-code":
        locking.key(line, locking.api.code("alice", association)[:2])
    locking.pbx.hang_up("1001")
    if line is not None:
        line.hangup()
    state = locking.state(association)
    assert (state.state, state.reason) == ("FAILED", "hung_up")
    assert "S10" not in locking.steps(association)
    ended_cleanly(locking)


def test_hanging_up_right_after_the_last_digit_associates_all_or_nothing(room: Room) -> None:
    association, line = room.prompted()
    room.key(line, room.api.code("alice", association))
    assert room.state(association).state == "COMPARING"
    room.pbx.hang_up("1001")
    line.hangup()
    room.wait(1.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "hung_up")
    ended_cleanly(room)


LOSSES = ["before S4", "between S4 and S6", "ringing", "unlocking", "dialling", "prompted", "after S8"]


@pytest.mark.parametrize("point", LOSSES)
def test_a_lost_link_ends_every_pass_and_what_was_locked_is_unlocked_on_return(locking: Room, point: str) -> None:
    association = locking.request()
    reached = LOSSES.index(point)
    line = None
    if reached >= 1:
        locking.api.complete("alice", association)
        locking.wait(0.05 if reached == 1 else 0.5)
    if reached >= 3:
        locking.pbx.lift("1001")
    if reached >= 4:
        locking.pbx.local_code("1001", right=True)
    if reached >= 5:
        line = locking.call_ivr()
        locking.key(line, locking.context_digits())
    if line is not None and reached >= 6:
        locking.key(line, locking.api.code("alice", association))
        assert locking.state(association).state == "COMPARING"
    locking.pbx.reachable = False
    locking.pbx.lose()
    if reached == 0:
        locking.api.complete("alice", association)
    locking.wait(6.0)
    assert (locking.state(association).state, locking.state(association).reason) == ("FAILED", "cti_lost")
    assert "S10" not in locking.steps(association)
    assert locking.api.phones("alice") == []
    locking.pbx.reachable = True
    locking.wait(5.0)
    assert locking.pbx.locks.get("1001", "UNLOCKED") == "UNLOCKED"
    assert locking.cloud.store.owed_unlocks() == []
    assert locking.cloud.link.up
    assert locking.pbx.calls == {} or line is not None, "a call the IVR did not end is ended on return"


@pytest.mark.parametrize(
    "service", [Service.MONITOR_START, Service.SNAPSHOT_DEVICE, Service.MAKE_CALL], ids=lambda each: str(each)
)
def test_a_cut_link_that_tells_nobody_proves_nothing(room: Room, service: Service) -> None:
    room.pbx.silent.add(service)
    association = room.request()
    room.api.complete("alice", association)
    room.wait(6.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "cti_lost")


def test_a_link_cut_silently_in_the_call_leaves_the_code_unproven(room: Room) -> None:
    association, line = room.prompted()
    room.pbx.silent |= set(Service)
    room.key(line, room.api.code("alice", association))
    room.wait(6.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "cti_lost")
    assert "S10" not in room.steps(association)


def test_after_s10_a_lost_link_keeps_the_association_and_refuses_control_until_it_is_back(room: Room) -> None:
    room.associated()
    room.pbx.reachable = False
    room.pbx.lose()
    room.wait(1.0)
    assert [phone.extension for phone in room.api.phones("alice")] == ["1001"]
    with pytest.raises(DeviceRefused, match="503 cti_lost"):
        room.api.make_call("alice", "1001", "1002")
    room.pbx.calls["c77"] = ("1001", "connected")  # somebody called meanwhile
    room.pbx.reachable = True
    room.wait(5.0)
    assert list(room.pbx.monitors.values()) == ["1001"]
    calls = {call["call_id"]: call["state"] for call in room.api.phones("alice")[0].calls}
    assert calls.get("c77") == "connected"
    assert room.api.make_call("alice", "1001", "1002")


def test_a_session_that_waits_for_the_first_link_starts_when_it_comes(room: Room) -> None:
    room.pbx.reachable = False
    room.pbx.lose()
    association = room.request()
    room.api.complete("alice", association)
    room.wait(1.0)
    room.pbx.reachable = True
    room.wait(3.0)
    assert room.state(association).state == "CALLING_EXTENSION"


def test_a_lock_of_ours_that_outlived_a_lost_link_is_not_taken_for_the_users(locking: Room) -> None:
    association = locking.ringing()
    locking.pbx.lose()
    locking.api.complete("alice", association)  # waits for the link, so that the lock is not undone before it
    locking.wait(4.0)
    assert locking.state(association).state == "CALLING_EXTENSION"
    locking.pbx.lift("1001")
    locking.pbx.local_code("1001", right=False)
    locking.wait(1.0)
    assert locking.pbx.locks["1001"] == "UNLOCKED"


def test_a_lock_whose_unlocking_event_got_lost_is_believed_by_the_pbx_own_word(locking: Room) -> None:
    association = locking.lifted()
    locking.pbx.locks["1001"] = "UNLOCKED"
    locking.pbx.go_on("1001")
    line = locking.call_ivr()
    locking.key(line, locking.context_digits() + locking.api.code("alice", association))
    locking.wait(0.1)
    assert locking.state(association).state == "NOTIFIED"
