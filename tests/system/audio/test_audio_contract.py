"""The sound card driver under the contract of every audio port, over real PortAudio: ALSA on PulseAudio, and JACK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from offhook.bench.contract.audio import AudioContract
from offhook.drivers.audio.soundcard import SoundCard
from offhook.drivers.clock import Clock
from offhook.fixtures.sound import JackServer, PulseServer, environment_of

LATE_S, GAIN = 0.01, 0.95


class CardContract(AudioContract):
    """Needs ``server``."""

    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def port(self, server: PulseServer | JackServer, clock: Clock) -> Iterator[SoundCard]:
        with environment_of(server):
            card = SoundCard("rack", clock, self.options)
            yield card
            card.close()

    @pytest.fixture
    def loop(self) -> tuple[int, int, float, float]:
        return 3, 3, LATE_S, GAIN


class TestPulseAudio(CardContract):
    options: ClassVar[dict[str, Any]] = {"device": "loop8", "rate_hz": 8000, "channels": 8, "loop": 7}

    @pytest.fixture
    def server(self, pulse_server: PulseServer) -> PulseServer:
        return pulse_server


class TestAtTheRateOfTheCard(CardContract):
    options: ClassVar[dict[str, Any]] = {"device": "loop8", "rate_hz": 48000, "channels": 8, "loop": 7}

    @pytest.fixture
    def server(self, pulse_server: PulseServer) -> PulseServer:
        return pulse_server


class TestJack(CardContract):
    options: ClassVar[dict[str, Any]] = {
        "device": "system",
        "host_api": "JACK",
        "rate_hz": 8000,
        "channels": 8,
        "loop": 7,
    }

    @pytest.fixture
    def server(self, jack_server: JackServer) -> JackServer:
        return jack_server
