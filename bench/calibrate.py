"""``offhook calibrate``: every loop of a station measured, judged, and stored with its date, hash and end.

A wire is measured whole: from the output through the cable to the input. With a meter across a 600 ohm termination
of that wire, while the tone plays, both its halves are known in dBm: 0 dBm is 1 mW, and the bench counts it as
0 dBm0. The meter is the dmm that the loop names (calibrate_levels.py), or a person reads one out. Without a meter
levels stay dBFS, and no run on real wires is certified on them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench import calibrate_store
from offhook.bench.calibrate_contacts import ContactMeter
from offhook.bench.calibrate_levels import dbm, levels_of
from offhook.bench.calibrate_measure import TONE_DBFS, Wire, WireFigures, WireMeter
from offhook.bench.check import CheckLine, Tell
from offhook.bench.station import Rig, open_rig
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused, DeviceTimeout

LAG_MS, LAG_U_MS = 0.1, 0.05
LINEARITY_DB = 0.1
RESPONSE_DB = 1.0
NOISE_DBFS = -60.0
CROSSTALK_DB = -50.0
DRIFT_PPM = 150.0
CONTACT_U_MS = 10.0
"""TH-15: latency uncertainty of audio and relays."""
LEAST_GAIN_DB = -30.0
"""A wire that takes away more than this is no cable."""
OHMS = 600.0
METER_S = 120.0
METER_U_DB = 0.1

ReadMeter = Callable[[str], float | None]
"""Asked with the name of a wire while the tone plays on it: volts RMS, None to leave it out."""


def calibrate_station(
    station: str,
    tell: Tell,
    *,
    plugged: Sequence[str] = (),
    read_meter: ReadMeter | None = None,
    ohms: float = OHMS,
    days: float = calibrate_store.DAYS,
) -> Path | None:
    """Measure every [loop], and a loop on each channel ``plugged`` (``rack/0``); store what is found.

    ``tell`` gets a line for each wire. With ``read_meter`` there are levels: of what the dmm reads that a loop names,
    or of what ``read_meter`` returns. Returns the file; None, with nothing stored, if a wire is not as it must be.
    Raises ConfigError (no wire to measure), Busy, or Unreachable.
    """
    lines: list[CheckLine] = []

    def note(line: CheckLine) -> None:
        lines.append(line)
        tell(line)

    with open_rig(
        station,
        purpose="offhook calibrate",
        calibrated=False,
        on_safe=lambda report: note(CheckLine("", "safe state", str(report), report.ok)),
    ) as rig:
        wires = wires_of(rig, plugged)
        if not wires and not rig.model.contact:
            hint = "[loop.NAME] with play and hear in the station file, or --plug rack/0"
            raise ConfigError(rig.model.name, "calibrate", "there is no wire from an output to an input", hint)
        meter = WireMeter(rig.clock, rig.audio, wires)
        loops: dict[str, Any] = {}
        channels: dict[str, dict[str, Any]] = {}
        for wire in wires:
            figures = meter.measure(wire)
            loops[wire.name] = {"play": wire.play, "hear": wire.hear, **asdict(figures)}
            note(judged(rig, wire, figures))
            if read_meter is not None and not _by_instrument(rig, meter, wire, ohms, channels, note):
                _with_meter(rig.clock, meter, wire, read_meter, ohms, channels)
        contacts = _contacts(rig, note)
        measured = {"cards": cards_of(rig), "channels": channels, "loops": loops, "contacts": contacts}
        model = rig.model
    if not all(line.ok for line in lines):
        return None
    return calibrate_store.store(model, measured, datetime.now(UTC), days)


def _contacts(rig: Rig, note: Tell) -> dict[str, Any]:
    """Every [contact] measured, with a line for each."""
    meter = ContactMeter(rig.clock, rig.relays, rig.senses)
    contacts: dict[str, Any] = {}
    for name, model in rig.model.contact.items():
        where = rig.loaded.where("contact", name)
        try:
            found = meter.measure(name, model)
        except DeviceRefused as error:
            note(CheckLine(where, f"contact.{name}", error.detail, False, error.hint))
            continue
        contacts[name] = {"contact": model.contact, "sense": model.sense, **asdict(found)}
        text = f"operates in {found.operate_ms:.1f}, releases in {found.release_ms:.1f} +- {found.u_ms:.1f} ms"
        hint = "is the machine overloaded, or is another program on that port?"
        note(CheckLine(where, f"contact.{name}", text, found.u_ms <= CONTACT_U_MS, hint))
    return contacts


def check_loops(rig: Rig) -> Iterator[CheckLine]:
    """Every [loop] of an open rig tried, and the crystal of every sound card against the common clock."""
    wires = [wire for wire in wires_of(rig) if rig.connected >= {f"audio.{end.partition('/')[0]}" for end in wire[1:]}]
    meter = WireMeter(rig.clock, rig.audio, wires)
    for wire in wires:
        try:
            yield judged(rig, wire, meter.measure(wire))
        except DeviceError as error:
            where = rig.loaded.where("loop", wire.name)
            yield CheckLine(where, f"loop.{wire.name}", f"{error.operation}: {error.detail}", False, error.hint)
    for name, port in rig.audio.items():
        drift_ppm = getattr(port, "drift_ppm", None)
        if drift_ppm is not None:
            hint = "is card_hz the rate it runs at?"
            where, found = rig.loaded.where("audio", name), f"its clock is {drift_ppm:+.0f} ppm off"
            yield CheckLine(where, f"audio.{name}", found, abs(drift_ppm) <= DRIFT_PPM, hint)


def wires_of(rig: Rig, plugged: Sequence[str] = ()) -> list[Wire]:
    """The loops of the station, and a plug on each of these channels. Raises ConfigError for a channel there is not."""
    wires = [Wire(name, loop.play, loop.hear) for name, loop in rig.model.loop.items()]
    for channel in plugged:
        card, _, number = channel.partition("/")
        section = rig.model.audio.get(card)
        if section is None or not number.isdigit() or int(number) >= section.channels:
            raise ConfigError(channel, "calibrate", "there is no such channel", 'a form like "rack/0"')
        wires.append(Wire(channel, channel, channel))
    return wires


def judged(rig: Rig, wire: Wire, found: WireFigures) -> CheckLine:
    """One line for a wire: what was found, and what to try where it is not what a wire does."""
    where = rig.loaded.where("loop", wire.name) if wire.name in rig.model.loop else rig.loaded.where("audio")
    for bad, what, hint in _complaints(rig, wire, found):
        if bad:
            return CheckLine(where, f"loop.{wire.name}", what, False, hint)
    worst_db = max(abs(each) for each in found.response_db.values())
    level = f"{found.gain_db:+.2f} dB, flat within {worst_db:.2f} dB, noise {found.noise_dbfs:.0f} dBFS"
    return CheckLine(where, f"loop.{wire.name}", f"{found.lag_ms:+.3f} ms, {level}")


def _complaints(rig: Rig, wire: Wire, found: WireFigures) -> Iterator[tuple[bool, str, str]]:
    name = f"{wire.play} to {wire.hear}"
    swapped = found.crosstalk_db > 0
    yield (
        swapped,
        f"what {wire.play} plays is heard on loop.{found.crosstalk_on}, not on {wire.hear}",
        f"the cables of loop.{wire.name} and loop.{found.crosstalk_on} are swapped, or the channel map is another one",
    )
    yield found.gain_db < LEAST_GAIN_DB, f"{name}: nothing comes back", "is the cable plugged, is the gain turned up?"
    yield found.polarity < 0, f"{name}: the polarity is turned", "swap the two wires of the cable"
    yield (
        found.crosstalk_db > CROSSTALK_DB,
        f"{wire.play} is heard on loop.{found.crosstalk_on} at {found.crosstalk_db:.0f} dB",
        "do the cables share a ground, or does the sound server mix channels?",
    )
    yield (
        measured_trip(rig, wire) and abs(found.lag_ms) > LAG_MS + LAG_U_MS,
        f"{name}: heard {found.lag_ms:+.3f} ms from when it should be",
        "is another delay in this wire than in that of the loop channel?",
    )
    yield (
        found.linearity_db > LINEARITY_DB,
        f"{name}: {found.linearity_db:.2f} dB off between -30 and -10 dBFS",
        "is it clipped, or an automatic gain control on?",
    )
    worst = max(found.response_db, key=lambda freq: abs(found.response_db[freq]))
    yield (
        abs(found.response_db[worst]) > RESPONSE_DB,
        f"{name}: {found.response_db[worst]:+.2f} dB at {worst} Hz re 1,020 Hz",
        "is a filter, an equalizer or a microphone input in the way?",
    )
    yield found.noise_dbfs > NOISE_DBFS, f"{name}: noise of {found.noise_dbfs:.0f} dBFS", "hum? try another ground"


def measured_trip(rig: Rig, wire: Wire) -> bool:
    """True where the port's round trip is known by measurement, so that a lag means something."""
    trip = getattr(rig.audio[wire.play.partition("/")[0]], "round_trip", None)
    return trip is None or bool(trip.measured)


