"""Sound servers of a test module: started when its first test asks for one, gone with it.

Not of the session: they, and who patches JACK's clients, would take time from every test that comes after.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offhook.drivers.clock import Clock, WallClock
from offhook.fixtures.sound import JackServer, PulseServer, environment_of

CHANNELS = 8


@pytest.fixture(scope="module")
def pulse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseServer]:
    sinks = {"loop8": CHANNELS, "loop1": 1, "loop16": 16, "slow1": (1, 8000)}
    server = PulseServer(tmp_path_factory.mktemp("pulse"), sinks)
    server.start()
    yield server
    pid = server.pid
    server.stop()
    assert pid, "PulseAudio ended before the module did"


@pytest.fixture(scope="module")
def jack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JackServer]:
    server = JackServer(tmp_path_factory.mktemp("jack"), CHANNELS)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pulse(pulse_server: PulseServer) -> Iterator[PulseServer]:
    with environment_of(pulse_server):
        yield pulse_server


@pytest.fixture
def clock() -> Clock:
    return WallClock()
