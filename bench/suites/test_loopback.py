"""LOOPBACK: what the bench's own wires do to time and level, on each wire from an output to an input."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.bench.devices import Station
from offhook.bench.loop import Loop
from offhook.drivers.audio import probe

ROUND_TRIP_MS = 0.1
"""What is played at a time is heard at that time within this."""
FLAT_DB = 0.3
LEVEL = 0.1
FREQUENCIES_HZ = (300, 1020, 3400)
TONE_S = 0.5


@pytest.mark.req("BENCH-CLK.2")
def test_what_is_played_is_heard_at_its_time(station: Station, loop: Loop) -> None:
    """A sequence is found where it was played, twice."""
    wave = np.rint(probe.sequence(loop.rate_hz) * LEVEL * 32767)
    silence = np.zeros(loop.rate_hz // 20)
    for number in range(1, 3):
        heard = loop.heard(loop.play(np.concatenate([silence, wave, silence]).astype(np.int16)))
        arrival = probe.find(wave, heard, loop.rate_hz)
        error_ms = 1000 * (arrival.lag - len(silence)) / loop.rate_hz
        title = f"loop {loop.name}, {number}: heard so far from when it was played"
        station.figure("BENCH-CLK.2", title, abs(error_ms), "ms", ROUND_TRIP_MS, 0.02)
        assert arrival.good, f"{loop.wire}: what was played did not come back"


@pytest.mark.req("DRV-AUD.2")
def test_level_is_flat_over_the_telephone_band(station: Station, loop: Loop) -> None:
    """The gain at 300 and 3,400 Hz is that at 1,020 Hz."""
    gains_db = {freq_hz: _gain_db(loop, freq_hz) for freq_hz in FREQUENCIES_HZ}
    for freq_hz in FREQUENCIES_HZ:
        title = f"loop {loop.name}: gain at {freq_hz} Hz, re 1,020 Hz"
        station.figure("DRV-AUD.2", title, abs(gains_db[freq_hz] - gains_db[1020]), "dB", FLAT_DB, 0.05)


def _gain_db(loop: Loop, freq_hz: float) -> float:
    time_s = np.arange(round(TONE_S * loop.rate_hz)) / loop.rate_hz
    tone = np.rint(LEVEL * 32767 * np.sin(2 * np.pi * freq_hz * time_s)).astype(np.int16)
    heard = loop.heard(loop.play(tone))
    middle = slice(len(tone) // 4, 3 * len(tone) // 4)
    return 20 * float(np.log10(np.std(heard[middle].astype(float)) / np.std(tone[middle].astype(float)) + 1e-9))
