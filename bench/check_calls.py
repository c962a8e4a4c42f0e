"""What only a call shows: ring sensors, outside lines, IVR taps, and the tap on the cloud's CTI link.

Nothing is dialled that is not on the station's allow list: other phones of the station, and the voice service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import numpy as np

from offhook import dsp
from offhook.bench.check_line import CheckLine
from offhook.bench.check_phone import PhoneCheck
from offhook.bench.station import Rig
from offhook.bench.station_model import KEYS, ref
from offhook.drivers.errors import NotAllowed, OffhookError

RING_LIMIT_S = 8.0
BESIDE_S = 0.5
SEIZED_LIMIT_S = 6.0
"""An exchange waits for more digits before it dials; where no sensor shows that it does, all of this is waited."""
ANSWER_S = 3.0
KEYED = 2
"""A service may not have answered when the first digit is keyed."""
CALL_LIMIT_S = 60.0
SPEAKS_S = 20.0
"""A service that waits for digits of its own says something when none come."""
TONE_S = 1.0
RELEASE_S = 3.0
TAP_LIMIT_S = 6.0
LEAST_AUDIO = 200
"""Amplitude, in int16 steps, of something that is said."""

Phones = Mapping[str, PhoneCheck]


def check_rings(rig: Rig, phones: Phones) -> Iterator[CheckLine]:
    """Every phone with a ring sensor is called by another one, if it may be."""
    pins = {name: ref(phone.ring) for name, phone in rig.model.phone.items() if phone.ring}
    rung: list[tuple[str, bool]] = []
    for name, pin in pins.items():
        if f"sense.{pin.board}" in rig.connected:
            rig.senses[pin.board].subscribe(pin.number, lambda on, _, name=name: rung.append((name, on)))  # type: ignore[misc]
    unheard: set[str] = set()
    for name in pins:
        where, wires = rig.loaded.where("phone", name, "ring"), (str(pins[name]),)
        why = _why_not_rung(rig, phones, name, unheard)
        if why:
            yield CheckLine(
                where, f"phone.{name}", f"ring sensor {pins[name]} not tried: {why}", wires=wires, tried=False
            )
            continue
        try:
            found, hint = _ring(rig, phones, name, rung, unheard)
        except OffhookError as error:
            found, hint = f"{error.operation}: {error.detail}", error.hint or "offhook check"
        yield CheckLine(where, f"phone.{name}", found, not hint, hint, wires)
    for name in sorted(unheard):
        phones[name].well = False
        found = "what it dials calls nobody, what others dial does"
        hint = f"its keys are heard in its own ear: does anything of {name} reach the line?"
        where, wires = rig.loaded.where("phone", name, "handset"), (rig.model.phone[name].handset,)
        yield CheckLine(where, f"phone.{name}", found, False, hint, wires)


def _callers(phones: Phones, name: str, unheard: set[str]) -> list[str]:
    return [other for other, phone in phones.items() if other not in (name, *unheard) and phone.can_dial][:2]


def _why_not_rung(rig: Rig, phones: Phones, name: str, unheard: set[str]) -> str:
    """Why a phone is not called; "" if it is."""
    if not phones[name].well:
        return f"{name} itself is not well"
    if len(phones) == 1:
        return "no other phone to call it from"
    if not _callers(phones, name, unheard):
        return "no other phone is well and keyed by the bench"
    try:
        rig.allow(rig.model.phone[name].extension)
    except NotAllowed as error:
        return f"{rig.model.phone[name].extension} is {error.detail.partition(',')[0]}"
    return ""


def _ring(rig: Rig, phones: Phones, name: str, rung: list[tuple[str, bool]], unheard: set[str]) -> tuple[str, str]:
    """(what was found, what to try: "" if all is well). Callers that reach nobody are noted in ``unheard``."""
    extension, sensor = rig.model.phone[name].extension, rig.model.phone[name].ring
    callers = _callers(phones, name, unheard)
    for caller in callers:
        _call(rig, phones[caller], extension, name, rung)
        if (name, True) in rung:
            unheard.update(callers[: callers.index(caller)])
            break
    others = sorted({other for other, on in rung if on and other != name})
    theirs = ", ".join(f"{rig.model.phone[other].ring} (ring of {other})" for other in others)
    if (name, True) not in rung:
        hint = f"{theirs} saw it: are they exchanged?" if others else f"is {sensor} at the bell or lamp of {name}?"
        return f"{extension} called, ring sensor {sensor} sees nothing", hint
    if others:
        return f"{extension} called, {theirs} sees it too", "does that sensor hear this bell?"
    return f"ring sensor {sensor} sees {extension} ring", ""


def _call(rig: Rig, caller: PhoneCheck, extension: str, called: str, rung: list[tuple[str, bool]]) -> None:
    rung.clear()
    try:
        caller.lift(True)
        rig.clock.sleep(TONE_S)
        caller.dial(extension)
        rig.clock.wait_for(lambda: (called, True) in rung, RING_LIMIT_S)
        rig.clock.sleep(BESIDE_S)
    finally:
        caller.lift(False)
        rig.clock.sleep(RELEASE_S)


def check_outside(rig: Rig, phones: Phones) -> Iterator[CheckLine]:
    """The voice service is called by as many phones as there are lines and ports: who sees it, who hears it."""
    model = rig.model
    pins = {pin: name for name, trunk in model.trunk.items() for pin in trunk.seized}
    callers = [phone for phone in phones.values() if phone.can_dial][: max(len(pins), len(model.ivr))]
    number = _service_number(rig)
    if not (pins or model.ivr):
        return
    if not number or not callers:
        why = "no phone is well and keyed by the bench" if number else "[dial] allow has no number of a voice service"
        yield CheckLine(rig.loaded.where("dial"), "dial", f"outside lines and IVR taps not tried: {why}", tried=False)
        return
    levels: dict[str, bool] = {}
    seized: set[str] = set()

    def moved(pin: str, on: bool) -> None:
        levels[pin] = on
        if on:
            seized.add(pin)

    for pin in pins:
        board, at = ref(pin)
        if f"sense.{board}" in rig.connected:
            rig.senses[board].subscribe(at, lambda on, _, pin=pin: moved(pin, on))  # type: ignore[misc]
    start_s = rig.clock.now_s()
    enough = min(len(callers), len(pins))
    try:
        _call_out(rig, callers, number, lambda: 0 < enough <= len(seized))
        heard = _heard_by(rig, start_s)
        deadline_s = rig.clock.now_s() + SPEAKS_S
        while rig.clock.now_s() < deadline_s and not all(_complete(rig, heard)):
            rig.clock.sleep(TONE_S)
            heard = _heard_by(rig, start_s)
    except OffhookError as error:
        where = rig.loaded.where(error.resource.partition(".")[0])
        yield CheckLine(where, error.resource, f"{error.operation}: {error.detail}", False, error.hint)
        return
    finally:
        for caller in callers:
            with suppress(OffhookError):  # on a dead board; the safe state reports it
                caller.lift(False)
    rig.clock.wait_for(lambda: not any(levels.values()), RELEASE_S)
    yield from _lines_of(rig, pins, seized, len(callers), levels, any(text for text, _ in heard.values()))
    yield from _ports_of(rig, heard, len(callers))


def _service_number(rig: Rig) -> str:
    """The allowed number that reaches the voice service, as it is dialled."""
    numbers = {ivr.number.lstrip("+") for ivr in rig.model.ivr.values()}
    plain = [entry for entry in rig.model.dial.allow if entry.strip("+0123456789") == ""]
    return next((entry for entry in plain for number in numbers if entry.endswith(number)), "")


def _call_out(rig: Rig, callers: list[PhoneCheck], number: str, taken: Callable[[], bool]) -> None:
    """Everybody calls at once, as a service may hang up on who says nothing; then everybody keys a digit of his own."""

    def call(caller: PhoneCheck, key: str) -> None:
        caller.lift(True)
        rig.clock.sleep(TONE_S)
        caller.dial(rig.allow(number))
        rig.clock.wait_for(taken, SEIZED_LIMIT_S)
        for _ in range(KEYED):
            rig.clock.sleep(ANSWER_S)
            caller.dial(key)
        rig.clock.sleep(BESIDE_S)

    jobs = [
        rig.clock.spawn(lambda caller=caller, key=key: call(caller, key))  # type: ignore[misc]
        for caller, key in zip(callers, KEYS, strict=False)
    ]
    for job in jobs:
        job.join(CALL_LIMIT_S)


def _heard_by(rig: Rig, start_s: float) -> dict[str, tuple[str, bool]]:
    """For each tap: the digits on it since the calls began, and whether anything is said there."""
    found: dict[str, tuple[str, bool]] = {}
    for ivr in rig.model.ivr.values():
        for tap in (ivr.heard, ivr.spoken):
            card, channel = ref(tap)
            if f"audio.{card}" in rig.connected:
                port = rig.audio[card]
                samples = port.take(max(0, port.frame_at(max(start_s, rig.clock.now_s() - 55))), port.now_frame())[
                    channel
                ]
                loud = bool(np.abs(samples.astype(np.int32)).max(initial=0) > LEAST_AUDIO)
                found[tap] = dsp.decode(samples, port.rate_hz).text(), loud
    return found


def _complete(rig: Rig, heard: Mapping[str, tuple[str, bool]]) -> Iterator[bool]:
    """For each port that was called: has the service spoken?"""
    for ivr in rig.model.ivr.values():
        if heard.get(ivr.heard, ("", False))[0]:
            yield heard.get(ivr.spoken, ("", False))[1]


def _lines_of(
    rig: Rig, pins: Mapping[str, str], seized: set[str], calls: int, levels: Mapping[str, bool], went_out: bool
) -> Iterator[CheckLine]:
    stuck = [pin for pin in seized if levels[pin]]
    for pin, trunk in pins.items():
        where = rig.loaded.where("trunk", trunk, "seized")
        if pin in stuck:
            hint = "is the line released? else the sensor sticks"
            yield CheckLine(where, f"trunk.{trunk}", f"{pin}: still seized after all hung up", False, hint, (pin,))
        elif pin in seized:
            yield CheckLine(where, f"trunk.{trunk}", f"{pin}: line seized and released", True, "", (pin,))
    unseen = [pin for pin in pins if pin not in seized]
    if unseen and len(seized) >= calls:
        name = pins[unseen[0]]
        found = f"{', '.join(unseen)} not tried: {calls} phones, {calls} calls"
        yield CheckLine(rig.loaded.where("trunk", name), f"trunk.{name}", found, tried=False)
    if len(seized) < min(calls, len(pins)):
        hint = f"the calls went out: is a loop-current sensor at {', '.join(unseen)}?"
        hint = hint if went_out else "did the call go out? dial it by hand, and look at outside_prefix"
        found = f"{calls} calls, {len(seized)} lines seen seized"
        name = pins[unseen[0]]
        yield CheckLine(rig.loaded.where("trunk", name), f"trunk.{name}", found, False, hint, tuple(unseen))


def _ports_of(rig: Rig, heard: Mapping[str, tuple[str, bool]], calls: int) -> Iterator[CheckLine]:
    answered = 0
    unheard: list[str] = []
    for name, ivr in rig.model.ivr.items():
        if ivr.heard not in heard or ivr.spoken not in heard:
            continue
        (digits, _), (echoed, said) = heard[ivr.heard], heard[ivr.spoken]
        where, resource, wires = rig.loaded.where("ivr", name), f"ivr.{name}", (ivr.heard, ivr.spoken)
        if digits:
            answered += 1
            found = f'a key is heard as "{digits[-1]}" at {ivr.heard}, the service at {ivr.spoken}'
            hint = "" if said else f"is {ivr.spoken} at what the service sends?"
            found = found if said else f"a key is heard at {ivr.heard}, nothing is said at {ivr.spoken}"
            yield CheckLine(where, resource, found, said, hint, wires)
        elif echoed:
            answered += 1
            found = f"a key is heard at {ivr.spoken}, where only the service should be"
            yield CheckLine(where, resource, found, False, "are its two taps exchanged?", wires)
        else:
            unheard.append(name)
    for name in unheard if answered else ():
        found = f"taps not tried: no call came to it, of {calls}"
        yield CheckLine(rig.loaded.where("ivr", name), f"ivr.{name}", found, tried=False)
    if heard and not answered:
        name = next(iter(rig.model.ivr))
        hint = "does it answer when called by hand, and are its taps plugged?"
        found = f"{calls} calls, no key heard at any tap of the service"
        yield CheckLine(rig.loaded.where("ivr", name), f"ivr.{name}", found, False, hint, tuple(heard))


def check_tap(rig: Rig) -> Iterator[CheckLine]:
    """An association is begun and given up, so that the cloud says something on its own CTI link."""
    accounts = rig.model.accounts
    if "tap" not in rig.connected:
        return
    if not {"cloud", "pbx"} <= rig.connected or not accounts or not rig.model.phone:
        found = "not tried: that takes a cloud service with an account, a PBX and a phone"
        yield CheckLine(rig.loaded.where("tap"), "tap", found, tried=False)
        return
    seen: list[str] = []
    rig.tap.subscribe(lambda message: seen.append(message.name))
    account, where = next(iter(accounts)), rig.loaded.where("tap")
    extension = next(iter(rig.model.phone.values())).extension
    try:
        begun = rig.cloud_api.request_association(account, extension)
        try:
            if begun.completion_required:
                rig.cloud_api.complete(account, begun.id)
            rig.clock.wait_for(lambda: bool(seen), TAP_LIMIT_S)
        finally:
            with suppress(OffhookError):  # it may have ended by itself
                rig.cloud_api.cancel(account, begun.id)
            rig.clock.sleep(RELEASE_S)
    except OffhookError as error:
        yield CheckLine(where, "tap", f"not tried: {error.operation}: {error.detail}", False, error.hint)
        return
    if seen:
        yield CheckLine(where, "tap", f"sees the cloud's messages: {seen[0]} for {extension}")
    else:
        found = f"{account} began an association of {extension}, and the tap saw nothing"
        hint = rig.tap.lost or "is the tap in the cloud's link, not in the bench's own?"
        yield CheckLine(where, "tap", found, False, hint)
