"""Sensors behind a Firmata board: debounce, lamps, ringing, loop current; wrong colours and cadences are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.drivers.errors import ConfigError, DeviceRefused
from offhook.drivers.links import PipeLink
from offhook.drivers.sense.cadence import LAMPS, classify
from offhook.drivers.sense.debounce import Debouncer
from offhook.drivers.sense.firmata import FirmataInputs
from offhook.drivers.sense.lamp import Lamp
from offhook.drivers.sense.loop import LoopEvent, LoopEventKind, LoopSensor
from offhook.drivers.sense.ring import Burst, RingDetector
from offhook.fixtures.sensors import FirmataEnd, LampEnd, RingingEnd, bouncing
from offhook.fixtures.simclock import SimClock

RED, GREEN, BELL, LOOP = 11, 12, 2, 8
LATENCY_S = 0.002


class Desk:
    """A board with sensors on a wire of 2 ms."""

    def __init__(self, debounce_ms: int = 0, active_low: tuple[int, ...] = ()) -> None:
        self.clock = SimClock()
        near, far = PipeLink.pair(self.clock, "end://sense", LATENCY_S)
        self.board = FirmataEnd()
        self.board.connect(far)

        class Wires:
            clock = self.clock

            def link(self, address: str, baud: int) -> PipeLink:
                return near

        options = {"link": "end://sense", "debounce_ms": debounce_ms, "active_low": active_low}
        self.inputs = FirmataInputs.open("arduino", options, Wires())  # type: ignore[arg-type]
        self.inputs.connect()

    def lamp(self) -> tuple[Lamp, LampEnd]:
        pins = {"red": RED, "green": GREEN}
        return Lamp("desk-1", self.clock, self.inputs, pins), LampEnd(self.clock, self.board, pins)


# ---- debounce


@pytest.mark.req("DRV-SENSE.1")
def test_a_bouncing_contact_is_one_edge_with_the_time_of_the_first() -> None:
    edges: dict[int, list[tuple[bool, float]]] = {}
    for debounce_ms in (0, 10):
        desk = Desk(debounce_ms)
        seen = edges.setdefault(debounce_ms, [])
        desk.inputs.subscribe(BELL, lambda active, time_s, seen=seen: seen.append((active, time_s)))  # type: ignore[misc]
        desk.clock.sleep(1.0)
        started_s = desk.clock.now_s()
        bouncing(desk.clock, desk.board, BELL, True)
        desk.clock.sleep(0.1)
        assert desk.inputs.active(BELL)
    assert len(edges[0]) == 9
    ((active, time_s),) = edges[10]
    assert active
    assert time_s - started_s == pytest.approx(LATENCY_S, abs=1e-6)


def test_what_does_not_hold_is_no_edge() -> None:
    desk = Desk(20)
    edges: list[bool] = []
    desk.inputs.subscribe(BELL, lambda active, time_s: edges.append(active))
    desk.board.level(BELL, True)
    desk.clock.sleep(0.015)
    desk.board.level(BELL, False)
    desk.clock.sleep(0.1)
    assert edges == []
    assert not desk.inputs.active(BELL)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0005, 0.05)), max_size=30))
def test_debounced_edges_alternate_and_end_at_the_level_that_lasts(moves: list[tuple[bool, float]]) -> None:
    clock = SimClock()
    told: list[tuple[bool, float]] = []
    debouncer = Debouncer(clock, 0.01, lambda active, time_s: told.append((active, time_s)))
    for active, wait_s in moves:
        debouncer.feed(active, clock.now_s())
        clock.sleep(wait_s)
    clock.sleep(0.02)
    assert [active for active, _ in told] == [n % 2 == 0 for n in range(len(told))]
    assert debouncer.level == (moves[-1][0] if moves else False)
    assert [time_s for _, time_s in told] == sorted(time_s for _, time_s in told)


def test_a_contact_to_ground_is_active_when_low() -> None:
    desk = Desk(active_low=(BELL,))
    edges: list[bool] = []
    desk.inputs.subscribe(BELL, lambda active, time_s: edges.append(active))
    assert desk.inputs.active(BELL)  # the simulated board starts low
    assert not desk.inputs.active(LOOP)
    desk.board.level(BELL, True)
    desk.clock.sleep(0.1)
    desk.board.level(BELL, False)
    desk.clock.sleep(0.1)
    assert edges == [False, True]


# ---- lamps


@pytest.mark.req("DRV-SENSE.1")
@pytest.mark.parametrize("cadence", LAMPS)
@pytest.mark.parametrize("colour", ["red", "green"])
def test_every_cadence_is_known_in_every_colour(colour: str, cadence: str) -> None:
    desk = Desk()
    lamp, shown = desk.lamp()
    on_s, off_s = LAMPS[cadence]
    shown.show(colour, on_s=on_s, off_s=off_s)
    started_s = desk.clock.now_s()
    state = lamp.expect(colour, cadence)
    assert str(state) == f"{colour} {cadence}"
    assert desk.clock.now_s() - started_s < 5.0
    assert state.cadence.on_s == pytest.approx(on_s, abs=0.005)
    for other in set(LAMPS) - {cadence}:
        with pytest.raises(DeviceRefused):
            lamp.expect(colour, other, within_s=0.2)


@pytest.mark.req("DRV-SENSE.1")
def test_a_wrong_colour_is_told_with_what_is_shown_instead() -> None:
    lamp, shown = (desk := Desk()).lamp()
    shown.show("green", on_s=0.5, off_s=0.5)
    with pytest.raises(DeviceRefused, match=r"lamp of desk-1: show red flash: it shows green flash, after 4 s"):
        lamp.expect("red", "flash", within_s=4.0)
    assert desk.clock.now_s() > 4.0


@pytest.mark.req("DRV-SENSE.1")
def test_a_wrong_cadence_is_told_with_its_times() -> None:
    desk = Desk()
    lamp, shown = desk.lamp()
    shown.show("red", on_s=0.7, off_s=0.1)
    with pytest.raises(DeviceRefused, match=r"it shows red an unknown cadence \(700 ms on, 100 ms off\)"):
        lamp.expect("red", "flash", within_s=5.0)
    shown.show("red")
    with pytest.raises(DeviceRefused, match="it shows red on"):
        lamp.expect("red", "flash", within_s=5.0)
    shown.show()
    desk.clock.sleep(0.1)
    with pytest.raises(DeviceRefused, match="it shows dark"):
        lamp.expect("red", within_s=1.0)
    assert lamp.expect("", within_s=1.0).colour == ""


def test_two_colours_together_are_a_third() -> None:
    desk = Desk()
    lamp, shown = desk.lamp()
    shown.show("red", "green")
    assert lamp.expect("amber").colour == "amber"
    with pytest.raises(DeviceRefused, match="it shows amber on"):
        lamp.expect("red", within_s=1.0)


def test_since_is_when_the_lamp_changed() -> None:
    desk = Desk()
    lamp, shown = desk.lamp()
    desk.clock.sleep(2.0)
    changed_s = desk.clock.now_s()
    shown.show("red")
    desk.clock.sleep(3.0)
    assert lamp.seen().since_s == pytest.approx(changed_s + LATENCY_S, abs=1e-6)


def test_a_lamp_that_cannot_be_seen_is_refused() -> None:
    desk = Desk()
    lamp, _ = desk.lamp()
    with pytest.raises(ConfigError, match=r"no sensor sees that colour \(there are red, green\)"):
        lamp.expect("blue")
    with pytest.raises(ConfigError, match="no such cadence"):
        lamp.expect("red", "flashh")
    with pytest.raises(ConfigError, match="no sensor is named"):
        Lamp("desk-1", desk.clock, desk.inputs, {})
    with pytest.raises(ConfigError, match="not an input"):
        Lamp("desk-1", desk.clock, desk.inputs, {"red": 99})


@given(
    times_s=st.sampled_from([*LAMPS.values(), (0.7, 0.1), (0.25, 1.0)]),
    phase_s=st.floats(0.0, 1.0),
    jitter=st.floats(-0.008, 0.008),
)
def test_a_cadence_does_not_depend_on_where_one_begins_to_look(
    times_s: tuple[float, float], phase_s: float, jitter: float
) -> None:
    on_s, off_s = times_s
    edges, time_s = [], phase_s
    while time_s < 10.0:
        edges += [(True, time_s), (False, time_s + on_s + jitter)]
        time_s += on_s + off_s
    now_s = 7.0
    level = next((active for active, at_s in reversed(edges) if at_s <= now_s), False)
    seen = classify([edge for edge in edges if edge[1] <= now_s], level, now_s - 5.0, now_s)
    wanted = next((name for name, times in LAMPS.items() if times == times_s), "unknown")
    assert seen.name == wanted


# ---- ringing


@pytest.mark.req("DRV-SENSE.1")
@pytest.mark.parametrize("freq_hz", [16.7, 20.0, 25.0, 50.0])
def test_bursts_of_ringing_have_their_times_and_the_frequency(freq_hz: float) -> None:
    desk = Desk()
    bell = RingingEnd(desk.clock, desk.board, BELL)
    detector = RingDetector(desk.clock, desk.inputs, BELL)
    starts: list[float] = []
    told: list[Burst] = []
    detector.on_start(starts.append)
    detector.on_burst(told.append)
    rings_s = []
    for _ in range(3):
        rings_s.append(desk.clock.now_s())
        bell.burst(2.0, freq_hz)
        desk.clock.sleep(1.0)
        assert detector.ringing
        desk.clock.sleep(5.0)
        assert not detector.ringing
    assert starts == pytest.approx([at_s + LATENCY_S for at_s in rings_s], abs=1e-6)
    assert told == detector.bursts
    assert [burst.start_s for burst in told] == starts
    for burst in told:
        assert burst.length_s == pytest.approx(2.0, abs=1.2 / freq_hz)
        assert burst.freq_hz == pytest.approx(freq_hz, rel=0.04)


def test_the_two_rings_of_a_british_pair_are_two_bursts() -> None:
    desk = Desk()
    bell, detector = RingingEnd(desk.clock, desk.board, BELL), RingDetector(desk.clock, desk.inputs, BELL)
    for _ in range(2):
        bell.burst(0.4, 25.0)
        desk.clock.sleep(0.6)
    desk.clock.sleep(1.0)
    assert len(detector.bursts) == 2


def test_a_detector_that_shows_the_envelope_has_no_frequency() -> None:
    desk = Desk()
    detector = RingDetector(desk.clock, desk.inputs, BELL)
    desk.board.level(BELL, True)
    desk.clock.sleep(1.0)
    desk.board.level(BELL, False)
    desk.clock.sleep(1.0)
    (burst,) = detector.bursts
    assert (burst.length_s, burst.freq_hz) == (pytest.approx(1.0), 0.0)


# ---- loop current


class Loop(Desk):
    def __init__(self) -> None:
        super().__init__()
        self.sensor = LoopSensor(self.clock, self.inputs, LOOP)
        self.told: list[LoopEvent] = []
        self.sensor.on_event(self.told.append)

    def current(self, flows: bool, for_s: float) -> float:
        at_s = self.clock.now_s() + LATENCY_S
        self.board.level(LOOP, flows)
        self.clock.sleep(for_s)
        return at_s


@pytest.mark.req("DRV-SENSE.1")
def test_off_hook_flash_and_on_hook_have_the_time_at_which_they_began() -> None:
    loop = Loop()
    lifted_s = loop.current(True, 2.0)
    flashed_s = loop.current(False, 0.6)
    loop.current(True, 2.0)
    assert loop.sensor.off_hook
    down_s = loop.current(False, 3.0)
    assert [event.kind for event in loop.told] == ["off-hook", "flash", "on-hook"]
    assert [event.time_s for event in loop.told] == pytest.approx([lifted_s, flashed_s, down_s], abs=1e-6)
    assert loop.told[1].length_s == pytest.approx(0.6)
    assert not loop.sensor.off_hook
    assert loop.told == loop.sensor.events


@pytest.mark.req("DRV-SENSE.1")
@pytest.mark.parametrize(("pulses_hz", "break_share"), [(10.0, 0.6), (10.0, 0.67), (20.0, 0.67)])
def test_dial_pulses_are_counted_to_digits(pulses_hz: float, break_share: float) -> None:
    loop = Loop()
    loop.current(True, 1.0)
    for digit in "4710":
        for _ in range(int(digit) or 10):
            loop.current(False, break_share / pulses_hz)
            loop.current(True, (1 - break_share) / pulses_hz)
        loop.clock.sleep(0.7)
    digits = [event.digit for event in loop.told if event.kind is LoopEventKind.DIGIT]
    assert digits == list("4710")
    assert {event.kind for event in loop.told} == {"off-hook", "digit"}


@pytest.mark.parametrize("length_s", [0.005, 0.25])
def test_a_break_that_is_neither_is_a_glitch(length_s: float) -> None:
    loop = Loop()
    loop.current(True, 1.0)
    loop.current(False, length_s)
    loop.current(True, 2.0)
    assert [event.kind for event in loop.told] == ["off-hook", "glitch"]
    assert loop.sensor.off_hook


def test_more_than_ten_pulses_are_no_digit() -> None:
    loop = Loop()
    loop.current(True, 1.0)
    for _ in range(11):
        loop.current(False, 0.06)
        loop.current(True, 0.04)
    loop.current(True, 1.0)
    assert [event.kind for event in loop.told] == ["off-hook", "glitch"]
