"""The contract suites over a real pty and a real TCP connection, with the device in another process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from wires_bench import Bench

from offhook.bench.contract.audio import AudioContract
from offhook.bench.contract.keypad import KeypadContract
from offhook.bench.contract.relay import RelayContract
from offhook.bench.contract.sense import SenseContract
from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.keypad.contacts import Contact
from offhook.drivers.keypad.matrix import MatrixKeypad
from offhook.drivers.relay import RelayBoard
from offhook.drivers.relay.numato import NumatoBoard
from offhook.drivers.sense.firmata import FirmataInputs


@pytest.fixture
def board(bench: Bench) -> NumatoBoard:
    return NumatoBoard.open("keys", {"link": bench.addresses["keys"], "channels": 16}, bench.wires)


@pytest.mark.req("DRV-SER.1")
class TestNumatoOnAPty(RelayContract):
    pass


class TestFirmataOnAPty(SenseContract):
    @pytest.fixture
    def inputs(self, bench: Bench) -> FirmataInputs:
        return FirmataInputs.open("arduino", {"link": bench.addresses["sense"]}, bench.wires)

    @pytest.fixture
    def pin(self) -> int:
        return 2

    @pytest.fixture
    def drive(self, board: NumatoBoard) -> Callable[[bool], None]:
        board.connect()
        return lambda active: board.set(0, active)


class TestAudioPipeOnTcp(AudioContract):
    @pytest.fixture
    def port(self, bench: Bench) -> PipeAudio:
        return PipeAudio.open("rack", {"link": bench.addresses["rack"], "channels": 2}, bench.wires)

    @pytest.fixture
    def loop(self) -> tuple[int, int, float, float]:
        return 1, 1, 0.0, 0.9


class TestKeypadOnAPty(KeypadContract):
    hold_tolerance_s = 5.0  # this machine is shared: how well it keeps time is for a real bench to prove

    @pytest.fixture
    def boards(self, board: NumatoBoard) -> list[RelayBoard]:
        board.connect()
        return [board]

    @pytest.fixture
    def keypad(self, bench: Bench, board: NumatoBoard, boards: list[RelayBoard]) -> MatrixKeypad:
        rows = [Contact(board, relay) for relay in range(4)]
        columns = [Contact(board, relay) for relay in range(4, 7)]
        return MatrixKeypad("desk-1", bench.wires.clock, rows, columns)
