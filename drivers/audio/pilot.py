"""Watches the pilot: tells its lag, and when it comes from elsewhere or not at all."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from offhook.drivers.audio import Samples
from offhook.drivers.audio.probe import Arrival, Pilot

MOVED_S = 0.0005
"""A lag that changes by more than this, with no frame lost, belongs to another path."""
FAINT = 0.5
"""A pilot that comes back at less than this part of its level does not come by its own wire alone."""
WHOLE = 0.03
"""A period whose level is off by more than this has a hole in it: 8 ms of 256."""
MISSED = 2
"""So many periods without a pilot (0.5 s), and it is gone."""
PATIENCE = 8
"""The same after a loss that the card told of (2 s): it may take a while to run again."""
SETTLING = 3
"""Periods from which lag and level are learnt after a loss."""


class Strayed(Exception):
    """The pilot is gone or comes by another path."""


class Period(NamedTuple):
    """A period of the pilot, which ended with frame ``stop``: its lag in frames, and what was wrong with it, or ""."""

    start: int
    stop: int
    lag: float
    damage: str


class PilotWatch:
    """``pilot`` is what to play; ``hear`` takes what all channels captured. ``lag`` is where it must arrive, in frames.

    The first periods, in which the pilot begins, are passed over.
    """

    def __init__(self, rate_hz: int, channel: int, lag: float) -> None:
        self.pilot = Pilot(rate_hz)
        self._rate_hz = rate_hz
        self._channel = channel
        self._lag: float | None = lag
        self._gain: float | None = None
        self._learning: list[Arrival] = []
        self._beginning = 2 + int(lag // self.pilot.frames)
        self._missed = 0

    def lost(self) -> None:
        """The card lost frames: the lag may be another one now, and is learnt again."""
        self._learning, self._lag, self._missed = [], None, 0

    def hear(self, first_frame: int, samples: Samples) -> list[Period]:
        """Every period that came to its end. Raises Strayed."""
        periods = []
        for stop, arrival in self.pilot.hear(first_frame, samples[self._channel]):
            if self._beginning:
                self._beginning -= 1
                continue
            damage = self._judge(arrival)
            if damage is not None:
                periods.append(Period(stop - self.pilot.frames, stop, arrival.lag, damage))
        return periods

    def _judge(self, arrival: Arrival) -> str | None:
        """What is wrong with a period; None while the lag is learnt."""
        faint = self._gain is not None and abs(arrival.gain) < FAINT * abs(self._gain)
        if not arrival.good or faint:
            self._missed += 1
            if self._missed >= (MISSED if self._lag is not None else PATIENCE):
                raise Strayed(f"the pilot of channel {self._channel} does not come back")
            return "the pilot was not heard"
        self._missed = 0
        if self._lag is None:
            self._learn(arrival)
            return None
        moved_ms = 1000 * self.pilot.apart(arrival.lag, self._lag) / self._rate_hz
        if abs(moved_ms) > 1000 * MOVED_S:
            raise Strayed(f"the pilot of channel {self._channel} comes {moved_ms:+.2f} ms from where it came before")
        self._gain = self._gain or arrival.gain
        return "the pilot had a gap" if abs(arrival.gain / self._gain - 1) > WHOLE else ""

    def _learn(self, arrival: Arrival) -> None:
        self._learning.append(arrival)
        if len(self._learning) == SETTLING:
            self._lag = median(one.lag for one in self._learning)
            self._gain = median(one.gain for one in self._learning)
