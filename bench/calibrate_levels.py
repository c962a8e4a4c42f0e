"""The level of a wire in dBm, by a meter of the station across its termination: ``offhook calibrate --meter``.

The tone is played at three levels and three frequencies, and the meter reads each some times. 0 dBm is 1 mW in the
impedance that terminates the wire. What the output makes of full scale is play_dbm; what the input makes full scale of,
hear_dbm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from offhook.bench.calibrate_measure import BAND_HZ, STEPS_DBFS, TONE_DBFS, TONE_HZ, Wire, WireMeter
from offhook.bench.record.kinds import T95
from offhook.bench.record.verdicts import combine
from offhook.drivers.errors import ConfigError
from offhook.drivers.visa import Meter

READINGS = 3
HOLD_S = 60.0
"""Longer than all readings of one tone take; it is muted as soon as they are made."""
LINEARITY_DB, RESPONSE_DB = 0.1, 1.0
HEARD_U_DB = 0.02
"""Of what the bench's own input hears of a tone."""


class Level(NamedTuple):
    """One tone: dBm by the meter, with its expanded uncertainty, and what the wire's input hears of it."""

    dbm: float
    u_db: float
    heard_dbfs: float


@dataclass(frozen=True)
class LevelFigures:
    """A wire's two channels. ``linearity_db`` and ``response_db`` are the meter's, re the tone at -20 dBFS."""

    play_dbm: float
    hear_dbm: float
    u_db: float
    linearity_db: float
    linearity_u_db: float
    response_db: Mapping[str, float]
    by: str

    def complaint(self, name: str) -> tuple[str, str]:
        """What is not as it must be, and what to try; two empty texts if all is well."""
        if self.linearity_db + self.linearity_u_db > LINEARITY_DB:
            found = (
                f"the meter reads {self.linearity_db:.2f} dB (+-{self.linearity_u_db:.2f}) off between -30 and -10 dBFS"
            )
            return found, f"are the leads of {name} across this wire and its termination? is it clipped?"
        worst = max(self.response_db, key=lambda freq: abs(self.response_db[freq]))
        if abs(self.response_db[worst]) + self.u_db > RESPONSE_DB:
            found = f"the meter reads {self.response_db[worst]:+.2f} dB at {worst} Hz re 1,020 Hz"
            return found, "is a filter or an equalizer in the way, or a meter that is made for 50 Hz?"
        return "", ""

    def __str__(self) -> str:
        worst_db = max(abs(each) for each in self.response_db.values())
        figures = f"linear within {self.linearity_db:.2f} dB, flat within {worst_db:.2f} dB"
        return f"full scale is {self.play_dbm:+.2f} dBm out, {self.hear_dbm:+.2f} dBm in (+-{self.u_db:.2f}), {figures}"

    def channels(self, wire: Wire, ohms: float) -> dict[str, dict[str, Any]]:
        """What is stored of both."""
        about = {"u_db": self.u_db, "ohms": ohms, "by": self.by}
        found: dict[str, dict[str, Any]] = {wire.play: {"play_dbm": self.play_dbm, **about}}
        found[wire.hear] = {**found.get(wire.hear, {}), "hear_dbm": self.hear_dbm, **about}
        return found


def levels_of(meter: WireMeter, wire: Wire, dmm: Meter, ohms: float) -> LevelFigures:
    """Measure. Raises DeviceError (of the meter: late, gone, another one), or ConfigError for what is no level."""
    by = dmm.check_identity()
    steps = {dbfs: _level(meter, wire, dmm, ohms, TONE_HZ, dbfs) for dbfs in STEPS_DBFS}
    band = {freq_hz: _level(meter, wire, dmm, ohms, freq_hz, TONE_DBFS) for freq_hz in BAND_HZ}
    middle = steps[TONE_DBFS]
    off_db = {dbfs: (level.dbm - dbfs) - (middle.dbm - TONE_DBFS) for dbfs, level in steps.items()}
    worst = max(off_db, key=lambda dbfs: abs(off_db[dbfs]))
    return LevelFigures(
        play_dbm=middle.dbm - TONE_DBFS,
        hear_dbm=middle.dbm - middle.heard_dbfs,
        u_db=combine(middle.u_db, HEARD_U_DB),
        linearity_db=abs(off_db[worst]),
        linearity_u_db=combine(middle.u_db, steps[worst].u_db),
        response_db={f"{freq_hz:g}": level.dbm - middle.dbm for freq_hz, level in band.items()},
        by=by,
    )


def _level(meter: WireMeter, wire: Wire, dmm: Meter, ohms: float, freq_hz: float, dbfs: float) -> Level:
    try:
        heard_dbfs = meter.hold_tone(wire, HOLD_S, freq_hz, dbfs)
        readings = [dmm.voltage_ac() for _ in range(READINGS)]
    finally:
        meter.mute(wire)
    volts = math.fsum(each.value for each in readings) / READINGS
    deviation = math.sqrt(math.fsum((each.value - volts) ** 2 for each in readings) / (READINGS - 1))
    u = combine(max(each.u for each in readings), T95[READINGS] * deviation / math.sqrt(READINGS))
    level_dbm = dbm(volts, ohms)
    return Level(level_dbm, 20 * math.log10(1 + u / volts), heard_dbfs)


def dbm(volts: float, ohms: float) -> float:
    """Level of a voltage (RMS) across an impedance, in dB re 1 mW. Raises ConfigError for what no meter shows."""
    if not (math.isfinite(volts) and volts > 0 and ohms > 0):
        raise ConfigError("meter", "read", f"{volts:g} V across {ohms:g} ohm is no level", "volts RMS, more than 0")
    return 10 * math.log10(volts**2 / ohms * 1000)
