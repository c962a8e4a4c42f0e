"""The analog line: volts, milliamperes, ringing, hook detection."""

from __future__ import annotations

import pytest
from unit.plant.plant_hands import IVR, Hands

from offhook import dsp
from offhook.fixtures.line import AnalogLine, LineState
from offhook.fixtures.phone import LockReport
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.world import AudioGrid, Leg


class Port:
    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.seen: list[tuple[str, float]] = []

    def plug(self, phone: object) -> None:
        self.phone = phone

    def off_hook(self, leg: Leg) -> None:
        self.seen.append(("off", self.clock.now_s()))

    def on_hook(self) -> None:
        self.seen.append(("on", self.clock.now_s()))

    def lock_report(self, report: LockReport) -> None:
        raise AssertionError


class Bell:
    def ring(self, on: bool) -> None:
        pass

    def display(self, text: str) -> None:
        raise AssertionError

    def lock(self, on: bool) -> None:
        raise AssertionError

    def prompt(self) -> None:
        raise AssertionError

    def handsfree(self, on: bool) -> bool:
        raise AssertionError


@pytest.fixture
def grid() -> AudioGrid:
    return AudioGrid(SimClock(), seed=1)


@pytest.fixture
def port(grid: AudioGrid) -> Port:
    return Port(grid.clock)


@pytest.fixture
def line(grid: AudioGrid, port: Port) -> AnalogLine:
    line = AnalogLine(grid.clock, port, "a", seed=1)
    line.plug(Bell())
    return line


@pytest.mark.req("SIM-LINE.1")
def test_battery_and_loop_current(grid: AudioGrid, line: AnalogLine) -> None:
    assert line.voltage_v() == pytest.approx(-48.0, abs=3.0)
    assert line.loop_current_ma() == 0.0
    line.off_hook(grid.open_leg("a"))
    assert 18.0 <= line.loop_current_ma() <= 42.0
    assert -18.0 < line.voltage_v() < -4.0
    line.reverse(True)
    assert -42.0 <= line.loop_current_ma() <= -18.0
    assert 4.0 < line.voltage_v() < 18.0


@pytest.mark.req("SIM-LINE.1")
def test_ringing_and_ring_trip(grid: AudioGrid, line: AnalogLine, port: Port) -> None:
    line.ring(True)
    assert 70.0 <= line.ringing_vrms() <= 90.0
    line.off_hook(grid.open_leg("a"))
    assert line.state is LineState.RING_TRIP
    grid.clock.sleep(0.1)
    assert port.seen == [("off", pytest.approx(0.0154))]
    line.ring(False)
    assert line.ringing_vrms() == 0.0


@pytest.mark.req("SIM-LINE.1")
def test_a_short_break_is_a_flash_a_long_one_is_on_hook(grid: AudioGrid, line: AnalogLine, port: Port) -> None:
    line.off_hook(grid.open_leg("a"))
    grid.clock.sleep(1.0)
    for break_s in (0.05, 0.2):
        line.on_hook()
        grid.clock.sleep(break_s)
        line.off_hook(grid.open_leg("a"))
        grid.clock.sleep(1.0)
    assert line.flashes == 1
    assert "on" not in [what for what, _ in port.seen]
    down_s = grid.clock.now_s()
    line.on_hook()
    grid.clock.sleep(1.0)
    assert port.seen[-1] == ("on", pytest.approx(down_s + 0.35))
    assert line.state is LineState.ON_HOOK


def test_a_touch_of_the_hook_is_not_seen(grid: AudioGrid, line: AnalogLine, port: Port) -> None:
    line.off_hook(grid.open_leg("a"))
    grid.clock.sleep(0.01)
    line.on_hook()
    grid.clock.sleep(1.0)
    assert port.seen == []


@pytest.mark.req("SIM-LINE.1")
def test_a_short_break_of_the_loop_does_not_end_a_call(hands: Hands) -> None:
    app = hands.call_ivr("", desk=2)
    hands.hang_up(2)
    hands.clock.sleep(0.1)
    hands.lift(2)
    hands.clock.sleep(0.5)
    hands.press("36", desk=2)
    hands.clock.sleep(0.3)
    assert app.heard == "36"
    assert "ConnectionCleared" not in hands.kinds("1002")


def test_an_analog_phone_is_called_and_hung_up_over_its_line(hands: Hands) -> None:
    hands.plant.pbx.make_call("1002", IVR)
    hands.clock.sleep(1.0)
    hands.lift(2)
    hands.clock.sleep(5.0)
    assert hands.kinds("1002")[-1] == "Established"
    down_s = hands.now_s
    hands.hang_up(2)
    hands.clock.sleep(1.0)
    assert hands.events[-1].time_s == pytest.approx(down_s + 0.35)
    assert dsp.progress.classify(hands.audio(1, 1.0))[0].name != "dial"
