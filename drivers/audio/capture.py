"""What a sound card has captured: its frames on the common clock, the last minute of them, and what was lost.

The card's own count starts anew with each start of its stream; here it goes on: ``base`` is the frame at which the
present stream began.
"""

from __future__ import annotations

from collections.abc import Callable

from offhook.drivers.audio import Loss, OnBlock, Samples
from offhook.drivers.audio.history import History
from offhook.drivers.audio.timeline import Timeline


class Capture:
    """``end`` is the next frame to be captured; of frames before ``vouched`` it is known which were lost."""

    def __init__(self, resource: str, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._history = History(resource, rate_hz, channels)
        self._on_block: list[OnBlock] = []
        self._on_loss: list[Callable[[Loss], None]] = []
        self.timeline = Timeline(rate_hz)
        self.losses: list[Loss] = []
        self.base = 0
        self.end = 0
        self.vouched = 0

    @property
    def moving(self) -> bool:
        """True once the present stream has given a frame."""
        return self.end > self.base

    def begin(self, now_s: float) -> None:
        """A stream begins; frames go on counting with the time that has passed."""
        if self.timeline.known:
            self.base = max(self.end, self.timeline.frame_at(now_s)) + 1
            self.timeline.restart(self.base)
        self.end = self.vouched = self.base

    def block(self, first: int, samples: Samples, zero_s: float) -> None:
        """A block came, ``(channels, n)``; by it frame 0 of the stream was on the wire at ``zero_s`` at the latest."""
        first += self.base
        self.end = first + samples.shape[1]
        self.timeline.place(self.end, zero_s - self.base / self._rate_hz)
        kept = self._history.add(first, samples)
        for on_block in list(self._on_block):
            on_block(first, kept)

    def take(self, start: int, stop: int) -> Samples:
        """As :meth:`offhook.drivers.audio.AudioPort.take`."""
        return self._history.take(start, stop, self.end)

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        """As :meth:`offhook.drivers.audio.AudioPort.subscribe`."""
        self._on_block.append(on_block)
        return lambda: self._on_block.remove(on_block) if on_block in self._on_block else None

    def on_loss(self, listener: Callable[[Loss], None]) -> None:
        """Tell the listener of every loss."""
        self._on_loss.append(listener)

    def lose(self, loss: Loss) -> None:
        """Note a loss, and tell of it."""
        self.losses.append(loss)
        for listener in list(self._on_loss):
            listener(loss)
