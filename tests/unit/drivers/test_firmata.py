"""Firmata inputs: published byte sequences, the contract on a pipe, noise and silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.bench.contract.sense import SenseContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceTimeout
from offhook.drivers.links import PipeLink
from offhook.drivers.sense.firmata import FirmataInputs, FirmataProtocol, Firmware, PortLevels
from offhook.fixtures.sensors import FirmataEnd
from offhook.fixtures.simclock import SimClock


class Rig:
    def __init__(self, pull_up: bool = False) -> None:
        self.clock = SimClock()
        self.near, self.far = PipeLink.pair(self.clock, "end://sense")
        self.sent = bytearray()
        self.end = FirmataEnd()
        self.end.connect(self.far)
        send = self.near.send

        def spy(data: bytes) -> None:
            self.sent.extend(data)
            send(data)

        self.near.send = spy  # type: ignore[method-assign]
        self.inputs = FirmataInputs("arduino", self.clock, self.near, pull_up=pull_up)


@pytest.fixture
def rig() -> Rig:
    return Rig()


class TestContract(SenseContract):
    @pytest.fixture
    def clock(self, rig: Rig) -> Clock:
        return rig.clock

    @pytest.fixture
    def inputs(self, rig: Rig) -> FirmataInputs:
        return rig.inputs

    @pytest.fixture(params=[2, 7, 8, 15, 19])
    def pin(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)

    @pytest.fixture
    def drive(self, rig: Rig, pin: int) -> Callable[[bool], None]:
        return lambda active: rig.end.level(pin, active)


def test_messages_as_published() -> None:
    protocol = FirmataProtocol()
    firmware = bytes.fromhex("F9 02 05 F0 79 02 05") + b"".join(bytes([ord(c), 0]) for c in "Std") + b"\xf7"
    assert protocol.feed(firmware) == [Firmware("Std", 2, 5)]
    assert protocol.feed(bytes.fromhex("90 04 00 91 7F 01")) == [PortLevels(0, 0x04), PortLevels(1, 0xFF)]


@pytest.mark.parametrize(("pull_up", "mode"), [(False, 0x00), (True, 0x0B)])
def test_connect_sends_the_published_bytes(pull_up: bool, mode: int) -> None:
    rig = Rig(pull_up)
    assert rig.inputs.connect() == "StandardFirmata.ino 2.5, 18 inputs"
    for pin in range(2, 20):
        assert bytes([0xF4, pin, mode]) in rig.sent
    assert rig.sent.endswith(bytes.fromhex("D0 01 D1 01 D2 01"))


def test_far_end_answers_as_published() -> None:
    clock = SimClock()
    near, far = PipeLink.pair(clock, "x")
    end = FirmataEnd()
    end.connect(far)
    heard = bytearray()
    near.attach(heard.extend, lambda reason: None)
    clock.sleep(0.001)
    heard.clear()
    near.send(bytes.fromhex("F0 79 F7 F9"))
    clock.sleep(0.001)
    name = b"".join(bytes([ord(c), 0]) for c in "StandardFirmata.ino")
    assert bytes(heard) == bytes.fromhex("F0 79 02 05") + name + bytes.fromhex("F7 F9 02 05")
    heard.clear()
    end.level(9, True)
    end.level(15, True)
    near.send(bytes.fromhex("F4 09 00 D1 01"))  # pin 15 is not an input yet: it reads 0
    clock.sleep(0.001)
    assert heard == bytes.fromhex("91 02 00")
    near.send(bytes.fromhex("F4 0F 0B D1 01"))
    clock.sleep(0.001)
    assert heard == bytes.fromhex("91 02 00 91 02 01")
    end.level(9, False)
    near.send(bytes.fromhex("D1 00"))
    clock.sleep(0.001)
    end.level(15, False)
    clock.sleep(0.001)
    assert heard == bytes.fromhex("91 02 00 91 02 01 91 00 01")


@given(st.binary(max_size=200).filter(lambda noise: b"\xf0" not in noise and b"\x90" not in noise), st.integers(0, 203))
def test_a_message_after_noise_is_read_however_it_arrives(noise: bytes, cut: int) -> None:
    stream = noise + b"\x90\x04\x00"
    protocol = FirmataProtocol()
    found = protocol.feed(stream[:cut]) + protocol.feed(stream[cut:])
    assert found[-1] == PortLevels(0, 0x04)


def test_endless_sysex_does_not_fill_memory_nor_stop_the_reader() -> None:
    protocol = FirmataProtocol()
    assert protocol.feed(b"\xf0" + b"\x01" * 100_000) == []
    assert len(protocol._message) < 1000
    assert protocol.feed(b"\x90\x04\x00") == [PortLevels(0, 4)]


def test_a_board_that_boots_late_is_asked_again(rig: Rig) -> None:
    rig.end.silent = True
    rig.clock.sleep(0.01)
    rig.inputs._firmware = None
    rig.clock.call_in(2.5, lambda: setattr(rig.end, "silent", False))
    rig.inputs.connect()
    assert 2.5 <= rig.clock.now_s() <= 3.1


def test_a_silent_board_fails_within_its_limit() -> None:
    clock = SimClock()
    near, _far = PipeLink.pair(clock, "end://sense")
    inputs = FirmataInputs("arduino", clock, near)
    with pytest.raises(DeviceTimeout, match=r"sense\.arduino"):
        inputs.connect()
    assert clock.now_s() == pytest.approx(5.0)


@pytest.mark.req("DRV-SER.3")
def test_an_unplugged_board_is_gone(rig: Rig) -> None:
    rig.inputs.connect()
    rig.far.close()
    rig.clock.sleep(0.01)
    with pytest.raises(DeviceGone, match=r"sense\.arduino"):
        rig.inputs.active(2)


def test_pins_must_make_sense() -> None:
    near, _ = PipeLink.pair(SimClock(), "x")
    with pytest.raises(ConfigError):
        FirmataInputs("arduino", SimClock(), near, pins=())


def test_an_edge_is_told_to_those_who_asked_for_its_pin_alone(rig: Rig) -> None:
    rig.inputs.connect()
    edges: list[int] = []
    for pin in (8, 9, 10):
        rig.inputs.subscribe(pin, lambda active, time_s, pin=pin: edges.append(pin))  # type: ignore[misc]
    rig.end.level(9, True)
    rig.clock.sleep(0.01)
    assert edges == [9]


def test_levels_of_an_earlier_connection_are_not_believed(rig: Rig) -> None:
    rig.inputs.connect()
    rig.end.silent = True
    with pytest.raises(DeviceTimeout, match="did not report"):
        rig.inputs.connect()
