"""From folded blocks to candidates, a part of the rows at a time, for numba: ``fine`` up to the two tones."""

from __future__ import annotations

from math import atan, pi
from typing import Any

import numpy as np

from offhook.dsp.kernels import EIGHTH, F0, F1, F2, F3, F4, HALF, QUARTER, STRIDE, TAPS, Array, fold_rows, kernel

CARRIED = 16  # columns before a part's own; the last six hold those of the part before
_U = np.uint64
PI_F, HALF_PI = np.float32(pi), np.float32(pi / 2)
TINY = np.float32(1e-30)
# atan(x) / x on 0..1 in powers of x**2, fitted at Chebyshev nodes: 1e-7 rad
_X = 0.5 + 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
_POLY = np.polynomial.Polynomial.fit(_X**2, [atan(x) / x for x in _X], 8).convert().coef.astype(np.float32)
A0, A1, A2, A3, A4, A5, A6, A7, A8 = (np.float32(c) for c in _POLY)
# (1 - x**2) / sinc(x) for a Hann window's loss off its middle, x cycles a window
_M = 0.35 + 0.35 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
_LOSS = np.polynomial.Polynomial.fit(_M**2, (1.0 - _M**2) / np.sinc(_M), 5).convert().coef.astype(np.float32)
L0, L1, L2, L3, L4, L5 = (np.float32(c) for c in _LOSS)
S3, S5, S7, S9 = (np.float32(c) for c in (-1 / 6, 1 / 120, -1 / 5040, 1 / 362880))
C2, C4, C6, C8 = (np.float32(c) for c in (-1 / 2, 1 / 24, -1 / 720, 1 / 40320))
P1, P2, P3, P4, P5, P6, P7 = (_U(STRIDE * i) for i in range(1, 8))
P8, P9, P10, P11, P12, P13, P14, P15 = (_U(STRIDE * i) for i in range(8, 16))


@kernel
def _sixteen(fold: Array, begin: Any, weights: Array, out: Array, more: Any) -> None:
    """Sixteen taps of one frequency's correlation with some blocks, added to what is there if ``more`` is 1."""
    w0, w1, w2, w3, w4, w5, w6, w7 = (
        weights[0], weights[1], weights[2], weights[3], weights[4], weights[5], weights[6], weights[7],
    )  # fmt: skip
    w8, w9, w10, w11, w12, w13, w14, w15 = (
        weights[8], weights[9], weights[10], weights[11], weights[12], weights[13], weights[14], weights[15],
    )  # fmt: skip
    for p in range(_U(len(out))):
        k = begin + p
        first = w0 * fold[k] + w1 * fold[k + P1] + w2 * fold[k + P2] + w3 * fold[k + P3]
        second = w4 * fold[k + P4] + w5 * fold[k + P5] + w6 * fold[k + P6] + w7 * fold[k + P7]
        third = w8 * fold[k + P8] + w9 * fold[k + P9] + w10 * fold[k + P10] + w11 * fold[k + P11]
        last = w12 * fold[k + P12] + w13 * fold[k + P13] + w14 * fold[k + P14] + w15 * fold[k + P15]
        out[p] = more * out[p] + ((first + second) + (third + last))


@kernel
def correlate(sums: Array, differences: Array, rows: int, before: int, weights: Array, product: Array) -> None:
    """Correlations of a part's blocks with all frequencies: ``product`` (frequencies, CARRIED + rows).

    The first half of the frequencies takes the sums, the second the differences. ``before`` rows were in the part
    before, the last of which are kept.
    """
    count, taps = weights.shape
    for c in range(count):
        for i in range(6):
            product[c, CARRIED - 6 + i] = product[c, CARRIED + before - 6 + i]
    for c in range(count):
        fold = sums if 2 * c < count else differences
        for tap in range(0, taps, TAPS):
            _sixteen(
                fold, _U(tap * STRIDE), weights[c, tap : tap + TAPS], product[c, CARRIED : CARRIED + rows],
                F1 if tap else F0,
            )  # fmt: skip


