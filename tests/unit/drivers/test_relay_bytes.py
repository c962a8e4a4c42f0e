"""Bytes as the makers publish them, held against the drivers and, apart from them, against the simulated boards.

Sources: Waveshare's wiki page "Modbus RTU Relay"; eletechsup's register list (R4D8A08, RYN408F); public notes on older
Modbus boards; Devantech's sheets; sellers' sheets of the LCUS boards; KMTronic's "USB Relay Test software"; Denkovi's
manual as public tools have it; public notes on 16C0:05DF.
"""

from __future__ import annotations

import pytest
from relay_room import BoardRoom

from offhook.drivers.errors import ConfigError
from offhook.drivers.relay.denkovi import DenkoviProtocol
from offhook.drivers.relay.devantech import DevantechProtocol
from offhook.drivers.relay.hid import HidProtocol
from offhook.drivers.relay.kmtronic import KmtronicProtocol
from offhook.drivers.relay.lcus import LcusProtocol
from offhook.drivers.relay.modbus import ModbusProtocol, crc
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.fixtures.relayboards.modbus import checksum

WAVESHARE, GENERIC, R4D8A08 = ModbusProtocol(8), ModbusProtocol(8, "generic"), ModbusProtocol(8, "r4d8a08")

SENT: list[tuple[Command | bytes, str]] = [
    (WAVESHARE.switch(0, True), "01 05 00 00 FF 00 8C 3A"),
    (WAVESHARE.switch(0, False), "01 05 00 00 00 00 CD CA"),
    (WAVESHARE.switch(1, True), "01 05 00 01 FF 00 DD FA"),
    (WAVESHARE.switch(3, False), "01 05 00 03 00 00 3D CA"),
    (WAVESHARE.set_all(range(8))[0], "01 0F 00 00 00 08 01 FF BE D5"),
    (WAVESHARE.set_all(())[0], "01 0F 00 00 00 08 01 00 FE 95"),
    (WAVESHARE.queries()[0], "01 01 00 00 00 08 3D CC"),
    (WAVESHARE.report(0, (0, 6)), "01 01 01 41 91 B8"),
    (WAVESHARE.pulse(0, 7), "01 05 02 00 00 07 8D B0"),
    (WAVESHARE.pulse(1, 8), "01 05 02 01 00 08 9C 74"),
    (GENERIC.switch(0, True), "01 05 00 01 01 00 9D 9A"),
    (R4D8A08.switch(0, True), "01 06 00 01 01 00 D9 9A"),
    (DevantechProtocol(8).switch(0, True), "65"),
    (DevantechProtocol(8).switch(7, True), "6C"),
    (DevantechProtocol(8).switch(0, False), "6F"),
    (DevantechProtocol(8).switch(7, False), "76"),
    (DevantechProtocol(8).set_all((0, 2))[0], "5C 05"),
    (DevantechProtocol(8).queries()[0], "5B"),
    (DevantechProtocol(8).identify(), "5A"),
    (LcusProtocol(1).switch(0, True), "A0 01 01 A2"),
    (LcusProtocol(1).switch(0, False), "A0 01 00 A1"),
    (LcusProtocol(2).switch(1, True), "A0 02 01 A3"),
    (LcusProtocol(2).switch(1, False), "A0 02 00 A2"),
    (LcusProtocol(4).queries()[0], "FF"),
    (KmtronicProtocol(1).switch(0, True), "FF 01 01"),
    (KmtronicProtocol(1).switch(0, False), "FF 01 00"),
    (KmtronicProtocol(2).queries()[1], "FF 02 03"),
    (KmtronicProtocol(8).switch(7, True), "FF 08 01"),
    (KmtronicProtocol(8).queries()[0], "FF 09 00"),
    (DenkoviProtocol(16).switch(0, True), b"01+//".hex()),
    (DenkoviProtocol(16).switch(15, False), b"16-//".hex()),
    (DenkoviProtocol(16).set_all(())[0], b"off//".hex()),
    (DenkoviProtocol(16).set_all((0, 15))[0], "78 80 01 2F 2F"),
    (DenkoviProtocol(16).queries()[0], b"ask//".hex()),
    (HidProtocol(8).switch(0, True), "09 FF 01 00 00 00 00 00 00"),
    (HidProtocol(8).switch(7, False), "09 FD 08 00 00 00 00 00 00"),
    (HidProtocol(8).set_all(())[0], "09 FC 00 00 00 00 00 00 00"),
]


@pytest.mark.req("DRV-SER.1")
@pytest.mark.parametrize(("command", "published"), SENT, ids=[text for _, text in SENT])
def test_drivers_send_the_published_bytes(command: Command | bytes, published: str) -> None:
    sent = command if isinstance(command, bytes) else command.sent
    assert sent == bytes.fromhex(published)


READ: list[tuple[BoardProtocol, str, set[int]]] = [
    (WAVESHARE, "01 01 01 41 91 B8", {0, 6}),
    (DevantechProtocol(8), "81", {0, 7}),
    (LcusProtocol(2), b"CH1: ON\r\nCH2: OFF\r\n".hex(), {0}),
    (KmtronicProtocol(4), "00 01 00 01", {1, 3}),
    (DenkoviProtocol(16), "80 03", {0, 14, 15}),
    (HidProtocol(2), b"BITFT\0\0\2".hex(), {1}),
]


