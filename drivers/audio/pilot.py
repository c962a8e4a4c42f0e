"""Watches the pilot: tells its lag, and when it comes from elsewhere or not at all."""

from __future__ import annotations

from statistics import median

from offhook.drivers.audio import Samples
from offhook.drivers.audio.probe import Arrival, Pilot

MOVED_S = 0.0005
"""A lag that changes by more than this, with no frame lost, belongs to another path."""
FAINT = 0.5
"""A pilot that comes back at less than this part of its level does not come by its own wire alone."""
MISSED = 2
"""So many periods without a pilot (0.5 s), and it is gone."""
SETTLING = 3
"""Periods from which the lag is learnt, at the start and after a loss."""


class Strayed(Exception):
    """The pilot is gone or comes by another path."""


class PilotWatch:
    """``pilot`` is what to play; ``hear`` takes what all channels captured."""

    def __init__(self, rate_hz: int, channel: int) -> None:
        self.pilot = Pilot(rate_hz)
        self._rate_hz = rate_hz
        self._channel = channel
        self._learning: list[Arrival] = []
        self._lag: float | None = None
        self._gain = 0.0
        self._missed = 0
        self._patience = 4 * MISSED

    def lost(self) -> None:
        """The card lost frames: the lag may be another one now, and is learnt again."""
        self._learning, self._lag = [], None
        self._patience = 4 * MISSED

    def hear(self, first_frame: int, samples: Samples) -> list[dict[str, float]]:
        """A report of every period: lag in frames, gain and quality. Raises Strayed."""
        reports = []
        for arrival in self.pilot.hear(first_frame, samples[self._channel]):
            if self._judge(arrival):
                reports.append({"lag": arrival.lag, "gain": arrival.gain, "quality": min(arrival.quality, 1e6)})
        return reports

    def _judge(self, arrival: Arrival) -> bool:
        """False for a period that says nothing. The first that do are learnt from."""
        if not arrival.good or (self._lag is not None and abs(arrival.gain) < FAINT * abs(self._gain)):
            self._missed += 1
            if self._missed >= (MISSED if self._lag is not None else self._patience):
                raise Strayed(f"the pilot of channel {self._channel} does not come back")
            return False
        self._missed = 0
        if self._lag is None:
            self._learning.append(arrival)
            if len(self._learning) == SETTLING:
                self._lag = median(one.lag for one in self._learning)
                self._gain = median(one.gain for one in self._learning)
        elif abs(self.pilot.apart(arrival.lag, self._lag)) > MOVED_S * self._rate_hz:
            moved_ms = 1000 * self.pilot.apart(arrival.lag, self._lag) / self._rate_hz
            raise Strayed(f"the pilot of channel {self._channel} comes {moved_ms:+.2f} ms from where it came before")
        return True
