"""What is typed at the IVR: right, wrong, late, used, guessed, silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cloud_room import IVR_NUMBER, Room

from offhook.drivers.cti import Service
from offhook.drivers.errors import DeviceRefused

MakeRoom = Callable[..., Room]


def wrong(code: str) -> str:
    """Another code of the same length."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def test_wrong_code_counts_prompts_again_and_ends(room: Room) -> None:
    association, line = room.prompted()
    code = room.api.code("alice", association)
    for attempt in (1, 2):
        room.key(line, wrong(code))
        state = room.state(association)
        assert (state.state, state.attempts, state.reason) == ("PROMPTED", attempt, "")
        assert abs(line.next_samples(16000)).max() > 1000
    room.key(line, wrong(code))
    state = room.state(association)
    assert (state.state, state.reason, state.attempts) == ("FAILED", "wrong_code", 3)
    assert room.api.phones("alice") == []
    room.wait(5.0)
    assert line.ended
    assert room.pbx.monitors == {}


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_right_code_after_wrong_ones_succeeds(room: Room, attempts: int) -> None:
    association, line = room.prompted()
    code = room.api.code("alice", association)
    for _ in range(attempts):
        room.key(line, wrong(code))
    room.key(line, code)
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"


def test_after_the_last_wrong_code_s3_starts_afresh(room: Room) -> None:
    association, line = room.prompted()
    first_code, first_context = room.api.code("alice", association), room.step_data(association, "S21")
    room.key(line, wrong(first_code) * 3)
    room.wait(5.0)
    room.pbx.hang_up("1001")
    room.api.next_codes(["9911"])
    room.api.complete("alice", association)
    assert room.state(association).attempts == 0
    room.wait(0.5)
    assert room.step_data(association, "S21") != first_context
    room.pbx.lift("1001")
    again = room.call_ivr()
    room.key(again, room.context_digits() + "9911")
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"


def test_an_expired_code_is_refused_though_right(room: Room) -> None:
    association = room.request()
    room.wait(598.0)
    room.api.complete("alice", association)
    room.wait(0.5)
    room.pbx.lift("1001")
    line = room.call_ivr()
    code = room.api.code("alice", association)
    room.key(line, room.context_digits() + code[:2])
    room.wait(1.0)
    assert room.state(association).state == "EXPIRED"
    room.key(line, code[2:])
    room.wait(5.0)
    assert room.state(association).state == "EXPIRED"
    assert room.api.phones("alice") == []
    assert line.ended
    with pytest.raises(DeviceRefused, match="409 expired"):
        room.api.complete("alice", association)


@pytest.mark.req("ASSOC-S2.9")
def test_a_context_that_waits_expires_on_the_services_clock(room: Room) -> None:
    association = room.request()
    room.wait(599.9)
    assert room.state(association).state == "AWAIT_COMPLETION"
    room.wait(0.2)
    assert (room.state(association).state, room.state(association).reason) == ("EXPIRED", "expired")


def test_a_used_code_is_refused_from_the_same_and_from_another_phone(room: Room) -> None:
    association, line = room.prompted()
    code, context = room.api.code("alice", association), room.context_digits()
    room.key(line, code)
    room.wait(5.0)
    for calling in ("+33390671001", "+33390671002"):
        again = room.call_ivr(calling)
        room.key(again, context + code)
        room.wait(5.0)
        assert again.ended
    assert room.steps(association).count("S10") == 1
    assert [r["action"] for r in room.api.audit()["records"]].count("turn away") == 2


def test_guessing_locks_account_and_extension_out_for_an_hour(room: Room) -> None:
    association = room.request()
    for failed in range(5):
        room.api.next_codes(["1234"])
        room.api.complete("alice", association)
        room.wait(0.5)
        room.pbx.lift("1001")
        line = room.call_ivr()
        room.key(line, room.context_digits() + "9999" * 3)
        assert room.state(association).state == ("LOCKED_OUT" if failed == 4 else "FAILED")
        room.wait(5.0)
        room.pbx.hang_up("1001")
    calls = room.pbx.count(Service.MAKE_CALL)
    for account, extension in (("alice", "1001"), ("alice", "1002"), ("bob", "1001")):
        with pytest.raises(DeviceRefused, match="429 locked_out"):
            room.api.request_association(account, extension)
    assert room.pbx.count(Service.MAKE_CALL) == calls == 5
    assert any("LOCKED_OUT" in record["outcome"] for record in room.api.audit()["records"])
    assert room.api.request_association("bob", "1002").state == "AWAIT_COMPLETION"
    room.wait(3600.0)
    assert room.request("alice", "1001")


