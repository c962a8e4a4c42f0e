"""The live receiver's gate and fine analysis through the compiled kernels: what ``gate`` and ``fine`` find, sooner.

Imported only where ``compiled`` finds it worth while.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.batch import Room, Weighing, plain, window_hits
from offhook.dsp.decode import Lanes, Receiver
from offhook.dsp.fine import Hops
from offhook.dsp.history import UNUSED


class LiveKernels:
    """For one decoder. ``audio`` is its whole buffer; where a lane lies in it is said by its first hop there."""

    def __init__(self, rx: Receiver) -> None:
        self._rx = rx
        self._room = Room(rx)

    def gate(self, audio: NDArray[np.generic], first: int, stop: int) -> NDArray[np.bool_]:
        """``Gate.hits`` of the samples from ``first`` to ``stop``: (channels, windows)."""
        return window_hits(self._rx, plain(audio), first, self._rx.gate.windows(stop - first))

    def analyse(self, audio: NDArray[np.generic], lanes: Lanes) -> Hops:
        """``Fine.analyse`` of some lanes, with what a live history keeps of it."""
        weighing = Weighing(self._rx, plain(audio), lanes, self._room)
        room, event = self._room, weighing.event
        row_of = room.row_of[: weighing.hops]
        heard = np.flatnonzero(row_of >= 0)
        amplitude = np.zeros((8, weighing.hops), dtype=np.float32)
        amplitude[:, heard] = room.amplitude[:, row_of[heard]]
        low, high, low_offset, high_offset = room.features[:4, event]
        accepted = np.ones(len(event), dtype=np.bool_)
        unused: dict[str, Any] = dict.fromkeys(UNUSED, accepted[:0])
        return Hops(
            amplitude=amplitude, at=weighing.at, key=room.key[event].astype(np.int8), low_power=low, high_power=high,
            low_offset=low_offset, high_offset=high_offset, full=room.flags[5, event], accepted=accepted, **unused,
        )  # fmt: skip
