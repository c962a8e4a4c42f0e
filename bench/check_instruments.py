"""What an instrument measures at the line it is said to be at, and how sound cards keep time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from offhook.bench.check_line import CheckLine
from offhook.bench.check_phone import PhoneCheck
from offhook.bench.station import Rig
from offhook.bench.station_model import ref
from offhook.bench.station_wires import Instrument
from offhook.drivers.errors import OffhookError

ON_HOOK_V = (20.0, 60.0)
"""From a short loop's 24 V to a central office's 56 V."""
OFF_HOOK_V = (2.0, 16.0)
SETTLE_S = 0.6
PROBE_HZ, PROBE_DBM = 1004.0, -20.0
WINDOW_S = 0.5
DRIFT_PPM = 150.0
LEAST_S, LEAST_BLOCKS = 8.0, 50
PROMPT_S = 1.0


def check_instruments(rig: Rig, phones: dict[str, PhoneCheck]) -> Iterator[CheckLine]:
    """Every instrument at a phone's line: battery on hook, less of it off hook, a tone in the ear."""
    tries: dict[str, Callable[[Rig, Any, Instrument, PhoneCheck], tuple[str, str]]] = {
        "dmm": _meter,
        "scope": _scope,
        "generator": _generator,
    }
    for name, section in rig.model.instrument.items():
        resource = f"instrument.{name}"
        if resource not in rig.connected or section.line is None or section.driver not in tries:
            continue
        where = rig.loaded.where("instrument", name, "line")
        if not phones[section.line].well:
            found = f"not tried at the line of {section.line}: that phone is not well"
            yield CheckLine(where, resource, found, tried=False)
            continue
        try:
            found, hint = tries[section.driver](rig, rig.instruments[name], section, phones[section.line])
        except OffhookError as error:
            found, hint = f"{error.operation}: {error.detail}", error.hint or "look at its display"
        finally:
            phones[section.line].lift(False)
            rig.clock.sleep(SETTLE_S)
        yield CheckLine(where, resource, found, not hint, hint)
        late = rig.instruments[name].late_replies
        if late:
            found = f"{len(late)} replies came too late and were thrown away, the last: {late[-1][:20]}"
            yield CheckLine(where, resource, found, False, "a longer timeout_s")


def _hooked(rig: Rig, phone: PhoneCheck, lifted: bool) -> None:
    phone.lift(lifted)
    rig.clock.sleep(SETTLE_S)


def _meter(rig: Rig, meter: Any, section: Instrument, phone: PhoneCheck) -> tuple[str, str]:
    _hooked(rig, phone, False)
    idle = meter.voltage_dc()
    _hooked(rig, phone, True)
    busy = meter.voltage_dc()
    found = f"{idle.value:.1f} V on hook, {busy.value:.1f} V off hook at the line of {section.line}"
    if not ON_HOOK_V[0] <= abs(idle.value) <= ON_HOOK_V[1]:
        return found, f"no battery: are its leads at the line of {section.line}, and is the line in service?"
    if not OFF_HOOK_V[0] <= abs(busy.value) <= OFF_HOOK_V[1]:
        return found, f"lifting {section.line} does not load this line: are the leads at another one?"
    return found, ""


def _scope(rig: Rig, scope: Any, section: Instrument, phone: PhoneCheck) -> tuple[str, str]:
    _hooked(rig, phone, False)
    channel = section.channel or 1
    volts = float(np.mean(scope.capture(channel, 20.0, 0.1).volts))
    found = f"{volts:.1f} V on hook at channel {channel}, at the line of {section.line}"
    good = ON_HOOK_V[0] <= abs(volts) <= ON_HOOK_V[1]
    return (
        found,
        "" if good else f"is the probe of channel {channel} at the line of {section.line}, and its factor set?",
    )


def _generator(rig: Rig, generator: Any, section: Instrument, phone: PhoneCheck) -> tuple[str, str]:
    handset = rig.model.phone[str(section.line)].handset
    level_dbm = min(PROBE_DBM, section.most_dbm if section.most_dbm is not None else PROBE_DBM)
    _hooked(rig, phone, True)
    rate_hz = rig.audio[ref(handset).board].rate_hz
    before = _presence(rig, phone, rate_hz)
    try:
        generator.sine(PROBE_HZ, level_dbm)
        rig.clock.sleep(2 * WINDOW_S)
        after = _presence(rig, phone, rate_hz)
    finally:
        generator.safe()
    if after > 4 * max(before, 5.0):
        return f"its tone of {level_dbm:g} dBm is heard at {handset}", ""
    return f"its tone of {level_dbm:g} dBm is not heard at {handset}", f"is its output at the line of {section.line}?"


def _presence(rig: Rig, phone: PhoneCheck, rate_hz: int) -> float:
    """Amplitude of the probe tone in the ear, in int16 steps."""
    now_s = rig.clock.now_s()
    samples = phone.hear(now_s - WINDOW_S, now_s)
    phasor = np.exp(-2j * np.pi * PROBE_HZ / rate_hz * np.arange(samples.size))
    return float(2 * abs(np.dot(samples, phasor)) / max(1, samples.size))


class DriftWatch:
    """Compares the frames of every sound card with the common clock while the rest is tried."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._seen: dict[str, list[tuple[float, int]]] = {}
        for name, port in rig.audio.items():
            if f"audio.{name}" in rig.connected:
                seen = self._seen[name] = []
                port.subscribe(
                    lambda first, block, seen=seen: seen.append((rig.clock.now_s(), first + block.shape[1]))  # type: ignore[misc]
                )

    def lines(self) -> Iterator[CheckLine]:
        """One for every card that was heard for long enough."""
        for name, seen in self._seen.items():
            if len(seen) < LEAST_BLOCKS or seen[-1][0] - seen[0][0] < LEAST_S:
                continue
            ppm, u_ppm = drift_ppm(seen, self._rig.audio[name].rate_hz)
            hint = "is rate_hz (or card_hz) the rate it runs at? else its crystal, or its sound server, is off"
            found = f"its clock is {ppm:+.0f} ppm off (+-{u_ppm:.0f})"
            where = self._rig.loaded.where("audio", name)
            yield CheckLine(where, f"audio.{name}", found, abs(ppm) - u_ppm <= DRIFT_PPM, hint)


def drift_ppm(seen: list[tuple[float, int]], rate_hz: int) -> tuple[float, float]:
    """(drift, expanded uncertainty, both in ppm) of frames counted at times: the slope of a straight line.

    A block comes late by as much as the machine is busy and never early, so of every second the promptest one counts.
    A machine that is busy for longer than that bends the line: what is left beside it, from end to end, is not known.
    """
    time_s = np.array([each[0] for each in seen])
    ahead = np.array([each[1] for each in seen]) / rate_hz - time_s
    second = ((time_s - time_s[0]) // PROMPT_S).astype(np.intp)
    prompt = [int(np.flatnonzero(second == each)[np.argmax(ahead[second == each])]) for each in np.unique(second)]
    time_s, ahead = time_s[prompt], ahead[prompt]
    centred = time_s - time_s.mean()
    slope = float(np.dot(centred, ahead) / np.dot(centred, centred))
    rest = ahead - ahead.mean() - slope * centred
    spread = float(np.sqrt(np.dot(rest, rest) / max(1, rest.size - 2) / np.dot(centred, centred)))
    bend = float(np.ptp(rest) / np.ptp(time_s))
    return 1e6 * slope, 1e6 * max(2 * spread, bend)
