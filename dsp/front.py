"""Any sample rate to the receiver's own: 8 kHz to under 16 kHz, by a low-pass and taking every n-th sample.

Rates from 4 to 8.2 kHz pass untouched. Above, a linear-phase low-pass (flat to 1.9 kHz, 60 dB down where the result
would alias on DTMF, and limiting the noise the receiver weighs to the telephone band) comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import INT16_SCALE, Float32

UNTOUCHED_BELOW_HZ = 8200.0
PASS_HZ, STOP_HZ = 3300.0, 4700.0


class Front:
    """Raw blocks (channels, n) in, receiver-rate float32 blocks in int16 units out; block sizes do not matter."""

    def __init__(self, rate: float, channels: int) -> None:
        self.untouched = rate <= UNTOUCHED_BELOW_HZ
        self.step = 1 if self.untouched else max(int(rate // 8000), 1)
        self.rate = rate / self.step
        self.taps = _low_pass(rate) if not self.untouched else np.ones(1, dtype=np.float32)
        self.delay_s = (len(self.taps) - 1) / 2.0 / rate
        self._tail = np.zeros((channels, len(self.taps) - 1), dtype=np.float32)
        self._skip = 0

    def feed(self, block: NDArray[Any]) -> NDArray[Any]:
        """The samples this block completes; untouched rates keep int16 as it is."""
        if self.untouched:
            return block if block.dtype == np.int16 else block * np.float32(INT16_SCALE)
        scale = np.float32(1.0 if block.dtype == np.int16 else INT16_SCALE)
        whole = np.concatenate((self._tail, block.astype(np.float32) * scale), axis=1)
        length = len(self.taps)
        fresh = whole.shape[1] - length + 1
        out = self._filtered(whole, fresh) if fresh > self._skip else np.zeros((len(whole), 0), np.float32)
        self._skip = self._skip + out.shape[1] * self.step - max(fresh, 0)
        self._tail = whole[:, whole.shape[1] - length + 1 :].copy()
        return out

    def _filtered(self, whole: Float32, fresh: int) -> Float32:
        windows = np.lib.stride_tricks.sliding_window_view(whole, len(self.taps), axis=1)
        chosen = windows[:, self._skip : fresh : self.step]
        out = np.empty(chosen.shape[:2], dtype=np.float32)
        for first in range(0, chosen.shape[1], 4096):  # a contiguous copy of bounded size, for BLAS
            part = np.ascontiguousarray(chosen[:, first : first + 4096])
            out[:, first : first + 4096] = part @ self.taps
        return out

    def clear(self, channel: int | None = None) -> None:
        """Forget the past of one channel, or of all."""
        self._tail[slice(None) if channel is None else channel] = 0.0


def _low_pass(rate: float) -> Float32:
    """Kaiser-windowed sinc (Kaiser 1974), 60 dB."""
    width = (STOP_HZ - PASS_HZ) / rate
    order = int(np.ceil((60.0 - 7.95) / (14.36 * width))) // 2 * 2
    n = np.arange(order + 1) - order / 2
    cut = (PASS_HZ + STOP_HZ) / rate
    taps = cut * np.sinc(cut * n) * np.kaiser(order + 1, 5.65)
    return np.asarray(taps / taps.sum(), dtype=np.float32)
