"""Disturbed wires, shaky networks and broken cards do what their names say, and nothing while they are sound."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from unit.plant.plant_hands import station

from offhook.drivers.audio.pipe import Message
from offhook.drivers.links import PipeLink
from offhook.fixtures.asgi import AsgiTransport, Event, Scope
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.faults import FaultBoard
from offhook.fixtures.faulty.boards import FREEZES_AFTER, freezing, take_board_faults
from offhook.fixtures.faulty.http import ShakyHttp
from offhook.fixtures.faulty.links import DisturbedLink
from offhook.fixtures.sensors import FirmataEnd
from offhook.fixtures.simclock import SimClock

Samples = NDArray[np.int16]


def answers(lose: int = 0, garble: int = 0) -> list[bytes]:
    """What the bench gets of six answers."""
    clock, heard = SimClock(), list[bytes]()
    near, far = PipeLink.pair(clock, "end://keys1")
    near.attach(heard.append, lambda reason: None)
    link = DisturbedLink(far)
    link.lose_every, link.garble_every = lose, garble
    for number in range(6):
        link.send(b"ok %d" % number)
    clock.sleep(0.1)
    return heard


def test_a_disturbed_link_is_sound_until_it_is_disturbed() -> None:
    assert answers() == [b"ok %d" % number for number in range(6)]


@pytest.mark.req("DRV-SIM.2")
def test_every_so_many_answers_are_lost() -> None:
    assert answers(lose=3) == [b"ok 0", b"ok 1", b"ok 3", b"ok 4"]


@pytest.mark.req("DRV-SIM.2")
def test_every_so_many_answers_are_garbled() -> None:
    heard = answers(garble=4)
    assert [number for number, answer in enumerate(heard) if answer != b"ok %d" % number] == [3]
    assert len(heard[3]) > len(b"ok 3")


async def sound(scope: Scope, receive: object, send: object) -> None:
    start: Event = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    await send(start)  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"{}"})  # type: ignore[operator]


def statuses(*faults: str) -> list[tuple[int, str]]:
    """Status and type of six answers."""
    board = FaultBoard()
    transport = AsgiTransport(ShakyHttp(sound, board))
    for fault in faults:
        board.add(fault)
    with httpx.Client(base_url="http://cloud.sim", transport=transport, trust_env=False) as client:
        found = [(answer.status_code, answer.headers["content-type"]) for answer in (client.get("/") for _ in range(6))]
    transport.shut()
    return found


@pytest.mark.req("DRV-SIM.2")
def test_every_so_many_requests_fail() -> None:
    assert [status for status, _ in statuses()] == [200] * 6
    assert [status for status, _ in statuses("http-errors:2")] == [200, 500] * 3
    assert [kind for _, kind in statuses("http-pages:3")][2] == "text/html"


class Card:
    """A rack at the end of a wire; ``heard`` is what reaches the bench."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.faults = FaultBoard(["desk-1", "desk-2"])
        self.rack = AudioPipeEnd(self.clock, 8000, 10, lambda channel, frame, samples: None)
        self.heard: list[Message] = []
        self.rack._tell = self.heard.append  # type: ignore[method-assign]
        self.rack._links = [PipeLink.pair(self.clock, "end://rack")[1]]
        self.ends = {"rack": self.rack, "sense": FirmataEnd()}
        take_board_faults(self.ends, station(), self.faults)

    def blocks(self, count: int) -> list[Samples]:
        """Render blocks whose channels hold their own number."""
        for number in range(count):
            self.rack.block(number * 160, np.repeat(np.arange(10, dtype=np.int16)[:, None], 160, axis=1))
        return [np.frombuffer(each.payload, dtype="<i2").reshape(10, -1) for each in self.heard if each.kind == "B"]


@pytest.mark.req("DRV-SIM.2")
def test_swapped_handsets_change_their_channels() -> None:
    card = Card()
    card.faults.add("swapped-handsets:desk-1:desk-2")
    assert [int(row[0]) for row in card.blocks(1)[0]] == [1, 0, *range(2, 10)]


@pytest.mark.req("DRV-SIM.2")
def test_a_card_whose_clock_is_fast_counts_more_frames() -> None:
    card = Card()
    card.faults.add("drifted-clock:20000")
    counted = sum(block.shape[1] for block in card.blocks(50))
    assert counted == pytest.approx(50 * 160 * 1.02, abs=1)
    first = [each.first_frame for each in card.heard]
    assert first == [int(number * 160 * 1.02) for number in range(50)]


@pytest.mark.req("DRV-SIM.2")
def test_a_frozen_card_stops_for_good() -> None:
    heard: list[Message] = []
    told = freezing(heard.append)
    for number in range(FREEZES_AFTER + 20):
        told(Message("B", number * 160, 160, 10))
    told(Message("G", 0))
    assert [each.first_frame for each in heard] == [number * 160 for number in range(FREEZES_AFTER)]
