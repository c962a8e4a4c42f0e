"""What meter, oscilloscope and signal generator say of the lines of phones."""

from __future__ import annotations

import math

import pytest

from offhook.bench import line_shapes
from offhook.bench.devices import Station
from offhook.bench.line_instruments import LineInstrument, at_lines
from offhook.bench.phone import Phone, WireCut
from offhook.bench.watch import Seen
from offhook.drivers.errors import DeviceRefused
from offhook.drivers.keypad.hook import FLASH_S, Break
from offhook.drivers.visa import Reading, Trace

SETTLE_S = 0.6
BURSTS, MOST_BURSTS = 3, 8
RING_S = {"US": (2.0, 4.0), "EU": (1.0, 4.0)}
"""On and off: North America, and the EU as ETSI has it."""
RING_LIMIT_S = 8.0
FLASH_WINDOW_S, FLASH_LEAD_S = 2.0, 0.6
TRIES = 3
RING_POINTS, FLASH_POINTS = 8000, 2000
"""So that a period of the fastest ringing has some ten of them, and a flash is known to a millisecond."""
TONE_HZ, LEVELS_DBM = 1004.0, (-20.0, -30.0)
TONE_WINDOWS, TONE_WINDOW_S = 3, 0.5
LEVEL_U_DB = 0.5
"""Of what the bench hears, where its level is known."""
GONE_DBM0 = -50.0
NOTHING_V = 1.0
VOLTS_PER_DIVISION, RING_VOLTS_PER_DIVISION = 20.0, 50.0


@pytest.mark.req("DRV-VISA.1", "DRV-VISA.2")
def test_battery_and_loop_are_those_of_a_telephone_line(station: Station) -> None:
    """Voltage on hook and off hook, and the current, where the meter is in the loop: each within its limits."""
    limits = station.limits
    for meter in at_lines(station, "dmm", "DRV-VISA.1", "DRV-VISA.2"):
        has_current = "current" in (meter.section.reads or ())
        _hook(station, meter.phone, False)
        idle = meter.read("battery on hook", meter.driver.voltage_dc)
        idle_ma = meter.read("current on hook", meter.driver.current_dc, unit="mA") if has_current else []
        _hook(station, meter.phone, True)
        busy = meter.read("voltage off hook", meter.driver.voltage_dc)
        busy_ma = meter.read("current off hook", meter.driver.current_dc, unit="mA") if has_current else []
        line = meter.phone.name
        hint = f"are the leads of {meter.name} at the line of {line}, and is that line in service?"
        low, high = limits.battery_min_v, limits.battery_max_v
        meter.judge("DRV-VISA.2", "battery on hook", idle, "V", at_least=low, at_most=high, size=True, hint=hint)
        low, high = limits.off_hook_min_v, limits.off_hook_max_v
        meter.judge("DRV-VISA.2", "voltage off hook", busy, "V", at_least=low, at_most=high, size=True, hint=hint)
        if not has_current:
            station.not_applicable("DRV-VISA.2", f'{meter.name} is not in the loop: reads = ["voltage", "current"]')
            continue
        most = limits.leakage_max_ma
        meter.judge("DRV-VISA.2", "current on hook", idle_ma, "mA", at_most=most, size=True, hint=hint)
        low, high = limits.loop_current_min_ma, limits.loop_current_max_ma
        meter.judge("DRV-VISA.2", "loop current", busy_ma, "mA", at_least=low, at_most=high, size=True, hint=hint)


@pytest.mark.req("DRV-VISA.2")
def test_ringing_voltage_and_frequency(station: Station) -> None:
    """Another phone calls: volts RMS and frequency, read within bursts of ringing only."""
    limits = station.limits
    for meter in at_lines(station, "dmm", "DRV-VISA.2"):
        if not _can_ring(station, meter, "DRV-VISA.2"):
            continue
        _ring(station, meter.phone)
        hint = f"are the leads of {meter.name} at the line of {meter.phone.name}?"
        volts, hertz = _in_bursts(station, meter)
        low, high = limits.ring_min_v, limits.ring_max_v
        meter.judge("DRV-VISA.2", "ringing voltage", volts, "V", at_least=low, at_most=high, hint=hint)
        low, high = limits.ring_min_hz, limits.ring_max_hz
        meter.judge("DRV-VISA.2", "ringing frequency", hertz, "Hz", at_least=low, at_most=high, hint=hint)


