"""What goes wrong on real wires: unplugged, frozen, garbled, taken, never there."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest
from wires_bench import Bench

from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.errors import DeviceGone, DeviceTimeout
from offhook.drivers.links import LabWires, SerialLink
from offhook.drivers.relay.numato import NumatoBoard
from offhook.drivers.sense.firmata import FirmataInputs


def open_board(bench: Bench) -> NumatoBoard:
    board = NumatoBoard.open("keys1", {"link": bench.addresses["keys"], "channels": 16}, bench.wires)
    board.connect()
    return board


@pytest.mark.req("DRV-SER.3")
def test_an_unplugged_board_is_gone(bench: Bench) -> None:
    board = open_board(bench)
    bench.unplug()
    with pytest.raises(DeviceGone, match=r"relay\.keys1: switch relay 3 on"):
        board.set(3, True)
    with pytest.raises(DeviceGone, match=r"relay\.keys1"):
        board.read_all()


@pytest.mark.req("DRV-SER.3")
def test_a_board_unplugged_while_it_is_waited_for_is_gone(bench: Bench) -> None:
    board = NumatoBoard.open("keys1", {"link": bench.addresses["keys"], "timeout_s": 60.0}, bench.wires)
    board.connect()
    bench.tell(lose=1)
    bench.wires.clock.call_at(bench.wires.clock.now_s() + 0.2, bench.unplug)
    with pytest.raises(DeviceGone, match="relay 3 on"):
        board.set(3, True)


def test_an_unplugged_sensor_board_is_gone(bench: Bench) -> None:
    inputs = FirmataInputs.open("arduino", {"link": bench.addresses["sense"]}, bench.wires)
    inputs.connect()
    bench.unplug()

    def read() -> bool:
        try:
            inputs.active(2)
        except DeviceGone as error:
            return "sense.arduino" in str(error)
        return False

    assert bench.wires.clock.wait_for(read, 30.0)


def test_a_lost_audio_connection_is_gone(bench: Bench) -> None:
    port = PipeAudio.open("rack", {"link": bench.addresses["rack"], "channels": 2}, bench.wires)
    port.connect()
    bench.tell(hang_up=True)
    bench.wires.clock.sleep(0.5)
    with pytest.raises(DeviceGone, match=r"audio\.rack"):
        port.mute()


@pytest.mark.req("DRV-SER.1")
def test_a_lost_acknowledgement_names_board_and_relay(bench: Bench) -> None:
    board = open_board(bench)
    bench.tell(lose=1)
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1: switch relay 7 on"):
        board.set(7, True)
    board.open_all()
    assert not any(board.read_all())


@pytest.mark.req("DRV-SER.3")
def test_a_frozen_board_is_a_timeout(bench: Bench) -> None:
    board = open_board(bench)
    bench.freeze()
    with pytest.raises(DeviceTimeout, match=r"relay\.keys1"):
        board.set(1, True)


@pytest.mark.req("DRV-SER.3")
@pytest.mark.parametrize("garbage", ["ff00fe", "3e3e3e", "72656c6179206f6e", "0a0d3e0a0d3e"])
def test_garbage_is_got_over(bench: Bench, garbage: str) -> None:
    board = open_board(bench)
    bench.tell(garbage=garbage)
    with contextlib.suppress(DeviceTimeout):  # an answer that cannot be told from garbage counts as none
        board.set(1, True)
    bench.tell(say=garbage)
    board.set(2, True)
    assert board.read_all()[2]


@pytest.mark.req("DRV-SER.3")
def test_a_board_that_reset_is_found_out_by_reading_back(bench: Bench) -> None:
    board = open_board(bench)
    board.set(4, True)
    bench.tell(reset=True)
    assert not any(board.read_all())


def test_a_port_is_opened_by_one_only(bench: Bench) -> None:
    open_board(bench)
    with pytest.raises(DeviceGone, match="open"):
        SerialLink(bench.wires.clock, bench.addresses["keys"])


def test_a_port_that_is_not_there_is_gone() -> None:
    wires = LabWires()
    with pytest.raises(DeviceGone, match=r"no-such-port.*by-id"):
        wires.link("/dev/no-such-port")


def test_nobody_listening_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DeviceGone, match="is the service running"):
        LabWires().link(f"tcp://127.0.0.1:{port}")


def test_closing_the_wires_ends_their_threads_and_frees_their_ports(bench: Bench) -> None:
    before = set(threading.enumerate())
    descriptors = len(os.listdir("/proc/self/fd"))
    for address in bench.addresses.values():
        bench.wires.link(address)
    assert len(set(threading.enumerate()) - before) == 3
    bench.wires.close()
    assert set(threading.enumerate()) == before
    assert len(os.listdir("/proc/self/fd")) == descriptors
