"""Every relay board: the contract on a pipe, what the far end's contacts do, and every way a wire goes wrong."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_room import BOARDS, PORT, SPOKEN, BoardRoom

from offhook.bench.contract.relay import RelayContract
from offhook.drivers import registry
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.relay import RelayBoard, State, reads_back

READ = [name for name in BOARDS if name != "lcus-1"]
"""Boards that can be read."""


@pytest.fixture(params=BOARDS)
def room(request: pytest.FixtureRequest) -> BoardRoom:
    return BoardRoom(request.param)


@pytest.mark.req("DRV-SER.1", "DRV-SIM.1")
class TestContract(RelayContract):
    @pytest.fixture
    def clock(self, room: BoardRoom) -> Clock:
        return room.clock

    @pytest.fixture
    def board(self, room: BoardRoom) -> RelayBoard:
        return room.board


def test_contacts_do_what_was_commanded_and_are_read_as_they_are(room: BoardRoom) -> None:
    room.board.connect()
    last = room.board.channels - 1
    for relay in sorted({0, last}):
        room.board.set(relay, True)
        room.clock.sleep(0.1)
        assert room.contacts() == {relay}
        assert room.board.read_all() == tuple(room.end.closed)
        room.board.set(relay, False)
    room.clock.sleep(0.1)
    assert room.contacts() == set()


def test_two_boards_of_a_kind_have_two_identities() -> None:
    for name in ("numato", "hid-8"):
        one, other = BoardRoom(name), BoardRoom(name)
        other.end.identity = "FFFFFFFF"
        assert one.board.connect() != other.board.connect()


@pytest.mark.req("DRV-SER.1")
@pytest.mark.parametrize("name", READ)
def test_a_lost_answer_is_an_error_and_the_relay_is_in_doubt_until_it_was_opened(name: str) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.lost_answers = 1
    with pytest.raises(DeviceTimeout, match=r"relay\.keys: switch relay 1 on.*a-board.*try: ") as caught:
        room.board.set(1, True)
    assert isinstance(caught.value, TimeoutError)
    assert room.board.states[1].commanded is None
    told: list[tuple[int, bool]] = []
    room.board.on_switch(lambda relay, closed, sent_s, acked_s: told.append((relay, closed)))
    room.board.open_all()
    assert told == [(1, False)]
    assert not any(room.board.read_all())


@pytest.mark.req("DRV-SER.1")
@pytest.mark.parametrize("name", READ)
def test_a_lost_command_is_never_taken_for_done(name: str) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.lost_commands = 1
    with pytest.raises(DeviceError, match=r"relay\.keys: switch relay 1 on"):
        room.board.set(1, True)
    room.board.set(1, True)
    assert room.board.states[1].commanded


@pytest.mark.req("DRV-SER.1")
@pytest.mark.parametrize("name", ["waveshare", "generic", "r4d8a08", "denkovi"])
def test_the_echo_of_another_command_is_no_acknowledgement(name: str) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.instead = room.board.protocol.switch(2, True).answer
    with pytest.raises(DeviceRefused, match=r"switch relay 1 on: it answered .* not .*a-board"):
        room.board.set(1, True)
    assert room.board.states[1] == State()


@pytest.mark.parametrize("name", ["devantech-8", "lcus-4", "kmtronic-2", "kmtronic-8", "hid-8"])
def test_a_board_that_acknowledges_nothing_is_read_after_every_command(name: str) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.lost_commands = 1
    with pytest.raises(DeviceRefused, match="relay 1 reads open"):
        room.board.set(1, True)


def refused(room: BoardRoom) -> str:
    """What closing relay 1 ends with; "" if it was done."""
    try:
        room.board.set(1, True)
    except DeviceError as error:
        return str(error)
    return ""


@pytest.mark.req("DRV-SER.3")
@pytest.mark.parametrize("name", [name for name in SPOKEN if name in READ])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(garbage=st.binary(min_size=1, max_size=60))
def test_garbage_is_an_error_that_names_board_and_port_and_the_next_command_works(name: str, garbage: bytes) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.instead = garbage
    started_s = room.clock.now_s()
    error = refused(room)
    if error:
        assert error.startswith("relay.keys: switch relay 1 on: ")
        assert PORT in error
        assert "(try: " in error
        assert room.board.states[1].commanded is None
    else:  # the garbage happened to be what a right answer is
        answer = room.board.protocol.switch(1, True).answer or room.board.protocol.report(0, (1,))
        assert garbage.startswith(answer) or garbage.endswith(answer)
    assert room.clock.now_s() - started_s < 1.0
    room.board.set(0, True)
    assert room.board.read_all()[0]


@pytest.mark.req("DRV-SER.3")
@pytest.mark.parametrize("name", ["waveshare", "generic", "r4d8a08", "denkovi", "lcus-4", "kmtronic-8", "hid-8"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_part_of_an_answer_is_a_timeout_that_shows_the_part(name: str, data: st.DataObject) -> None:
    room = BoardRoom(name)
    room.board.connect()
    whole = room.board.protocol.switch(1, True).answer or room.board.protocol.report(0, (1,))
    whole = whole if name != "hid-8" else b"ABCDE\0\0\2"
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    room.end.instead = part
    with pytest.raises(DeviceTimeout, match=f"only {part[:24].hex(' ').upper()}.* came within 0.5 s .*a-board"):
        room.board.set(1, True)
    room.board.set(1, False)
    assert not any(room.board.read_all())


@pytest.mark.parametrize("name", READ)
def test_a_late_answer_does_not_acknowledge_the_next_command(name: str) -> None:
    room = BoardRoom(name)
    room.board.connect()
    room.end.lost_answers = 1
    with pytest.raises(DeviceTimeout):
        room.board.set(1, True)
    if name == "numato":
        late = b"relay on 1\n\r>"
    else:
        late = room.board.protocol.switch(1, True).answer or room.board.protocol.report(0, (1,))
    room.clock.call_in(0.02, lambda: room.end.say(late))
    room.end.lost_answers = 9
    with pytest.raises(DeviceError):
        room.board.set(1, True)


@pytest.mark.req("DRV-SER.3")
def test_an_unplugged_board_is_gone_at_once(room: BoardRoom) -> None:
    room.board.connect()
    room.far.close()
    room.clock.sleep(0.01)
    with pytest.raises(DeviceGone, match=r"relay\.keys.*a-board"):
        room.board.set(0, True)


@pytest.mark.req("DRV-SER.3")
def test_a_board_without_power_fails_to_connect_within_its_limit() -> None:
    for name in READ:
        room = BoardRoom(name)
        room.far.cut()
        with pytest.raises(DeviceTimeout, match=r"relay\.keys.*a-board"):
            room.board.connect()
        assert room.clock.now_s() < 1.5


def test_a_board_that_stays_closed_fails_to_connect() -> None:
    for name in READ:
        room = BoardRoom(name)
        room.board.connect()
        room.board.set(1, True)
        room.end._switch = lambda relay, closed: None  # type: ignore[method-assign]  # its firmware does nothing more
        with pytest.raises(DeviceRefused, match=r"relay 1( still)? reads closed"):
            room.board.connect()


@pytest.mark.req("DRV-SER.4")
def test_safe_bytes_open_every_relay_but_those_that_rest_closed(room: BoardRoom) -> None:
    room.board.connect()
    last = room.board.channels - 1
    room.board.set(last, True)
    for resting in ((), (0,)):
        action = room.board.safe_action(resting)
        assert action.address == PORT
        heard = bytearray()
        room.near.attach(heard.extend, lambda reason: None)
        for step in (*action.before, action):
            heard.clear()
            room.near.send(step.sent)
            room.clock.sleep(max(getattr(step, "pause_s", 0), 0.15))
            assert bytes(heard).endswith(step.expected)
        assert [relay for relay, closed in enumerate(room.end.closed) if closed] == list(resting)
        assert len(heard) >= action.length
        room.end.closed[last] = True
        if reads_back(room.board) and last:
            heard.clear()
            room.near.send(action.sent.split(b"\r")[-2] + b"\r" if b"relay" in action.sent else action.sent)
            room.clock.sleep(0.2)
            assert not bytes(heard).endswith(action.expected)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("devantech-8", {"channels": 4}, r"relay\.keys: channels = 4: Devantech has 2, 8"),
        ("kmtronic-8", {"channels": 3}, "KMTronic has 1, 2, 4, 8"),
        ("denkovi", {"channels": 8}, "Denkovi has 16"),
        ("waveshare", {"model": "wavesahre"}, "waveshare, generic, r4d8a08"),
        ("waveshare", {"unit": 0}, "Modbus has 1 to 247"),
        ("lcus-1", {"read_back": True}, "LCUS-1 cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(name: str, options: dict[str, object], words: str) -> None:
    room = BoardRoom(name)
    table = {**BOARDS[name], "link": PORT, **options}
    driver = registry.find(f"relay.{table['driver']}")
    with pytest.raises(ConfigError, match=words):
        driver.open("keys", table, room.wires)  # type: ignore[arg-type]


def test_the_port_is_opened_at_the_boards_own_rate_unless_the_file_says_another() -> None:
    assert BoardRoom("waveshare").wires.baud == 9600
    assert BoardRoom("waveshare", baud=38400).wires.baud == 38400


def test_a_board_of_another_unit_or_size_is_found_out() -> None:
    room = BoardRoom("waveshare")
    room.end.unit = 2  # type: ignore[attr-defined]
    with pytest.raises(DeviceTimeout, match="no answer"):
        room.board.connect()
    room = BoardRoom("devantech-8")
    room.end.channels = 2
    with pytest.raises(DeviceRefused, match="USB-RLY02 with 2 relays: is channels right"):
        room.board.connect()


def test_an_exception_of_a_modbus_board_is_told_in_words() -> None:
    room = BoardRoom("waveshare", model="waveshare")
    room.board.connect()
    room.end.channels = 4
    with pytest.raises(DeviceRefused, match="exception 2: it has no such register: are model, base and channels right"):
        room.board.set(6, True)
    with pytest.raises(DeviceRefused, match="exception 2"):
        room.board.read_all()


def test_noise_on_the_bus_is_named() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    room.end.instead = b"\x01\x01\x01\x00\x51\x89"
    with pytest.raises(DeviceRefused, match="its checksum is wrong"):
        room.board.read_all()


def test_a_board_that_cannot_be_read_says_so_and_tells_what_it_was_told() -> None:
    room = BoardRoom("lcus-1")
    assert room.board.connect().endswith("cannot be read back")
    assert not reads_back(room.board)
    room.board.set(0, True)
    assert room.board.read_all() == (True,)
    assert room.board.states[0].reported is None
    room.far.close()
    room.clock.sleep(0.01)
    with pytest.raises(DeviceGone):
        room.board.set(0, False)
    with pytest.raises(DeviceRefused, match="cannot be read, and the last command to relay 0 failed"):
        room.board.read_all()


def test_a_board_gets_its_pause_between_commands() -> None:
    room = BoardRoom("denkovi")
    room.board.connect()
    sent: list[float] = []
    send = room.near.send
    room.near.send = lambda data: (sent.append(room.clock.now_s()), send(data))[1]  # type: ignore[method-assign, func-returns-value]
    for relay in (1, 2, 3):
        room.board.set(relay, True)
    assert all(late - early >= 0.05 for early, late in itertools.pairwise(sent))
