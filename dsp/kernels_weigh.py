"""What is decided of each candidate before it is asked what else is on the line, for numba: ``Fine._decide``."""

from __future__ import annotations

import numpy as np

from offhook.dsp.kernels import F0, F1, HALF, QUARTER, Array, kernel

_U = np.uint64


@kernel
def weigh(
    low: Array, high: Array, low_offset: Array, high_offset: Array, low_drift: Array, high_drift: Array, tone: Array,
    energies: Array, tolerance: Array, limits: Array, share: Array, sound: Array, still: Array,
) -> None:  # fmt: skip
    """Shares of candidates, and which are sound by frequency, level, twist and share, and which hold still.

    ``limits``: least and most power, high over low, low over high, fair share, still Hz, unstill Hz.
    """
    least, most, high_low, low_high, fair = limits[0], limits[1], limits[2], limits[3], limits[4]
    still_hz, unstill_hz = limits[5], limits[6]
    for i in range(len(low)):
        both = low[i] + high[i]
        energy = max(energies[i], np.float32(1e-6))
        part = both / max(energy, both * np.float32(0.9))
        share[i] = part
        good = (abs(low_offset[i]) < tolerance[tone[i] >> 2]) & (abs(high_offset[i]) < tolerance[4 + (tone[i] & 3)])
        good &= (min(low[i], high[i]) > least) & (max(low[i], high[i]) < most)
        good &= (high[i] < high_low * low[i]) & (low[i] < low_high * high[i]) & (part > fair)
        sound[i] = good
        still[i] = max(low_drift[i], high_drift[i]) < still_hz + unstill_hz * (F1 - min(part, F1))


@kernel
def steady(
    row: Array, tone: Array, share: Array, low: Array, high: Array, low_offset: Array, high_offset: Array,
    limits: Array, pure: Array, calm: Array,
) -> None:  # fmt: skip
    """``Fine._steady``; ``limits``: pure share, good share, steady Hz, steady power."""
    pure_share, good_share, steady_hz, steady_power = limits[0], limits[1], limits[2], limits[3]
    count = len(row)
    for i in range(min(count, 2)):
        pure[i] = calm[i] = False
        if i == 1:
            pure[i] = (row[1] - row[0] == 1) & (tone[1] == tone[0]) & (share[1] > pure_share) & (share[0] > pure_share)
    n = count - 2
    if n <= 0:
        return
    row1, row2, tone1, tone2, share1, share2 = row[1:], row[:n], tone[1:], tone[:n], share[1:], share[:n]
    row0, tone0, share0, pure0, calm0 = row[2:], tone[2:], share[2:], pure[2:], calm[2:]
    low0, low2, high0, high2 = low[2:], low[:n], high[2:], high[:n]
    lo0, lo2, ho0, ho2 = low_offset[2:], low_offset[:n], high_offset[2:], high_offset[:n]
    for i in range(n):
        same = (row0[i] - row1[i] == 1) & (tone0[i] == tone1[i])
        still = same & (row0[i] - row2[i] == 2) & (tone0[i] == tone2[i])
        still &= (abs(lo0[i] - lo2[i]) < steady_hz) & (abs(ho0[i] - ho2[i]) < steady_hz)
        still &= abs(low0[i] - low2[i]) < steady_power * low0[i]
        still &= abs(high0[i] - high2[i]) < steady_power * high0[i]
        calm0[i] = still
        clean = same & (share0[i] > pure_share) & (share1[i] > pure_share)
        pure0[i] = clean | (still & (min(min(share0[i], share1[i]), share2[i]) > good_share))


@kernel
def lengths(
    row: Array, key: Array, low: Array, high: Array, sound: Array, amplitude: Array, depth: Array, limits: Array,
    on_s: Array, fair: Array, full: Array,
) -> None:  # fmt: skip
    """How long both tones of sound candidates have been on, as far as anything asks.

    ``limits``: seconds of a hop, ``bridge_s``, length needed, length of a clean early tone, longest of interest.
    """
    hop_s, bridge_s, need_s, early_s = limits[0], limits[1], limits[2], limits[3]
    enough = limits[4] / hop_s
    for i in range(len(row)):
        on_s[i], fair[i], full[i] = F0, False, False
        if not sound[i]:
            continue
        low_row, high_row, r = _U(key[i] >> 2), _U(4 + (key[i] & 3)), _U(row[i])
        low_scale = F1 / np.sqrt(max(low[i], np.float32(1e-9)))
        high_scale = F1 / np.sqrt(max(high[i], np.float32(1e-9)))
        gap, total, now = F0, F0, F0
        for back in range(_U(min(12, depth[r]))):
            ratio = min(amplitude[low_row, r - back] * low_scale, amplitude[high_row, r - back] * high_scale)
            if ratio >= HALF:
                gap = F0
                total += min(ratio, F1)
            else:
                soft = F0 if ratio < QUARTER else ratio
                gap += (F1 - soft) * hop_s
                if gap >= bridge_s:
                    break
                total += soft
            now = ratio if back == 0 else now
            if total >= enough:
                break
        length = total * hop_s
        on_s[i] = length
        early = (now > np.float32(0.85)) & (length >= early_s)
        fair[i] = ((now > HALF) & (length >= need_s)) | early
        full[i] = (now > np.float32(0.95)) & (length + hop_s * HALF >= np.float32(6.0) * hop_s)
