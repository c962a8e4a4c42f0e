"""Other receivers under the same protocol: int16 samples at 8 kHz in, a string of digits out."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import shutil
import subprocess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook import dsp


class Spandsp:
    """Debian's libspandsp2 through ctypes: dtmf_rx and dtmf_tx."""

    name = "libspandsp"

    def __init__(self) -> None:
        path = ctypes.util.find_library("spandsp")
        if path is None:
            raise RuntimeError("libspandsp is not installed: apt-get install libspandsp2")
        lib = ctypes.CDLL(path)
        lib.dtmf_rx_init.restype = ctypes.c_void_p
        lib.dtmf_rx_init.argtypes = [ctypes.c_void_p] * 3
        lib.dtmf_rx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        lib.dtmf_rx_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        lib.dtmf_rx_get.restype = ctypes.c_size_t
        lib.dtmf_rx_free.argtypes = [ctypes.c_void_p]
        lib.dtmf_tx_init.restype = ctypes.c_void_p
        lib.dtmf_tx_init.argtypes = [ctypes.c_void_p] * 3
        lib.dtmf_tx_put.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        lib.dtmf_tx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        lib.dtmf_tx_free.argtypes = [ctypes.c_void_p]
        self.lib = lib

    def decode(self, samples: NDArray[np.int16]) -> str:
        """One call over the whole recording; digits are fetched in pieces before its buffer of 128 fills."""
        lib = self.lib
        state = lib.dtmf_rx_init(None, None, None)
        audio = np.ascontiguousarray(samples)
        buffer = ctypes.create_string_buffer(200)
        text = b""
        step = 80000
        for at in range(0, len(audio), step):
            part = audio[at : at + step]
            lib.dtmf_rx(state, part.ctypes.data, len(part))
            count = lib.dtmf_rx_get(state, buffer, 128)
            text += buffer.raw[:count]
        lib.dtmf_rx_free(state)
        return text.decode()

    def encode(self, digits: str, samples: int) -> NDArray[np.int16]:
        """dtmf_tx of a string, the given number of samples."""
        lib = self.lib
        state = lib.dtmf_tx_init(None, None, None)
        out = np.zeros(samples, dtype=np.int16)
        lib.dtmf_tx_put(state, digits.encode(), len(digits))
        lib.dtmf_tx(state, out.ctypes.data, samples)
        lib.dtmf_tx_free(state)
        return out


class Multimon:
    """multimon-ng as a process on 22,050 Hz raw samples."""

    name = "multimon-ng"

    def __init__(self) -> None:
        self.path = shutil.which("multimon-ng")
        if self.path is None:
            raise RuntimeError("multimon-ng is not installed: apt-get install multimon-ng")

    def decode(self, samples: NDArray[np.int16]) -> str:
        """Resampled by SoX, as its users do."""
        sox = ["sox", "-t", "s16", "-r", "8000", "-c", "1", "-", "-t", "s16", "-r", "22050", "-"]
        wide = subprocess.run(sox, input=samples.tobytes(), capture_output=True, check=True).stdout
        command = [str(self.path), "-q", "-a", "DTMF", "-t", "raw", "-"]
        heard = subprocess.run(command, input=wide, capture_output=True, check=True).stdout.decode()
        return "".join(re.findall(r"DTMF: (.)", heard)).replace("E", "*").replace("F", "#")


class Ours:
    """This package's receiver."""

    name = "offhook"

    def __init__(self, profile: Any = dsp.profiles.ATT) -> None:
        self.profile = profile

    def decode(self, samples: NDArray[np.int16]) -> str:
        """Whole-recording decoding at 8 kHz."""
        return dsp.decode(samples, 8000, self.profile).text()
