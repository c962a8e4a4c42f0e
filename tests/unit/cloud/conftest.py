from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloud_room import Room, station

MakeRoom = Callable[..., Room]


@pytest.fixture
def make_room() -> Iterator[MakeRoom]:
    """Rooms by option: ``make_room(lock="notify")``; closed afterwards."""
    rooms: list[Room] = []

    def make(config: dict[str, Any] | None = None, database: str = ":memory:", **options: Any) -> Room:
        rooms.append(Room(config or station(**options), database))
        return rooms[-1]

    yield make
    for room in rooms:
        room.close()


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """The service without a lock."""
    return make_room()


@pytest.fixture
def locking(make_room: MakeRoom) -> Room:
    """The service with the lock by notification."""
    return make_room(lock="notify")
