"""The associated phone in its account's hands, and the CTI session under it."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_room import Room

from offhook.drivers.cti import EventKind, Response, Service
from offhook.drivers.errors import DeviceRefused
from offhook.fixtures.cloud.pbxlink import PbxLink
from offhook.fixtures.simclock import SimClock


def calls(room: Room) -> dict[str, dict[str, str]]:
    return {call["call_id"]: call for call in room.api.phones("alice")[0].calls}


def asked(room: Room, service: Service) -> list[dict[str, str]]:
    return [arguments for each, arguments in room.pbx.asked if each is service]


@pytest.fixture
def mine(room: Room) -> Room:
    """1001 is alice's."""
    room.associated()
    return room


def test_a_call_is_made_held_retrieved_and_cleared_by_the_name_it_was_given(mine: Room) -> None:
    call_id = mine.api.make_call("alice", "1001", "1002")
    mine.wait(0.5)
    assert asked(mine, Service.MAKE_CALL)[-1] == {"calling": "1001", "called": "1002"}
    pbx_id = mine.pbx.call_of("1001")
    assert calls(mine)[call_id]["state"] == "initiated"
    mine.pbx.emit(EventKind.ESTABLISHED, "1001", pbx_id)
    assert calls(mine)[call_id]["state"] == "connected"
    for act, service in (
        (mine.api.hold, Service.HOLD_CALL),
        (mine.api.retrieve, Service.RETRIEVE_CALL),
        (mine.api.clear, Service.CLEAR_CONNECTION),
    ):
        act("alice", "1001", call_id)
        mine.wait(0.1)
        assert asked(mine, service)[-1] == {"device": "1001", "call_id": pbx_id}
    assert calls(mine)[call_id]["state"] == "ended"


def test_a_call_that_comes_in_is_listed_and_answered_by_the_pbxs_name(mine: Room) -> None:
    mine.pbx.emit(EventKind.DELIVERED, "1001", "c50")
    assert calls(mine)["c50"]["state"] == "ringing"
    mine.api.answer("alice", "1001", "c50")
    mine.wait(0.1)
    assert asked(mine, Service.ANSWER_CALL) == [{"device": "1001", "call_id": "c50"}]


def test_what_the_pbx_refuses_shows_at_the_call(mine: Room) -> None:
    mine.pbx.refuse[Service.MAKE_CALL] = "busy"
    call_id = mine.api.make_call("alice", "1001", "1002")
    mine.wait(0.1)
    assert (calls(mine)[call_id]["state"], calls(mine)[call_id]["error"]) == ("failed", "busy")
    mine.api.clear("alice", "1001", call_id)
    with pytest.raises(DeviceRefused, match="409 invalid_state"):
        mine.api.hold("alice", "1001", call_id)


def test_calls_that_are_not_there_or_not_there_yet_are_refused(mine: Room) -> None:
    with pytest.raises(DeviceRefused, match="404 unknown_call"):
        mine.api.hold("alice", "1001", "c1")
    call_id = mine.api.make_call("alice", "1001", "1002")
    with pytest.raises(DeviceRefused, match="409 invalid_state"):
        mine.api.hold("alice", "1001", call_id)


@pytest.mark.parametrize("to", ["", "sip:eve", "1002;x", "1" * 40])
def test_a_number_that_is_none_is_refused(mine: Room, to: str) -> None:
    before = len(mine.pbx.asked)
    with pytest.raises(DeviceRefused, match="422 bad_request"):
        mine.api.make_call("alice", "1001", to)
    assert len(mine.pbx.asked) == before


def test_control_ends_at_once_with_the_association(mine: Room) -> None:
    mine.api.end_association("alice", "1001")
    with pytest.raises(DeviceRefused, match="403 not_associated"):
        mine.api.make_call("alice", "1001", "1002")
    assert any(record["action"] == "dissociate" for record in mine.api.audit()["records"])
    assert mine.request("bob", "1001")


def test_control_is_audited(mine: Room) -> None:
    mine.api.make_call("alice", "1001", "1002")
    assert [(r["actor"], r["action"]) for r in mine.api.audit()["records"]][-1] == ("alice", "make_call")


def test_ended_calls_are_forgotten_in_time(mine: Room) -> None:
    for number in range(60):
        mine.pbx.emit(EventKind.DELIVERED, "1001", f"x{number}")
        mine.pbx.emit(EventKind.CONNECTION_CLEARED, "1001", f"x{number}")
    assert len(calls(mine)) <= 22
    assert "x59" in calls(mine)


# ---- the session


class Sessions:
    """A link with sessions that never come up by themselves."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.said: list[str] = []
        self.made: list[Any] = []
        self.link = PbxLink(self.clock, self._make)
        self.link.on_up = lambda: self.said.append("up")
        self.link.on_down = lambda reason: self.said.append(f"down {reason}")

    def _make(self) -> Any:
        from cloud_pbx import ScriptedPbx

        pbx = ScriptedPbx(self.clock)
        self.made.append(pbx)
        return pbx.factory()


def test_a_lost_session_is_opened_again_on_a_fresh_wire() -> None:
    sessions = Sessions()
    sessions.link.open()
    sessions.clock.sleep(0.1)
    sessions.made[0].lose()
    assert not sessions.link.up
    sessions.clock.sleep(2.1)
    assert sessions.link.up
    assert sessions.said == ["up", "down unplugged", "up"]
    assert sessions.made[0].drivers[0].closed
    sessions.link.close()
    sessions.clock.sleep(10.0)
    assert (len(sessions.made), sessions.said[3:]) == (2, [])


def test_events_and_losses_of_a_session_that_is_over_are_dropped() -> None:
    sessions = Sessions()
    events: list[Any] = []
    sessions.link.on_event = events.append
    sessions.link.open()
    sessions.clock.sleep(0.1)
    old = sessions.made[0]
    old.lose()
    sessions.clock.sleep(2.1)
    old.drivers[0].up = True
    old.emit(EventKind.LOCKED, "1001")
    old.drivers[0].lose("again")
    assert events == []
    assert sessions.link.up


def test_a_request_without_a_session_is_answered_later_not_at_once() -> None:
    clock = SimClock()
    link = PbxLink(clock, None)
    link.open()
    answers: list[Response] = []
    link.request(Service.LOCK, answers.append, device="1001")
    assert answers == []
    clock.sleep(0.01)
    assert [answer.error for answer in answers] == ["link down"]


def test_silence_counts_as_a_lost_link_but_not_for_a_lock() -> None:
    sessions = Sessions()
    sessions.link.open()
    sessions.clock.sleep(0.1)
    answers: list[str] = []
    sessions.made[0].silent = {Service.LOCK, Service.MONITOR_START}
    sessions.link.request(Service.LOCK, lambda r: answers.append(r.error), device="1001")
    sessions.clock.sleep(5.5)
    assert (answers, sessions.link.up) == (["timeout"], True)
    sessions.link.request(Service.MONITOR_START, lambda r: answers.append(r.error), device="1001")
    sessions.clock.sleep(5.5)
    assert answers == ["timeout", "timeout"]
    assert sessions.said[:2] == ["up", "down no answer to MonitorStart"]


def test_a_call_cleared_before_the_pbx_named_it_is_cleared_then(mine: Room) -> None:
    call_id = mine.api.make_call("alice", "1001", "1002")
    mine.api.clear("alice", "1001", call_id)
    mine.wait(0.5)
    assert len(asked(mine, Service.CLEAR_CONNECTION)) == 1
    assert mine.pbx.calls == {}
    assert calls(mine)[call_id]["state"] == "ended"
