"""The coarse gate's loops for numba: ``gate.Gate`` without copies of what is silent."""

from __future__ import annotations

from typing import Any

import numpy as np

from offhook.dsp.kernels import F0, Array, kernel


@kernel
def _energy(window: Array) -> Any:
    total = F0
    for i in range(len(window)):
        value = np.float32(window[i])
        total += value * value
    return total


@kernel
def loud_windows(
    audio: Array, first: int, windows: int, begin: int, size: int, step: int, quiet: Any, rows: Array, place: Array,
    energy: Array,
) -> tuple[int, int]:  # fmt: skip
    """Windows with any power to speak of, from the flat number ``begin`` on, until ``rows`` is full.

    The first window of each channel begins with sample ``first``. Returns the flat number to go on with and how many
    were found; ``quiet`` and ``energy`` are sums of squares.
    """
    channels, samples = audio.shape
    found = 0
    flat = begin
    while flat < channels * windows and found < len(rows):
        channel, window = flat // windows, flat % windows
        line = audio[channel]
        while window < windows and found < len(rows):
            a = first + window * step
            whole = a + size <= samples
            piece = line[a : a + size] if whole else line[min(a, samples) : samples]
            total = _energy(piece)
            if total > quiet:
                row = rows[found]
                for i in range(len(piece)):
                    row[i] = np.float32(piece[i])
                for i in range(len(piece), size):
                    row[i] = F0
                place[found], energy[found] = flat, total
                found += 1
            window += 1
            flat += 1
    return flat, found


@kernel
def tonal(
    product: Array, count: int, nulls: int, energy: Array, scale: Any, limits: Array, place: Array, room: Array,
    passed: Array,
) -> None:  # fmt: skip
    """Which windows have a fair share of their energy in one low and one high tone; ``passed`` by flat number.

    ``limits``: share, floor, most high over low, most low over high.
    """
    share, floor, high_over_low, low_over_high = limits[0], limits[1], limits[2], limits[3]
    power, nulled = room[0:8], room[8]
    for t in range(8):
        re, im, out = product[t], product[8 + t], power[t]
        for p in range(count):
            out[p] = re[p] * re[p] + im[p] * im[p]
    for p in range(count):
        nulled[p] = F0
    for m in range(nulls):
        part = product[16 + m]
        for p in range(count):
            nulled[p] += part[p] * part[p]
    p0, p1, p2, p3, p4, p5, p6, p7 = (
        power[0], power[1], power[2], power[3], power[4], power[5], power[6], power[7],
    )  # fmt: skip
    verdict = room[9]
    for p in range(count):
        low = max(max(p0[p], p1[p]), max(p2[p], p3[p]))
        high = max(max(p4[p], p5[p]), max(p6[p], p7[p]))
        whole = energy[p] * scale - nulled[p]
        good = (min(low, high) > floor) & (high < high_over_low * low) & (low < low_over_high * high)
        verdict[p] = np.float32(1.0) if good & (low + high > share * whole) else F0
    for p in range(count):
        passed[place[p]] = verdict[p] != F0
