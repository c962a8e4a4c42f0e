"""G.711 A-law and mu-law, both ways, by table; int16 and float full scale is +3.14 dBm0 (A-law convention)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.tones import Int16, to_int16

Octets = NDArray[np.uint8]


def _ulaw_expand() -> Int16:
    """ITU-T G.711 table 2: 14-bit values, here times 4 (left-justified in 16 bits)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_expand() -> Int16:
    """ITU-T G.711 table 1: 13-bit values, here times 8 (left-justified in 16 bits)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _compress(expand: Int16, *, mu: bool) -> Octets:
    """Every int16 value to its octet: the decision values lie half-way between the output values."""
    codes = np.arange(256, dtype=np.int32)
    table = np.zeros(65536, dtype=np.uint8)
    value = np.arange(32768, dtype=np.int32)
    for negative in (False, True):
        half = codes[(codes & 0x80 == 0) == negative]
        level = np.abs(expand[half].astype(np.int32))
        order = np.argsort(level)
        level, half = level[order], half[order]
        middle = (level[1:] + level[:-1]) / 2.0
        chosen = half[np.searchsorted(middle, value, side="right" if not negative or mu else "left")]
        table[(-value if negative else value) & 0xFFFF] = chosen
    table[0] = 0xFF if mu else 0xD5
    table[0x8000] = 0x00 if mu else 0x2A
    return table


_ULAW_EXPAND = _ulaw_expand()
_ALAW_EXPAND = _alaw_expand()
_ULAW_COMPRESS = _compress(_ULAW_EXPAND, mu=True)
_ALAW_COMPRESS = _compress(_ALAW_EXPAND, mu=False)


def ulaw_encode(samples: ArrayLike) -> Octets:
    """int16 (or float, full scale 1.0) samples of any shape as mu-law octets, uint8."""
    return _ULAW_COMPRESS[to_int16(samples).view(np.uint16)]


def alaw_encode(samples: ArrayLike) -> Octets:
    """int16 (or float, full scale 1.0) samples of any shape as A-law octets, uint8."""
    return _ALAW_COMPRESS[to_int16(samples).view(np.uint16)]


def ulaw_decode(octets: bytes | Octets) -> Int16:
    """mu-law octets as int16 samples."""
    return _ULAW_EXPAND[_octets(octets)]


def alaw_decode(octets: bytes | Octets) -> Int16:
    """A-law octets as int16 samples."""
    return _ALAW_EXPAND[_octets(octets)]


def through(samples: ArrayLike, law: str) -> Int16:
    """Samples after one G.711 encoding and decoding; ``law`` is "alaw" or "ulaw"."""
    if law == "alaw":
        return alaw_decode(alaw_encode(samples))
    if law == "ulaw":
        return ulaw_decode(ulaw_encode(samples))
    raise ValueError(f"law is {law!r}: expected 'alaw' or 'ulaw'")


def _octets(octets: bytes | Octets) -> Octets:
    return np.frombuffer(octets, dtype=np.uint8) if isinstance(octets, bytes | bytearray) else octets