@pytest.mark.req("LINE-RING.1")
def test_ringing_cadence(station: Station) -> None:
    """Bursts and pauses of ringing, as the oscilloscope records them, are those of the region."""
    share = station.limits.ring_cadence
    for scope in at_lines(station, "scope", "LINE-RING.1"):
        nominal = RING_S.get(station.model.region)
        if nominal is None:
            station.not_applicable("LINE-RING.1", f"no cadence of ringing is known for {station.model.region}")
            continue
        if not _can_ring(station, scope, "LINE-RING.1"):
            continue
        _ring(station, scope.phone)
        trace, time_s, u_time_s = _recorded(scope, RING_VOLTS_PER_DIVISION, 2 * sum(nominal), RING_POINTS)
        on, off, u_s = line_shapes.bursts(trace)
        for what, wanted_s, lengths in (("burst of ringing", nominal[0], on), ("pause of ringing", nominal[1], off)):
            seen = [scope.note(what, _seconds(one, u_s, time_s), time_s, u_time_s).id for one in lengths or [0.0]]
            low, high = wanted_s * (1 - share), wanted_s * (1 + share)
            hint = f"does {scope.phone.name} ring, and is the probe of {scope.name} at its line?"
            scope.judge("LINE-RING.1", what, seen, "s", at_least=low, at_most=high, hint=hint)


@pytest.mark.req("LINE-HOOK.1")
def test_hook_flash_at_the_line(station: Station) -> None:
    """A hook flash, as the oscilloscope records it at the line, is as long as the bench asked for."""
    most_s = station.limits.flash_error_s
    for scope in at_lines(station, "scope", "LINE-HOOK.1"):
        _hook(station, scope.phone, True)
        trace, done, time_s, u_time_s = _flashed(station, scope)
        length_s, u_s = max(line_shapes.breaks(trace), default=(0.0, trace.step_s))
        seen = scope.note("hook flash", _seconds(length_s, u_s, time_s), time_s, u_time_s)
        low, high = done.asked_s - most_s, done.asked_s + most_s
        hint = f"is the probe of {scope.name} at the line of {scope.phone.name}? does its relay stick?"
        scope.judge("LINE-HOOK.1", "hook flash", [seen.id], "s", at_least=low, at_most=high, hint=hint)


@pytest.mark.req("DTMF-MEAS.4", "BENCH-RUN.3")
def test_tone_of_the_generator_in_the_ear(station: Station) -> None:
    """A tone put on the line is heard at its frequency, not louder, not much fainter; switched off, it is gone."""
    limits = station.limits
    for generator in at_lines(station, "generator", "DTMF-MEAS.4", "BENCH-RUN.3"):
        desk = generator.phone
        most_dbm = generator.section.most_dbm if generator.section.most_dbm is not None else 0.0
        _hook(station, desk, True)
        hint = f"is the output of {generator.name} at the line of {desk.name}?"
        for level_dbm in (level for level in LEVELS_DBM if level <= most_dbm):
            generator.driver.sine(TONE_HZ, level_dbm)
            hertz, levels = _heard(station, generator, f"tone of {level_dbm:g} dBm")
            low, high = TONE_HZ * (1 - limits.tone_frequency), TONE_HZ * (1 + limits.tone_frequency)
            title = f"tone of {level_dbm:g} dBm in the ear"
            generator.judge("DTMF-MEAS.4", f"frequency of a {title}", hertz, "Hz", at_least=low, at_most=high)
            low = level_dbm - limits.tone_loss_max_db
            if _levels_are_known(station, desk):
                generator.judge("DTMF-MEAS.4", title, levels, "dBm0", at_least=low, at_most=level_dbm, hint=hint)
        generator.driver.safe()
        _, levels = _heard(station, generator, "nothing")
        generator.judge("BENCH-RUN.3", "tone in the ear, switched off", levels, "dBm0", at_most=GONE_DBM0)


# ---- what the cases have in common -------------------------------------------------------------------------------


def _hook(station: Station, desk: Phone, lifted: bool) -> None:
    if lifted:
        desk.lift()
    else:
        desk.hang_up()
    station.clock.sleep(SETTLE_S)


def _can_ring(station: Station, instrument: LineInstrument, req: str) -> bool:
    desk = instrument.phone
    if desk.model.ring is None:
        station.not_applicable(req, f"{desk.name} has no ring sensor that says when to read")
    elif len(station.phones) < 2:
        station.not_applicable(req, f"{desk.name} is the only phone: nobody to call it")
    return desk.model.ring is not None and len(station.phones) > 1


