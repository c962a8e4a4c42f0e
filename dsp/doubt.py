"""The last question about a candidate: is what is on the line beside its two tones noise, or the rest of a voice?

Asked only of candidates that have everything else, and answered by the looks into ``purity`` that cost most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.profiles import Profile
from offhook.dsp.purity import START_LOW, Fit, clipped, crest_limit, fit, mended, needed_more, needed_share, residue
from offhook.dsp.tones import HIGH_HZ, LOW_HZ, Float32, Float64

CLIPPED_SHARE = 0.70
WHOLE_SHARE = 0.95  # of 24 ms after a drop-out
MOST_MORE = 0.1  # than the share in 24 ms is the share in 32 ms above 200 Hz
STAYED_HZ, UNSTAYED_HZ = 4.0, 24.0
RESIDUE_ON_S = 0.031
BENT_DB, BENT_SURE_DB = 3.5, 2.5  # twist beyond the limit that an echo may have made; within it at first

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass
class Doubt:
    """What is known of every candidate when only its purity is open; ``dips``: there was a gap in its tones."""

    at: Index
    key: NDArray[np.int8]
    share: Float32
    low_power: Float32
    high_power: Float32
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
    tones: Callable[[Index], Float32],
    rate: float,
    null_hz: tuple[float, ...],
    fitted: Fit = fit,
) -> Flags:
    """Which candidates are pure.

    ``audio`` gives blocks that hold some candidates' past, and each candidate's place in them; ``on`` how full of tone
    the hops were that some candidates look back on, ``tones`` how full of either, further back: (2, hops, candidates).
    """
    pure = it.pure.copy()
    long_enough = it.fair & (it.on_s >= RESIDUE_ON_S)
    doubtful = (long_enough & ~pure).nonzero()[0]
    if len(doubtful):
        need = _needed(doubtful, it, tones)
        noisy = it.still[doubtful] & _stayed(doubtful, it)
        some = (noisy | (need < np.minimum(it.share[doubtful], 1.0) + MOST_MORE)).nonzero()[0]
        doubtful, need, noisy = doubtful[some], need[some], noisy[some]
        crest, share = residue(*audio(doubtful), *_hertz(doubtful, it), rate, null_hz, fitted)
        pure[doubtful] = noisy & (crest < crest_limit(it.share[doubtful])) | (share > need)
    flat = (long_enough & it.still & it.calm & ~pure & (it.share > CLIPPED_SHARE)).nonzero()[0]
    if len(flat):
        pure[flat] = clipped(*audio(flat))
    pure |= it.fair & it.dips & it.still & (it.share > WHOLE_SHARE)
    broken = (it.fair & ~pure & it.dips).nonzero()[0]
    if len(broken):
        pure[broken] = mended(audio(broken), on(broken), *_hertz(broken, it), rate, fitted)
    return pure


def _hertz(some: Index, it: Doubt) -> tuple[Float64, Float64]:
    """Frequencies of some candidates' tones."""
    key = it.key[some]
    return np.asarray(LOW_HZ)[key // 4] + it.low_offset[some], np.asarray(HIGH_HZ)[key % 4] + it.high_offset[some]


def bent_by_echo(tones: Float32, low_power: Float32, high_power: Float32, profile: Profile) -> Flags:
    """Whether candidates of too much twist began with less: an echo has bent what was sent.

    ``tones`` as in ``settled``. An echo of 10 ms, 6 dB down, adds up to 9.5 dB of twist, but not to the first 8 ms.
    """
    twist_db = 10.0 * np.log10(high_power / low_power)
    bent = (twist_db < profile.max_high_over_low_db + BENT_DB) & (-twist_db < profile.max_low_over_high_db + BENT_DB)
    low, high = tones[0] * np.sqrt(low_power), tones[1] * np.sqrt(high_power)
    silent = tones.min(axis=0) < START_LOW
    second = silent.argmax(axis=0) - 2  # the second hop of the tones: the first is hardly in them
    hop, column = np.maximum(second, 0), np.arange(tones.shape[2])
    early_db = 20.0 * np.log10(np.maximum(high[hop, column], 1e-9) / np.maximum(low[hop, column], 1e-9))
    straight = early_db < profile.max_high_over_low_db - BENT_SURE_DB
    straight &= -early_db < profile.max_low_over_high_db - BENT_SURE_DB
    return np.asarray(bent & straight & (second > 0))


def _needed(chosen: Index, it: Doubt, tones: Callable[[Index], Float32]) -> Float32:
    """Share of the energy above which it does not matter what the rest is; for the chosen candidates."""
    low, high = it.key[chosen] // 4, it.key[chosen] % 4
    off = np.abs(it.low_offset[chosen] / np.asarray(LOW_HZ, dtype=np.float32)[low])
    off += np.abs(it.high_offset[chosen] / np.asarray(HIGH_HZ, dtype=np.float32)[high])
    need = needed_share(100.0 * off, 10.0 * np.log10(it.high_power[chosen] / it.low_power[chosen]))
    likely = (need < np.minimum(it.share[chosen], 1.0) + MOST_MORE).nonzero()[0]
    if len(likely):
        need[likely] += needed_more(tones(chosen[likely]))
    return need


def _stayed(chosen: Index, it: Doubt) -> Flags:
    """Whether both frequencies are, within noise, where they were 12 ms before; for the chosen candidates."""
    at = it.at
    before = np.searchsorted(at, at[chosen] - 3)
    there = (at[before] == at[chosen] - 3) & (it.key[before] == it.key[chosen])
    limit = STAYED_HZ + UNSTAYED_HZ * (1.0 - np.minimum(it.share[chosen], 1.0))
    for column in (it.low_offset, it.high_offset):
        there &= np.abs(column[chosen] - column[before]) < limit
    return np.asarray(there)
