"""Ringing, seen by a detector on the line or at the bell: bursts, their cadence, the frequency of the voltage.

An opto-coupler on the line follows the ringing voltage itself, 16 to 68 times a second; a detector with a capacitor
shows the burst as one level. Both are read alike: activity belongs to one burst until ``hold_s`` without any has
passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from offhook.drivers.clock import Clock, Timer
from offhook.drivers.sense import SenseInputs

HOLD_S = 0.15
"""Longer than a half wave of 16 Hz and a detector's own hold, shorter than the 200 ms between two rings of a pair."""
LEAST_CYCLES = 4


class Burst(NamedTuple):
    """One burst of ringing: first and last activity on the common clock, and how many cycles were counted."""

    start_s: float
    end_s: float
    cycles: int

    @property
    def length_s(self) -> float:
        """From its first to its last activity."""
        return self.end_s - self.start_s

    @property
    def freq_hz(self) -> float:
        """Of the ringing voltage; 0 where the detector shows bursts only."""
        return (self.cycles - 1) / self.length_s if self.cycles >= LEAST_CYCLES and self.length_s > 0 else 0.0


OnBurst = Callable[[Burst], None]


class RingDetector:
    """One detector. ``bursts`` has every burst that has ended, ``ringing`` is true inside one."""

    def __init__(self, clock: Clock, inputs: SenseInputs, pin: int, hold_s: float = HOLD_S) -> None:
        """Raises ConfigError for a pin that is no input."""
        self.bursts: list[Burst] = []
        self.ringing = False
        self._clock = clock
        self._hold_s = hold_s
        self._start_s = self._last_s = 0.0
        self._active = False
        self._cycles = 0
        self._timer: Timer | None = None
        self._on_start: list[Callable[[float], None]] = []
        self._on_burst: list[OnBurst] = []
        inputs.subscribe(pin, self._edge)

    def on_start(self, listener: Callable[[float], None]) -> None:
        """Tell the listener when a burst begins, with the time of its first activity."""
        self._on_start.append(listener)

    def on_burst(self, listener: OnBurst) -> None:
        """Tell the listener of every burst that has ended."""
        self._on_burst.append(listener)

    def _edge(self, active: bool, time_s: float) -> None:
        self._active, self._last_s = active, time_s
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if active:
            self._cycles += 1
            if not self.ringing:
                self.ringing, self._start_s, self._cycles = True, time_s, 1
                for listener in self._on_start:
                    listener(time_s)
        else:
            self._timer = self._clock.call_at(time_s + self._hold_s, self._ended)

    def _ended(self) -> None:
        self._timer = None
        if self._active or not self.ringing:
            return
        self.ringing = False
        burst = Burst(self._start_s, self._last_s, self._cycles)
        self.bursts.append(burst)
        for listener in self._on_burst:
            listener(burst)
