"""Keypads on every relay board, presses that a board times itself, hook flashes and pulse dialling."""

from __future__ import annotations

import itertools

import pytest
from relay_room import BoardRoom

from offhook.bench.contract.keypad import KeypadContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused
from offhook.drivers.keypad.contacts import Contact, ContactKeypad
from offhook.drivers.keypad.hook import Break, HookSwitch, PulseTrain
from offhook.drivers.keypad.matrix import MatrixKeypad
from offhook.drivers.relay import RelayBoard
from offhook.fixtures.relayboards.modbus import checksum

BIG_ENOUGH = ["numato", "waveshare", "generic", "r4d8a08", "devantech-8", "kmtronic-8", "denkovi", "hid-8"]


def matrix(room: BoardRoom) -> MatrixKeypad:
    contacts = [Contact(room.board, relay) for relay in range(7)]
    return MatrixKeypad("desk-1", room.clock, contacts[:4], contacts[4:])


@pytest.fixture(params=[*BIG_ENOUGH, "lcus-8"])
def room(request: pytest.FixtureRequest) -> BoardRoom:
    options = {"read_back": False} if request.param == "lcus-8" else {}
    room = BoardRoom(request.param, **options)
    room.board.connect()
    return room


@pytest.mark.req("DRV-SER.2", "DRV-SIM.1")
class TestMatrix(KeypadContract):
    @pytest.fixture
    def clock(self, room: BoardRoom) -> Clock:
        return room.clock

    @pytest.fixture
    def boards(self, room: BoardRoom) -> list[RelayBoard]:
        return [room.board]

    @pytest.fixture
    def keypad(self, room: BoardRoom) -> MatrixKeypad:
        return matrix(room)


def crossings(room: BoardRoom) -> list[tuple[set[int], float]]:
    """Which contacts were closed together, and for how long, as the phone has it."""
    closed: set[int] = set()
    found: list[tuple[set[int], float]] = []
    since_s = 0.0
    for relay, is_closed, at_s in room.moves:
        if len(closed) >= 2:
            found.append((set(closed), at_s - since_s))
        closed = closed | {relay} if is_closed else closed - {relay}
        since_s = at_s
    return found


@pytest.mark.req("DRV-SER.2")
def test_the_phone_sees_each_key_for_as_long_as_asked_and_never_two(room: BoardRoom) -> None:
    matrix(room).dial("159#")
    room.clock.sleep(0.1)
    spans = crossings(room)
    assert [pair for pair, _ in spans] == [{0, 4}, {1, 5}, {2, 6}, {3, 6}]
    assert all(abs(held_s - 0.1) <= 0.010 for _, held_s in spans), spans


@pytest.mark.req("DRV-SER.2")
def test_a_press_of_whole_steps_is_timed_by_the_board() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    sent: list[bytes] = []
    send = room.near.send
    room.near.send = lambda data: (sent.append(data), send(data))[1]  # type: ignore[method-assign, func-returns-value]
    press = matrix(room).press("5", 0.3)
    assert press.timed_by == "board"
    assert press.hold_s == pytest.approx(0.3)
    flash = bytes.fromhex("01 05 02 05 00 03")  # relay 5 for three tenths: the column; the row is opened by the bench
    assert flash + checksum(flash) in sent
    assert matrix(room).press("5", 0.25).timed_by == "bench"
    (_, held_s), _ = crossings(room)
    assert held_s == pytest.approx(0.3, abs=0.007)


@pytest.mark.req("DRV-SER.4")
def test_a_press_that_the_board_times_ends_although_the_bench_died() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    keypad = ContactKeypad("desk-1", room.clock, {"1": [Contact(room.board, 0)]})
    room.clock.spawn(lambda: keypad.press("1", 2.0))
    room.clock.sleep(0.5)
    assert room.contacts() == {0}
    room.near.send = lambda data: None  # type: ignore[method-assign]  # nothing comes from the bench any more
    room.clock.sleep(2.0)
    assert room.contacts() == set()


@pytest.mark.req("DRV-SER.2")
def test_a_board_that_does_not_time_what_it_should_is_found_out_and_opened() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    keypad = ContactKeypad("desk-1", room.clock, {"1": [Contact(room.board, 0)]})
    room.end._pulse = lambda relay, hold_s: room.end._command(relay, True)  # type: ignore[attr-defined]
    with pytest.raises(DeviceRefused, match=r"still closed after the press .* pulses = false"):
        keypad.press("1", 0.2)
    room.clock.sleep(0.1)
    assert room.contacts() == set()


def test_presses_timed_by_a_board_keep_their_gap() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    keypad = ContactKeypad("desk-1", room.clock, {"1": [Contact(room.board, 0)]}, press_s=0.1, gap_s=0.2)
    presses = keypad.dial("111")
    assert all(late.closed_s - early.opened_s >= 0.2 for early, late in itertools.pairwise(presses))


# ---- hook


