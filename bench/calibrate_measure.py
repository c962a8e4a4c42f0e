"""What a wire from an output to an input does to time and level, measured with the bench's own sounds.

Levels are dBFS: dB re a full-scale sine (AES17). The tone is 1,020 Hz (ITU-T O.6); linearity, response, noise and
crosstalk are relative to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from offhook.bench.station_model import ref
from offhook.drivers.audio import AudioPort, Samples, probe
from offhook.drivers.audio.measures import lost_within
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceRefused

TONE_HZ = 1020.0
TONE_DBFS = -20.0
STEPS_DBFS = (-30.0, -20.0, -10.0)
BAND_HZ = (300.0, 3400.0)
TONE_S = 0.4
LEAD_S = 0.4
SETTLE_S = 0.1
"""Left out at each end of a tone: edges, and what a filter makes of them."""
PROBE_LEVEL = 0.1
SILENT_DBFS = -110.0
TRIES = 3


class Wire(NamedTuple):
    """From a channel to a channel, ``card/number`` each."""

    name: str
    play: str
    hear: str


@dataclass(frozen=True)
class WireFigures:
    """``lag_ms`` after the frame it was played for; ``crosstalk_db``: the loudest other wire, re this one."""

    lag_ms: float
    polarity: int
    gain_db: float
    linearity_db: float
    response_db: Mapping[str, float]
    noise_dbfs: float
    crosstalk_db: float
    crosstalk_on: str


class WireMeter:
    """Measures wires of open ports."""

    def __init__(self, clock: Clock, ports: Mapping[str, AudioPort], wires: list[Wire]) -> None:
        self._clock = clock
        self._ports = ports
        self._wires = wires

    def measure(self, wire: Wire) -> WireFigures:
        """Everything of one wire, about five seconds; again, up to three times, if frames were lost meanwhile.

        Raises DeviceError if a card is gone, DeviceRefused if it loses frames all the time.
        """
        card = ref(wire.hear).board
        port = self._ports[card]
        for _ in range(TRIES):
            start = port.now_frame()
            figures = self._measure(wire)
            lost = lost_within(self._clock, port, start, port.now_frame())
            if not lost:
                return figures
        hint = "less to do for this machine, or a larger latency_s"
        raise DeviceRefused(f"audio.{card}", f"measure loop.{wire.name}", lost, hint)

    def _measure(self, wire: Wire) -> WireFigures:
        heard = {level: self._tone_on(wire, TONE_HZ, level) for level in STEPS_DBFS}
        gains_db = {level: found[wire.name] - level for level, found in heard.items()}
        gain_db = gains_db[TONE_DBFS]
        others = {name: found - heard[-10.0][wire.name] for name, found in heard[-10.0].items() if name != wire.name}
        loudest = max(others, key=lambda name: others[name], default="")
        arrival = self._probe(wire)
        return WireFigures(
            lag_ms=arrival[0],
            polarity=arrival[1],
            gain_db=gain_db,
            linearity_db=max(abs(each - gain_db) for each in gains_db.values()),
            response_db={
                f"{freq_hz:g}": self._tone_on(wire, freq_hz, TONE_DBFS)[wire.name] - TONE_DBFS - gain_db
                for freq_hz in BAND_HZ
            },
            noise_dbfs=self._noise(wire),
            crosstalk_db=others[loudest] if loudest else SILENT_DBFS,
            crosstalk_on=loudest,
        )

    def hold_tone(self, wire: Wire, seconds: float, freq_hz: float = TONE_HZ, level_dbfs: float = TONE_DBFS) -> float:
        """Play a tone for so long without waiting for its end; returns what the wire's input hears of it, dBFS."""
        card, channel = ref(wire.play)
        port = self._ports[card]
        start = port.frame_at(self._clock.now_s() + LEAD_S)
        port.play_at(start, channel, _tone(freq_hz, level_dbfs, seconds, port.rate_hz))
        stop = start + round(TONE_S * port.rate_hz)
        self._wait(wire, stop)
        return self._level(wire, start, stop, freq_hz)

    def mute(self, wire: Wire) -> None:
        """End a tone that is held."""
        self._ports[ref(wire.play).board].mute()

    def _tone_on(self, wire: Wire, freq_hz: float, level_dbfs: float) -> dict[str, float]:
        """What every wire hears of a tone on one of them, dBFS."""
        card, channel = ref(wire.play)
        port = self._ports[card]
        start = port.frame_at(self._clock.now_s() + LEAD_S)
        port.play_at(start, channel, _tone(freq_hz, level_dbfs, TONE_S, port.rate_hz))
        from_s, to_s = port.time_of_s(start), port.time_of_s(start) + TONE_S
        levels = {}
        for other in self._wires:
            listening = self._ports[ref(other.hear).board]
            same = listening is port
            first = start if same else listening.frame_at(from_s)
            last = start + round(TONE_S * port.rate_hz) if same else listening.frame_at(to_s)
            self._wait(other, last)
            levels[other.name] = self._level(other, first, last, freq_hz)
        return levels

    def _level(self, wire: Wire, start: int, stop: int, freq_hz: float) -> float:
        port = self._ports[ref(wire.hear).board]
        margin = round(SETTLE_S * port.rate_hz)
        heard = port.take(start + margin, stop - margin)[ref(wire.hear).number].astype(np.float64)
        window = np.hanning(len(heard))
        phasor = np.exp(-2j * np.pi * freq_hz / port.rate_hz * np.arange(len(heard)))
        amplitude = 2 * abs(np.dot(heard * window, phasor)) / window.sum()
        return max(SILENT_DBFS, 20 * float(np.log10(max(amplitude, 1e-9) / 32768)))

    def _probe(self, wire: Wire) -> tuple[float, int]:
        card, channel = ref(wire.play)
        port = self._ports[card]
        wave = np.rint(probe.sequence(port.rate_hz) * PROBE_LEVEL * 32767)
        ahead = round(0.05 * port.rate_hz)
        start = port.frame_at(self._clock.now_s() + LEAD_S)
        port.play_at(start, channel, wave.astype(np.int16))
        self._wait(wire, start + len(wave) + ahead)
        samples = self._ports[ref(wire.hear).board].take(start - ahead, start + len(wave) + ahead)[
            ref(wire.hear).number
        ]
        arrival = probe.find(wave, samples, port.rate_hz)
        return 1000 * (arrival.lag - ahead) / port.rate_hz, (1 if arrival.gain > 0 else -1) if arrival.good else 0

    def _noise(self, wire: Wire) -> float:
        port = self._ports[ref(wire.hear).board]
        self._clock.sleep(SETTLE_S + TONE_S)
        now = port.now_frame()
        heard = port.take(now - round(TONE_S * port.rate_hz), now)[ref(wire.hear).number].astype(np.float64)
        return max(SILENT_DBFS, 10 * float(np.log10(2 * np.mean((heard / 32768) ** 2) + 1e-20)))

    def _wait(self, wire: Wire, frame: int) -> None:
        port = self._ports[ref(wire.hear).board]
        self._clock.wait_for(lambda: port.now_frame() >= frame, 5.0)


def _tone(freq_hz: float, level_dbfs: float, seconds: float, rate_hz: int) -> Samples:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * freq_hz * time_s) * 32767 * 10 ** (level_dbfs / 20)
    return np.asarray(np.rint(wave), dtype=np.int16)
