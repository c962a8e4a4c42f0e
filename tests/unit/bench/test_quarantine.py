"""Which failures make a phone dead, and phones that are set aside by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.bench import quarantine
from offhook.bench.flows import StepFailed
from offhook.bench.phone import WireCut
from offhook.bench.quarantine import Quarantine
from offhook.bench.station_file import find_station, load_station
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout

DEAD = [
    WireCut("handset of desk-2", "call", "no dial tone", "offhook check"),
    DeviceGone("relay.keys2", "close 3", "unplugged"),
    DeviceTimeout("relay.keys2", "close 3", "no answer"),
    StepFailed("S15", "desk-2 rings", "no ring within 3 s of MakeCall", "ringer sensor or PBX"),
    StepFailed("S33", "the prompt in the ear of desk-2", "silence", "handset audio of desk-2 (rack/1)"),
    StepFailed("S27", "4711 at the IVR", "nothing at the IVR, nothing in the ear", "keypad relays of desk-2"),
]
ALIVE = [
    AssertionError("false lock: desk-2 is said to be locked and still seized a line"),
    StepFailed("S27", "4711 at the IVR", "47711 at the IVR, 47711 in the ear", "keypad relays of desk-2"),
    StepFailed("S16", "an outside line seized", "none within 3 s", "trunk or PBX"),
    StepFailed("S15", "desk-22 rings", "no ring within 3 s of MakeCall", "ringer sensor or PBX"),
    DeviceGone("relay.keys1", "close 3", "unplugged"),
    DeviceTimeout("pbx", "lock", "no answer"),
    DeviceRefused("relay.keys2", "close 3", "said no"),
]


@pytest.fixture
def phones() -> Quarantine:
    return Quarantine(load_station(find_station("simulated")).model.phone)


@pytest.mark.req("BENCH-RUN.5")
@pytest.mark.parametrize("error", DEAD, ids=lambda error: str(error)[:30])
def test_silence_on_its_own_wires_three_times_in_a_row_is_the_end(phones: Quarantine, error: Exception) -> None:
    assert [bool(phones.failed("desk-2", error)) for _ in range(4)] == [False, False, True, False]
    assert list(phones.out) == ["desk-2"]
    assert phones.out["desk-2"].startswith("3 failures in a row on its own wires, the last: ")
    assert "(try:" not in phones.out["desk-2"]


@pytest.mark.parametrize("error", ALIVE, ids=lambda error: str(error)[:30])
def test_what_does_the_wrong_thing_or_hangs_on_other_wires_is_not_dead(phones: Quarantine, error: Exception) -> None:
    assert not any(phones.failed("desk-2", error) for _ in range(5))
    assert phones.out == {}


def test_a_step_that_failed_for_a_dead_board_counts_as_that(phones: Quarantine) -> None:
    failed = StepFailed("key_code", "the stage to go on", "relay.keys2: no answer", "the wire to relay.keys2")
    failed.__cause__ = DeviceTimeout("relay.keys2", "close 3", "no answer")

    assert [bool(phones.failed("desk-2", failed)) for _ in range(3)] == [False, False, True]


def test_a_pass_in_between_begins_the_count_anew(phones: Quarantine) -> None:
    for _ in range(4):
        phones.failed("desk-2", DEAD[0])
        phones.failed("desk-2", DEAD[0])
        phones.passed("desk-2")
    assert phones.out == {}


def test_zero_means_never() -> None:
    never = Quarantine(load_station(find_station("simulated")).model.phone, limit=0)
    for _ in range(10):
        never.failed("desk-2", DEAD[0])
    assert never.out == {}


def test_what_is_set_aside_by_hand_stays_until_it_is_released(tmp_path: Path) -> None:
    quarantine.add(tmp_path, "lab 3", "desk-2", "handset cable")
    quarantine.add(tmp_path, "lab 3", "desk-4", "sent to the vendor")

    assert list(quarantine.by_hand(tmp_path, "lab 3")) == ["desk-2", "desk-4"]
    assert quarantine.by_hand(tmp_path, "lab 3")["desk-2"].endswith(": handset cable")
    assert quarantine.by_hand(tmp_path, "lab 4") == {}

    quarantine.release(tmp_path, "lab 3", "desk-2")
    assert list(quarantine.by_hand(tmp_path, "lab 3")) == ["desk-4"]
    with pytest.raises(ConfigError, match=r"desk-2: release: .*there are: lab 3 desk-4"):
        quarantine.release(tmp_path, "lab 3", "desk-2")


@pytest.mark.parametrize("text", ["{", "[]", '{"lab": {"desk-1": "why"}}', '{"lab": 1}'])
def test_a_spoilt_quarantine_is_one_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "quarantine.json").write_text(text)

    with pytest.raises(ConfigError, match="repair or remove it"):
        quarantine.by_hand(tmp_path, "lab")