@kernel
def _shorts(product: Array, columns: int, a: int, table: Array, room: Array, short: Array, amplitude: Array) -> None:
    """Short windows, phases on one time axis: a Hann window is what its two blocks hold, plain and times a cosine."""
    nulls = product.shape[0] // 2 - 16
    odd = 16 + nulls
    new_re, new_im, old_re, old_im = room[0], room[1], room[2], room[3]
    for t in range(8):
        plain_re, plain_im = product[t], product[odd + t]
        bent_re, bent_im = product[odd + 8 + t], product[8 + t]
        c, s = table[t], table[8 + t]
        for p in range(columns):
            re, im = plain_re[p] + bent_re[p], plain_im[p] + bent_im[p]
            new_re[p] = re * c[p] - im * s[p]
            new_im[p] = re * s[p] + im * c[p]
            re, im = plain_re[p] - bent_re[p], plain_im[p] - bent_im[p]
            old_re[p] = re * c[p] - im * s[p]
            old_im[p] = re * s[p] + im * c[p]
        re_now, im_now, re_out, im_out = new_re[1:], new_im[1:], short[t, 1:], short[8 + t, 1:]
        for p in range(columns - 1):
            re_out[p] = re_now[p] + old_re[p]
            im_out[p] = im_now[p] + old_im[p]
        re_out, im_out, size = short[t, CARRIED:], short[8 + t, CARRIED:], amplitude[t, a:]
        for p in range(columns - CARRIED):
            size[p] = np.sqrt(re_out[p] * re_out[p] + im_out[p] * im_out[p])


@kernel
def _long(x: Array, rows: int, out: Array) -> None:
    """Long windows of one part of short ones."""
    x0, x1, x2, x3, x4 = x[4:rows], x[3 : rows - 1], x[2 : rows - 2], x[1 : rows - 3], x[0 : rows - 4]
    for p in range(rows - 4):
        out[p] = EIGHTH * (x0[p] + x4[p]) + QUARTER * (x1[p] + x2[p] + x3[p])


@kernel
def _longs(short: Array, rows: int, power: Array, room: Array) -> None:
    """Powers of the long windows."""
    re, im = room[0], room[1]
    for t in range(8):
        _long(short[t], rows, re)
        _long(short[8 + t], rows, im)
        out = power[t, 4:rows]
        for p in range(rows - 4):
            out[p] = re[p] * re[p] + im[p] * im[p]


@kernel
def _weighted(x: Array, rows: int, weight: Array, out: Array) -> None:
    """Sums over six blocks that make a long window."""
    w0, w1, w2 = weight[0], weight[1], weight[2]
    x0, x1, x2, x3 = x[5:rows], x[4 : rows - 1], x[3 : rows - 2], x[2 : rows - 3]
    x4, x5 = x[1 : rows - 4], x[0 : rows - 5]
    for p in range(rows - 5):
        out[p] = w0 * (x0[p] + x5[p]) + w1 * (x1[p] + x4[p]) + w2 * (x2[p] + x3[p])


@kernel
def _nulls(
    product: Array, rows: int, table: Array, weight: Array, mix: Array, room: Array, mixed: Array, power: Array
) -> None:
    """Power the nulled frequencies hold in the long windows, from the fifth on."""
    count = table.shape[0] // 2
    n, odd = rows - 5, product.shape[0] // 2
    turned_re, turned_im, sum_re, sum_im = room[0], room[1], room[2], room[3]
    for i in range(count):
        re, im, c, s = product[16 + i], product[odd + 16 + i], table[i], table[count + i]
        for p in range(rows):
            turned_re[p] = re[p] * c[p] - im[p] * s[p]
            turned_im[p] = re[p] * s[p] + im[p] * c[p]
        _weighted(turned_re, rows, weight, sum_re)
        _weighted(turned_im, rows, weight, sum_im)
        with_cos, with_sin = mixed[i], mixed[count + i]
        for p in range(n):
            with_cos[p] = sum_re[p] * c[p] + sum_im[p] * s[p]
            with_sin[p] = sum_im[p] * c[p] - sum_re[p] * s[p]
    for p in range(n):
        power[p] = F0
    for m in range(mix.shape[0]):
        for p in range(n):
            sum_re[p] = F0
        for i in range(count):
            first, second, a, b = mixed[i], mixed[count + i], mix[m, i], mix[m, count + i]
            for p in range(n):
                sum_re[p] += a * first[p] + b * second[p]
        for p in range(n):
            power[p] += sum_re[p] * sum_re[p]


