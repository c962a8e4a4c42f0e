"""Frames of a sound card on the common clock.

The card counts frames on its own crystal. A block cannot arrive before its last frame was on the wire, so the earliest
arrival, relative to its frame, is the best estimate of when frame 0 was. It is taken anew every :data:`WINDOW_S`, and
followed no faster than two crystals drift apart (200 ppm), so that one late batch of blocks moves nothing.
"""

from __future__ import annotations

import bisect
import math

WINDOW_S = 5.0
SLEW = 200e-6
KEPT = 100


class Timeline:
    """``place`` what arrives; ``time_of_s`` and ``frame_at`` lead to each other and back."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames: list[int] = []
        self._zeros_s: list[float] = []
        self._window_from = 0
        self._earliest_s = math.inf
        self._settled = False

    @property
    def known(self) -> bool:
        """True once something has arrived."""
        return bool(self._frames) or self._earliest_s < math.inf

    @property
    def drift_ppm(self) -> float | None:
        """How much slower than the common clock the card's crystal is; None before ten seconds have told."""
        if len(self._frames) < 3:
            return None
        passed_s = (self._frames[-1] - self._frames[0]) / self._rate_hz
        return 1e6 * (self._zeros_s[-1] - self._zeros_s[0]) / max(passed_s, 1e-9)

    def place(self, frame: int, zero_s: float) -> None:
        """A block that ends with ``frame`` came; had it come at once, frame 0 was on the wire at ``zero_s``."""
        self._earliest_s = min(self._earliest_s, zero_s)
        if frame - self._window_from >= WINDOW_S * self._rate_hz:
            self._knot(frame)

    def restart(self, frame: int) -> None:
        """Frames were lost just before ``frame``: what comes now is placed afresh, what came before stays."""
        if self.known:
            zero_s = self._zero_s(frame - 1)
            self._frames.append(max([frame - 1, *(last + 1 for last in self._frames[-1:])]))
            self._zeros_s.append(zero_s)
        self._window_from, self._earliest_s, self._settled = frame, math.inf, False

    def _knot(self, frame: int) -> None:
        zero_s = self._earliest_s
        if self._settled:
            most_s = SLEW * (frame - self._window_from) / self._rate_hz
            zero_s = self._zeros_s[-1] + min(most_s, max(-most_s, zero_s - self._zeros_s[-1]))
        self._frames.append(frame)
        self._zeros_s.append(zero_s)
        del self._frames[:-KEPT], self._zeros_s[:-KEPT]
        self._window_from, self._earliest_s, self._settled = frame, math.inf, True

    def _zero_s(self, frame: float) -> float:
        if not self._frames:
            return self._earliest_s
        if frame >= self._frames[-1]:
            return self._zeros_s[-1] if self._settled or self._earliest_s == math.inf else self._earliest_s
        right = bisect.bisect_right(self._frames, frame)
        if right == 0:
            return self._zeros_s[0]
        (f0, f1), (z0, z1) = self._frames[right - 1 : right + 1], self._zeros_s[right - 1 : right + 1]
        return z0 + (z1 - z0) * (frame - f0) / (f1 - f0)

    def time_of_s(self, frame: int) -> float:
        """When that frame was (will be) on the wire."""
        return self._zero_s(frame) + frame / self._rate_hz

    def frame_at(self, time_s: float) -> int:
        """The frame on the wire at a time: the last that was there by then."""
        last_s = self._zero_s(math.inf)
        frame = math.floor((time_s - last_s) * self._rate_hz)
        frame = math.floor((time_s - self._zero_s(frame)) * self._rate_hz)
        # a nanosecond of grace: time_of_s(n) must lead back to n
        while self.time_of_s(frame + 1) <= time_s + 1e-9:
            frame += 1
        while self.time_of_s(frame) > time_s + 1e-9:
            frame -= 1
        return frame