@pytest.mark.parametrize(("protocol", "published", "closed"), READ, ids=[read[0].title for read in READ])
def test_drivers_read_the_published_answers(protocol: BoardProtocol, published: str, closed: set[int]) -> None:
    states = protocol.states(0, bytes.fromhex(published))
    assert states is not None
    assert {relay for relay, is_closed in enumerate(states) if is_closed} == closed


CONVERSATIONS = [
    ("waveshare", "01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A", {0}),
    ("waveshare", "01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D", set(range(8))),
    ("waveshare", "01 01 00 00 00 08 3D CC", "01 01 01 00 51 88", set()),
    ("waveshare", "01 05 00 00 FF 00 8C 3B", "", set()),
    ("waveshare", "02 05 00 00 FF 00 8C 09", "", set()),
    ("generic", "01 05 00 01 01 00 9D 9A", "01 05 00 01 01 00 9D 9A", {0}),
    ("r4d8a08", "01 06 00 01 01 00 D9 9A", "01 06 00 01 01 00 D9 9A", {0}),
    ("devantech-8", "65 6C 5B", "81", {0, 7}),
    ("devantech-8", "64 76 5B", "7F", set(range(7))),
    ("devantech-8", "5A", "09 03", set()),
    ("devantech-2", "5A", "0A 03", set()),
    ("lcus-1", "A0 01 01 A2", "", {0}),
    ("lcus-1", "A0 01 01 A3", "", set()),
    ("lcus-4", "A0 02 01 A3 FF", b"CH1: OFF\r\nCH2: ON\r\nCH3: OFF\r\nCH4: OFF\r\n".hex(), {1}),
    ("kmtronic-2", "FF 02 01 FF 02 03", "FF 02 01", {1}),
    ("kmtronic-8", "FF 08 01 FF 09 00", "00 00 00 00 00 00 00 01", {7}),
    ("denkovi", b"01+//ask//".hex(), b"01+//\x80\x00".hex(), {0}),
    ("denkovi", b"on//16-//ask//".hex(), b"on//16-//\xff\xfe".hex(), set(range(15))),
    ("denkovi", "78 80 01 2F 2F", "78 80 01 2F 2F", {0, 15}),
    ("hid-8", "09 FF 03 00 00 00 00 00 00", "", {2}),
    ("hid-8", "09 FE 00 00 00 00 00 00 00 09 FD 01 00 00 00 00 00 00", "", set(range(1, 8))),
]


@pytest.mark.req("DRV-SIM.1")
@pytest.mark.parametrize(("name", "sent", "answered", "closed"), CONVERSATIONS)
def test_simulated_boards_answer_the_published_bytes(name: str, sent: str, answered: str, closed: set[int]) -> None:
    room = BoardRoom(name)
    heard = bytearray()
    room.near.attach(heard.extend, lambda reason: None)
    for byte in bytes.fromhex(sent):  # as a serial line delivers them
        room.near.send(bytes([byte]))
    room.clock.sleep(0.3)
    assert bytes(heard) == bytes.fromhex(answered)
    assert room.contacts() == closed


def test_the_hid_report_has_the_boards_own_letters_and_the_relays_in_its_last_byte() -> None:
    room = BoardRoom("hid-8")
    heard = bytearray()
    room.near.attach(heard.extend, lambda reason: None)
    room.near.send(bytes.fromhex("09 FF 01 00 00 00 00 00 00 01"))
    room.clock.sleep(0.1)
    assert heard[:5].isalpha()
    assert heard[5:] == b"\0\0\1"


@pytest.mark.parametrize("body", ["", "01", "01 05 00 00 FF 00", "FF" * 40])
def test_both_views_of_the_checksum_agree_on_what_is_published(body: str) -> None:
    assert crc(bytes.fromhex(body)) == checksum(bytes.fromhex(body))
    assert checksum(bytes.fromhex("01 05 00 00 FF 00")) == bytes.fromhex("8C 3A")


@pytest.mark.req("DRV-SER.2")
def test_the_bench_sends_the_pulse_that_was_asked_for_and_the_board_keeps_it() -> None:
    room = BoardRoom("waveshare")
    room.board.connect()
    sent: list[bytes] = []
    send = room.near.send
    room.near.send = lambda data: (sent.append(data), send(data))[1]  # type: ignore[method-assign, func-returns-value]
    room.board.pulse(0, 0.7)
    assert sent == [bytes.fromhex("01 05 02 00 00 07 8D B0")]
    room.clock.sleep(1.0)
    (closed, opened) = room.moves[-2:]
    assert (closed[1], opened[1]) == (True, False)
    assert opened[2] - closed[2] == pytest.approx(0.7, abs=0.007)


@pytest.mark.parametrize(("name", "longest_s"), [("waveshare", 3276.7), ("r4d8a08", 255.0)])
def test_pulses_longer_than_the_board_can_time_are_refused(name: str, longest_s: float) -> None:
    room = BoardRoom(name)
    step_s = room.board.pulse_step_s
    assert room.board.protocol.pulse(0, round(longest_s / step_s)).sent
    with pytest.raises(ConfigError, match=f"at most {longest_s:g} s"):
        room.board.pulse(0, longest_s + step_s)


def test_a_board_told_not_to_time_pulses_times_none() -> None:
    assert BoardRoom("waveshare", pulses=False).board.pulse_step_s is None
