"""Contacts bounce and light flickers: an edge counts once its level has held, and keeps the time at which it came."""

from __future__ import annotations

from offhook.drivers.clock import Clock, Timer
from offhook.drivers.sense import OnEdge


class Debouncer:
    """One input. ``level`` is the level that counts; ``bounces`` how often it moved and came back.

    An edge is told once no other has come for ``settle_s``, with the time of the first one of that commotion. With 0
    every edge counts at once.
    """

    def __init__(self, clock: Clock, settle_s: float, on_edge: OnEdge, level: bool = False) -> None:
        """``level`` is what the input starts at, which is no edge."""
        self.level = level
        self.bounces = 0
        self._clock = clock
        self._settle_s = settle_s
        self._on_edge = on_edge
        self._raw = level
        self._first_s = 0.0
        self._timer: Timer | None = None

    def feed(self, active: bool, time_s: float) -> None:
        """The input's level at a time, edge or not."""
        if active == self._raw:
            return
        self._raw = active
        if self._timer is None:
            self._first_s = time_s
        else:
            self._timer.cancel()
        if self._settle_s <= 0:
            self._settled()
        else:
            self._timer = self._clock.call_at(time_s + self._settle_s, self._settled)

    def _settled(self) -> None:
        self._timer = None
        if self._raw == self.level:
            self.bounces += 1
            return
        self.level = self._raw
        self._on_edge(self.level, self._first_s)
