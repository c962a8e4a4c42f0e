"""The suites, bound to the drivers of a station; see conftest.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from offhook.bench.contract.audio import AudioContract
from offhook.bench.contract.keypad import KeyingContract, KeypadContract
from offhook.bench.contract.relay import RelayContract
from offhook.bench.contract.sense import Drive, SenseContract
from offhook.bench.devices import keypad_of
from offhook.bench.station import Rig
from offhook.drivers.audio import AudioPort
from offhook.drivers.keypad import Keypad
from offhook.drivers.relay import RelayBoard
from offhook.drivers.sense import SenseInputs

Hook = Callable[[str, bool], None]
LATE_S = 0.1
LEAST_SIDETONE = 0.05


class TestRelays(RelayContract):
    """Every relay board."""

    @pytest.fixture
    def board(self, rig: Rig, relay_name: str) -> RelayBoard:
        """One of them."""
        return rig.relays[relay_name]


class TestSensors(SenseContract):
    """Every sensor board, by the hook sensor of a phone whose hook its relay moves."""

    @pytest.fixture
    def pin(self, rig: Rig, sensed_phone: str) -> int:
        """The hook sensor's."""
        return int(str(rig.model.phone[sensed_phone].hook_sense).partition("/")[2])

    @pytest.fixture
    def inputs(self, rig: Rig, sensed_phone: str) -> SenseInputs:
        """The board it is on."""
        return rig.senses[str(rig.model.phone[sensed_phone].hook_sense).partition("/")[0]]

    @pytest.fixture
    def drive(self, hook: Hook, sensed_phone: str) -> Drive:
        """Lift the handset, or put it down."""
        return lambda active: hook(sensed_phone, active)


class TestAudio(AudioContract):
    """Every audio port, by the sidetone of a phone: what is said into its handset is heard in it."""

    @pytest.fixture
    def port(self, rig: Rig, phone_name: str) -> AudioPort:
        """The port the handset is wired to."""
        return rig.audio[rig.model.phone[phone_name].handset.partition("/")[0]]

    @pytest.fixture
    def loop(self, rig: Rig, phone_name: str, hook: Hook) -> tuple[int, int, float, float]:
        """The handset, lifted."""
        hook(phone_name, True)
        rig.clock.sleep(1.0)
        channel = int(rig.model.phone[phone_name].handset.partition("/")[2])
        return channel, channel, LATE_S, LEAST_SIDETONE


class TestKeypads(KeypadContract):
    """Every phone's keypad of relay contacts."""

    @pytest.fixture
    def boards(self, rig: Rig) -> list[RelayBoard]:
        """Every board of the station, as nothing else may stay closed either."""
        return list(rig.relays.values())

    @pytest.fixture
    def keypad(self, rig: Rig, relay_phone: str) -> Keypad:
        """One of them."""
        return keypad_of(relay_phone, rig.model.phone[relay_phone], rig)


class TestWebKeypads(KeyingContract):
    """Every phone's keypad that is pressed over its own web server. What only a person can press is left out."""

    @pytest.fixture
    def keypad(self, rig: Rig, web_phone: str) -> Keypad:
        """One of them."""
        return keypad_of(web_phone, rig.model.phone[web_phone], rig)
