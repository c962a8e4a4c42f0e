"""LAMPS: how a phone rings and what it shows: at rest, called, answered, locked; by the profile of its station file."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.bench.devices import Station
from offhook.bench.flows import StepFailed
from offhook.bench.lamp_signs import Sign
from offhook.bench.phone import Phone
from offhook.bench.watch import Seen

FOLLOWS_S = 0.5
"""A lamp follows what it shows within this: the eye takes it for the same moment."""
STEADY_S = 4.5
"""No blinking lamp is lit or dark for so long."""
PERIODS = 3.2
"""Of a blinking lamp: as many as its judgement needs, at whatever moment one begins to look."""
CALL_LIMIT_S = 8.0
PRESS_U_S = 0.01
RINGS = 2.2
"""Periods of a bell's cadence that are listened to."""
TONE_S = 2.5
CTI_LIMIT_S = 3.0


def _judge_sign(station: Station, req: str, desk: Phone, state: str, when: str, from_s: float) -> None:
    """The lamp shows the sign of a state from a moment on, for as long as telling it takes."""
    sign = desk.signs[state]
    to_s = from_s + max(STEADY_S, PERIODS * sign.period_s)
    station.clock.wait_until(to_s + FOLLOWS_S)  # a debounced edge is told later than it came
    _judge_lamp(station, req, desk, sign, when, from_s, to_s)


def _judge_lamp(station: Station, req: str, desk: Phone, sign: Sign, when: str, from_s: float, to_s: float) -> None:
    pins = " and ".join(f"{pin} ({colour})" for colour, pin in desk.model.lamp.items())
    hint = f"is the lamp of {desk.name} before {pins}, and are lamps in its section its maker's?"
    spec: dict[str, Any] = {"subject": desk.name, "colour": sign.colour, "on_s": sign.on_s, "off_s": sign.off_s}
    title = f"lamp of {desk.name} {when}: {sign}"
    station.record.judge(req, title, "lamp", unit="s", **spec, from_s=from_s, to_s=to_s, hint=hint)


def _call(station: Station, caller: Phone, desk: Phone) -> tuple[Seen, Seen]:
    """The caller dials the phone; returns the last key that was pressed and the first ring."""
    station.allow(desk.extension)
    since_s = caller.lift().time_s
    if not caller.hears_dial_tone():
        wire = f"handset audio of {caller.name} ({caller.model.handset})"
        raise StepFailed("off-hook", f"dial tone in the ear of {caller.name}", "none in 3 s", wire, "offhook check")
    presses = [caller.press(key) for key in desk.extension]
    keyed = station.watch.note("T", "", "dialled", desk.extension, presses[-1].closed_s, PRESS_U_S)
    rung = desk.ring(CALL_LIMIT_S, since_s)
    if rung is None:
        found, wire = f"no ring in {CALL_LIMIT_S:g} s", f"ringer sensor of {desk.name} ({desk.model.ring})"
        raise StepFailed("ring", f"{desk.name} rings when {desk.extension} is dialled", found, wire, "offhook check")
    return keyed, rung


@pytest.mark.req("LINE-RING.1")
def test_bell_rings_in_its_cadence(station: Station, desk: Phone) -> None:
    """Called by its neighbour: the first ring in time, and rings and pauses as the region (or the maker) has them."""
    if desk.model.ring is None:
        station.not_applicable("LINE-RING.1", f"no sensor is at the bell of {desk.name}")
        return
    keyed, rung = _call(station, station.neighbour(desk), desk)

    to_s = rung.time_s + RINGS * sum(desk.ring_s)
    station.clock.wait_until(to_s + FOLLOWS_S)

    spec: dict[str, Any] = {"from": keyed.id, "to": rung.id, "at_least": 0.0, "at_most": CALL_LIMIT_S}
    station.record.judge("LINE-RING.1", f"last key to the first ring of {desk.name}", "interval", unit="s", **spec)
    spec = {"observed": "ring", "subject": desk.name, "pattern": list(desk.ring_s), "to_s": to_s}
    hint = f"is that its cadence? ring_s in [phone.{desk.name}]; else is {desk.model.ring} at its bell alone?"
    title = f"cadence of the bell of {desk.name}"
    station.record.judge("LINE-RING.1", title, "cadence", unit="s", **spec, from_s=keyed.time_s, hint=hint)


