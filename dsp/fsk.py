"""1200 baud frequency-shift keying, Bell 202 and V.23: bytes with start and stop bits to audio, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import Float32, Float64, check_rate, peak

BAUD = 1200.0


@dataclass(frozen=True)
class Modem:
    """Two frequencies; a mark is a 1."""

    name: str
    mark_hz: float
    space_hz: float


BELL202 = Modem("Bell 202", 1200.0, 2200.0)
V23 = Modem("V.23", 1300.0, 2100.0)
MODEMS = {modem.name: modem for modem in (BELL202, V23)}


@dataclass(frozen=True)
class Burst:
    """Bytes between two silences, and where the first start bit began."""

    modem: Modem
    data: bytes
    start_s: float


def bits_of(data: bytes) -> NDArray[np.bool_]:
    """Bytes as a line sends them: start bit (space), 8 bits, lowest first, stop bit (mark)."""
    eight = np.unpackbits(np.frombuffer(data, np.uint8)[:, None], axis=1, bitorder="little")
    edge = np.ones((len(eight), 1), np.uint8)
    return np.concatenate((edge * 0, eight, edge), axis=1).ravel().astype(bool)


def modulate(bits: NDArray[np.bool_], rate: float, modem: Modem, level_dbm0: float) -> Float32:
    """Bits as audio without a jump of phase; float32, full scale 1.0."""
    check_rate(rate)
    count = int(np.ceil(len(bits) * rate / BAUD))
    which = np.minimum((np.arange(count) * BAUD / rate).astype(np.int64), max(len(bits) - 1, 0))
    freq = np.where(bits[which], modem.mark_hz, modem.space_hz) if len(bits) else np.zeros(0)
    phase = 2.0 * np.pi * np.cumsum(freq) / rate
    return (float(peak(level_dbm0)) * np.sin(phase)).astype(np.float32)


def soft_bits(samples: Float64, rate: float, modem: Modem) -> tuple[Float64, Float64]:
    """Mark less space, -1 to 1, over one bit around each sample; and their joint power against all power there."""
    time = np.arange(len(samples)) / rate
    size = rate / BAUD
    total = _mean(samples**2, size)
    power = [
        np.abs(_mean(samples * np.exp(-2j * np.pi * freq * time), size)) ** 2 * 2.0
        for freq in (modem.mark_hz, modem.space_hz)
    ]
    both = power[0] + power[1]
    share = both / np.maximum(total, 1e-14)
    return np.asarray((power[0] - power[1]) / np.maximum(both, 1e-14)), np.where(total > 1e-9, share, 0.0)


def _mean(values: NDArray[Any], size: float) -> NDArray[Any]:
    """Mean over ``size`` samples (need not be whole) around each sample."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    place = np.arange(len(values)) + 0.5

    def upto(at: NDArray[Any]) -> NDArray[Any]:
        at = np.clip(at, 0.0, len(values))
        whole = np.minimum(at.astype(np.int64), len(values) - 1)
        return np.asarray(total[whole] + (at - whole) * values[whole])

    return np.asarray((upto(place + size / 2) - upto(place - size / 2)) / size)


def demodulate(samples: Float64, rate: float, modem: Modem) -> list[Burst]:
    """All bursts: runs of bytes that follow at least 10 bits of mark; a break of 15 bits without a byte ends one."""
    if len(samples) < 20 * rate / BAUD:
        return []
    soft, share = soft_bits(samples, rate, modem)
    bit = rate / BAUD
    mark = (soft > 0) & (share > 0.4)
    bursts: list[Burst] = []
    limit = len(samples) - round(9.5 * bit)
    for idle_start, idle_end in _runs(mark):
        if idle_end - idle_start < 10 * bit or (bursts and idle_start < bursts[-1].start_s * rate):
            continue
        if bursts and idle_end / rate < bursts[-1].start_s + len(bursts[-1].data) * 10 / BAUD:
            continue  # a long mark inside what was read already
        data = _bytes(soft, share, float(idle_end), bit, limit)
        if data:
            bursts.append(Burst(modem, data, idle_end / rate))
    return bursts


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _bytes(soft: Float64, share: Float64, start: float, bit: float, limit: int) -> bytes:
    """Bytes from the middle of the falling edge at ``start``; each start bit sets the clock anew."""
    data = bytearray()
    offsets = (np.arange(9) + 1.5) * bit
    while start < limit:
        places = np.rint(start + offsets).astype(np.int64)
        if share[int(start + 0.5 * bit)] < 0.4 or soft[int(start + 0.5 * bit)] > 0 or soft[places[8]] < 0:
            break
        data.append(int((soft[places[:8]] > 0) @ (1 << np.arange(8))))
        first = int(start + 9.5 * bit)
        window = soft[first : first + round(15 * bit)]
        falls = np.flatnonzero(window < 0)
        if not len(falls) or share[min(first + int(falls[0]) + int(0.5 * bit), len(share) - 1)] < 0.4:
            break
        start = first + float(falls[0])
    return bytes(data)
