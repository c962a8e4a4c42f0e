"""What is kept: store, trail, codes, numbers, names, states."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cloud_room import Room, station
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from offhook.drivers.cti import Service
from offhook.fixtures.cloud.assembly import plan_of
from offhook.fixtures.cloud.audit import chain_holds, masked
from offhook.fixtures.cloud.codes import QueuedCodes, SeededCodes, SystemCodes
from offhook.fixtures.cloud.directory import choices
from offhook.fixtures.cloud.model import Extension
from offhook.fixtures.cloud.numbers import DialPlan, dial_string, ranges_of
from offhook.fixtures.cloud.states import FINAL, TRANSITIONS, State

MakeRoom = Callable[..., Room]
PLAN = DialPlan("33", "00", "0", ("+3339067",))


# ---- trail


def trail(room: Room) -> list[dict[str, Any]]:
    return list(room.api.audit()["records"])


@pytest.mark.req("ASSOC-SEC.2")
def test_the_trail_names_account_masked_target_call_and_outcome(room: Room) -> None:
    association = room.associated()
    assert room.api.audit()["valid"]
    mine = [record for record in trail(room) if record["context"] == association]
    assert {"request", "code sent", "complete", "code", "associate"} <= {record["action"] for record in mine}
    last = next(record for record in mine if record["action"] == "associate")
    assert (last["actor"], last["target"]) == ("alice", "**01")
    assert "call=c" in last["outcome"]
    assert not any("1001" in record["target"] for record in trail(room))


@pytest.mark.req("ASSOC-SEC.2")
@pytest.mark.parametrize("change", ["outcome", "at_s", "target", "actor", "seq", "hash", "drop", "swap", "first"])
def test_a_changed_trail_no_longer_holds(room: Room, change: str) -> None:
    room.associated()
    records = trail(room)
    assert chain_holds(records)
    if change == "drop":
        del records[3]
    elif change == "first":
        del records[0]
    elif change == "swap":
        records[2], records[3] = records[3], records[2]
    else:
        records[3][change] = 99 if change in ("seq", "at_s") else "nothing happened"
    assert not chain_holds(records)


@pytest.mark.req("ASSOC-SEC.2")
def test_tampering_with_the_database_shows(room: Room) -> None:
    room.associated()
    room.cloud.store._db.execute("UPDATE audit SET outcome='equal' WHERE action='request'")
    assert not room.api.audit()["valid"]


def test_masking_keeps_two_characters() -> None:
    assert [masked(text) for text in ("1001", "alice", "x", "")] == ["**01", "***ce", "*", ""]


# ---- store


@pytest.mark.req("ASSOC-S10.4")
def test_after_a_restart_associations_are_there_and_watched_and_pending_contexts_expired(
    make_room: MakeRoom, tmp_path: Path
) -> None:
    file = str(tmp_path / "cloud.sqlite")
    first = make_room(database=file)
    done, pending = first.associated("alice", "1001"), first.ringing("bob", "1002")
    first.close()
    again = make_room(database=file)
    assert [(phone.extension, phone.ddi) for phone in again.api.phones("alice")] == [("1001", "+33390671001")]
    assert again.state(done).state == "NOTIFIED"
    assert (again.state(pending, "bob").state, again.state(pending, "bob").reason) == ("EXPIRED", "expired")
    assert list(again.pbx.monitors.values()) == ["1001"]
    assert again.api.make_call("alice", "1001", "1002")
    assert again.api.audit()["valid"]
    assert again.request("bob", "1002") not in (done, pending)


def test_a_lock_left_by_a_dead_service_is_undone_at_the_next_start(make_room: MakeRoom, tmp_path: Path) -> None:
    file = str(tmp_path / "cloud.sqlite")
    first = make_room(database=file, lock="notify")
    first.ringing()
    assert first.pbx.locks["1001"] == "LOCKED"
    first.close()
    again = make_room(database=file, lock="notify")
    assert (Service.UNLOCK, {"device": "1001"}) in again.pbx.asked
    assert again.cloud.store.owed_unlocks() == []


def test_the_same_seed_gives_the_same_database(make_room: MakeRoom) -> None:
    dumps = []
    for _ in range(2):
        room = make_room()
        room.associated()
        dumps.append(room.api.dump())
    assert dumps[0] == dumps[1]


@pytest.mark.req("ASSOC-REPO.2")
def test_a_repository_holds_one_companys_extensions_and_accounts(room: Room) -> None:
    dump = room.api.dump()
    of = {row["id"]: row["company"] for row in dump["account"]}
    assert of == {"alice": "main", "bob": "main", "mallory": "other"}
    numbers = {row["number"]: row["company"] for row in dump["extension"]}
    assert numbers == {"1001": "main", "1002": "main", "1003": "main", "2001": "other"}
    assert {row["id"] for row in dump["company"]} == {"main", "other"}


# ---- codes and context ids


@pytest.mark.req("ASSOC-S2.8")
def test_codes_are_uniform_and_from_the_systems_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SystemCodes()
    codes = [source.digits(4) for _ in range(100_000)]
    for place in range(4):
        counts = Counter(code[place] for code in codes)
        # 4 places and pairs below: one chance in ten million to fail a sound generator
        assert chisquare([counts[str(digit)] for digit in range(10)]).pvalue > 1e-8
    pairs = Counter(first + second for code in codes for first, second in pairwise(code))
    assert len(pairs) == 100
    monkeypatch.setattr("offhook.fixtures.cloud.codes.secrets.randbelow", lambda limit: limit - 3)
    assert source.digits(4) == "7777"


@pytest.mark.req("ASSOC-S21.3")
def test_context_ids_are_digits_of_one_length_unique_and_not_made_from_the_code(room: Room) -> None:
    room.api.admin_policy({"max_failed_contexts": 10_000})
    room.api.next_codes(["4711"] * 300)
    seen = set()
    for number in range(300):
        account, extension = (("alice", "1001"), ("bob", "1002"))[number % 2]
        association = room.request(account, extension)
        context_id = room.step_data(association, "S21", account)["context_id"]
        assert len(context_id) == 7
        assert context_id.isdigit()
        seen.add(context_id)
    assert len(seen) > 295, "equal codes, different ids"


def test_live_context_ids_never_repeat(make_room: MakeRoom) -> None:
    class Repeating(random.Random):
        drawn = iter("1111222211112222" + "1111222211112222" + "3333444433334444" * 4)

        def randrange(self, *_: Any) -> int:
            return int(next(self.drawn))

    room = make_room()
    room.api.admin_policy({"context_id_length": 16})
    room.api.next_codes(["1111", "2222"])
    room.cloud.ledger.codes._source = SeededCodes(Repeating())
    ids = [room.step_data(room.request(a, e), "S21", a)["context_id"] for a, e in (("alice", "1001"), ("bob", "1002"))]
    assert ids == ["1111222211112222", "3333444433334444"]


def test_codes_set_beforehand_come_first_and_only_as_codes() -> None:
    codes = QueuedCodes(SeededCodes(random.Random(1)))
    codes.put(["4711", "0815"])
    assert len(codes.digits(7)) == 7
    assert [codes.code(4), codes.code(4)] == ["4711", "0815"]
    assert len(codes.code(4)) == 4


def test_a_seed_repeats_and_another_does_not() -> None:
    drawn = [SeededCodes(random.Random(seed)).digits(12) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(SystemCodes().token()) == len(SeededCodes(random.Random(1)).token()) == 32


# ---- numbers


def test_the_sources_dial_string() -> None:
    assert dial_string("+33390677069", "1234567") == "0033390677069*1234567#"
    assert dial_string("+33390677069", "") == "0033390677069"


@pytest.mark.req("ASSOC-S32.3")
@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("+33390671001", "+33390671001"),
        ("0033390671001", "+33390671001"),
        ("0390671001", "+33390671001"),
        ("33390671001", "+33390671001"),
        ("03 90 67.10-01", "+33390671001"),
        ("+49 (89) 1234567", "+49891234567"),
        ("1001", ""),
        ("", ""),
        ("anonymous", ""),
        ("+0390671001", ""),
        ("+3339067100123456", ""),
        ("+33٣90671001", ""),
    ],
)
def test_ddi_in_e164(written: str, e164: str) -> None:
    assert PLAN.e164(written) == e164


@given(st.text(max_size=30))
def test_no_text_makes_a_number_that_is_none(text: str) -> None:
    number = PLAN.e164(text)
    assert number == "" or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and len(number) <= 16)


def test_ranges_are_prefixes_or_spans() -> None:
    plan = plan_of({"pbx": {"ddi_ranges": ["+333906710", ["+33390672000", "+33390672099"]]}})
    assert plan.ranges == ("+333906710", "+33390672000-+33390672099")
    inside = ["+33390671001", "+33390672000", "+33390672099"]
    outside = ["+33390672100", "+3339067205", "+33155550000"]
    assert [plan.owns(number) for number in inside + outside] == [True] * 3 + [False] * 3
    assert DialPlan().owns("+33155550000")
    assert ranges_of([]) == ()


# ---- names

DIRECTORY = [
    Extension("1001", "main", "Müller, Anna-Lena"),
    Extension("1002", "main", "Anna Mueller"),
    Extension("1003", "main", "Jean-François Lefèvre"),
    Extension("1004", "main", "J. Lefevre"),
    Extension("1005", "main", "Lefevre, Marie"),
    Extension("1006", "main", "Lobby"),
    *(Extension(f"20{number:02}", "main", "Smith") for number in range(30)),
]


@pytest.mark.req("ASSOC-S1.4")
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("jean francois lefevre", ["1003"]),
        ("Lefèvre Jean", ["1003", "1004"]),
        ("marie LEFEVRE", ["1005"]),
        ("M. Lefevre", ["1005"]),
        ("lobby", ["1006"]),
        ("Smith", [f"20{number:02}" for number in range(8)]),
        ("anna muller", ["1001"]),
        ("", []),
        ("a", []),
        ("j l", []),
        ("%", []),
        ("nobody", []),
    ],
)
def test_a_name_brings_its_few_entries(name: str, numbers: list[str]) -> None:
    assert [entry.number for entry in choices(DIRECTORY, name)] == numbers


# ---- states


def test_every_state_can_be_reached_and_only_ends_have_no_way_on() -> None:
    reached, front = {State.REQUESTED}, [State.REQUESTED]
    while front:
        for state in TRANSITIONS[front.pop()] - reached:
            reached.add(state)
            front.append(state)
    assert reached == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == FINAL - {State.ASSOCIATED}


def test_the_only_way_to_associated_leads_through_comparing() -> None:
    assert [state for state in State if State.ASSOCIATED in TRANSITIONS[state]] == [State.COMPARING]
    assert [state for state in State if State.COMPARING in TRANSITIONS[state]] == [State.COLLECTING]


@pytest.mark.parametrize("start", list(State))
def test_a_way_that_leads_nowhere_is_refused(room: Room, start: State) -> None:
    context = room.cloud.ledger.open_context("alice", "main", "1001")
    for target in State:
        context.state = start
        if target in TRANSITIONS[start]:
            room.cloud.ledger.move(context, target)
            assert context.state is target
        else:
            with pytest.raises(RuntimeError, match=f"no way from {start} to {target}"):
                room.cloud.ledger.move(context, target)
            assert context.state is start


def test_stations_without_options_get_the_defaults() -> None:
    config = {key: value for key, value in station().items() if key != "options"}
    room = Room(config)
    assert room.api.admin_policy({})["lock"] == "none"
    room.close()
