"""What a sound card plays next: whatever was queued on its channels, and the pilot."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from offhook.drivers.audio import Samples
from offhook.drivers.audio.probe import Pilot
from offhook.drivers.audio.resample import Resampler


class Player:
    """Queued audio at the bench's rate, given out in blocks at the card's.

    ``gains`` are linear, one a channel. :meth:`block` runs on the card's own thread, the rest on any other.
    """

    def __init__(self, bench_hz: int, card_hz: int, gains: Sequence[float]) -> None:
        self._resampler = Resampler(bench_hz, card_hz)
        self._channels = len(gains)
        self._gains = np.asarray(gains, dtype=np.float64)
        self._queued: list[tuple[int, int, Samples]] = []
        self._pilot: tuple[int, Pilot] | None = None
        self._lock = threading.Lock()
        self._silence = bytes(2 * self._channels * self._resampler.given)

    def add(self, frame: int, channel: int, samples: Samples) -> None:
        """Play on a channel from a frame on, on top of what is queued."""
        gain = self._gains[channel]
        if gain != 1.0:
            samples = np.clip(np.rint(samples * gain), -32768, 32767).astype(np.int16)
        with self._lock:
            self._queued.append((frame, channel, samples))

    def mute(self) -> None:
        """Drop all that is queued; the pilot, which is on a wire of the bench's own, goes on."""
        with self._lock:
            self._queued.clear()

    def start_pilot(self, channel: int, pilot: Pilot) -> None:
        """Play the pilot on a channel from now on."""
        with self._lock:
            self._pilot = channel, pilot

    def block(self, number: int) -> bytes:
        """Block ``number`` for the card, int16, frame by frame."""
        taken = self._resampler.taken
        start, stop = (number - 1) * taken, (number + 2) * taken
        with self._lock:
            self._queued = [one for one in self._queued if one[0] + len(one[2]) > start]
            due = [one for one in self._queued if one[0] < stop]
            pilot = self._pilot
        if not due and pilot is None:
            return self._silence
        rows = sorted({channel for _, channel, _ in due} | ({pilot[0]} if pilot else set()))
        window = np.zeros((len(rows), stop - start), dtype=np.int32)
        for frame, channel, samples in due:
            begin, end = max(start, frame), min(stop, frame + len(samples))
            window[rows.index(channel), begin - start : end - start] += samples[begin - frame : end - frame]
        if pilot is not None and start >= 0:
            window[rows.index(pilot[0])] += pilot[1].play(start, stop - start)
        block = np.zeros((self._resampler.given, self._channels), dtype=np.int16)
        block[:, rows] = self._resampler.block(np.clip(window, -32768, 32767).astype(np.int16)).T
        return block.tobytes()
