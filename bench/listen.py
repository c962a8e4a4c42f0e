"""Ears: every named channel of a sound card is decoded as it comes, and its sounds are kept as spans."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from offhook import dsp
from offhook.drivers.audio import AudioPort, Samples
from offhook.drivers.clock import Clock, Timer

LOUD_DBM0 = -42.0
"""Softer than this is silence: 20 dB under the softest prompt, 10 dB over an idle line's noise."""
EVERY_S = 0.2
"""Audio is decoded this much at a time, which costs less than half of what single blocks do; a digit is told so much
later. When it began and ended does not depend on it."""
KEPT = 500
"""So many of the latest sounds of a channel are kept at least."""
MERGE_S = 0.2
"""Pauses shorter than this do not end a sound (the gap between two syllables)."""


@dataclass
class Span:
    """A sound between two silences, on the common clock; ``end_s`` grows while it lasts."""

    start_s: float
    end_s: float


def _start_s(span: Span) -> float:
    return span.start_s


class Listener:
    """Decodes the named channels of one port; calls ``on_digit(name, start_s, end_s, row)`` at each digit's end."""

    def __init__(
        self,
        clock: Clock,
        port: AudioPort,
        channels: Mapping[str, int],
        on_digit: Callable[[str, float, float, dsp.Digit], None],
        plan: str = "US",
    ) -> None:
        self.port = port
        self.plan = plan
        self._clock = clock
        self._names = list(channels)
        self._index = np.array([channels[name] for name in self._names], dtype=np.intp)
        self._every = self._index.tolist() == list(range(port.channels))
        self._on_digit = on_digit
        self._spans: dict[str, list[Span]] = {name: [] for name in self._names}
        self._decoder = self._new_decoder()
        self._base = 0
        self._next = 0
        self._late: Timer | None = None
        self._threshold = float(32768.0**2 * 10 ** ((LOUD_DBM0 - 3.14) / 10) / 2)
        self.stop = port.subscribe(self._take)

    def _take(self, first_frame: int, block: Samples) -> None:
        if first_frame != self._next:
            self._report(self._decoder.flush())
            self._decoder = self._new_decoder()
            self._base = first_frame
        self._next = first_frame + block.shape[1]
        mine = block if self._every else block[self._index]
        self._note_sound(first_frame, mine)
        self._report(self._decoder.feed(mine))
        if not self._decoder.waiting and self._late is not None:
            self._late.cancel()
            self._late = None
        elif self._decoder.waiting and self._late is None:
            # should the port fall silent now, what it gave is decoded all the same
            self._late = self._clock.call_at(self._clock.now_s() + 2 * EVERY_S, self._look)

    def _new_decoder(self) -> dsp.Decoder:
        return dsp.Decoder(self.port.rate_hz, channels=len(self._names), every_s=EVERY_S)

    def _look(self) -> None:
        """Decode what has come since the last time."""
        self._late = None
        self._report(self._decoder.look())

    def _note_sound(self, first_frame: int, block: Samples) -> None:
        audio = block.astype(np.float32)
        energy = np.vecdot(audio, audio)
        loud = (energy > self._threshold * block.shape[1]).nonzero()[0].tolist()
        if not loud:
            return
        start_s = self.port.time_of_s(first_frame)
        end_s = self.port.time_of_s(first_frame + block.shape[1])
        for row in loud:
            spans = self._spans[self._names[row]]
            if spans and start_s - spans[-1].end_s < MERGE_S:
                spans[-1].end_s = end_s
            else:
                spans.append(Span(start_s, end_s))
                del spans[: -KEPT if len(spans) > 2 * KEPT else 0]

    def _report(self, events: object) -> None:
        for event in events:  # type: ignore[attr-defined]
            if isinstance(event, dsp.Digit):
                rate = self.port.rate_hz
                start_s = self.port.time_of_s(self._base + round(event.start_s * rate))
                end_s = self.port.time_of_s(self._base + round(event.end_s * rate))
                self._on_digit(self._names[event.channel], start_s, end_s, event)

    def check(self) -> None:
        """Raise DeviceError if the audio interface has stopped capturing."""
        self.port.now_frame()

    def sound_after(self, name: str, time_s: float) -> Span | None:
        """The first sound that starts at or after a time."""
        spans = self._spans[name]
        index = bisect.bisect_left(spans, time_s, key=_start_s)
        return spans[index] if index < len(spans) else None

    def sounding(self, name: str, time_s: float) -> bool:
        """True if the channel was loud around a time."""
        index = bisect.bisect_right(self._spans[name], time_s, key=_start_s)
        return index > 0 and time_s <= self._spans[name][index - 1].end_s + MERGE_S

    def samples(self, name: str, from_s: float, to_s: float) -> Samples:
        """One channel's audio of the last minute, ``(n,)`` int16."""
        start = max(0, self.port.frame_at(from_s))
        stop = min(self.port.now_frame(), self.port.frame_at(to_s))
        if stop <= start:
            return np.zeros(0, dtype=np.int16)
        heard: Samples = self.port.take(start, stop)[self._index[self._names.index(name)]]
        return heard

    def tones(self, name: str, last_s: float) -> list[str]:
        """Names of the call-progress tones in the last seconds of a channel."""
        now_s = self._clock.now_s()
        heard = self.samples(name, now_s - last_s, now_s)
        return [segment.name for segment in dsp.progress.classify(heard, self.port.rate_hz, self.plan)]
