"""The bench hears itself: maximum length sequences, where they arrive, and a pilot that says it all the time.

A maximum length sequence of telephone bandwidth is found to 0.05 ms (95 %) at any signal to noise ratio a telephone
has, where a tone is off by whole periods. The pilot is one such sequence over and over on a channel whose output is
wired to its own input: the round trip is known four times a second, and a stream that a sound server moved
elsewhere, which no interface reports, is noticed by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.audio import Samples

Floats = NDArray[np.float64]
TAPS = {11: (11, 9), 12: (12, 11, 10, 4), 13: (13, 12, 11, 8), 14: (14, 13, 12, 2), 15: (15, 14)}
"""Feedback taps of maximum length shift registers."""
PERIOD_S = 0.25
FINER = 8
APART_S = 0.001
"""A second arrival is told from the first when it comes this much later."""
GOOD = 3.0
"""A peak this many times the next one is no accident."""


def mls(order: int) -> Floats:
    """A maximum length sequence of ``2**order - 1`` values, each +1 or -1."""
    state, taps = (1 << order) - 1, TAPS[order]
    out = np.empty((1 << order) - 1)
    for index in range(len(out)):
        out[index] = 1.0 if state & 1 else -1.0
        fed = 0
        for tap in taps:
            fed ^= state >> (order - tap)
        state = (state >> 1) | ((fed & 1) << (order - 1))
    return out


def sequence(rate_hz: int) -> Floats:
    """The shortest sequence of about a quarter of a second or more at a rate."""
    order = min(TAPS)
    while order < max(TAPS) and (1 << order) - 1 < PERIOD_S * rate_hz:
        order += 1
    return mls(order)


@dataclass(frozen=True)
class Arrival:
    """Where a probe was heard.

    ``lag`` in frames after it was played, with a fraction; ``gain``, linear, negative if the polarity is turned;
    ``quality``: its correlation peak relative to the next one; ``echo``: (frames after, relative gain) of that.
    """

    lag: float
    gain: float
    quality: float
    echo: tuple[float, float]

    @property
    def good(self) -> bool:
        """True if this is the probe and not noise."""
        return self.quality >= GOOD


def find(played: Floats, heard: Samples | Floats, rate_hz: int) -> Arrival:
    """Where in ``heard`` the probe ``played`` begins; both ``(n,)``, ``heard`` the longer one."""
    size = 1 << (len(heard) + len(played) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    fine = np.fft.irfft(spectrum, size * FINER) * FINER
    return _peak(fine[: max(1, len(heard) - len(played) + 1) * FINER], played, rate_hz)


def find_around(period: Floats, heard: Samples | Floats, rate_hz: int) -> Arrival:
    """The same for a probe that repeats: ``heard`` is one period of it, cut anywhere."""
    spectrum = np.fft.rfft(heard) * np.conj(np.fft.rfft(period))
    size = len(period)
    return _peak(np.fft.irfft(spectrum, size * FINER) * FINER, period, rate_hz)


def _peak(fine: Floats, played: Floats, rate_hz: int) -> Arrival:
    size = abs(fine)
    top = int(np.argmax(size))
    lag = (top + _bow(size, top)) / FINER
    apart = round(APART_S * rate_hz * FINER)
    others = size.copy()
    others[max(0, top - apart) : top + apart + 1] = 0.0
    next_top = int(np.argmax(others))
    energy = float(played @ played)
    quality = float(size[top] / others[next_top]) if others[next_top] > 0 else (np.inf if size[top] > 0 else 0.0)
    echo = (next_top - top) / FINER, float(others[next_top] / size[top]) if size[top] > 0 else 0.0
    return Arrival(lag, float(fine[top]) / energy, quality, echo)


def _bow(size: Floats, top: int) -> float:
    """Where between its neighbours a peak is: the top of the parabola through the three."""
    if not 0 < top < len(size) - 1:
        return 0.0
    left, middle, right = (float(size[top + step]) for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    return 0.0 if bend == 0 else 0.5 * (left - right) / bend


class Pilot:
    """Plays the sequence without end and hears where it arrives.

    ``play(start, count)`` gives its frames; ``hear(first_frame, samples)`` takes what came back, in order.
    """

    LEVEL = 0.05
    """Of full scale: -26 dB, as far from clipping as from noise."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._period = sequence(rate_hz)
        self._waiting = np.zeros(0, dtype=np.int16)
        self._first = 0

    @property
    def frames(self) -> int:
        """Frames of a period."""
        return len(self._period)

    def apart(self, lag: float, other: float) -> float:
        """The difference of two lags, which are known up to whole periods: the smallest one, in frames."""
        period = len(self._period)
        return (lag - other + period / 2) % period - period / 2

    def play(self, start: int, count: int) -> Samples:
        """Frames ``start`` to ``start + count`` of the pilot, int16."""
        phase = np.arange(start, start + count) % len(self._period)
        return cast(Samples, np.rint(self._period[phase] * self.LEVEL * 32767).astype(np.int16))

    def hear(self, first_frame: int, samples: Samples) -> list[tuple[int, Arrival]]:
        """What came back, by the frame after each whole period; a gap in it starts a new period."""
        if first_frame != self._first + len(self._waiting):
            self._first, self._waiting = first_frame, self._waiting[:0]
        self._waiting = np.concatenate([self._waiting, samples])
        found: list[tuple[int, Arrival]] = []
        period = len(self._period)
        while len(self._waiting) >= period:
            chunk, self._waiting = self._waiting[:period], self._waiting[period:]
            arrival = find_around(
                self._period * self.LEVEL * 32767, np.roll(chunk, self._first % period), self._rate_hz
            )
            self._first += period
            found.append((self._first, arrival))
        return found
