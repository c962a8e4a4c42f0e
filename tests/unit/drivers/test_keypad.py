"""Keypads: the contract on a matrix and on one relay a key, order of contacts, and safety on any exception."""

from __future__ import annotations

import itertools

import pytest

from offhook.bench.contract.keypad import KeypadContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceTimeout
from offhook.drivers.keypad.contacts import Contact, ContactKeypad
from offhook.drivers.keypad.matrix import MatrixKeypad
from offhook.drivers.links import PipeLink
from offhook.drivers.relay import RelayBoard
from offhook.drivers.relay.numato import NumatoBoard
from offhook.fixtures.relayboards import NumatoEnd
from offhook.fixtures.simclock import SimClock

ROWS, COLUMNS = (0, 1, 2, 3), (4, 5, 6)


class Rig:
    def __init__(self, seed: int = 1) -> None:
        self.clock = SimClock()
        self.near, self.far = PipeLink.pair(self.clock, "end://keys1")
        self.moves: list[tuple[int, bool, float]] = []
        self.end = NumatoEnd(
            self.clock,
            "keys1",
            16,
            lambda relay, closed: self.moves.append((relay, closed, self.clock.now_s())),
            seed=seed,
        )
        self.end.connect(self.far)
        self.board = NumatoBoard("keys1", self.clock, self.near, 16)
        self.board.connect()

    def contacts(self, relays: tuple[int, ...]) -> list[Contact]:
        return [Contact(self.board, relay) for relay in relays]

    def matrix(self) -> MatrixKeypad:
        return MatrixKeypad("desk-1", self.clock, self.contacts(ROWS), self.contacts(COLUMNS))

    def single(self) -> ContactKeypad:
        return ContactKeypad(
            "desk-1", self.clock, {key: [Contact(self.board, n)] for n, key in enumerate("1234567890*#")}
        )


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.req("DRV-SER.2")
class TestMatrix(KeypadContract):
    @pytest.fixture
    def clock(self, rig: Rig) -> Clock:
        return rig.clock

    @pytest.fixture
    def boards(self, rig: Rig) -> list[RelayBoard]:
        return [rig.board]

    @pytest.fixture
    def keypad(self, rig: Rig) -> MatrixKeypad:
        return rig.matrix()


class TestOneRelayAKey(KeypadContract):
    @pytest.fixture
    def clock(self, rig: Rig) -> Clock:
        return rig.clock

    @pytest.fixture
    def boards(self, rig: Rig) -> list[RelayBoard]:
        return [rig.board]

    @pytest.fixture
    def keypad(self, rig: Rig) -> ContactKeypad:
        return rig.single()


def crossing_times(moves: list[tuple[int, bool, float]]) -> list[tuple[frozenset[int], float]]:
    """Times for which two contacts were closed together, as the phone's keypad sees it."""
    closed: set[int] = set()
    spans: list[tuple[frozenset[int], float]] = []
    since_s = 0.0
    for relay, now_closed, time_s in moves:
        if len(closed) >= 2:
            spans.append((frozenset(closed), time_s - since_s))
        closed = closed | {relay} if now_closed else closed - {relay}
        since_s = time_s
    return spans


@pytest.mark.req("DRV-SER.2")
@pytest.mark.parametrize("seed", range(5))
def test_contacts_at_the_far_end_cross_for_the_hold_and_at_one_key_only(seed: int) -> None:
    rig = Rig(seed)
    rig.matrix().dial("159#")
    rig.clock.sleep(0.05)
    spans = crossing_times(rig.moves)
    assert [pair for pair, _ in spans] == [{0, 4}, {1, 5}, {2, 6}, {3, 6}]
    assert all(abs(held_s - 0.1) <= 0.010 for _, held_s in spans)


def test_presses_come_at_their_pace(rig: Rig) -> None:
    presses = rig.matrix().dial("5555")
    starts = [press.closed_s for press in presses]
    gaps = [late - early for early, late in itertools.pairwise(starts)]
    assert gaps == pytest.approx([0.2, 0.2, 0.2], abs=0.01)


def test_row_closes_before_its_column_and_opens_after_it(rig: Rig) -> None:
    told: list[tuple[int, bool]] = []
    rig.board.on_switch(lambda relay, closed, sent_s, acked_s: told.append((relay, closed)))
    rig.matrix().press("6")
    assert told == [(1, True), (6, True), (6, False), (1, False)]


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_contacts_open_when_an_acknowledgement_is_lost(rig: Rig, after: int) -> None:
    keypad = rig.matrix()
    told: list[int] = []
    rig.board.on_switch(lambda *switched: told.append(1))
    rig.clock.call_in(0.0, lambda: None)

    def lose_one(relay: int, closed: bool, sent_s: float, acked_s: float) -> None:
        if len(told) == after:
            rig.end.lost_answers = 1

    rig.board.on_switch(lose_one)
    if after == 0:
        rig.end.lost_answers = 1
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1"):
        keypad.press("5")
    assert not any(rig.board.read_all())
    assert keypad.press("5").key == "5"


class Interrupted(BaseException):
    """As Ctrl-C: no Exception."""


def test_contacts_open_on_an_interrupt_while_a_key_is_down(rig: Rig) -> None:
    keypad = rig.matrix()

    def interrupt(deadline_s: float) -> None:
        raise Interrupted

    rig.clock.wait_until = interrupt  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        keypad.press("5")
    assert not any(rig.board.read_all())


def test_a_board_that_left_is_reported_as_gone_not_as_a_stuck_key(rig: Rig) -> None:
    keypad = rig.matrix()
    rig.clock.call_in(0.05, rig.far.close)
    with pytest.raises(DeviceGone, match=r"relay 5 off"):
        keypad.press("5")


def test_long_press(rig: Rig) -> None:
    assert rig.matrix().long_press("1").hold_s == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("hold_s", [0.0, -1.0, 10.1])
def test_a_hold_that_makes_no_sense_is_refused(rig: Rig, hold_s: float) -> None:
    with pytest.raises(ConfigError):
        rig.matrix().press("1", hold_s)
    assert rig.moves == []


def test_layout_is_that_of_a_telephone(rig: Rig) -> None:
    assert rig.matrix().keys == "123456789*0#"
    wide = MatrixKeypad("desk-1", rig.clock, rig.contacts(ROWS), rig.contacts((4, 5, 6, 7)))
    assert wide.keys == "123A456B789C*0#D"
    with pytest.raises(ConfigError, match="3 rows"):
        MatrixKeypad("desk-1", rig.clock, rig.contacts((0, 1, 2)), rig.contacts(COLUMNS))


def test_a_contact_the_board_has_not_is_refused(rig: Rig) -> None:
    with pytest.raises(ConfigError):
        Contact(rig.board, 16)
