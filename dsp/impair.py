"""Impairments in a chain: seeded, reproducible to the byte, many rows at once.

::

    line = impair.Chain(impair.Twist(4), impair.Noise(snr_db=15), impair.G711("alaw"))
    heard = line.apply(batch, rate=8000, seed=7)         # (batch, n) in, (batch, n) float32 out

Numbers may be one for all rows or one a row. Each step draws from its own generator, made of the seed and its place in
the chain, so changing one step leaves the noise of the others as it was. No loop over samples anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from offhook.dsp.network import G711, Adpcm, DropOuts, PacketLoss
from offhook.dsp.noise import DIAL_EU, DIAL_US, Hum, Noise, Tones, Under
from offhook.dsp.path import Clip, ClockSkew, Dc, Echo, FrequencyShift, Gain, Twist
from offhook.dsp.rows import Step, as_rows
from offhook.dsp.tones import Float32, to_int16

__all__ = [
    "DIAL_EU",
    "DIAL_US",
    "G711",
    "Adpcm",
    "Chain",
    "Clip",
    "ClockSkew",
    "Dc",
    "DropOuts",
    "Echo",
    "FrequencyShift",
    "Gain",
    "Hum",
    "Noise",
    "PacketLoss",
    "Step",
    "Tones",
    "Twist",
    "Under",
    "grid",
    "stack",
]


class Chain:
    """Impairments one after the other; an empty chain changes nothing."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def apply(self, samples: ArrayLike, rate: float = 8000, seed: int | Sequence[int] = 0) -> Float32:
        """Impaired audio, float32 with full scale 1.0 (not clipped unless a step clips), of the shape given.

        ``samples`` (n,) or (batch, n), int16 or float. Raises ValueError for other input and for impossible parameters.
        """
        audio = as_rows(samples, rate)
        entropy = [seed] if isinstance(seed, int) else list(seed)
        for place, step in enumerate(self.steps):
            audio = step.apply(audio, rate, np.random.default_rng(np.random.SeedSequence([*entropy, place])))
        return audio.astype(np.float32).reshape(np.shape(samples))

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.steps))})"


def stack(recordings: Sequence[NDArray[Any]]) -> Float32:
    """Recordings of different lengths as one array (count, longest), padded with silence."""
    longest = max((len(one) for one in recordings), default=0)
    rows = np.zeros((len(recordings), longest), dtype=np.float32)
    for row, one in zip(rows, recordings, strict=True):
        row[: len(one)] = as_rows(one, 8000)[0]
    return rows


def grid(
    samples: ArrayLike,
    chains: Sequence[Chain],
    rate: float = 8000,
    seed: int = 0,
    *,
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    """Every row through every chain: (batch, n) and M chains give one array (batch, M, n), float32 or ``dtype`` int16.

    Chain m has the seed (seed, m). Rows are those of ``encode_batch``, or any audio. Raises ValueError for another
    dtype, and what ``Chain.apply`` raises.
    """
    form = np.dtype(dtype)
    if form not in (np.dtype(np.float32), np.dtype(np.int16)):
        raise ValueError(f"dtype is {form}: expected float32 or int16")
    shape = np.shape(samples)
    result = np.empty((*shape[:-1], len(chains), *shape[-1:]), dtype=form)
    for place, chain in enumerate(chains):
        heard = chain.apply(samples, rate, (seed, place))
        result[..., place, :] = to_int16(heard) if form == np.int16 else heard
    return result
