"""What a record of a line's voltage, or of what is heard of it, shows: breaks, bursts of ringing, one tone.

Pure functions on arrays; every figure comes with its expanded uncertainty (k=2).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.visa import Trace

Volts = NDArray[np.float64]
LEAST_STEP_V = 5.0
"""On hook and off hook differ by more, on the shortest loop and the lowest battery."""
RINGING_V = 15.0
"""Peak; ring detectors take less for noise."""
SLOWEST_RING_HZ = 15.0
NEAR = 0.05
"""A tone is looked for so far from its nominal frequency."""
FULL_SCALE_DBM0 = 3.14
CLOCK_PPM = 150.0
"""A sound card's clock; ``offhook check`` refuses more."""


def breaks(trace: Trace) -> list[tuple[float, float]]:
    """Length (s) and uncertainty of every break of the loop that begins and ends within the record."""
    size = np.abs(trace.volts)
    low, high = np.percentile(size, 10), np.percentile(size, 90)
    if high - low < LEAST_STEP_V:
        return []
    runs = _runs(size > (low + high) / 2)
    # each end lies anywhere between two samples
    return [((stop - start) * trace.step_s, 2 * trace.step_s / math.sqrt(6)) for start, stop in runs]


def bursts(trace: Trace) -> tuple[list[float], list[float], float]:
    """Lengths (s) of whole bursts of ringing, and of whole pauses between two; uncertainty of each length."""
    loud = np.abs(trace.volts - np.median(trace.volts)) > RINGING_V
    period = max(1, math.ceil(1 / SLOWEST_RING_HZ / trace.step_s))
    for start, stop in _runs(~loud):
        if stop - start <= period:
            loud[start:stop] = True
    found = np.flatnonzero(loud)
    if found.size and found[0] <= period:  # cut off by the record, where its voltage happens to be small
        loud[: found[0]] = True
    if found.size and loud.size - found[-1] <= period:
        loud[found[-1] :] = True
    u_s = math.sqrt(2) * (trace.step_s + 0.5 / SLOWEST_RING_HZ)
    on = [(stop - start) * trace.step_s for start, stop in _runs(loud)]
    off = [(stop - start) * trace.step_s for start, stop in _runs(~loud)]
    return on, off, u_s


def tone(samples: NDArray[np.int16], rate_hz: float, freq_hz: float) -> tuple[float, float, float]:
    """The strongest component near a frequency: its frequency (Hz), the uncertainty of that, its level (dBm0)."""
    window = np.hanning(samples.size)
    size = 1 << (samples.size * 16 - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(samples * window, size))
    first, last = (round(freq_hz * side * size / rate_hz) for side in (1 - NEAR, 1 + NEAR))
    at = first + int(np.argmax(spectrum[first : last + 1]))
    before, top, after = (math.log(value + 1e-12) for value in spectrum[at - 1 : at + 2])
    curve = before - 2 * top + after
    shift = 0.5 * (before - after) / curve if curve < 0 else 0.0
    found_hz = (at + shift) * rate_hz / size
    amplitude = 2 * float(spectrum[at]) / float(window.sum())
    level_dbm0 = 20 * math.log10(max(amplitude, 1e-6) / 32767) + FULL_SCALE_DBM0
    u_hz = math.hypot(found_hz * CLOCK_PPM * 1e-6, 0.05 * rate_hz / samples.size)
    return found_hz, u_hz, level_dbm0


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where something is so, from ... to (not including), but for what touches an end of the record."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8)))
    starts = [int(edge) + 1 for edge in edges if not inside[edge]]
    stops = [int(edge) + 1 for edge in edges if inside[edge]]
    if stops and (not starts or stops[0] < starts[0]):
        stops = stops[1:]
    return list(zip(starts, stops, strict=False))
