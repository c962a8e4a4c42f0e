"""What a port has captured in the last minute; where a port skipped frames there was silence."""

from __future__ import annotations

from collections import deque

import numpy as np

from offhook.drivers.audio import Samples

HISTORY_S = 60.0
PIECE_S = 1.0


class _Piece:
    """Memory for a second of frames without a gap; ``stop`` is the frame after the last that is there."""

    def __init__(self, first: int, channels: int, frames: int) -> None:
        self.first = self.stop = first
        self.audio: Samples = np.empty((channels, frames), dtype=np.int16)

    @property
    def room(self) -> int:
        frames: int = self.audio.shape[1]
        return self.first + frames - self.stop

    def add(self, block: Samples) -> Samples:
        begin = self.stop - self.first
        part: Samples = self.audio[:, begin : begin + block.shape[1]]
        part[:] = block
        part.flags.writeable = False
        self.stop += block.shape[1]
        return part

    def part(self, start: int, stop: int) -> Samples:
        part: Samples = self.audio[:, start - self.first : stop - self.first]
        part.flags.writeable = False
        return part


class History:
    """Pieces of a second. ``resource`` names the port in what :meth:`take` refuses.

    Memory in large pieces is had from the system at a fraction of what as many small ones cost, and most of what is
    asked for lies in one of them: it need not be copied.
    """

    def __init__(self, resource: str, rate_hz: int, channels: int) -> None:
        self._resource = resource
        self._rate_hz = rate_hz
        self._channels = channels
        self._pieces: deque[_Piece] = deque()

    def add(self, first_frame: int, block: Samples) -> Samples:
        """Keep ``(channels, n)`` frames that come after all that is kept, and forget those older than a minute.

        Returns them as they are kept, read-only: whoever holds on to that keeps no other memory alive.
        """
        count = block.shape[1]
        last = self._pieces[-1] if self._pieces else None
        if last is None or last.stop != first_frame or last.room < count:
            last = _Piece(first_frame, self._channels, max(count, round(PIECE_S * self._rate_hz)))
            self._pieces.append(last)
        kept = last.add(block)
        oldest = last.stop - int(HISTORY_S * self._rate_hz)
        while self._pieces[0].stop <= oldest:
            self._pieces.popleft()
        return kept

    def take(self, start: int, stop: int, captured: int) -> Samples:
        """Frames ``(channels, stop - start)``, read-only; ``captured`` is the next frame to be captured.

        Raises ValueError for frames that are not captured yet or no longer kept.
        """
        if start > stop or stop > captured:
            detail = f"frames {start} to {stop} are not captured yet (next is {captured})"
            raise ValueError(f"{self._resource}: {detail}")
        if start < captured - HISTORY_S * self._rate_hz:
            raise ValueError(f"{self._resource}: frame {start} is older than the {HISTORY_S:g} s that are kept")
        touched = [piece for piece in self._pieces if piece.first < stop and start < piece.stop]
        if len(touched) == 1 and touched[0].first <= start and stop <= touched[0].stop:
            return touched[0].part(start, stop)
        out = np.zeros((self._channels, stop - start), dtype=np.int16)
        for piece in touched:
            begin, end = max(start, piece.first), min(stop, piece.stop)
            out[:, begin - start : end - start] = piece.audio[:, begin - piece.first : end - piece.first]
        out.flags.writeable = False
        return out
