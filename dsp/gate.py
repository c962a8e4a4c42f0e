"""Coarse gate: which stretches of audio may hold a digit at all.

A legal tone lasts 40 ms, so a 12 ms window every 24 ms lies inside it somewhere; half of the samples are never read.
A window passes when its strongest low and high tones hold a fair part of the energy that is not hum or dial tone.
Windows lie on one grid from the first sample, so the answer does not depend on how the audio was cut into blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.goertzel import matrix, null_basis
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import HIGH_HZ, INT16_SCALE, LOW_HZ, power_of

SIZE_S, STEP_S = 0.012, 0.024
SHARE = 0.28
TWIST_MARGIN_DB = 6.0  # in 12 ms, noise and the other tone's lobe bend the twist by less than this
ROWS = 2048
FEW = 12


class Gate:
    """The gate at one receiver rate."""

    def __init__(self, rate: float, profile: Profile) -> None:
        self.size, self.step = round(SIZE_S * rate), round(STEP_S * rate)
        window = np.hanning(self.size + 2)[1:-1] * 0.5 + 0.5
        tones = matrix((*LOW_HZ, *HIGH_HZ), rate, window / window.sum() * np.sqrt(2.0))
        nulls = null_basis(profile.null_hz, rate, np.full(self.size, 1.0 / self.size))
        # the power a tone shows: |sum|^2 as scaled above; nulls: their own mean power
        self.nulls = nulls.shape[1]
        self.columns = np.ascontiguousarray(np.concatenate((tones, nulls), axis=1).T, dtype=np.float32)
        self.high_over_low = float(10.0 ** ((profile.max_high_over_low_db + TWIST_MARGIN_DB) / 10.0))
        self.low_over_high = float(10.0 ** ((profile.max_low_over_high_db + TWIST_MARGIN_DB) / 10.0))
        self.floor = float(power_of(profile.min_level_dbm0 - 4.0)) * INT16_SCALE**2

    def windows(self, samples: int) -> int:
        """How many whole windows lie in that many samples."""
        return max((samples - self.size) // self.step + 1, 0)

    def hits(self, audio: NDArray[Any], *, padded: bool = False, any_twist: bool = False) -> NDArray[np.bool_]:
        """(channels, windows) for audio (channels, n) that starts on the grid.

        ``padded`` looks into the silence after the end as well, as far as a window still holds audio;
        ``any_twist`` lets through what no receiver of this profile takes, to say why.
        """
        channels, count = audio.shape[0], self.windows(audio.shape[1])
        if padded:
            rest = np.zeros((channels, self.step + self.size), dtype=audio.dtype)
            left = audio[:, count * self.step :]
            rest[:, : left.shape[1]] = left
            return np.concatenate([self.hits(each, any_twist=any_twist) for each in (audio, rest)], axis=1)
        passed = np.zeros((channels, count), dtype=np.bool_)
        if count == 0:
            return passed
        group = max(ROWS // count, 1)
        part = min(count, ROWS)
        for first in range(0, channels, group):
            for begin in range(0, count, part):
                end = min(begin + part, count)
                rows = self._cut(audio[first : first + group], begin, end)
                passed[first : first + group, begin:end] = self._passes(rows, any_twist).reshape(-1, end - begin)
        return passed

    def _cut(self, audio: NDArray[Any], begin: int, end: int) -> NDArray[np.float32]:
        """The windows from ``begin`` to ``end`` of every channel: (channels x windows, samples)."""
        if end - begin <= FEW:  # a live receiver's: copies cost less than the view
            starts = range(begin * self.step, end * self.step, self.step)
            cut = np.empty((len(audio), end - begin, self.size), dtype=np.float32)
            for place, at in enumerate(starts):
                cut[:, place] = audio[:, at : at + self.size]
            return cut.reshape(-1, self.size)
        frames = np.lib.stride_tricks.sliding_window_view(audio, self.size, axis=1)
        chosen = frames[:, begin * self.step : (end - 1) * self.step + 1 : self.step]
        return chosen.astype(np.float32).reshape(-1, self.size)

    def _passes(self, rows: NDArray[np.float32], any_twist: bool) -> NDArray[np.bool_]:
        energy = np.vecdot(rows, rows) * np.float32(1.0 / self.size)
        loud = energy > np.float32(self.floor)
        if not loud.all():  # where there is less than one tone's least power, there is no need to look for two
            passed = np.zeros(len(rows), dtype=np.bool_)
            chosen = loud.nonzero()[0]
            if len(chosen):
                passed[chosen] = self._tonal(rows[chosen], energy[chosen], any_twist)
            return passed
        return self._tonal(rows, energy, any_twist)

    def _tonal(self, rows: NDArray[np.float32], energy: NDArray[np.float32], any_twist: bool) -> NDArray[np.bool_]:
        product = self.columns @ rows.T
        np.square(product, out=product)
        power = product[:8] + product[8:16]
        low = np.maximum.reduce(power[:4])
        high = np.maximum.reduce(power[4:])
        if self.nulls:
            energy = energy - np.add.reduce(product[16:])
        loud = np.minimum(low, high) > np.float32(self.floor)
        if not any_twist:
            loud &= (high < np.float32(self.high_over_low) * low) & (low < np.float32(self.low_over_high) * high)
        return np.asarray((low + high > np.float32(SHARE) * energy) & loud)
