"""Debian's libspandsp2 as a generator. As receivers, it and multimon-ng are in offhook.bench.characterize.receivers."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class SpandspSender:
    """``dtmf_tx`` of libspandsp 0.0.6: levels in whole dBm0 and times in whole ms, for whatever is sent next.

    It has no frequency offset, no phase and no edges to set.
    """

    def __init__(self, on_ms: int, off_ms: int) -> None:
        path = ctypes.util.find_library("spandsp")
        if path is None:
            raise SystemExit("libspandsp is not installed: apt-get install libspandsp2")
        lib = ctypes.CDLL(path)
        lib.dtmf_tx_init.restype = ctypes.c_void_p
        lib.dtmf_tx_init.argtypes = [ctypes.c_void_p] * 3
        lib.dtmf_tx_set_level.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        lib.dtmf_tx_set_timing.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        lib.dtmf_tx_put.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        lib.dtmf_tx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        lib.dtmf_tx_free.argtypes = [ctypes.c_void_p]
        self.lib = lib
        self.timing = on_ms, off_ms
        self.each = 8 * (on_ms + off_ms)

    def encode(self, digits: str, out: NDArray[np.int16]) -> None:
        """A string in one call, all digits alike, into a row; at most 128 digits."""
        state = self._state()
        self.lib.dtmf_tx_put(state, digits.encode(), len(digits))
        self.lib.dtmf_tx(state, out.ctypes.data, len(out))
        self.lib.dtmf_tx_free(state)

    def encode_each(
        self, digits: str, levels_dbm0: Sequence[int], twists_db: Sequence[int], out: NDArray[np.int16]
    ) -> None:
        """A string in one call a digit, so that each has its own level and twist."""
        state = self._state()
        address = out.ctypes.data
        for key, level, twist in zip(digits.encode(), levels_dbm0, twists_db, strict=True):
            self.lib.dtmf_tx_set_level(state, level, twist)
            self.lib.dtmf_tx_put(state, bytes((key,)), 1)
            self.lib.dtmf_tx(state, address, self.each)
            address += 2 * self.each
        self.lib.dtmf_tx_free(state)

    def _state(self) -> int:
        state: int = self.lib.dtmf_tx_init(None, None, None)
        self.lib.dtmf_tx_set_timing(state, *self.timing)
        return state
