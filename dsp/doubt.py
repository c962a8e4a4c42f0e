"""The last question about a candidate: is what is on the line beside its two tones noise, or the rest of a voice?

Asked only of candidates that have everything else, and answered by the looks into ``purity`` that cost most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.purity import clipped, crest_limit, mended, residue_crest
from offhook.dsp.tones import HIGH_HZ, LOW_HZ, Float32

CLIPPED_SHARE = 0.70
STAYED_HZ, UNSTAYED_HZ = 4.0, 24.0
RESIDUE_ON_S = 0.033

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass
class Doubt:
    """What is known of every candidate when only its purity is open; ``dips``: there was a gap in its tones."""

    at: Index
    key: NDArray[np.int8]
    share: Float32
    low_offset: Float32
    high_offset: Float32
    on_s: Float32
    fair: Flags
    still: Flags
    calm: Flags
    pure: Flags
    dips: Flags


def settled(
    it: Doubt,
    audio: Callable[[Index], tuple[Float32, Index]],
    on: Callable[[Index], Float32],
    rate: float,
    null_hz: tuple[float, ...],
) -> Flags:
    """Which candidates are pure.

    ``audio`` gives blocks that hold some candidates' past, and each candidate's place in them; ``on`` how full of tone
    the hops were that some candidates look back on.
    """
    pure = it.pure.copy()
    low_hz = np.asarray(LOW_HZ)[it.key // 4] + it.low_offset
    high_hz = np.asarray(HIGH_HZ)[it.key % 4] + it.high_offset
    long_enough = it.fair & it.still & (it.on_s >= RESIDUE_ON_S)
    doubtful = np.flatnonzero(long_enough & ~pure)
    doubtful = doubtful[_stayed(doubtful, it)]
    if len(doubtful):
        crest = residue_crest(*audio(doubtful), low_hz[doubtful], high_hz[doubtful], rate, null_hz)
        pure[doubtful] = crest < crest_limit(it.share[doubtful])
    flat = np.flatnonzero(long_enough & it.calm & ~pure & (it.share > CLIPPED_SHARE))
    if len(flat):
        pure[flat] = clipped(*audio(flat))
    broken = np.flatnonzero(it.fair & ~pure & it.dips)
    if len(broken):
        pure[broken] = mended(audio(broken), on(broken), low_hz[broken], high_hz[broken], rate)
    return pure


def _stayed(chosen: Index, it: Doubt) -> Flags:
    """Whether both frequencies are, within noise, where they were 12 ms before; for the chosen candidates."""
    at = it.at
    before = np.searchsorted(at, at[chosen] - 3)
    there = (at[before] == at[chosen] - 3) & (it.key[before] == it.key[chosen])
    limit = STAYED_HZ + UNSTAYED_HZ * (1.0 - np.minimum(it.share[chosen], 1.0))
    for column in (it.low_offset, it.high_offset):
        there &= np.abs(column[chosen] - column[before]) < limit
    return np.asarray(there)
