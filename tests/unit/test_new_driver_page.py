"""docs/new-driver.md: the driver on the page is a driver, in at most sixty lines."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from offhook.bench.contract.relay import RelayContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceError
from offhook.drivers.links import PipeLink
from offhook.drivers.relay import RelayBoard
from offhook.fixtures.relayboards import BoardEnd
from offhook.fixtures.simclock import SimClock

PAGE = Path(__file__).resolve().parents[2] / "docs" / "new-driver.md"


def source() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def driver() -> Any:
    module = types.ModuleType("acme_offhook")
    sys.modules["acme_offhook"] = module
    exec(compile(source(), str(PAGE), "exec"), module.__dict__)  # the page is the driver
    yield module.__dict__["AcmeBoard"]
    del sys.modules["acme_offhook"]


class AcmeEnd(BoardEnd):
    """The far end, from the page's first paragraph."""

    baud = 19200

    def take(self) -> tuple[int, Callable[[], bytes]] | None:
        line, found, _ = bytes(self._buffer).partition(b"\n")
        return (len(line) + 1, partial(self._obey, line)) if found else None

    def _obey(self, line: bytes) -> bytes:
        if line == b"?":
            return "".join(str(int(closed)) for closed in self.closed).encode() + b"\n"
        order = re.fullmatch(rb"S([0-4])([+-])", line)
        if order is None:
            return b"E\n"
        relays = range(4) if order[1] == b"0" else [int(order[1]) - 1]
        for relay in relays:
            self._switch(relay, order[2] == b"+")
        return line + b"\n"


class Room:
    def __init__(self, driver: Any) -> None:
        self.clock = SimClock()
        near, far = PipeLink.pair(self.clock, "/dev/acme")
        self.end = AcmeEnd(self.clock, "keys", 4, lambda relay, closed: None)
        self.end.connect(far)

        class Wires:
            clock = self.clock

            def link(self, address: str, baud: int) -> PipeLink:
                assert (address, baud) == ("/dev/acme", 19200)
                return near

        self.board = driver.open("keys", {"link": "/dev/acme", "channels": 4}, Wires())


@pytest.fixture
def room(driver: Any) -> Room:
    return Room(driver)


class TestTheDriverOnThePage(RelayContract):
    @pytest.fixture
    def clock(self, room: Room) -> Clock:
        return room.clock

    @pytest.fixture
    def board(self, room: Room) -> RelayBoard:
        board: RelayBoard = room.board
        return board


def test_it_has_at_most_sixty_lines() -> None:
    assert source().count("\n") <= 60


def test_it_takes_no_wrong_echo_for_done(room: Room) -> None:
    room.board.connect()
    room.end.instead = b"S2+\n"
    with pytest.raises(DeviceError, match=r"relay\.keys: switch relay 2 on: it answered .*/dev/acme"):
        room.board.set(2, True)
