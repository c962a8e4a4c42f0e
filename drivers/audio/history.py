"""What a port has captured in the last minute, in blocks; where a port skipped frames there was silence."""

from __future__ import annotations

import bisect

import numpy as np

from offhook.drivers.audio import Samples

HISTORY_S = 60.0
_LUMP_S = 8
"""Old blocks go in lumps: deleting from the front of a list costs a copy of it."""


class History:
    """Blocks by their first frame. ``resource`` names the port in what :meth:`take` refuses."""

    def __init__(self, resource: str, rate_hz: int, channels: int) -> None:
        self._resource = resource
        self._rate_hz = rate_hz
        self._channels = channels
        self._starts: list[int] = []
        self._blocks: list[Samples] = []

    def add(self, first_frame: int, block: Samples) -> None:
        """Keep ``(channels, n)`` frames that come after all that is kept, and forget those older than a minute."""
        self._starts.append(first_frame)
        self._blocks.append(block)
        oldest = first_frame + block.shape[1] - int(HISTORY_S * self._rate_hz)
        if self._starts[0] < oldest - _LUMP_S * self._rate_hz:
            old = max(0, bisect.bisect_right(self._starts, oldest) - 1)
            del self._starts[:old], self._blocks[:old]

    def take(self, start: int, stop: int, captured: int) -> Samples:
        """Frames ``(channels, stop - start)``; ``captured`` is the next frame to be captured.

        Raises ValueError for frames that are not captured yet or no longer kept.
        """
        if start > stop or stop > captured:
            detail = f"frames {start} to {stop} are not captured yet (next is {captured})"
            raise ValueError(f"{self._resource}: {detail}")
        if start < captured - HISTORY_S * self._rate_hz:
            raise ValueError(f"{self._resource}: frame {start} is older than the {HISTORY_S:g} s that are kept")
        out = np.zeros((self._channels, stop - start), dtype=np.int16)
        index = max(0, bisect.bisect_right(self._starts, start) - 1)
        while index < len(self._starts) and self._starts[index] < stop:
            first, block = self._starts[index], self._blocks[index]
            begin, end = max(start, first), min(stop, first + block.shape[1])
            if begin < end:
                out[:, begin - start : end - start] = block[:, begin - first : end - first]
            index += 1
        return out