def test_equal_codes_of_two_contexts_do_not_cross(room: Room) -> None:
    room.api.next_codes(["4711", "4711"])
    first, second = room.ringing("alice", "1001"), room.ringing("bob", "1002")
    assert room.api.code("alice", first) == room.api.code("bob", second) == "4711"
    digits = [called.partition("*")[2] for called in room.pbx.dialled()]
    assert digits[0] != digits[1]
    room.pbx.lift("1001")
    room.pbx.lift("1002")
    lines = room.call_ivr("+33390671001", port=1), room.call_ivr("+33390671002", port=2)
    for number, line in enumerate(lines):
        room.key(line, digits[number])
    room.key(lines[1], "4711")
    room.wait(0.1)
    assert [phone.extension for phone in room.api.phones("bob")] == ["1002"]
    assert room.api.phones("alice") == []
    room.key(lines[0], "4711")
    room.wait(0.1)
    assert [phone.extension for phone in room.api.phones("alice")] == ["1001"]


def test_without_context_ids_live_codes_are_unique(make_room: MakeRoom) -> None:
    room = make_room(context=False)
    room.api.next_codes(["4711", "4711", "0815"])
    first, second = room.request("alice", "1001"), room.request("bob", "1002")
    assert (room.api.code("alice", first), room.api.code("bob", second)) == ("4711", "0815")


def test_without_context_ids_and_numbers_the_code_tells_the_contexts_apart(make_room: MakeRoom) -> None:
    room = make_room(context=False)
    first, second = room.lifted("alice", "1001"), room.lifted("bob", "1002")
    line = room.call_ivr("", "restricted")
    room.key(line, room.api.code("bob", second))
    room.wait(0.1)
    assert room.state(second, "bob").state == "NOTIFIED"
    assert room.state(first).state == "CALLING_IVR"


@pytest.mark.req("ASSOC-N07", "ASSOC-REPO.1")
def test_another_companys_extension_is_refused_like_one_that_does_not_exist(room: Room) -> None:
    refusals = []
    for extension in ("2001", "7777"):
        with pytest.raises(DeviceRefused) as refused:
            room.api.request_association("alice", extension)
        refusals.append(refused.value.detail)
    assert refusals[0] == refusals[1]
    assert refusals[0].startswith("404 unknown_extension")
    assert room.pbx.asked == []
    assert room.api.inbox("alice") == []
    assert room.request("mallory", "2001")


@pytest.mark.req("ASSOC-REPO.1")
def test_an_extension_that_left_the_company_in_mid_flow_is_refused_at_s10(room: Room) -> None:
    association, line = room.prompted()
    room.cloud.store._db.execute("UPDATE extension SET company='other' WHERE number='1001'")
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "unknown_extension")
    assert room.api.phones("alice") == []
    assert room.pbx.monitors == {}


def test_an_account_disabled_in_mid_flow_gets_nothing(room: Room) -> None:
    association, line = room.prompted()
    code = room.api.code("alice", association)
    room.cloud.store._db.execute("UPDATE account SET enabled=0 WHERE id='alice'")
    room.key(line, code)
    room.wait(0.1)
    assert room.cloud.ledger.contexts[association].state == "FAILED"
    assert room.cloud.ledger.associations == {}


def test_a_right_code_counts_only_while_the_extension_is_in_the_call(room: Room) -> None:
    association, line = room.prompted()
    room.pbx.calls.clear()  # the PBX knows of no such call; its event got lost
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "not_in_call")


@pytest.mark.parametrize("state", ["initiated", "alerting", "null"])
def test_a_call_that_is_not_up_proves_nothing(room: Room, state: str) -> None:
    association, line = room.prompted()
    room.pbx.state("1001", state)
    room.key(line, room.api.code("alice", association))
    room.wait(0.1)
    assert room.state(association).reason == "not_in_call"


def test_context_and_code_from_another_phone_associate_nothing(room: Room) -> None:
    association = room.lifted()
    other = room.call_ivr("+33390671002")
    room.key(other, room.context_digits() + room.api.code("alice", association))
    room.wait(5.0)
    assert other.ended
    assert room.state(association).state == "CALLING_IVR"
    assert room.api.phones("alice") == []


