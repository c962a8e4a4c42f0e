"""Audio ports: many channels, one frame counter, full duplex.

A frame is one sample instant on all channels. Captured audio comes in blocks; where nothing is on any wire a port may
skip frames, so a block says which frame it starts with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
OnBlock = Callable[[int, Samples], None]


class AudioPort(Protocol):
    """A sound card (or what stands for one); full scale is int16."""

    @property
    def rate_hz(self) -> int:
        """Frames a second."""

    @property
    def channels(self) -> int:
        """Channels in each direction."""

    def connect(self) -> str:
        """Start, check that frames move, and say what it is. Raises DeviceGone or DeviceTimeout."""

    def now_frame(self) -> int:
        """The next frame to be captured."""

    def time_of_s(self, frame: int) -> float:
        """When that frame was (will be) on the wire, on the common clock."""

    def frame_at(self, time_s: float) -> int:
        """The frame on the wire at a time of the common clock."""

    def play_at(self, frame: int, channel: int, samples: Samples) -> None:
        """Play on one channel from that frame on; what lies in the past is dropped. Adds to what is queued."""

    def mute(self) -> None:
        """Drop all queued output at once."""

    def take(self, start: int, stop: int) -> Samples:
        """Captured frames ``(channels, stop - start)``; skipped ones are zero. The last 60 s are kept.

        Raises ValueError for frames older than that, or not captured yet.
        """

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        """Call ``on_block(first_frame, (channels, n))`` for every captured block; returns the way to stop it."""

    def close(self) -> None:
        """Mute and stop."""


@dataclass(frozen=True)
class Loss:
    """Frames ``start`` to ``stop`` of a port are not what was on the wire.

    ``stop`` None: nor is any later one, until a loss that says the port is ``back``: it ends where that one stops.
    """

    start: int
    stop: int | None
    what: str
    back: bool = False


@runtime_checkable
class Lossy(Protocol):
    """A port that can lose frames, and says so. One that is ``lost`` may be connected again."""

    @property
    def lost(self) -> str:
        """Why the port is gone; "" while it is there."""

    def connect(self) -> str:
        """As :meth:`AudioPort.connect`; frames go on counting."""

    @property
    def losses(self) -> list[Loss]:
        """Every loss so far."""

    def whole_until(self) -> int:
        """Of the frames before this one it is known which were lost."""

    def on_loss(self, listener: Callable[[Loss], None]) -> None:
        """Tell the listener of every loss, before whoever waits on the clock hears that the card is gone."""