def cards_of(rig: Rig) -> dict[str, dict[str, Any]]:
    """What each sound card said of itself."""
    cards: dict[str, dict[str, Any]] = {}
    for name, port in rig.audio.items():
        trip = getattr(port, "round_trip", None)
        cards[name] = {"identity": rig.identities.get(f"audio.{name}", "")}
        if trip is not None:
            cards[name] |= {"round_trip_ms": 1000 * trip.s, "u_ms": 1000 * trip.u_s, "measured": trip.measured}
            cards[name]["drift_ppm"] = getattr(port, "drift_ppm", None)
    return cards


def _by_instrument(
    rig: Rig, meter: WireMeter, wire: Wire, ohms: float, channels: dict[str, dict[str, Any]], note: Tell
) -> bool:
    """The level of a wire by the dmm across it, with a line; False where there is none, or none that can be used."""
    loop = rig.model.loop.get(wire.name)
    if loop is None or loop.meter is None:
        return False
    where, resource = rig.loaded.where("loop", wire.name, "meter"), f"instrument.{loop.meter}"
    left_out = rig.left_out.get(resource)
    if left_out is not None:
        text = f"{resource} is not used ({left_out.detail}): its reading is asked for"
        note(CheckLine(where, f"loop.{wire.name}", text, tried=False))
        return False
    dmm: Any = rig.instruments[loop.meter]
    try:
        found = levels_of(meter, wire, dmm, ohms)
    except DeviceError as error:
        note(CheckLine(where, f"loop.{wire.name}", f"{error.operation}: {error.detail}", False, error.hint))
        return True
    complaint, hint = found.complaint(resource)
    note(CheckLine(where, f"loop.{wire.name}", complaint or str(found), not complaint, hint))
    for channel, levels in found.channels(wire, ohms).items():
        channels.setdefault(channel, {}).update(levels)
    return True


