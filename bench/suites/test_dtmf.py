"""DTMF: what each phone's keypad sends, measured on a call between two phones at both ends."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import dsp
from offhook.bench.devices import Station
from offhook.bench.phone import Phone

KEYS = "123456789*0#"
TOLERANCE_PERCENT = 1.5
"""ETSI ES 201 235-2: each tone within 1.5 % of nominal."""
MAX_HIGH_OVER_LOW_DB, MAX_LOW_OVER_HIGH_DB = 4.0, 8.0
"""Twist a Q.24 (AT&T) receiver still accepts."""
HOLD_ERROR_S = 0.010


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
        low_hz, high_hz = dsp.tones.frequencies(str(data["key"]))
        worst = max(abs(data["low_hz"] / low_hz - 1), abs(data["high_hz"] / high_hz - 1)) * 100
        station.figure(
            "DTMF-MEAS.5", f"key {data['key']} of {desk.name}: frequency error", worst, "%", TOLERANCE_PERCENT, 0.1
        )
        twist_db = data["high_dbm0"] - data["low_dbm0"]
        limit = MAX_HIGH_OVER_LOW_DB if twist_db > 0 else MAX_LOW_OVER_HIGH_DB
        station.figure("DTMF-MEAS.5", f"key {data['key']} of {desk.name}: twist", abs(twist_db), "dB", limit, 0.2)
        assert worst <= TOLERANCE_PERCENT
