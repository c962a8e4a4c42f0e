"""DTMF: what each phone's keypad sends, measured on a call between two phones at both ends."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import dsp
from offhook.bench.devices import Station
from offhook.bench.loop import Loop
from offhook.bench.phone import Phone

KEYS = "123456789*0#"
TOLERANCE_PERCENT = 1.5
"""ETSI ES 201 235-2: each tone within 1.5 % of nominal."""
MAX_HIGH_OVER_LOW_DB, MAX_LOW_OVER_HIGH_DB = 4.0, 8.0
"""Twist a Q.24 (AT&T) receiver still accepts."""
HOLD_ERROR_S = 0.010
ALL_KEYS = "123A456B789C*0#D"
SENT_LOW_DBM0, SENT_HIGH_DBM0 = -11.0, -9.0
"""What the bench's own generator sends."""
LOOP_PERCENT, LOOP_LEVEL_DB = 0.1, 0.5
"""What a wire may do to it."""


@pytest.mark.req("DTMF-DEC.1", "DTMF-MEAS.1")
def test_every_key_crosses_a_loop(station: Station, loop: Loop) -> None:
    """All sixteen keys, played by the bench's generator, heard at the loop's end: right, once, as they were sent."""
    wave = dsp.encode(ALL_KEYS, rate=loop.rate_hz, lead_s=0.1)

    played = loop.play(dsp.to_int16(wave))

    end_s = station.clock.now_s()
    spec: dict[str, Any] = {"wire": loop.wire, "from_s": played.start_s, "to_s": end_s, "expected": ALL_KEYS}
    station.record.judge("DTMF-DEC.1", f"all keys, heard at loop {loop.name}", "digits", **spec)
    heard = [seen.data for seen in station.watch.all("digit", played.start_s, loop.wire)]
    assert "".join(str(data["key"]) for data in heard) == ALL_KEYS
    for data in heard:
        title = f"key {data['key']} on loop {loop.name}"
        station.figure("DTMF-MEAS.1", f"{title}: frequency error", _error_percent(data), "%", LOOP_PERCENT, 0.02)
        worst_db = max(abs(data["low_dbm0"] - SENT_LOW_DBM0), abs(data["high_dbm0"] - SENT_HIGH_DBM0))
        station.figure("DTMF-MEAS.1", f"{title}: level error", worst_db, "dB", LOOP_LEVEL_DB, 0.1)


def _error_percent(data: dict[str, Any]) -> float:
    """How far the worse tone of a digit is from its nominal frequency."""
    low_hz, high_hz = dsp.tones.frequencies(str(data["key"]))
    return float(max(abs(data["low_hz"] / low_hz - 1), abs(data["high_hz"] / high_hz - 1)) * 100)


@pytest.mark.req("DTMF-DEC.1", "DRV-SER.2", "DTMF-MEAS.5")
def test_keypad_sends_what_is_pressed(station: Station, desk: Phone) -> None:
    """Every key once, in a call to the neighbour: heard there, right, once, within the sender's limits."""
    far = station.neighbour(desk)
    station.connect(desk, far)

    start_s, _ = desk.key(KEYS)
    station.clock.sleep(0.5)
    end_s = station.clock.now_s()

    for wire in (desk.name, far.name):
        spec: dict[str, Any] = {"wire": wire, "from_s": start_s, "to_s": end_s, "expected": KEYS}
        station.record.judge("DTMF-DEC.1", f"all keys of {desk.name}, heard at {wire}", "digits", **spec)
    heard = [seen.data for seen in station.watch.all("digit", start_s, far.name)]
    assert "".join(str(data["key"]) for data in heard) == KEYS
    for data in heard:
        worst = _error_percent(data)
        station.figure(
            "DTMF-MEAS.5", f"key {data['key']} of {desk.name}: frequency error", worst, "%", TOLERANCE_PERCENT, 0.1
        )
        twist_db = data["high_dbm0"] - data["low_dbm0"]
        limit = MAX_HIGH_OVER_LOW_DB if twist_db > 0 else MAX_LOW_OVER_HIGH_DB
        station.figure("DTMF-MEAS.5", f"key {data['key']} of {desk.name}: twist", abs(twist_db), "dB", limit, 0.2)
        assert worst <= TOLERANCE_PERCENT
