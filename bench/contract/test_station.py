"""The suites, bound to the drivers of a station; see conftest.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from offhook.bench.contract.audio import AudioContract
from offhook.bench.contract.keypad import KeyingContract, KeypadContract
from offhook.bench.contract.linesim import LineSimulatorContract
from offhook.bench.contract.relay import RelayContract
from offhook.bench.contract.sense import Drive, SenseContract
from offhook.bench.contract.visa import GeneratorContract, MeterContract, ScopeContract
from offhook.bench.devices import keypad_of
from offhook.bench.station import Rig
from offhook.bench.station_model import ref
from offhook.drivers.audio import AudioPort
from offhook.drivers.keypad import Keypad
from offhook.drivers.linesim import LineSimulator
from offhook.drivers.relay import RelayBoard
from offhook.drivers.sense import SenseInputs
from offhook.drivers.visa import Generator, Meter, Scope

Hook = Callable[[str, bool], None]
LATE_S = 0.1
LEAST_SIDETONE = 0.05
LOOP_LATE_S, LEAST_OF_A_LOOP = 0.01, 0.05


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


class TestLoops(AudioContract):
    """Every loop of the station: a wire from an output to an input, which takes nothing away."""

    @pytest.fixture
    def port(self, rig: Rig, looped: str) -> AudioPort:
        """The card it is plugged to."""
        return rig.audio[ref(rig.model.loop[looped].play).board]

    @pytest.fixture
    def loop(self, rig: Rig, looped: str) -> tuple[int, int, float, float]:
        """As the station file has it."""
        model = rig.model.loop[looped]
        return ref(model.play).number, ref(model.hear).number, LOOP_LATE_S, LEAST_OF_A_LOOP


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


class TestLineSimulators(LineSimulatorContract):
    """Every line simulator."""

    @pytest.fixture
    def box(self, rig: Rig, linesim_name: str) -> LineSimulator:
        """One of them."""
        return rig.linesims[linesim_name]


def _connected(rig: Rig, name: str) -> Any:
    """An instrument. What a station in simulated time has none of is not run."""
    left_out = rig.left_out.get(f"instrument.{name}")
    if left_out is not None:
        pytest.skip(str(left_out))
    return rig.instruments[name]


class TestMeters(MeterContract):
    """Every meter."""

    @pytest.fixture
    def instrument(self, rig: Rig, meter_name: str) -> Meter:
        """One of them."""
        meter: Meter = _connected(rig, meter_name)
        return meter


class TestScopes(ScopeContract):
    """Every oscilloscope."""

    @pytest.fixture
    def instrument(self, rig: Rig, scope_name: str) -> Scope:
        """One of them."""
        scope: Scope = _connected(rig, scope_name)
        return scope


class TestGenerators(GeneratorContract):
    """Every signal generator."""

    @pytest.fixture
    def instrument(self, rig: Rig, generator_name: str) -> Generator:
        """One of them."""
        generator: Generator = _connected(rig, generator_name)
        return generator
