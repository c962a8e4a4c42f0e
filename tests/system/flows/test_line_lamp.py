"""The line lamp of a phone, by colour and cadence; a wrong one is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.bench.session import Session, Wanted, opened
from offhook.drivers.errors import ConfigError, DeviceRefused
from offhook.fixtures.stations import SIMULATED

LAMP = 'lamp = { red = "arduino/17", green = "arduino/18" }\n'


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    text = SIMULATED.read_text("utf-8").replace("[phone.desk-1]\n", f"[phone.desk-1]\n{LAMP}")
    (tmp_path / "lamp.toml").write_text(text, "utf-8")
    with opened(Wanted(tmp_path / "lamp.toml", folder=tmp_path / "run")) as session:
        session.record.begin("test", "test", "test")
        session.station.begin()
        yield session
        session.station.end()


@pytest.mark.req("DRV-SENSE.1")
def test_it_is_dark_flashes_and_is_lit_as_the_phone_rests_rings_and_is_answered(session: Session) -> None:
    desk, caller = session.station.phone("desk-1"), session.station.phone("desk-2")
    assert desk.lamp.expect("").colour == ""
    caller.lift()
    assert caller.hears_dial_tone()
    caller.dial(desk.extension)
    assert str(desk.lamp.expect("red", "flash", within_s=8.0)) == "red flash"
    desk.lift()
    assert str(desk.lamp.expect("red", "on", within_s=8.0)) == "red on"
    desk.hang_up()
    caller.hang_up()
    assert desk.lamp.expect("", within_s=8.0).colour == ""


@pytest.mark.req("DRV-SENSE.1")
def test_a_wrong_colour_and_a_wrong_cadence_are_told(session: Session) -> None:
    desk, caller = session.station.phone("desk-1"), session.station.phone("desk-2")
    lamp = session.rig.wires.plant.room.lamps["desk-1"]  # type: ignore[attr-defined]
    lamp.colour = "green"
    desk.lift()
    with pytest.raises(DeviceRefused, match="lamp of desk-1: show red on: it shows green on"):
        desk.lamp.expect("red")
    desk.hang_up()
    lamp.colour, lamp.flash_s = "red", (0.25, 0.25)
    caller.lift()
    assert caller.hears_dial_tone()
    caller.dial(desk.extension)
    with pytest.raises(DeviceRefused, match="show red flash: it shows red fast flash"):
        desk.lamp.expect("red", "flash", within_s=6.0)
    caller.hang_up()


def test_a_phone_without_light_sensors_has_no_lamp(session: Session) -> None:
    with pytest.raises(ConfigError, match=r"phone\.desk-2: watch its lamp: no sensor is named"):
        _ = session.station.phone("desk-2").lamp