def _with_meter(
    clock: Clock,
    meter: WireMeter,
    wire: Wire,
    read_meter: ReadMeter,
    ohms: float,
    channels: dict[str, dict[str, Any]],
) -> None:
    heard_dbfs = meter.hold_tone(wire, METER_S)
    read: list[float | Exception | None] = []

    def ask() -> None:
        try:
            read.append(read_meter(wire.name))
        except Exception as error:  # of whoever reads; it belongs to whoever asked
            read.append(error)

    # the clock goes on while a person looks at a meter: cards and guardian are heard, and their ends noticed
    threading.Thread(target=ask, name="meter", daemon=True).start()
    try:
        clock.wait_for(lambda: bool(read), METER_S)
    finally:
        meter.mute(wire)
    if not read:
        raise DeviceTimeout("meter", f"read loop.{wire.name}", f"no reading within {METER_S:g} s", "start again")
    volts = read[0]
    if isinstance(volts, Exception):
        raise ConfigError("meter", f"read loop.{wire.name}", str(volts), "a number of volts") from volts
    if volts is None:
        return
    level_dbm = dbm(volts, ohms)
    channels.setdefault(wire.play, {})["play_dbm"] = level_dbm - TONE_DBFS
    channels.setdefault(wire.hear, {})["hear_dbm"] = level_dbm - heard_dbfs
    for channel in (wire.play, wire.hear):
        channels[channel] |= {"u_db": METER_U_DB, "ohms": ohms}
