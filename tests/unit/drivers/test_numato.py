"""Numato boards: published byte sequences, the contract on a pipe, and every way a wire goes wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.bench.contract.relay import RelayContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import PipeLink
from offhook.drivers.relay.numato import Answer, NumatoBoard, NumatoProtocol
from offhook.fixtures.relayboards import NumatoEnd
from offhook.fixtures.simclock import SimClock


class Rig:
    """A board and its far end on one simulated clock."""

    def __init__(self, channels: int = 16) -> None:
        self.clock = SimClock()
        self.near, self.far = PipeLink.pair(self.clock, "end://keys1")
        self.moves: list[tuple[int, bool, float]] = []
        self.end = NumatoEnd(
            self.clock, "keys1", channels, lambda relay, closed: self.moves.append((relay, closed, self.clock.now_s()))
        )
        self.end.connect(self.far)
        self.board = NumatoBoard("keys1", self.clock, self.near, channels)


class Scripted:
    """A link whose far end is the test: answers come from a table of bytes to bytes."""

    address = "scripted"

    def __init__(self, clock: SimClock, answers: dict[bytes, bytes]) -> None:
        self.clock = clock
        self.answers = answers
        self.sent: list[bytes] = []

    def attach(self, on_bytes: object, on_lost: object) -> None:
        self.on_bytes = on_bytes

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        answer = self.answers.get(data, b"")
        if answer:
            self.clock.post(lambda: self.on_bytes(answer))  # type: ignore[operator]

    def close(self) -> None:
        pass


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.req("DRV-SER.1")
class TestContract(RelayContract):
    @pytest.fixture
    def clock(self, rig: Rig) -> Clock:
        return rig.clock

    @pytest.fixture
    def board(self, rig: Rig) -> NumatoBoard:
        return rig.board


class TestContractOn32(RelayContract):
    @pytest.fixture
    def rig(self) -> Rig:
        return Rig(32)

    @pytest.fixture
    def clock(self, rig: Rig) -> Clock:
        return rig.clock

    @pytest.fixture
    def board(self, rig: Rig) -> NumatoBoard:
        return rig.board


# The data sheet's own sequences: command, echo, LF CR, answer, LF CR, prompt.
PUBLISHED = {
    b"\r\r": b"\n\r>\n\r>",
    b"ver\r": b"ver\n\rA0C\n\r>",
    b"id get\r": b"id get\n\r00000000\n\r>",
    b"relay writeall 0000\r": b"relay writeall 0000\n\r>",
    b"relay readall\r": b"relay readall\n\r0000\n\r>",
    b"relay on 0\r": b"relay on 0\n\r>",
    b"relay off A\r": b"relay off A\n\r>",
}


def scripted(**changed: bytes) -> tuple[NumatoBoard, Scripted]:
    clock = SimClock()
    link = Scripted(
        clock, {**PUBLISHED, **{key.replace("_", " ").encode() + b"\r": value for key, value in changed.items()}}
    )
    return NumatoBoard("keys1", clock, link, 16), link


def test_driver_speaks_the_published_bytes() -> None:
    board, link = scripted()
    assert board.connect() == "Numato, firmware A0C, id 00000000, 16 relays"
    board.set(0, True)
    board.set(10, False)
    assert link.sent[-2:] == [b"relay on 0\r", b"relay off A\r"]
    assert b"relay writeall 0000\r" in link.sent


def test_readall_is_hexadecimal_with_bit_0_for_relay_0() -> None:
    board, _ = scripted(relay_readall=b"relay readall\n\r8005\n\r>")
    assert [relay for relay, closed in enumerate(board.read_all()) if closed] == [0, 2, 15]


@pytest.mark.parametrize("answer", [b"relay readall\n\r00\n\r>", b"relay readall\n\rzzzz\n\r>", b"relay readall\n\r>"])
def test_readall_of_another_board_is_refused(answer: bytes) -> None:
    board, _ = scripted(relay_readall=answer)
    with pytest.raises(DeviceRefused, match="channels"):
        board.read_all()


def test_a_board_that_stays_closed_fails_to_connect() -> None:
    board, _ = scripted(relay_readall=b"relay readall\n\r0004\n\r>")
    with pytest.raises(DeviceRefused, match="relay 2 still reads closed"):
        board.connect()


def test_an_answer_to_something_else_is_no_acknowledgement() -> None:
    board, _ = scripted(relay_on_0=b"xrelay on 0\n\r>")
    with pytest.raises(DeviceTimeout):
        board.set(0, True)


def test_a_complaint_is_refusal() -> None:
    board, _ = scripted(relay_on_0=b"relay on 0\n\rinvalid\n\r>")
    with pytest.raises(DeviceRefused, match="invalid"):
        board.set(0, True)


def test_far_end_speaks_the_published_bytes() -> None:
    clock = SimClock()
    near, far = PipeLink.pair(clock, "x")
    end = NumatoEnd(clock, "keys1", 16, lambda relay, closed: None)
    end.connect(far)
    heard = bytearray()
    near.attach(heard.extend, lambda reason: None)
    near.send(b"relay on A\rrelay readall\rrelay read A\rrelay off A\rrelay writeall 00ff\rrelay readall\r")
    clock.sleep(0.1)
    assert bytes(heard) == (
        b"relay on A\n\r>relay readall\n\r0400\n\r>relay read A\n\ron\n\r>relay off A\n\r>"
        b"relay writeall 00ff\n\r>relay readall\n\r00ff\n\r>"
    )


@given(st.binary(max_size=300), st.data())
def test_answers_do_not_depend_on_how_bytes_arrive(noise: bytes, data: st.DataObject) -> None:
    stream = noise + b">relay on 3\n\r>"
    cut = data.draw(st.integers(0, len(stream)))
    whole, pieces = NumatoProtocol(), NumatoProtocol()
    expected = whole.feed(stream)
    assert pieces.feed(stream[:cut]) + pieces.feed(stream[cut:]) == expected
    assert expected[-1] == Answer(("relay on 3", ""))
    assert expected[-1].to("relay on 3") == ()


def test_contacts_follow_within_7_ms(rig: Rig) -> None:
    rig.board.connect()
    sent_s = rig.clock.now_s()
    rig.board.set(5, True)
    rig.clock.sleep(0.05)
    ((relay, closed, moved_s),) = rig.moves
    assert (relay, closed) == (5, True)
    assert 0.003 <= moved_s - sent_s <= 0.0081


@pytest.mark.req("DRV-SER.1")
def test_a_lost_acknowledgement_names_board_and_relay(rig: Rig) -> None:
    rig.board.connect()
    rig.end.lost_answers = 1
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1.*relay 3 on") as caught:
        rig.board.set(3, True)
    assert isinstance(caught.value, TimeoutError)
    rig.board.set(3, False)
    assert not any(rig.board.read_all())


def test_a_late_answer_does_not_acknowledge_the_next_command(rig: Rig) -> None:
    rig.board.connect()
    rig.end.lost_answers = 1
    with pytest.raises(DeviceTimeout):
        rig.board.set(3, True)
    rig.end.lost_answers = 3  # both blank lines and the repeated command
    rig.end.say(b"relay on 3\n\r>")
    with pytest.raises(DeviceTimeout):
        rig.board.set(3, True)


@pytest.mark.parametrize("garbage", [b"\xff\x00\xfe", b">>>", b"relay on", b"\n\r>\n\r>", b"boot\n\r", b"x" * 10_000])
def test_garbage_before_an_answer_is_skipped_or_fails_within_the_limit(rig: Rig, garbage: bytes) -> None:
    rig.board.connect()
    rig.end.garbage = garbage
    started_s = rig.clock.now_s()
    try:
        rig.board.set(1, True)
    except DeviceTimeout:
        assert rig.clock.now_s() - started_s == pytest.approx(1.0)
    rig.board.set(2, True)
    assert rig.board.read_all()[2]


def test_half_a_line_in_the_boards_buffer_is_flushed_first(rig: Rig) -> None:
    rig.near.send(b"relay on 1")
    assert rig.board.connect()
    rig.near.send(b"gpio")
    with pytest.raises(DeviceTimeout):
        rig.board.set(1, True)
    rig.board.set(1, True)
    assert rig.board.read_all()[1]


def test_a_board_that_reset_is_found_out_by_reading_back(rig: Rig) -> None:
    rig.board.connect()
    rig.board.set(4, True)
    rig.end.reset()
    assert not rig.board.read_all()[4]


def test_a_silent_board_fails_to_connect_within_its_limit(rig: Rig) -> None:
    rig.far.cut()
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1"):
        rig.board.connect()
    assert rig.clock.now_s() == pytest.approx(1.0)


@pytest.mark.req("DRV-SER.3")
def test_an_unplugged_board_is_gone_at_once(rig: Rig) -> None:
    rig.board.connect()
    job = rig.clock.spawn(lambda: rig.board.set(1, True))
    rig.end.lost_answers = 1
    rig.clock.sleep(0.1)
    rig.far.close()
    with pytest.raises(DeviceGone, match=r"relay\.keys1.*relay 1 on"):
        job.join(0.5)
    with pytest.raises(DeviceGone):
        rig.board.set(2, True)


def test_safe_action_opens_everything_and_reads_it_back(rig: Rig) -> None:
    rig.board.connect()
    rig.board.set(7, True)
    address, sent, expected, *_ = rig.board.safe_action()
    assert address == "end://keys1"
    heard = bytearray()
    rig.near.attach(heard.extend, lambda reason: None)
    rig.near.send(sent)
    rig.clock.sleep(0.1)
    assert bytes(heard).endswith(expected)
    assert not any(rig.end.closed)
    rig.end.closed[7] = True
    heard.clear()
    rig.near.send(b"relay readall\r")
    rig.clock.sleep(0.1)
    assert not bytes(heard).endswith(expected)


def test_safe_action_closes_what_rests_on_a_closed_contact_and_ends_a_line_cut_short(rig: Rig) -> None:
    rig.board.connect()
    for relay in (7, 9):
        rig.board.set(relay, True)
    _, sent, expected, *_ = rig.board.safe_action({7, 8})
    heard = bytearray()
    rig.near.attach(heard.extend, lambda reason: None)
    rig.near.send(b"relay on 1")  # the bench died in the middle of a command
    rig.near.send(sent)
    rig.clock.sleep(0.1)
    assert bytes(heard).endswith(expected)
    assert [relay for relay, closed in enumerate(rig.end.closed) if closed] == [7, 8]


@pytest.mark.parametrize("channels", [0, 33])
def test_no_such_board(channels: int) -> None:
    clock = SimClock()
    near, _ = PipeLink.pair(clock, "x")
    with pytest.raises(ConfigError, match=r"relay\.keys1"):
        NumatoBoard("keys1", clock, near, channels)


def test_listeners_hear_of_relays_that_may_have_opened_and_of_no_others(rig: Rig) -> None:
    told: list[tuple[int, bool]] = []
    rig.board.on_switch(lambda relay, closed, sent_s, acked_s: told.append((relay, closed)))
    rig.board.connect()
    assert told == [(relay, False) for relay in range(16)]  # nobody knew how they were
    rig.board.set(5, True)
    told.clear()
    rig.board.open_all()
    rig.board.open_all()
    assert told == [(5, False)]


def test_a_command_leaves_only_after_the_one_before_it_was_acknowledged(rig: Rig) -> None:
    rig.board.connect()
    log: list[str] = []
    send, say = rig.near.send, rig.far.send

    def sending(data: bytes) -> None:
        log.append("command")
        send(data)

    def saying(data: bytes) -> None:
        log.append("prompt")
        say(data)

    rig.near.send, rig.far.send = sending, saying  # type: ignore[method-assign]
    jobs = [rig.clock.spawn(lambda relay=relay: rig.board.set(relay, True)) for relay in (1, 2, 3)]  # type: ignore[misc]
    for job in jobs:
        job.join(5.0)
    assert log == ["command", "prompt"] * 3