def test_a_second_call_with_the_same_context_is_turned_away(room: Room) -> None:
    association, _ = room.prompted()
    second = room.call_ivr(port=2)
    room.key(second, room.context_digits() + room.api.code("alice", association))
    room.wait(4.0)
    assert second.ended
    assert room.state(association).state == "PROMPTED"


def test_a_call_nobody_asked_for_is_turned_away(make_room: MakeRoom) -> None:
    for context in (True, False):
        room = make_room(context=context)
        association = room.request()
        line = room.call_ivr()
        room.key(line, "1234567#" + room.api.code("alice", association))
        room.wait(5.0)
        assert line.ended
        assert room.state(association).state == "AWAIT_COMPLETION"


@pytest.mark.parametrize("keyed", ["", "4"])
def test_silence_or_half_a_code_is_prompted_for_again_then_ends(room: Room, keyed: str) -> None:
    association, line = room.prompted()
    line.next_samples(80_000)
    room.key(line, keyed)
    room.wait(13.0)
    assert room.state(association).state == "PROMPTED"
    assert abs(line.next_samples(80_000)).max() > 1000, "it asked again"
    room.wait(40.0)
    assert (room.state(association).state, room.state(association).reason) == ("FAILED", "timeout")
    assert line.ended
    assert room.state(association).attempts == 0


def test_half_a_code_is_forgotten_at_the_next_prompt(room: Room) -> None:
    association, line = room.prompted()
    code = room.api.code("alice", association)
    room.key(line, wrong(code)[-1])
    room.wait(8.0)
    room.key(line, code)
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"


def test_context_digits_are_never_code_digits(room: Room) -> None:
    room.api.next_codes(["1234"])
    association = room.lifted()
    room.cloud.ledger.contexts[association].context_id = "1234123"
    line = room.call_ivr()
    room.key(line, "1234123")
    assert room.state(association).state == "CALLING_IVR", "not before #"
    room.key(line, "#")
    assert (room.state(association).state, room.state(association).attempts) == ("PROMPTED", 0)
    assert line.heard == ""
    assert "S27" not in room.steps(association)
    room.key(line, "1234")
    room.wait(0.1)
    assert room.state(association).state == "NOTIFIED"


def test_ddi_of_a_hidden_number_is_not_bound_and_the_reason_is_told(room: Room) -> None:
    association = room.lifted()
    line = room.call_ivr("+33390671001", "restricted")
    room.key(line, room.context_digits() + room.api.code("alice", association))
    room.wait(0.1)
    state = room.state(association)
    assert (state.state, state.ddi, state.ddi_status) == ("NOTIFIED", "", "hidden")
    assert room.step_data(association, "S32")["calling"] == ""


def test_ddi_outside_the_ranges_is_not_bound(room: Room) -> None:
    association = room.lifted()
    line = room.call_ivr("+33155550000")
    room.key(line, room.context_digits() + room.api.code("alice", association))
    room.wait(0.1)
    assert (room.state(association).ddi, room.state(association).ddi_status) == ("", "out_of_range")
    room.associated("bob", "1002")
    assert room.api.phones("bob")[0].ddi == "+33390671002"


def test_ddi_is_bound_in_e164_whatever_form_it_came_in(room: Room) -> None:
    association = room.lifted()
    line = room.call_ivr("0390671001")
    room.key(line, room.context_digits() + room.api.code("alice", association))
    room.wait(0.1)
    assert room.state(association).ddi == "+33390671001"
    assert line.called_number == IVR_NUMBER


@pytest.mark.req("ASSOC-S9.2")
@pytest.mark.parametrize("context", [True, False])
def test_first_or_last_digit_wrong_is_compared_and_answered_alike(
    make_room: MakeRoom, monkeypatch: pytest.MonkeyPatch, context: bool
) -> None:
    compared: list[tuple[str, str]] = []

    def spy(given: str, expected: str) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr("offhook.fixtures.cloud.proof.compare_digest", spy)
    seen = []
    for guess in ("9321", "4329"):
        room = make_room(context=context)
        room.api.next_codes(["4321"])
        association, line = room.prompted()
        room.key(line, guess)
        said = line.next_samples(24_000).tobytes()
        seen.append((room.state(association), room.steps(association), said, len(room.api.inbox("alice"))))
    assert compared == [("9321", "4321"), ("4329", "4321")], "the constant-time comparison, on the whole code"
    assert seen[0] == seen[1]
