"""A world in a process of the test's own, so that everything but the bench outlives the bench."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from safety_room import Board, addresses, board, station_file

from offhook.fixtures.ends import FarEndWires, open_simulated
from offhook.fixtures.stations import SIMULATED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarEndWires]:
    """Everything but the relay boards that the tests look at."""
    station = tomllib.loads(SIMULATED.read_text("utf-8"))
    opened = open_simulated(station, seed=1, realtime=True, workdir=tmp_path_factory.mktemp("world"))
    assert isinstance(opened, FarEndWires)
    yield opened
    opened.close()


@pytest.fixture
def keys(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Board]:
    """The board of desk-1: on a serial port, or where the parameter says "tcp"."""
    with board(tmp_path / "keys1") as made:
        if getattr(request, "param", "serial") == "tcp":
            made.listen()
        yield made


@pytest.fixture
def resting(tmp_path: Path) -> Iterator[Board]:
    """The board of desk-2, whose hook rests on a closed contact."""
    with board(tmp_path / "keys2") as made:
        yield made


@pytest.fixture
def station(tmp_path: Path, world: FarEndWires, keys: Board, resting: Board) -> Path:
    """A station file on real wires; a bench that hangs is noticed after a second."""
    where = addresses(world) | {"end://keys1": keys.address, "end://keys2": resting.address}
    return station_file(
        tmp_path,
        where,
        **{
            'contact = "keys2/8", closed = "off-hook", safe = "open"': 'contact = "keys2/8", closed = "on-hook", '
            'safe = "closed"',
            "[options]": "[guardian]\nhung_s = 1.0\n\n[options]",
        },
    )
