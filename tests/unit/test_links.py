"""Pipes between the bench and a simulated device, and what real wires refuse before they open anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.links import Grade, LabWires, PipeLink, TcpLink
from offhook.fixtures.simclock import SimClock


class Listener:
    def __init__(self, link: PipeLink) -> None:
        self.heard = bytearray()
        self.lost: list[str] = []
        link.attach(self.heard.extend, self.lost.append)


def pair(latency_s: float = 0.0) -> tuple[SimClock, PipeLink, PipeLink]:
    clock = SimClock()
    near, far = PipeLink.pair(clock, "end://x", latency_s)
    return clock, near, far


def test_bytes_arrive_at_the_other_end_and_only_there() -> None:
    clock, near, far = pair()
    at_near, at_far = Listener(near), Listener(far)
    near.send(b"ping")
    assert at_far.heard == b""
    clock.sleep(0.001)
    far.send(b"pong")
    clock.sleep(0.001)
    assert (bytes(at_near.heard), bytes(at_far.heard)) == (b"pong", b"ping")


@given(st.lists(st.binary(min_size=1, max_size=8), max_size=20), st.sampled_from([0.0, 0.002]))
def test_bytes_arrive_in_order(sent: list[bytes], latency_s: float) -> None:
    clock, near, far = pair(latency_s)
    at_far = Listener(far)
    for data in sent:
        near.send(data)
    clock.sleep(0.01)
    assert bytes(at_far.heard) == b"".join(sent)


def test_latency_is_the_time_on_the_wire() -> None:
    clock, near, far = pair(0.005)
    came: list[float] = []
    far.attach(lambda data: came.append(clock.now_s()), lambda reason: None)
    near.send(b"x")
    clock.sleep(1.0)
    assert came == [0.005]


def test_bytes_that_came_early_wait_for_whoever_attaches() -> None:
    clock, near, far = pair()
    near.send(b"ab")
    near.send(b"c")
    clock.sleep(0.001)
    assert bytes(Listener(far).heard) == b"abc"


def test_a_cut_wire_is_silent_both_ways_and_tells_nobody() -> None:
    clock, near, far = pair()
    at_near, at_far = Listener(near), Listener(far)
    far.cut()
    near.send(b"lost")
    far.send(b"lost")
    far.close()
    clock.sleep(1.0)
    assert (bytes(at_near.heard), bytes(at_far.heard), at_near.lost) == (b"", b"", [])


def test_what_is_under_way_when_the_wire_is_cut_is_lost() -> None:
    clock, near, far = pair(0.01)
    at_far = Listener(far)
    near.send(b"x")
    far.cut()
    clock.sleep(1.0)
    assert at_far.heard == b""


def test_a_mended_wire_carries_what_is_sent_from_then_on() -> None:
    clock, near, far = pair()
    at_far = Listener(far)
    near.cut()
    near.send(b"lost")
    near.mend()
    near.send(b"heard")
    clock.sleep(0.001)
    assert bytes(at_far.heard) == b"heard"


def test_closing_one_end_is_a_loss_at_the_other_once() -> None:
    clock, near, far = pair()
    at_near, at_far = Listener(near), Listener(far)
    far.close()
    far.close()
    clock.sleep(0.001)
    assert len(at_near.lost) == 1
    assert at_far.lost == []
    with pytest.raises(DeviceGone, match="end://x"):
        near.send(b"x")


def test_nothing_is_delivered_to_an_end_that_closed() -> None:
    clock, near, far = pair()
    at_far = Listener(far)
    near.send(b"x")
    far.close()
    clock.sleep(0.001)
    assert at_far.heard == b""
    with pytest.raises(DeviceGone):
        far.send(b"x")


@pytest.mark.parametrize("address", ["tcp://", "tcp://host", "tcp://host:", "tcp://host:http", "tcp://:80"])
def test_a_tcp_address_must_be_host_and_port(address: str) -> None:
    with pytest.raises(ConfigError, match="tcp://host:port"):
        TcpLink(SimClock(), address)


def test_an_end_that_is_not_there_is_named_with_those_that_are() -> None:
    wires = LabWires(renamed={"end://keys1": "/dev/null", "end://cti": "tcp://127.0.0.1:1"})
    with pytest.raises(ConfigError, match=r"end://keys9.*end://cti, end://keys1"):
        wires.link("end://keys9")
    with pytest.raises(ConfigError, match="end://cloud"):
        wires.http("end://cloud")


def test_a_real_http_address_is_left_alone() -> None:
    wires = LabWires(Grade.HARDWARE, renamed={"end://cloud": "http://127.0.0.1:8080"})
    assert wires.http("https://cloud.example") == ("https://cloud.example", None)
    assert wires.http("end://cloud") == ("http://127.0.0.1:8080", None)
    assert wires.grade is Grade.HARDWARE


def test_grades_are_ordered_from_the_weakest() -> None:
    assert min(Grade.HARDWARE, Grade.SIMULATED, Grade.LOOPBACK) is Grade.SIMULATED
    assert Grade.LOOPBACK < Grade.HARDWARE