@kernel
def _candidates(
    power: Array, n: int, total: Array, nulled: Array, least: Any, shares: Array, code: Array, energy: Array
) -> None:  # fmt: skip
    """Strongest tones and energy of each long window; an energy of -1 where there is no candidate."""
    candidate_share, least_share, sure_share = shares[0], shares[1], shares[2]
    p0, p1, p2, p3, p4, p5, p6, p7 = (
        power[0, 5:], power[1, 5:], power[2, 5:], power[3, 5:], power[4, 5:], power[5, 5:], power[6, 5:], power[7, 5:],
    )  # fmt: skip
    for p in range(n):
        one, two = max(p0[p], p1[p]), max(p2[p], p3[p])
        row = (F3 if p3[p] > p2[p] else F2) if two > one else (F1 if p1[p] > p0[p] else F0)
        one = max(one, two)
        other, two = max(p4[p], p5[p]), max(p6[p], p7[p])
        column = (F3 if p7[p] > p6[p] else F2) if two > other else (F1 if p5[p] > p4[p] else F0)
        other = max(other, two)
        code[p] = F4 * row + column
        both, whole = one + other, total[p]
        unsure = (both > least_share * whole) & (both < sure_share * whole)
        whole = whole - nulled[p] if unsure else whole
        energy[p] = whole if (min(one, other) > least) & (both > candidate_share * whole) else -F1


@kernel
def hop_pass(
    product: Array, rows: int, a: int, look: int, table: Array, null_table: Array, null_weight: Array, null_mix: Array,
    each: Array, depth: Array, place_of: Array, least: Any, shares: Array, work: Array, amplitude: Array, row: Array,
    key_of: Array, energies: Array, parts: Array, found: int,
) -> int:  # fmt: skip
    """Short windows of rows a to a + rows and which of them are candidates; returns how many so far.

    ``each`` begins CARRIED rows early. ``parts`` gets the five short windows of both tones of each candidate.
    """
    short, power, mixed, room = work[0:16], work[16:24], work[24:56], work[56:60]
    nulled, code, energy = work[60], work[61], work[62]
    columns = CARRIED + rows
    n = columns - 5
    _shorts(product, columns, a, table, room, short, amplitude)
    _longs(short, columns, power, room)
    _nulls(product, columns, null_table, null_weight, null_mix, room, mixed, nulled)
    _weighted(each[a : a + columns], columns, null_weight, room[0])
    _candidates(power, n, room[0], nulled, least, shares, code, energy)
    p = CARRIED - 5
    while p < n:
        r = a + p + 5 - CARRIED
        if energy[p] == -F1 or depth[r] < 5 or place_of[r] < look:
            p += 1
            continue
        run = 1  # candidates of one key, one after the other
        while p + run < n and energy[p + run] != -F1 and code[p + run] == code[p] and depth[r + run] > depth[r]:
            run += 1
        key = int(code[p])
        for i in range(run):
            row[found + i], energies[found + i], key_of[found + i] = r + i, energy[p + i], key
        for side in range(2):
            t = _U(4 + (key & 3) if side else key >> 2)
            for back in range(5):
                past, to = _U(p + 5 - back), _U(found)
                for i in range(_U(run)):
                    parts[side, back, to + i] = short[t, past + i]
                    parts[side, back + 5, to + i] = short[t + _U(8), past + i]
        found += run
        p += run
    return found


@kernel
def candidates(
    audio: Array, channel_of: Array, sample_of: Array, rows: int, hop: int, sums: Array, differences: Array,
    weights: Array, product: Array, look: int, table: Array, null_table: Array, null_weight: Array, null_mix: Array,
    each: Array, depth: Array, place_of: Array, least: Any, shares: Array, work: Array, amplitude: Array, row: Array,
    key_of: Array, energies: Array, parts: Array,
) -> int:  # fmt: skip
    """Candidates among all rows, part by part, as in ``hop_pass``; returns how many there are."""
    found, before = 0, 0
    for a in range(0, rows, STRIDE):
        size = min(STRIDE, rows - a)
        fold_rows(audio, channel_of, sample_of, a, size, hop, sums, differences)
        correlate(sums, differences, size, before, weights, product)
        found = hop_pass(
            product, size, a, look, table, null_table, null_weight, null_mix, each, depth, place_of, least, shares,
            work, amplitude, row, key_of, energies, parts, found,
        )  # fmt: skip
        before = size
    return found


