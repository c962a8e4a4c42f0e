"""The way from S1 to S36 as the service walks it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from cloud_room import Room

from offhook.drivers.cti import Capability, EventKind, Service
from offhook.drivers.errors import DeviceRefused

MakeRoom = Callable[..., Room]
WAY = ["S1", "S21", "S2", "S3", "S4", "S11", "S6", "S14", "S15", "S16", "S31", "S32", "S33"]


def test_steps_come_in_order_without_lock(room: Room) -> None:
    association, line = room.prompted()
    assert room.state(association).state == "PROMPTED"
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"
    assert room.steps(association) == [*WAY, *["S27"] * 4, "S8", "S9", "S10", "S36"]


def test_steps_come_in_order_with_lock(locking: Room) -> None:
    association = locking.lifted()
    assert locking.state(association).state == "CALLING_EXTENSION"
    assert "S16" not in locking.steps(association)
    locking.pbx.local_code("1001", right=True)
    line = locking.call_ivr()
    locking.key(line, locking.context_digits() + locking.api.code("alice", association))
    locking.wait(0.1)
    steps = locking.steps(association)
    assert steps[:9] == ["S1", "S21", "S2", "S3", "S4", "S11", "S5", "S13", "S22"]
    assert steps[9:15] == ["S6", "S14", "S15", "S25", "S16", "S31"]
    assert locking.state(association).state == "NOTIFIED"


def test_dial_string_is_number_star_context_hash(room: Room) -> None:
    association = room.ringing()
    context_id = room.step_data(association, "S21")["context_id"]
    assert len(context_id) == 7
    assert context_id.isdigit()
    assert room.pbx.dialled() == [f"0033390677069*{context_id}#"]
    assert room.step_data(association, "S6")["called"] == f"0033390677069*{context_id}#"


def test_monitor_then_lock_then_call(locking: Room) -> None:
    locking.ringing()
    order = [service for service, _ in locking.pbx.asked if service is not Service.SNAPSHOT_DEVICE]
    assert order == [Service.MONITOR_START, Service.LOCK, Service.MAKE_CALL]
    assert all("1001" in arguments.values() for _, arguments in locking.pbx.asked)


def test_nothing_goes_to_the_pbx_before_completion(room: Room) -> None:
    association = room.request()
    room.wait(60.0)
    assert room.state(association).state == "AWAIT_COMPLETION"
    assert room.pbx.asked == []
    room.api.complete("alice", association)
    room.wait(0.5)
    assert room.pbx.count(Service.MONITOR_START) == 1


def test_without_completion_the_request_starts_the_call(make_room: MakeRoom) -> None:
    room = make_room(s3=False)
    answer = room.api.request_association("alice", "1001")
    assert not answer.completion_required
    room.wait(0.5)
    assert room.pbx.count(Service.MAKE_CALL) == 1
    assert "S3" not in room.steps(answer.id)


def test_two_completions_make_one_call(room: Room) -> None:
    association = room.request()
    room.api.complete("alice", association)
    room.api.complete("alice", association)
    room.wait(0.5)
    room.api.complete("alice", association)
    room.wait(0.5)
    assert room.pbx.count(Service.MAKE_CALL) == 1


@pytest.mark.req("ASSOC-S3.4")
def test_completion_of_another_accounts_context_is_refused_and_audited(room: Room) -> None:
    association = room.request()
    for name in (association, "A99"):
        with pytest.raises(DeviceRefused, match="404 unknown_association"):
            room.api.complete("bob", name)
    refused = [r for r in room.api.audit()["records"] if (r["actor"], r["action"]) == ("bob", "context")]
    assert len(refused) == 2
    assert room.pbx.asked == []


@pytest.mark.parametrize(
    ("s3", "lock", "context", "ddi"),
    list(itertools.product([True, False], ["none", "notify"], [True, False], [True, False])),
)
def test_all_sixteen_combinations_end_associated(
    make_room: MakeRoom, s3: bool, lock: str, context: bool, ddi: bool
) -> None:
    room = make_room(s3=s3, lock=lock, context=context, ddi=ddi)
    association = room.request()
    if s3:
        room.api.complete("alice", association)
    room.wait(0.5)
    room.pbx.lift("1001")
    if lock != "none":
        room.pbx.local_code("1001", right=True)
    line = room.call_ivr()
    room.key(line, room.context_digits() + room.api.code("alice", association))
    room.wait(0.1)
    state = room.state(association)
    assert (state.state, state.ddi) == ("NOTIFIED", "+33390671001" if ddi else "")
    assert room.pbx.dialled()[0].count("*") == int(context)
    assert [phone.extension for phone in room.api.phones("alice")] == ["1001"]


def test_success_is_spoken_and_written(room: Room) -> None:
    association, line = room.prompted()
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    told = room.api.inbox("alice")[-1]
    assert (told.kind, told.association) == ("associated", association)
    assert abs(line.next_samples(8000)).max() > 1000
    ended: list[float] = []
    line.on_hangup = lambda: ended.append(room.clock.now_s())
    room.wait(10.0)
    assert len(ended) == 1


def test_monitor_stays_after_success_and_ends_with_the_association(room: Room) -> None:
    room.associated()
    assert list(room.pbx.monitors.values()) == ["1001"]
    room.api.end_association("alice", "1001")
    room.wait(0.1)
    assert room.pbx.monitors == {}
    assert room.api.phones("alice") == []


def test_asking_again_for_ones_own_extension_changes_nothing(room: Room) -> None:
    association = room.associated()
    asked = len(room.pbx.asked)
    assert room.request() == association
    room.wait(1.0)
    assert len(room.pbx.asked) == asked


def test_late_and_doubled_events_change_nothing(room: Room) -> None:
    association, line = room.prompted()
    room.pbx.go_on("1001")
    room.pbx.go_on("1001")
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"
    assert room.steps(association).count("S16") == 1


@pytest.mark.req("ASSOC-S16.4")
def test_context_digits_over_the_established_connection(room: Room) -> None:
    """MakeCall carries the number alone; the digits are ordered once the far end has answered, and not again."""
    room.api.admin_policy({"identification": "in_call"})
    association = room.lifted()
    context_id = room.step_data(association, "S21")["context_id"]
    assert room.pbx.dialled() == ["0033390677069"]
    assert room.pbx.count(Service.GENERATE_DIGITS) == 0

    call_id = room.pbx.call_of("1001")
    room.pbx.emit(EventKind.ESTABLISHED, "1001", call_id)
    room.pbx.emit(EventKind.ESTABLISHED, "1001", call_id)
    room.wait(2.0)

    orders = [arguments for service, arguments in room.pbx.asked if service is Service.GENERATE_DIGITS]
    assert orders == [{"device": "1001", "call_id": call_id, "digits": context_id + "#"}]


@pytest.mark.req("ASSOC-S16.4")
def test_a_pbx_that_generates_no_digits_gets_the_context_id_in_make_call(room: Room) -> None:
    room.pbx.capabilities = room.pbx.capabilities - {Capability.GENERATE_DIGITS}
    room.api.admin_policy({"identification": "in_call"})
    association = room.lifted()
    assert room.pbx.dialled() == [f"0033390677069*{room.step_data(association, 'S21')['context_id']}#"]


def test_digits_that_the_pbx_refuses_end_the_attempt(room: Room) -> None:
    room.api.admin_policy({"identification": "in_call"})
    room.pbx.refuse[Service.GENERATE_DIGITS] = "invalid_state"
    association = room.lifted()
    room.pbx.emit(EventKind.ESTABLISHED, "1001", room.pbx.call_of("1001"))
    room.wait(2.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "timeout")
