"""A wire from an output of the bench back to an input of its own: the bench's own certificate is made on it."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.bench.station import Rig
from offhook.bench.station_model import LoopModel, ref
from offhook.drivers.audio import Samples
from offhook.drivers.audio.measures import lost_within
from offhook.drivers.errors import DeviceRefused

LEAD_S = 0.4
"""Queued so far ahead, audio reaches any card in time."""
TAIL_S = 0.3


@dataclass(frozen=True)
class Played:
    """What was played: its first frame and the one after its last, and when they are on the wire."""

    start: int
    stop: int
    start_s: float
    end_s: float


class Loop:
    """``wire`` is the name under which what it hears is recorded."""

    def __init__(self, name: str, model: LoopModel, rig: Rig) -> None:
        self.name = name
        self.wire = f"loop-{name}"
        self._rig = rig
        self._play, self._hear = ref(model.play), ref(model.hear)

    @property
    def rate_hz(self) -> int:
        """Frames a second of what it plays."""
        return self._rig.audio[self._play.board].rate_hz

    def play(self, samples: Samples) -> Played:
        """Play it, and wait until it is over and heard whole.

        Raises DeviceGone if the card is gone, DeviceRefused if it lost frames meanwhile: what was heard proves nothing.
        """
        port, clock = self._rig.audio[self._play.board], self._rig.clock
        start = port.frame_at(clock.now_s() + LEAD_S)
        port.play_at(start, self._play.number, samples)
        stop = start + len(samples)
        played = Played(start, stop, port.time_of_s(start), port.time_of_s(stop))
        clock.wait_until(played.end_s + TAIL_S)
        for name in dict.fromkeys((self._play.board, self._hear.board)):
            lost = lost_within(clock, self._rig.audio[name], start, stop)
            if lost:
                raise DeviceRefused(
                    f"audio.{name}", f"play on loop.{self.name}", lost, "again, with less to do beside it"
                )
        return played

    def heard(self, played: Played) -> Samples:
        """What came back while it was played, ``(n,)`` int16."""
        heard: Samples = self._rig.audio[self._hear.board].take(played.start, played.stop)[self._hear.number]
        return heard
