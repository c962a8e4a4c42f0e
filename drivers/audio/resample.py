"""From the rate of a sound card to the rate of the bench and back, in blocks of 10 ms, without any delay of its own.

Each output sample is the band-limited value of the input at that very instant: a sinc windowed by a Kaiser window of
5 ms each side (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.6), evaluated at the distances between the two
sample grids. In blocks of 10 ms those distances are the same in every block, so the polyphase filter is one matrix. A
block of output needs the input block before it, its own and the next one: audio is available 10 ms late, but every
sample keeps its time.

Flat within 0.01 dB up to 500 Hz below half of the lower rate (3,500 Hz at 8 kHz); 80 dB down from there on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.errors import ConfigError

BLOCKS_A_SECOND = 100
REACH_S = 0.005
EDGE_HZ = 250.0
"""Half of the transition band that a Kaiser window of this length and 80 dB needs."""
_BETA = 7.857


class Resampler:
    """``block(window)``: three blocks of input, ``(channels, 3 * taken)``, give one of output, the middle one's.

    ``taken`` and ``given`` are the frames of a block at either rate. Rates are multiples of 100 Hz, or ConfigError.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        for rate_hz in (from_hz, to_hz):
            if rate_hz % BLOCKS_A_SECOND:
                raise ConfigError("audio", f"resample {from_hz} Hz to {to_hz} Hz", "not a multiple of 100 Hz", "48000")
        self.taken, self.given = from_hz // BLOCKS_A_SECOND, to_hz // BLOCKS_A_SECOND
        self._same = from_hz == to_hz
        self._matrix = _weights(from_hz, to_hz)

    def block(self, window: NDArray[np.int16]) -> NDArray[np.int16]:
        """The middle block at the other rate, int16."""
        if self._same:
            return np.asarray(window[:, self.taken : 2 * self.taken], dtype=np.int16)
        wanted = window.astype(np.float32) @ self._matrix
        return np.asarray(np.clip(np.rint(wanted), -32768, 32767), dtype=np.int16)


def _weights(from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """``(3 * taken, given)``: what each input sample adds to each output sample."""
    taken, given = from_hz // BLOCKS_A_SECOND, to_hz // BLOCKS_A_SECOND
    inputs_s = (np.arange(3 * taken) - taken) / from_hz
    outputs_s = np.arange(given) / to_hz
    away_s = outputs_s[np.newaxis, :] - inputs_s[:, np.newaxis]
    cutoff_hz = min(from_hz, to_hz) / 2 - EDGE_HZ
    inside = np.sqrt(np.clip(1 - (away_s / REACH_S) ** 2, 0, None))
    window = np.i0(_BETA * inside) / np.i0(_BETA) * (abs(away_s) <= REACH_S)
    weights = np.sinc(2 * cutoff_hz * away_s) * window
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)