@kernel
def _arctan2(y: Any, x: Any) -> Any:
    """To 1e-6 rad, without a branch."""
    ax, ay = abs(x), abs(y)
    ratio = min(ax, ay) / max(max(ax, ay), TINY)
    q = ratio * ratio
    value = ratio * (A0 + q * (A1 + q * (A2 + q * (A3 + q * (A4 + q * (A5 + q * (A6 + q * (A7 + q * A8))))))))
    value = HALF_PI - value if ay > ax else value
    value = PI_F - value if x < F0 else value
    return -value if y < F0 else value


@kernel
def tones_pass(parts: Array, count: int, hop_s: Any, features: Array) -> None:
    """``advance.tones`` for both tones of every candidate: low and high powers, offsets, drifts."""
    to_hz = F1 / (F2 * PI_F * hop_s)
    for side in range(2):
        part, power_of, offset_of, drift_of = parts[side], features[side], features[2 + side], features[4 + side]
        for i in range(count):
            r0, r1, r2, r3, r4 = part[0, i], part[1, i], part[2, i], part[3, i], part[4, i]
            i0, i1, i2, i3, i4 = part[5, i], part[6, i], part[7, i], part[8, i], part[9, i]
            step_re = r0 * r1 + i0 * i1 + r1 * r2 + i1 * i2 + r2 * r3 + i2 * i3 + r3 * r4 + i3 * i4
            step_im = i0 * r1 - r0 * i1 + i1 * r2 - r1 * i2 + i2 * r3 - r2 * i3 + i3 * r4 - r3 * i4
            rough = _arctan2(step_im, step_re)
            size_inv = F1 / np.sqrt(max(step_re * step_re + step_im * step_im, TINY))
            u, v = step_re * size_inv, step_im * size_inv
            # exp(-3 i rough) = conj(u + i v) ** 3
            cube_re, cube_im = u * u * u - F3 * u * v * v, -(F3 * u * u * v - v * v * v)
            far_re = r0 * r3 + i0 * i3 + r1 * r4 + i1 * i4
            far_im = i0 * r3 - r0 * i3 + i1 * r4 - r1 * i4
            fine = _arctan2(far_re * cube_im + far_im * cube_re, far_re * cube_re - far_im * cube_im) / F3
            offset = (rough + fine) * to_hz
            first_re, first_im = r0 * r2 + i0 * i2, i0 * r2 - r0 * i2
            last_re, last_im = r4 * r2 + i4 * i2, r4 * i2 - i4 * r2
            bend = _arctan2(first_im * last_re - first_re * last_im, first_re * last_re + first_im * last_im)
            q = fine * fine
            sine = fine * (F1 + q * (S3 + q * (S5 + q * (S7 + q * S9))))
            cosine = F1 + q * (C2 + q * (C4 + q * (C6 + q * C8)))
            spin_re, spin_im = u * cosine - v * sine, u * sine + v * cosine
            re, im = EIGHTH * r4, EIGHTH * i4
            re, im = re * spin_re - im * spin_im + QUARTER * r3, re * spin_im + im * spin_re + QUARTER * i3
            re, im = re * spin_re - im * spin_im + QUARTER * r2, re * spin_im + im * spin_re + QUARTER * i2
            re, im = re * spin_re - im * spin_im + QUARTER * r1, re * spin_im + im * spin_re + QUARTER * i1
            re, im = re * spin_re - im * spin_im + EIGHTH * r0, re * spin_im + im * spin_re + EIGHTH * i0
            x = min(abs(offset * F2 * hop_s), np.float32(0.7))
            q = x * x
            gain = L0 + q * (L1 + q * (L2 + q * (L3 + q * (L4 + q * L5))))
            power_of[i] = (re * re + im * im) * gain * gain
            offset_of[i] = offset
            drift_of[i] = abs(bend) * to_hz * HALF
