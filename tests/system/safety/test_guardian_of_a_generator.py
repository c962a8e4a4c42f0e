"""A generator that is left on: over every wire that the guardian speaks, and what is said where it does not."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from safety_generator import Generator, generator, left_on

from offhook.bench.guardian import Guardian
from offhook.bench.guardian_board import Armed, Safed, make_safe
from offhook.bench.guardian_hislip import HislipPort
from offhook.drivers.clock import WallClock
from offhook.drivers.links import LabWires
from offhook.drivers.visa.generator import ScpiGenerator


@pytest.fixture
def wires() -> Iterator[LabWires]:
    wires = LabWires()
    yield wires
    wires.close()


def armed_of(at: str, wires: LabWires) -> Armed:
    action = ScpiGenerator.open("g", {"link": at}, wires).safe_action()
    assert action is not None
    order = {"address": action.address, "baud": action.baud, "locked": action.locked}
    return Armed.of({**order, "send": action.sent.hex(), "expect": action.expected.hex()})


def made_safe(far: Generator, wires: LabWires, patience_s: float = 0.0) -> Safed:
    done = Safed("instrument.g", far.link)
    make_safe(armed_of(far.link, wires), done, 0.0, patience_s)
    return done


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize("wire", ["socket", "HiSLIP", "serial"])
def test_it_is_switched_off_and_read_back(wire: str, wires: LabWires) -> None:
    with generator(wire) as far:
        far.turn_on()
        done = made_safe(far, wires)
        assert (done.ok, done.read_back, far.is_on) == (True, "173;0\n", False)


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize("wire", ["socket", "HiSLIP", "serial"])
def test_one_that_ignores_its_command_is_not_called_safe(wire: str, wires: LabWires) -> None:
    with generator(wire) as far:
        far.turn_on()
        far.device.obeys = False
        done = made_safe(far, wires)
        assert (done.ok, done.error, done.read_back) == (False, "it answered something else", "173;1\n")


def test_a_late_reply_is_not_taken_for_off() -> None:
    """What the dead bench had asked for comes first, and it is a 0."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"0\n173;1\n")
            peer.recv(4096)

    thread = threading.Thread(target=answer)
    thread.start()
    address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    order = {"address": address, "baud": 9600, "send": b"x".hex(), "expect": b"173;0\n".hex()}
    done = Safed("instrument.g", address)
    server.settimeout(5)
    make_safe(Armed.of(order), done, 0.0, 0.0)
    thread.join(5)
    server.close()
    assert (done.ok, done.read_back) == (False, "0\n173;1\n")


def test_what_does_not_speak_hislip_is_no_instrument() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(ConnectionError, match="does not speak HiSLIP"):
        HislipPort(f"hislip://127.0.0.1:{server.getsockname()[1]}/hislip0")
    thread.join(5)
    server.close()


@pytest.mark.parametrize("name", ["USB0::0x0957::0x2007::MY1::INSTR", "GPIB0::10::INSTR", "TCPIP::10.0.3.20::INSTR"])
def test_what_only_visa_reaches_is_said_to_be_unguarded(name: str, wires: LabWires) -> None:
    guard = Guardian(WallClock(), 2.0)
    try:
        why = guard.arm_generator("instrument.g", ScpiGenerator.open("g", {"link": name}, wires))
        assert why.startswith("only VISA reaches it: use its tcp:// or hislip:// port")
        assert guard.armed == []
        assert "no safe_action" in guard.arm_generator("instrument.g", object())
    finally:
        guard.end()


@pytest.mark.req("BENCH-RUN.3")
def test_a_bench_killed_while_only_a_generator_sends(tmp_path: Path) -> None:
    assert left_on("socket", signal.SIGKILL)(tmp_path).took_s < 1.0


@pytest.mark.req("BENCH-RUN.3")
def test_a_bench_that_hangs_while_only_a_generator_sends(tmp_path: Path) -> None:
    """No relay is closed: the output alone makes the guardian strict."""
    assert left_on("HiSLIP", signal.SIGSTOP)(tmp_path).took_s < 2.0