def _ring(station: Station, desk: Phone) -> None:
    """Another phone calls this one, which goes on ringing. Raises WireCut."""
    other = station.neighbour(desk)
    since_s = other.lift().time_s
    if not other.hears_dial_tone():
        raise WireCut(f"handset of {other.name}", "call", "no dial tone", "offhook check")
    other.dial(desk.extension)
    if desk.ring(RING_LIMIT_S, since_s) is None:
        raise WireCut(f"ringer of {desk.name}", "call", f"{other.name} dialled, no ring", "offhook check")


def _in_bursts(station: Station, meter: LineInstrument) -> tuple[list[int], list[int]]:
    """Voltage and frequency, once a burst of ringing, each begun and ended within it."""
    name = meter.phone.name
    volts: list[Seen] = []
    hertz: list[Seen] = []

    def rings_on(from_s: float, to_s: float) -> bool:
        edges = station.watch.all("ring", from_s, name)
        return not any(edge.time_s <= to_s for edge in edges)

    for _ in range(MOST_BURSTS):
        if min(len(volts), len(hertz)) >= BURSTS or meter.phone.ring(RING_LIMIT_S, station.clock.now_s()) is None:
            break
        volts += meter.read_while("ringing voltage", meter.driver.voltage_ac, rings_on)
        if volts and volts[-1].data["value"] < NOTHING_V:
            break  # there is no frequency to be read, and the voltage says why
        hertz += meter.read_while("ringing frequency", meter.driver.frequency, rings_on)
    return [seen.id for seen in volts], [seen.id for seen in hertz]


def _recorded(
    scope: LineInstrument, volts_per_division: float, window_s: float, points: int
) -> tuple[Trace, float, float]:
    """A record of the line; when its middle was, and how well that is known."""
    trace = scope.driver.capture(scope.section.channel or 1, volts_per_division, window_s, points)
    return trace, trace.time_s - window_s / 2, window_s / 2


def _flashed(station: Station, scope: LineInstrument) -> tuple[Trace, Break, float, float]:
    """A record with a flash in it that was commanded in time. Raises DeviceRefused where this machine is too busy."""
    for attempt in range(TRIES):
        recording = station.clock.spawn(lambda: _recorded(scope, VOLTS_PER_DIVISION, FLASH_WINDOW_S, FLASH_POINTS))
        station.clock.sleep(FLASH_LEAD_S)
        try:
            done = scope.phone.flash(FLASH_S)
        except DeviceRefused:
            recording.join()
            if attempt == TRIES - 1:
                raise
            continue
        trace, time_s, u_s = recording.join()
        if abs(done.error_s) <= station.limits.flash_error_s / 2:
            return trace, done, time_s, u_s
    detail = f"the bench commanded {1000 * done.length_s:.1f} ms, not {1000 * done.asked_s:.0f}"
    raise DeviceRefused(f"hook of {scope.phone.name}", "flash", detail, "less load on this machine")


def _seconds(value_s: float, u_s: float, time_s: float) -> Reading:
    return Reading(value_s, "s", 0.0, u_s, time_s)


def _heard(station: Station, generator: LineInstrument, quantity: str) -> tuple[list[int], list[int]]:
    """What the ear hears near the tone's frequency, some times: readings of frequency and of level."""
    hertz, levels = [], []
    station.clock.sleep(SETTLE_S)
    name = generator.phone.name
    for _ in range(TONE_WINDOWS):
        from_s = station.clock.now_s()
        station.clock.sleep(TONE_WINDOW_S)
        heard = station.listener.samples(name, from_s, from_s + TONE_WINDOW_S)
        middle_s, half_s = from_s + TONE_WINDOW_S / 2, TONE_WINDOW_S / 2
        freq_hz, u_hz, level_dbm0 = (
            line_shapes.tone(heard, generator.phone.audio_rate_hz, TONE_HZ) if heard.size else (math.nan,) * 3
        )
        found = Reading(freq_hz, "Hz", 0.0, u_hz, middle_s)
        hertz.append(generator.note(f"frequency in the ear, {quantity}", found, middle_s, half_s).id)
        found = Reading(level_dbm0, "dBm0", 0.0, LEVEL_U_DB, middle_s)
        levels.append(generator.note(f"level in the ear, {quantity}", found, middle_s, half_s).id)
    return hertz, levels


def _levels_are_known(station: Station, desk: Phone) -> bool:
    """Levels of a sound card mean something once it is calibrated; those of a simulated one always do."""
    card = station.model.audio[desk.model.handset.partition("/")[0]]
    if card.device is None or station.rig.calibration.live:
        return True
    station.not_run("DTMF-MEAS.4", f"levels of {desk.name} are dBFS: {station.rig.calibration.state}")
    return False