@pytest.mark.req("DRV-SENSE.1")
def test_lamp_follows_the_phone(station: Station, desk: Phone) -> None:
    """Dark at rest, flashing from the first ring, lit when answered, dark again; other lamps stay dark."""
    if not desk.signs:
        station.not_applicable("DRV-SENSE.1", f"no sensor sees a lamp of {desk.name}")
        return
    caller, clock = station.neighbour(desk), station.clock
    _judge_sign(station, "DRV-SENSE.1", desk, "rest", "at rest", clock.now_s())

    keyed, rung = _call(station, caller, desk)
    _judge_sign(station, "DRV-SENSE.1", desk, "ringing", "while it rings", rung.time_s + FOLLOWS_S)
    lit = station.watch.first("lamp", keyed.time_s, desk.name, active=True)
    ends = {"from": rung.id, "to": lit.id if lit else None, "at_least": -FOLLOWS_S, "at_most": FOLLOWS_S}
    station.record.judge("DRV-SENSE.1", f"first ring to the lamp of {desk.name}", "interval", unit="s", **ends)
    for other in station.phones.values():
        if other.signs and other not in (desk, caller) and other.name not in station.quarantined:
            when, until_s = f"while {desk.name} rings", clock.now_s() - FOLLOWS_S
            _judge_lamp(station, "DRV-SENSE.1", other, other.signs["rest"], when, rung.time_s, until_s)

    answered = desk.lift()
    _judge_sign(station, "DRV-SENSE.1", desk, "in_use", "in use", answered.time_s + FOLLOWS_S)

    desk.hang_up()
    _judge_sign(station, "DRV-SENSE.1", desk, "rest", "at rest again", clock.now_s() + FOLLOWS_S)


@pytest.mark.needs("pbx")
@pytest.mark.req("LOCK-S22.3")
def test_lock_is_shown(station: Station, desk: Phone) -> None:
    """A locked phone shows it, by its lamp or the stutter of its dial tone; unlocked it does not any more."""
    reason = station.why_not_locked(desk, desk.lock_variant)
    if not reason and desk.shows_lock == "display":
        reason = f"{desk.name} shows its lock on a display, and nothing here reads it"
    if reason:
        station.not_applicable("LOCK-S22.3", reason)
        return
    judge = _judge_lock_lamp if desk.shows_lock == "lamp" else _judge_lock_tone
    judge(station, desk, "before the lock", locked=False)

    station.lock(desk)
    judge(station, desk, "while locked", locked=True)

    since_s = station.clock.now_s()
    station.cti.unlock(desk.extension)
    unlocked = station.watch.expect("cti-event", CTI_LIMIT_S, since_s, desk.extension, name="Unlocked")
    assert unlocked is not None, f"no Unlocked event for {desk.extension} within {CTI_LIMIT_S:g} s"
    judge(station, desk, "when unlocked again", locked=False)


def _judge_lock_lamp(station: Station, desk: Phone, when: str, *, locked: bool) -> None:
    state = "locked" if locked else "rest"
    _judge_sign(station, "LOCK-S22.3", desk, state, when, station.clock.now_s() + FOLLOWS_S)


def _judge_lock_tone(station: Station, desk: Phone, when: str, *, locked: bool) -> None:
    """Lifted, listened to, put down again: a stutter tells of the lock, a plain dial tone that there is none."""
    from_s = desk.lift().time_s
    station.clock.sleep(TONE_S)
    expected, to_s = "stutter" if locked else "dial", station.clock.now_s()
    desk.hang_up()
    station.clock.sleep(FOLLOWS_S)
    hint = "does this phone show its lock in another way? shows_lock in its section"
    spec: dict[str, Any] = {"wire": desk.name, "expected": expected, "from_s": from_s, "to_s": to_s, "hint": hint}
    title = f"dial tone of {desk.name} {when}: {expected}"
    station.record.judge("LOCK-S22.3", title, "tone", at_least=TONE_LEAST_S[expected], **spec)


TONE_LEAST_S = {"stutter": 0.4, "dial": 2.0}
"""Bursts of a stutter tone; a plain one has no break."""
