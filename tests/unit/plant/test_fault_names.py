"""The board of faults, and that every fault there is can be switched on, and off again, in a whole world."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.plant.plant_hands import station

from offhook.drivers.errors import ConfigError
from offhook.fixtures.faults import BY_WIRE, KINDS, FaultBoard
from offhook.fixtures.faulty.parts import Parts
from offhook.fixtures.instruments.lines import BoxLine
from offhook.fixtures.plants import World, build_world
from offhook.fixtures.stations import INSTRUMENTS

EXAMPLES = {
    "PHONE": "desk-1", "KEY": "5", "EXT": "1003", "KIND": "Delivered", "MS": "30", "SECONDS": "2", "NTH": "9",
    "INSTRUMENT": "meter", "VOLTS": "20", "DB": "6", "DBM0": "-20", "PERCENT": "2", "PPM": "500",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """The simulated station; for a fault of instruments or lines the one that has them."""
    analog = {**BY_WIRE["instrument"], **BY_WIRE["line"]}
    kind = request.getfixturevalue("kind") if "kind" in request.fixturenames else ""
    table = station() | {"linesim": {"tls": {"driver": "teltone", "line": "rack/9", "loop": "keys1/9"}}}
    tables = tomllib.loads(INSTRUMENTS.read_text("utf-8")) if kind in analog else table
    found = build_world("simulated", tables, seed=1, workdir=tmp_path)
    found.seal()
    yield found
    found.close()


def parts_of(world: World) -> list[dict[str, object]]:
    """What a broken part would show in: the attributes that ends carry beside those of their class."""
    plant = world.plant
    ends = [plant.pbx, plant.pbx.locks, plant.pbx.monitors, plant.trunk, plant.room, *plant.ends.values()]
    ends += [end.desk.device for end in plant.ends.values() if hasattr(end, "desk")]
    for phone in plant.room.phones.values():
        ends += [phone, phone.keypad, phone.tone, phone.line]
    ends += [*plant.room.lamps.values(), *plant.pbx.extensions.values()]
    ends += [box for line in plant.room._handsets.values() if isinstance(line, BoxLine) for box in (line, line.box)]
    return [dict(vars(end)) for end in ends]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.req("DRV-SIM.2")
def test_every_fault_can_be_switched_on_and_off(world: World, kind: str) -> None:
    board = world.plant.faults
    arguments = [EXAMPLES.get(wanted) or board.known(wanted)[0] for wanted in KINDS[kind]]
    if kind in ("swap-keys", "swapped-handsets", "swapped-lamp-sensors"):
        arguments[-1] = {"KEY": "7", "PHONE": "desk-3"}[KINDS[kind][-1]]
    if kind == "output-stays-on":
        arguments = ["generator"]
    before = parts_of(world)

    board.add(":".join((kind, *arguments)))
    world.plant.clock.sleep(3.0)
    board.remove(":".join((kind, *arguments)))
    world.plant.clock.sleep(3.0)

    after = parts_of(world)
    assert [set(each) for each in after] == [set(each) for each in before]


def test_a_fault_is_at_one_wire_only() -> None:
    assert sum(len(kinds) for kinds in BY_WIRE.values()) == len(KINDS)


def test_a_fault_that_nobody_does_is_no_sound_world() -> None:
    board = FaultBoard()
    board.handle("cut:cti", lambda names, on: None)
    board.add("no-trunk")
    with pytest.raises(ConfigError, match=r"no-trunk: switch on: nothing in this world has it"):
        board.seal()
    with pytest.raises(ConfigError, match="hidden-ddi"):
        board.add("hidden-ddi")
    board.add("cut:cti")


class Bell:
    def strike(self) -> str:
        return "ding"


def test_two_faults_of_one_part_come_and_go_in_any_order() -> None:
    board, bell = FaultBoard(["desk-1", "desk-2"]), Bell()
    Parts(board).break_by("dead-bell", bell, "strike", lambda strike, name: lambda: f"{name}({strike()})")
    board.add("dead-bell:desk-1")
    board.add("dead-bell:desk-2")
    assert bell.strike() == "desk-2(desk-1(ding))"
    board.remove("dead-bell:desk-1")
    assert bell.strike() == "desk-2(ding)"
    board.remove("dead-bell:desk-2")
    assert bell.strike() == "ding"


def test_a_part_that_is_not_there_cannot_be_broken() -> None:
    board = FaultBoard(["desk-1"])
    Parts(board).break_by("dead-bell", Bell(), "ring", lambda ring, name: ring)
    with pytest.raises(ConfigError, match="Bell has no part 'ring'"):
        board.add("dead-bell:desk-1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wrong-ring-cadenze", "wrong-ring-cadence:PHONE:MS:MS"),
        ("wrong-rings:1003", "wrong-ring:1003"),
        ("dead-bel:desk-1", "dead-bell:desk-1"),
        ("cut:hanset:desk-1", "cut:handset:desk-1"),
        ("cut:handset:desk1", "desk-1"),
        ("swap-key:desk-1:1", "swap-keys:PHONE:KEY:KEY"),
        ("CUT:CTI", "cut:cti"),
        ("wrong-cloud:no-retri", "no-retry"),
        ("xyzzy", "a name from docs/faults.md, such as cut:relay:PHONE, "),
    ],
)
@pytest.mark.req("DRV-SIM.2")
def test_a_mistyped_fault_is_refused_with_the_one_that_was_probably_meant(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError) as told:
        FaultBoard(["desk-1", "desk-2"]).add(typed)
    assert told.value.hint.startswith(meant)
