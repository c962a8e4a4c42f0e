"""What the batch receiver's kernels for numba share: how they are compiled, and the audio they begin with.

They make the same analysis as ``fine`` and ``advance`` make of whole arrays, a part of the hops at a time, so that
little leaves the processor's cache. *Rows* are the hops whose audio matters: a block so quiet that no window of it and
its neighbours can count for anything is left out, and the two ways still find the same digits.

Imported only where ``compiled`` finds it worth while. In the loops that take the time slices begin together, or
indices are unsigned: with an index like p - 1 numba looks for negative ones, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
Array = Any  # numba has no types of its own that a checker knows


def kernel(function: F) -> F:
    """Compile on first use, keep on disk where that can be; arithmetic may be reordered as BLAS and numpy do too."""
    try:
        return cast(F, numba.njit(function, cache=True, fastmath=True, error_model="numpy", nogil=True))
    except RuntimeError:  # no folder to keep it in
        return cast(F, numba.njit(function, fastmath=True, error_model="numpy", nogil=True))


F0, F1, F2, F3, F4 = (np.float32(value) for value in range(5))
HALF, QUARTER, EIGHTH = np.float32(0.5), np.float32(0.25), np.float32(0.125)
BESIDE = 5  # hops before and after a loud block that share a long window with it
TAPS = 16  # taps of a correlation are padded to a multiple of this
STRIDE = 528  # rows of a part; no power of two, which would put all taps into the same few lines of the cache
_U = np.uint64


@kernel
def _energies(line: Array, start: int, count: int, hop: int, sums: Array) -> None:
    """Sums of squares of blocks; beyond the line's ends there is silence."""
    samples = len(line)
    for k in range(count):
        a = start + k * hop
        total = F0
        if a >= 0 and a + hop <= samples:
            block = line[a : a + hop]
            for i in range(hop):
                value = np.float32(block[i])
                total += value * value
        else:
            for i in range(max(a, 0), min(a + hop, samples)):
                value = np.float32(line[i])
                total += value * value
        sums[k] = total


@kernel
def loud_rows(
    audio: Array, channel: Array, first: Array, length: Array, hop: int, quiet: Any, row_of: Array, hop_of: Array,
    place_of: Array, channel_of: Array, sample_of: Array, depth: Array, each: Array,
) -> int:  # fmt: skip
    """The rows of some lanes and what is known of each; returns their number.

    ``row_of`` (hops): row of each hop that has a short window, or -1. Of each row: hop, place in its lane, channel,
    first sample, ``depth`` (rows before it without a gap) and ``each``, the block's sum of squares; ``quiet`` is such
    a sum.
    """
    rows, begin = 0, 0
    sums = np.empty(np.max(length), dtype=np.float32)
    for lane in range(len(channel)):
        count, start = length[lane], first[lane] * hop
        _energies(audio[channel[lane]], start, count, hop, sums)
        row_of[begin : begin + count] = -1
        done, run = 0, 0  # hops of this lane that are rows already or will not be; rows without a gap
        for k in range(count):
            if sums[k] <= quiet:
                continue
            if k - BESIDE > done or done == 0:
                run = 0
            for j in range(max(k - BESIDE, done), min(k + BESIDE + 1, count)):
                hop_of[rows], place_of[rows], depth[rows], each[rows] = begin + j, j, run, sums[j]
                channel_of[rows], sample_of[rows] = channel[lane], start + j * hop
                if run > 0:
                    row_of[begin + j] = rows
                run += 1
                rows += 1
            done = max(min(k + BESIDE + 1, count), done)
        begin += count
    return rows


@kernel
def fold_rows(
    audio: Array, channel_of: Array, sample_of: Array, a: int, rows: int, hop: int, sums: Array, differences: Array
) -> None:
    """A part's blocks as sums and differences about their middle, which hold STRIDE rows a tap."""
    samples, half = audio.shape[1], hop // 2
    for p in range(rows):
        channel, begin, to = _U(channel_of[a + p]), sample_of[a + p], _U(p)
        if begin >= 0 and begin + hop <= samples:
            for tap in range(0, half - TAPS + 1, TAPS):  # of a length known beforehand, these are unrolled
                head, tail, first = _U(begin + tap), _U(begin + hop - 1 - tap), to + _U(tap * STRIDE)
                for j in range(_U(TAPS)):
                    x, y = np.float32(audio[channel, head + j]), np.float32(audio[channel, tail - j])
                    sums[first + j * _U(STRIDE)] = x + y
                    differences[first + j * _U(STRIDE)] = x - y
            done = half // TAPS * TAPS
        else:
            done = 0
        for j in range(done, half):
            x, y = _sample(audio, channel, begin + j), _sample(audio, channel, begin + hop - 1 - j)
            sums[to + _U(j * STRIDE)] = x + y
            differences[to + _U(j * STRIDE)] = x - y
        if hop % 2:
            sums[to + _U(half * STRIDE)] = _sample(audio, channel, begin + half)


@kernel
def _sample(audio: Array, channel: Any, at: int) -> Any:
    """One sample; beyond a recording's ends there is silence."""
    return np.float32(audio[channel, at]) if 0 <= at < audio.shape[1] else F0


@kernel
def gather(
    audio: Array, channel: Array, first: Array, begin: Array, lane_of: Array, at: Array, hop: int, count: int,
    blocks: Array,
) -> None:  # fmt: skip
    """The last ``count`` blocks up to each of some hops, one after the other."""
    samples = audio.shape[1]
    for i in range(len(at)):
        lane = lane_of[at[i]]
        line = audio[channel[lane]]
        a = (at[i] - begin[lane] + first[lane] - count + 1) * hop
        flat = blocks[i * count : (i + 1) * count].reshape(-1)
        if a >= 0 and a + count * hop <= samples:
            past = line[a : a + count * hop]
            for j in range(count * hop):
                flat[j] = np.float32(past[j])
        else:
            for j in range(count * hop):
                flat[j] = np.float32(line[a + j]) if 0 <= a + j < samples else F0
