"""Receivers under one protocol: int16 samples at 8 kHz in, a string of digits out.

A receiver is named by a text, so that a worker process can open it too: ``offhook``, ``offhook:NTT`` (a profile),
``libspandsp``, ``libspandsp:filter`` (dial-tone filter on), ``multimon-ng``, or a user's ``module:function``.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from offhook import dsp
from offhook.drivers.errors import ConfigError, DeviceError
from offhook.drivers.nearest import instead_of
from offhook.dsp.tones import Int16

RATE = 8000


class Receiver(Protocol):
    """Anything that hears digits."""

    def decode(self, samples: Int16) -> str:
        """The digits of one recording, (n,) int16 at 8 kHz, in order; no state is kept between calls."""
        ...


@lru_cache(maxsize=16)
def open_receiver(name: str) -> Receiver:
    """The receiver of a name. Raises ConfigError if there is none, or it is not installed."""
    kind, _, option = name.partition(":")
    if kind == "offhook":
        try:
            return Ours(option or "ATT")
        except ValueError as error:
            raise ConfigError(name, "open receiver", str(error)) from None
    if kind == "libspandsp" and option in ("", "filter"):
        return Spandsp(dial_tone_filter=option == "filter")
    if kind == "multimon-ng" and not option:
        return Multimon()
    if option:
        return UserFunction(name)
    known = "offhook", "libspandsp", "multimon-ng"
    forms = "offhook[:PROFILE], libspandsp[:filter], multimon-ng, or module:function"
    raise ConfigError(name, "open receiver", "unknown", instead_of(kind, known, forms))


class Ours:
    """Offhook's own, whole recordings."""

    def __init__(self, profile: str) -> None:
        self.profile = dsp.profiles.named(profile)

    def decode(self, samples: Int16) -> str:
        """Digits of one recording."""
        return dsp.decode(samples, RATE, self.profile).text()


class UserFunction:
    """A user's ``function(samples, rate) -> str``, found by ``module:function``; the working directory is searched."""

    def __init__(self, name: str) -> None:
        module, _, attribute = name.partition(":")
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ConfigError(name, "open receiver", str(error), "module:function(samples, rate) -> str") from None
        if not callable(found):
            raise ConfigError(name, "open receiver", f"{attribute} cannot be called", "name a function")
        self.name = name
        self.function: Callable[[Int16, int], Any] = found

    def decode(self, samples: Int16) -> str:
        """What the function says, as text. What it raises becomes a DeviceError that names it."""
        try:
            return str(self.function(samples, RATE))
        except Exception as error:
            raise DeviceError(self.name, "decode", f"{type(error).__name__}: {error}") from error


class Spandsp:
    """Debian's libspandsp2 by ctypes, its ``dtmf_rx``."""

    def __init__(self, *, dial_tone_filter: bool = False) -> None:
        path = ctypes.util.find_library("spandsp")
        if path is None:
            raise ConfigError("libspandsp", "open receiver", "not installed", "apt-get install libspandsp2")
        lib = ctypes.CDLL(path)
        lib.dtmf_rx_init.restype = ctypes.c_void_p
        lib.dtmf_rx_init.argtypes = [ctypes.c_void_p] * 3
        lib.dtmf_rx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        lib.dtmf_rx_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        lib.dtmf_rx_get.restype = ctypes.c_size_t
        lib.dtmf_rx_free.argtypes = [ctypes.c_void_p]
        lib.dtmf_rx_parms.argtypes = [ctypes.c_void_p, *[ctypes.c_int] * 4]  # 0.0.6: whole decibels, not floats
        self.lib = lib
        self.dial_tone_filter = dial_tone_filter

    def decode(self, samples: Int16) -> str:
        """Digits are fetched every 2 s of audio, before its buffer of 128 fills."""
        lib = self.lib
        state = lib.dtmf_rx_init(None, None, None)
        try:
            if self.dial_tone_filter:
                lib.dtmf_rx_parms(state, 1, -1, -1, -99)  # negative and -99: keep the defaults
            audio = np.ascontiguousarray(samples)
            buffer = ctypes.create_string_buffer(200)
            text = b""
            for at in range(0, len(audio), 2 * RATE):
                part = audio[at : at + 2 * RATE]
                lib.dtmf_rx(state, part.ctypes.data, len(part))
                count = lib.dtmf_rx_get(state, buffer, 128)
                text += buffer.raw[:count]
        finally:
            lib.dtmf_rx_free(state)
        return text.decode("ascii")


class Multimon:
    """multimon-ng as a process, on raw samples at the 22,050 Hz it wants."""

    def __init__(self) -> None:
        found = shutil.which("multimon-ng")
        if found is None:
            raise ConfigError("multimon-ng", "open receiver", "not installed", "apt-get install multimon-ng")
        self.command = [found, "-q", "-a", "DTMF", "-t", "raw", "-"]

    def decode(self, samples: Int16) -> str:
        """One process a recording."""
        from scipy.signal import resample_poly

        wide = dsp.to_int16(resample_poly(samples / 32768.0, 441, 160))
        heard = subprocess.run(self.command, input=wide.tobytes(), capture_output=True, check=True).stdout.decode()
        return "".join(re.findall(r"DTMF: (.)", heard)).replace("E", "*").replace("F", "#")