def hook(name: str = "numato", closed: str = "off-hook") -> tuple[BoardRoom, HookSwitch]:
    room = BoardRoom(name)
    room.board.connect()
    return room, HookSwitch("desk-1", room.clock, Contact(room.board, 0), closed)  # type: ignore[arg-type]


def test_lift_and_hang_up_move_the_contact_the_way_it_is_wired() -> None:
    for closed, lifted in (("off-hook", {0}), ("on-hook", set())):
        room, switch = hook(closed=closed)
        switch.lift()
        room.clock.sleep(0.1)
        assert (room.contacts(), switch.off_hook) == (lifted, True)
        switch.hang_up()
        room.clock.sleep(0.1)
        assert (room.contacts(), switch.off_hook) == ({0} - lifted, False)


@pytest.mark.req("DRV-SER.2")
@pytest.mark.parametrize("name", BIG_ENOUGH)
def test_a_flash_is_as_long_as_asked_at_the_contact_and_is_reported(name: str) -> None:
    room, switch = hook(name)
    told: list[Break] = []
    switch.on_break(told.append)
    switch.lift()
    done = switch.flash(0.6)
    room.clock.sleep(0.1)
    assert told == [done]
    assert done.length_s == pytest.approx(0.6, abs=0.010)
    (_, _, opened_s), (_, _, closed_s) = room.moves[-2:]
    assert closed_s - opened_s == pytest.approx(0.6, abs=0.010)
    assert switch.off_hook


@pytest.mark.req("DRV-SER.2")
def test_pulse_dialling_is_ten_a_second_with_60_per_cent_break() -> None:
    room, switch = hook()
    switch.lift()
    room.clock.sleep(0.1)
    before = len(room.moves)
    trains = switch.pulse_dial("4 10")
    assert [train.digit for train in trains] == list("410")
    assert [len(train.breaks) for train in trains] == [4, 1, 10]
    assert trains[2].rate_hz == pytest.approx(10.0, abs=0.05)
    assert trains[2].break_share == pytest.approx(0.6, abs=0.02)
    assert abs(trains[2].worst_error_s) <= 0.010
    starts_s = [train.breaks[0].opened_s for train in trains]
    ends_s = [train.breaks[-1].closed_s for train in trains]
    assert all(start_s - end_s >= 0.8 for start_s, end_s in zip(starts_s[1:], ends_s, strict=False))
    opens = [at_s for _, closed, at_s in room.moves[before:] if not closed]
    assert len(opens) == 15


def test_a_break_that_took_too_long_is_an_error_with_its_length() -> None:
    room, switch = hook("waveshare")
    switch.lift()
    wait_until = room.clock.wait_until

    def late(deadline_s: float) -> None:
        wait_until(deadline_s + 0.03)

    room.clock.wait_until = late  # type: ignore[method-assign]
    with pytest.raises(DeviceRefused, match=r"a break of 600 ms took 6[23]\d ms \(tolerance 10 ms\)"):
        switch.flash(0.6)
    assert switch.off_hook


def test_a_board_too_slow_for_pulses_is_named_with_its_rate() -> None:
    _, switch = hook("denkovi")  # it wants 50 ms between commands
    switch.lift()
    with pytest.raises(DeviceRefused, match=r"7\.\d pulses a second where 10 were asked for .*too slow"):
        switch.pulse_dial("5", tolerance_s=0.02)


def test_a_board_that_is_lost_in_the_middle_leaves_the_phone_on_hook_as_far_as_can_be() -> None:
    room, switch = hook()
    switch.lift()
    room.end.lost_answers = 1
    with pytest.raises(DeviceError):
        switch.pulse_dial("3")
    room.clock.sleep(0.1)
    assert not switch.off_hook
    assert room.contacts() == set()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda switch: switch.flash(5.0), "no hook flash"),
        (lambda switch: switch.pulse_dial("12#"), "digits 0 to 9"),
        (lambda switch: switch.pulse_dial(""), "digits 0 to 9"),
        (lambda switch: switch.pulse_dial("1", pulses_hz=50), "50 pulses a second"),
    ],
)
def test_what_no_exchange_would_take_is_refused_before_anything_moves(act: object, words: str) -> None:
    room, switch = hook()
    switch.lift()
    room.clock.sleep(0.1)
    before = len(room.moves)
    with pytest.raises(ConfigError, match=words):
        act(switch)  # type: ignore[operator]
    assert len(room.moves) == before


def test_on_hook_there_is_nothing_to_flash() -> None:
    _, switch = hook()
    with pytest.raises(ConfigError, match="lift it first"):
        switch.flash()


def test_figures_of_a_train() -> None:
    train = PulseTrain("2", (Break(0.0, 0.06, 0.06), Break(0.1, 0.165, 0.06)))
    assert train.rate_hz == pytest.approx(10.0)
    assert train.break_share == pytest.approx(0.625)
    assert train.worst_error_s == pytest.approx(0.005)
