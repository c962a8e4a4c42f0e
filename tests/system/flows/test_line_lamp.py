"""The line lamp of a phone, by colour and cadence; a wrong one is told, flicker is not; makers have their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import LabBuilder

from offhook.bench.phone import Phone
from offhook.bench.session import Session, Wanted, opened
from offhook.drivers.errors import ConfigError, DeviceRefused
from offhook.fixtures.stations import SIMULATED


@pytest.fixture
def session(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Session]:
    """The shipped station, with texts of its file replaced as the test asks."""
    text = SIMULATED.read_text("utf-8")
    for old, new in getattr(request, "param", ()):
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "lamp.toml").write_text(text, "utf-8")
    with opened(Wanted(tmp_path / "lamp.toml", folder=tmp_path / "run")) as session:
        session.record.begin("test", "test", "test")
        session.station.begin()
        yield session
        session.station.end()


def call(caller: Phone, desk: Phone) -> None:
    caller.lift()
    assert caller.hears_dial_tone()
    caller.dial(desk.extension)


@pytest.mark.req("DRV-SENSE.1", "SIM-PHONE.1")
def test_it_is_dark_flashes_and_is_lit_as_the_phone_rests_rings_and_is_answered(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk, caller = lab.station.phone("desk-1"), lab.station.phone("desk-2")
        assert desk.lamp.expect("").colour == ""
        call(caller, desk)
        assert str(desk.lamp.expect("red", "flash", within_s=8.0)) == "red flash"
        desk.lift()
        assert str(desk.lamp.expect("red", "on", within_s=8.0)) == "red on"
        desk.hang_up()
        caller.hang_up()
        assert desk.lamp.expect("", within_s=8.0).colour == ""
        lab.station.lock(desk)
        assert str(desk.lamp.expect("green", "slow wink", within_s=8.0)) == "green slow wink"
        lab.station.end()


@pytest.mark.req("DRV-SENSE.1", "DRV-SIM.2")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong-lamp:desk-1:green", "show red flash: it shows green flash"),
        ("wrong-lamp-cadence:desk-1:250", "show red flash: it shows red fast flash"),
        ("dead-lamp:desk-1", "show red flash: it shows dark"),
    ],
)
def test_a_wrong_colour_and_a_wrong_cadence_are_told(labs: LabBuilder, fault: str, words: str) -> None:
    with labs.open([fault]) as lab:
        desk, caller = lab.station.phone("desk-1"), lab.station.phone("desk-2")
        call(caller, desk)
        with pytest.raises(DeviceRefused, match=f"lamp of desk-1: {words}"):
            desk.lamp.expect("red", "flash", within_s=6.0)
        lab.station.end()


@pytest.mark.req("DRV-SIM.2")
def test_a_fault_that_is_taken_away_leaves_a_sound_lamp(labs: LabBuilder) -> None:
    with labs.open(["stuck-lamp:desk-1", "wrong-lamp:desk-1:green"]) as lab:
        desk = lab.station.phone("desk-1")
        desk.lift()
        desk.lamp.expect("green")
        lab.plant.faults.remove("wrong-lamp:desk-1:green")
        lab.plant.faults.remove("stuck-lamp:desk-1")
        assert str(desk.lamp.expect("red")) == "red on"
        desk.hang_up()
        desk.lamp.expect("")


def test_a_fault_of_a_lamp_that_no_sensor_sees_is_refused(labs: LabBuilder) -> None:
    with pytest.raises(
        ConfigError, match=r"dead-lamp:desk-2: break: no sensor is at a lamp of desk-2 .*desk-1, desk-3"
    ):
        with labs.open(["dead-lamp:desk-2"]):
            pass


def test_a_phone_without_light_sensors_has_no_lamp(session: Session) -> None:
    desk = session.station.phone("desk-2")
    assert desk.signs == {}
    with pytest.raises(ConfigError, match=r"phone\.desk-2: watch its lamp: no sensor is named"):
        _ = desk.lamp


LINK = 'link   = "end://sense"\n'
SIGNS = 'lamps       = { rest = "dark", ringing = "red flash", in_use = "red", locked = "green slow wink" }\n'


@pytest.mark.req("DRV-SENSE.1")
@pytest.mark.parametrize("session", [[(LINK, f"{LINK}debounce_ms = 30\n")]], indirect=True)
def test_a_debounced_lamp_keeps_the_times_of_its_edges(session: Session) -> None:
    """Flicker of 5 ms is no edge; a lamp that goes dark is seen at its time and not 30 ms later."""
    board = session.rig.wires.plant.ends["sense"]  # type: ignore[attr-defined]
    clock, watch = session.station.clock, session.station.watch
    clock.sleep(0.1)
    for place, wait_s in enumerate([0.005] * 7 + [1.0, 0.5]):
        at_s = clock.now_s()
        board.level(14, place % 2 == 1)
        clock.sleep(wait_s)
    edges = [(seen.time_s, seen.data["active"]) for seen in watch.all("lamp", 0.0, "desk-1", colour="red")]
    assert [active for _, active in edges] == [True, False]
    assert edges[1][0] == pytest.approx(at_s, abs=0.01)
    spec = {"subject": "desk-1", "from_s": edges[0][0] + 0.1, "to_s": edges[1][0] - 0.001}
    session.record.judge("DRV-SENSE.1", "lit", "lamp", colour="red", **spec)
    assert [str(judgement.verdict) for judgement in session.record.result() if judgement.attempt] == ["PASS"]


@pytest.mark.parametrize(
    "session", [[(SIGNS, 'lamps = { ringing = "green 0.5/0.5", in_use = "green" }\n')]], indirect=True
)
def test_a_maker_with_other_lamps_says_so_in_the_station_file(session: Session) -> None:
    desk = session.station.phone("desk-1")
    assert {state: str(sign) for state, sign in desk.signs.items()} == {
        "rest": "dark",
        "ringing": "green 0.5/0.5",
        "in_use": "green",
        "locked": "green slow wink",
    }
    session.rig.wires.plant.faults.add("wrong-lamp:desk-1:green")  # type: ignore[attr-defined]
    call(session.station.phone("desk-2"), desk)
    assert desk.lamp.expect("green", "0.5/0.5", within_s=8.0).colour == "green"
