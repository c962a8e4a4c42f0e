"""DTMF generator: a dial string becomes audio, every digit with its own frequencies, levels, times and edges.

Defaults are good sender practice (ETSI ES 201 235-2 class): high group 2 dB above low, 100 ms on and off, raised-cosine
edges of 2 ms. Any per-digit argument is a number for all digits or a sequence with one number a digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.tones import HIGH_HZ, KEYS, LOW_HZ, Float32, Float64, Int16, check_rate, peak, to_int16

DEFAULT_LOW_DBM0 = -11.0
DEFAULT_HIGH_DBM0 = -9.0
PAUSE_S = 2.0
WAIT_S = 0.5


class Span(NamedTuple):
    """Where a digit lies: samples ``start`` up to, not including, ``stop``."""

    key: str
    start: int
    stop: int


@dataclass(frozen=True)
class Encoded:
    """Audio (float32, full scale 1.0) and the exact place of each digit in it."""

    samples: Float32
    rate: float
    spans: list[Span]

    def int16(self) -> Int16:
        """The audio as int16."""
        return to_int16(self.samples)


def encode(
    digits: str,
    rate: float = 8000,
    *,
    level_low_dbm0: ArrayLike = DEFAULT_LOW_DBM0,
    level_high_dbm0: ArrayLike = DEFAULT_HIGH_DBM0,
    on_s: ArrayLike = 0.1,
    off_s: ArrayLike = 0.1,
    **overrides: Any,
) -> Float32:
    """The audio of a dial string, float32 with full scale 1.0 (``to_int16`` makes it int16); see ``encode_spans``."""
    return encode_spans(
        digits,
        rate,
        level_low_dbm0=level_low_dbm0,
        level_high_dbm0=level_high_dbm0,
        on_s=on_s,
        off_s=off_s,
        **overrides,
    ).samples


def encode_spans(
    digits: str,
    rate: float = 8000,
    *,
    level_low_dbm0: ArrayLike = DEFAULT_LOW_DBM0,
    level_high_dbm0: ArrayLike = DEFAULT_HIGH_DBM0,
    on_s: ArrayLike = 0.1,
    off_s: ArrayLike = 0.1,
    edge_s: ArrayLike = 0.002,
    low_offset_percent: ArrayLike = 0.0,
    high_offset_percent: ArrayLike = 0.0,
    low_phase_rad: ArrayLike = 0.0,
    high_phase_rad: ArrayLike = 0.0,
    interruption_at_s: ArrayLike = 0.0,
    interruption_s: ArrayLike = 0.0,
    lead_s: float = 0.0,
    pause_s: float = PAUSE_S,
    wait_s: float = WAIT_S,
) -> Encoded:
    """A dial string as audio, with the sample span of each digit.

    The string holds keys (``0``-``9 * # A``-``D``), ``,`` (silence of ``pause_s``) and ``w`` (silence of ``wait_s``);
    any other character is a ValueError that names it. A tone lasts ``on_s`` with its raised-cosine edges of ``edge_s``
    inside, and is followed by ``off_s`` of silence; ``lead_s`` of silence comes first. ``interruption_s`` of silence is
    cut out ``interruption_at_s`` after the digit's start. Phases are those of a sine at the digit's first sample.
    A figure that is NaN or infinite is a ValueError; a level of -inf dBm0 is not, it leaves that tone out.
    """
    check_rate(rate)
    keys, waits = parse(digits, pause_s=pause_s, wait_s=wait_s)
    count = len(keys)

    def each(value: ArrayLike, name: str) -> Float64:
        array = np.asarray(value, dtype=np.float64)
        if array.ndim > 1 or (array.ndim == 1 and len(array) != count):
            raise ValueError(f"{name} has shape {array.shape}: expected one number, or one for each of {count} digits")
        silent = name.startswith("level_") & (array == -np.inf)
        if not np.all(np.isfinite(array) | silent):
            raise ValueError(f"{name} holds NaN or infinity: expected finite numbers")
        return np.broadcast_to(array, (count,))

    tone_s, silence_s = each(on_s, "on_s"), each(off_s, "off_s")
    # Every instant is rounded by itself, so that a long string does not drift at rates that do not divide.
    begin_s = lead_s + np.cumsum(waits[:-1]) + np.concatenate(([0.0], np.cumsum(tone_s + silence_s)))[:count]
    start = np.rint(begin_s * rate).astype(np.int64)
    on = np.rint((begin_s + tone_s) * rate).astype(np.int64) - start
    if count and (on.min() < 1 or silence_s.min() < 0):
        raise ValueError("on_s must be at least one sample and off_s not negative")
    total = round((lead_s + sum(waits) + float((tone_s + silence_s).sum())) * rate)
    index = np.array([KEYS.index(key) for key in keys], dtype=np.int64)
    low_hz = np.asarray(LOW_HZ)[index // 4] * (1.0 + each(low_offset_percent, "low_offset_percent") / 100.0)
    high_hz = np.asarray(HIGH_HZ)[index % 4] * (1.0 + each(high_offset_percent, "high_offset_percent") / 100.0)
    pair = _Pairs(
        freq_hz=np.stack((low_hz, high_hz)),
        level_dbm0=np.stack((each(level_low_dbm0, "level_low_dbm0"), each(level_high_dbm0, "level_high_dbm0"))),
        phase_rad=np.stack((each(low_phase_rad, "low_phase_rad"), each(high_phase_rad, "high_phase_rad"))),
    )
    bursts = pair.render(int(on.max()) if count else 0, rate)
    bursts *= envelope(on, each(edge_s, "edge_s") * rate, bursts.shape[1])
    cut_at = each(interruption_at_s, "interruption_at_s") * rate
    cut_end = cut_at + each(interruption_s, "interruption_s") * rate
    if np.any(cut_end > cut_at):
        n = np.arange(bursts.shape[1])
        bursts[(n >= np.rint(cut_at)[:, None]) & (n < np.rint(cut_end)[:, None])] = 0.0
    samples = np.zeros(total, dtype=np.float32)
    place = start[:, None] + np.arange(bursts.shape[1])
    inside = np.arange(bursts.shape[1]) < on[:, None]
    samples[place[inside]] = bursts[inside]
    return Encoded(samples, rate, [Span(k, int(a), int(a + n)) for k, a, n in zip(keys, start, on, strict=True)])


def parse(digits: str, *, pause_s: float = PAUSE_S, wait_s: float = WAIT_S) -> tuple[str, list[float]]:
    """The keys of a dial string and the seconds of extra silence before each key and after the last."""
    keys: list[str] = []
    waits = [0.0]
    for place, char in enumerate(digits):
        if char == ",":
            waits[-1] += pause_s
        elif char in "wW":
            waits[-1] += wait_s
        elif char.upper() in KEYS:
            keys.append(char.upper())
            waits.append(0.0)
        else:
            raise ValueError(
                f"character {char!r} at position {place + 1} of {digits!r} cannot be dialled: "
                "expected 0-9 * # A-D, ',' (pause) or 'w' (wait)"
            )
    return "".join(keys), waits


@dataclass(frozen=True)
class _Pairs:
    """Two sines a digit; every array has shape (2, digits)."""

    freq_hz: Float64
    level_dbm0: Float64
    phase_rad: Float64

    def render(self, length: int, rate: float) -> Float32:
        """All bursts at once, (digits, length), unshaped."""
        total = np.zeros((self.freq_hz.shape[1], length), dtype=np.float32)
        for freq, level, phase in zip(self.freq_hz, self.level_dbm0, self.phase_rad, strict=True):
            total += sines(freq, peak(level), phase, length, rate)
        return total


def sines(freq_hz: Float64, amplitude: Float64, phase_rad: Float64, length: int, rate: float) -> Float32:
    """One sine a row, (rows, length), by complex rotation: 64-sample blocks from one table a row.

    The product of a coarse and a fine rotation is exact to float64 rounding and needs 64 + length / 64 sines a row.
    """
    step = 2.0 * np.pi * np.asarray(freq_hz)[:, None] / rate
    fine = np.exp(1j * step * np.arange(64)).astype(np.complex64)
    blocks = -(-length // 64)
    coarse = amplitude[:, None] * np.exp(1j * (np.asarray(phase_rad)[:, None] + step * 64 * np.arange(blocks)))
    whole = coarse.astype(np.complex64)[:, :, None]
    wave = whole.real * fine.imag[:, None, :] + whole.imag * fine.real[:, None, :]
    return np.ascontiguousarray(wave.reshape(len(step), blocks * 64)[:, :length])


def envelope(on: NDArray[np.int64], edge: Float64, length: int) -> Float32:
    """Raised-cosine edges of ``edge`` samples inside each burst of ``on`` samples; (rows, length)."""
    n = np.arange(length)[None, :] + 0.5
    width = np.minimum(np.maximum(edge, 1e-9), on / 2.0)[:, None]
    nearest = np.minimum(n, on[:, None] - n)
    shape = 0.5 - 0.5 * np.cos(np.pi * np.clip(nearest / width, 0.0, 1.0))
    return np.asarray(shape, dtype=np.float32)
