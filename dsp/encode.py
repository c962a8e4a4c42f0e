"""DTMF generator: dial strings become audio, every digit with its own frequencies, levels, times and edges.

Defaults are good sender practice (ETSI ES 201 235-2 class): high group 2 dB above low, 100 ms on and off, raised-cosine
edges of 2 ms. ``encode_batch`` makes many strings in one call; nothing here loops over digits or samples.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from offhook.dsp.bursts import Bursts, Int64
from offhook.dsp.dial import PAUSE_S, WAIT_S, Dialled, dialled, numbers
from offhook.dsp.tones import HIGH_HZ, LOW_HZ, Float32, Float64, Int16, check_rate, peak, to_int16

DEFAULT_LOW_DBM0 = -11.0
DEFAULT_HIGH_DBM0 = -9.0
LOUDEST_DBM0 = 100.0
MOST_SAMPLES = 1 << 30

PerDigit = ArrayLike | Sequence[ArrayLike]


class Figures(TypedDict, total=False):
    """What can be said of each digit, and of a whole string (the last three; ``lead_s`` may be one a string).

    A tone lasts ``on_s`` (0.1) with its raised-cosine edges of ``edge_s`` (0.002) inside, and is followed by ``off_s``
    (0.1) of silence. ``level_low_dbm0`` (-11) and ``level_high_dbm0`` (-9) are those of one sine each; -inf leaves that
    one out. ``low_offset_percent`` and ``high_offset_percent`` move the frequencies, ``low_phase_rad`` and
    ``high_phase_rad`` are the phases of a sine at the digit's first sample. ``interruption_s`` of silence is cut out
    ``interruption_at_s`` after the digit's start. All of these are 0 unless given. ``lead_s`` (0) of silence comes
    first; ``pause_s`` (2) and ``wait_s`` (0.5) are the silences for ``,`` and ``w``.
    """

    level_low_dbm0: PerDigit
    level_high_dbm0: PerDigit
    on_s: PerDigit
    off_s: PerDigit
    edge_s: PerDigit
    low_offset_percent: PerDigit
    high_offset_percent: PerDigit
    low_phase_rad: PerDigit
    high_phase_rad: PerDigit
    interruption_at_s: PerDigit
    interruption_s: PerDigit
    lead_s: ArrayLike
    pause_s: float
    wait_s: float


DEFAULTS: Figures = {
    "level_low_dbm0": DEFAULT_LOW_DBM0,
    "level_high_dbm0": DEFAULT_HIGH_DBM0,
    "on_s": 0.1,
    "off_s": 0.1,
    "edge_s": 0.002,
    "low_offset_percent": 0.0,
    "high_offset_percent": 0.0,
    "low_phase_rad": 0.0,
    "high_phase_rad": 0.0,
    "interruption_at_s": 0.0,
    "interruption_s": 0.0,
    "lead_s": 0.0,
    "pause_s": PAUSE_S,
    "wait_s": WAIT_S,
}


OF_STRING = ("lead_s", "pause_s", "wait_s")


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


@dataclass(frozen=True)
class EncodedBatch:
    """Audio of N strings, (N, samples) float32 of full scale 1.0 or int16, and the exact place of each digit in it.

    ``start`` and ``stop`` (N, most digits) are sample numbers as in ``Span``, -1 where a string has no such digit;
    ``keys`` are the strings without their pauses.
    """

    samples: Float32 | Int16
    rate: float
    keys: list[str]
    start: Int64
    stop: Int64

    def spans(self, row: int) -> list[Span]:
        """The digits of one string."""
        places = zip(self.keys[row], self.start[row].tolist(), self.stop[row].tolist(), strict=False)
        return [Span(key, start, stop) for key, start, stop in places]


def encode(digits: str, rate: float = 8000, **figures: Unpack[Figures]) -> Float32:
    """The audio of a dial string, float32 with full scale 1.0 (``to_int16`` makes it int16); see ``encode_spans``."""
    return encode_spans(digits, rate, **figures).samples


def encode_spans(digits: str, rate: float = 8000, **figures: Unpack[Figures]) -> Encoded:
    """A dial string as audio, with the sample span of each digit.

    The string holds keys (``0``-``9 * # A``-``D``), ``,`` (silence of ``pause_s``) and ``w`` (silence of ``wait_s``);
    any other character is a ValueError that names it. ``figures``: see ``Figures``; each is one number, or a sequence
    with one for each digit. What is not a finite number, out of its range or of another shape is a ValueError.
    """
    given: dict[str, Any] = {**figures}
    said = _said([digits], rate, given)
    for name, value in given.items():
        array, each = numbers(value, name), name not in OF_STRING
        if array.ndim and not (each and array.shape == said.key.shape):
            one = f"one number, or one for each of {len(said.key)} digits" if each else "one number"
            raise ValueError(f"{name} has shape {array.shape}: expected {one}")
        given[name] = array[None, :] if array.ndim else array
    made = _encoded(said, rate, np.dtype(np.float32), None, given)
    return Encoded(cast(Float32, made.samples[0]), rate, made.spans(0))


def encode_batch(
    strings: Sequence[str],
    rate: float = 8000,
    *,
    dtype: DTypeLike = np.float32,
    length_s: float | None = None,
    **figures: Unpack[Figures],
) -> EncodedBatch:
    """Many dial strings as one array (strings, samples), each from its row's beginning, with the span of each digit.

    As ``encode_spans``, but a figure may also be one a string (strings,), a table (strings, most digits), of which only
    what has a digit is looked at, or a sequence with a number or a sequence for each string. ``dtype`` is float32 or
    int16 (rounded, clipped). Rows are as long as the longest string, or ``length_s``.
    """
    form = np.dtype(dtype)
    if form not in (np.dtype(np.float32), np.dtype(np.int16)):
        raise ValueError(f"dtype is {form}: expected float32 or int16")
    if length_s is not None and not 0 <= length_s < np.inf:
        raise ValueError(f"length_s is {length_s}: expected a finite number of seconds, not negative")
    given: dict[str, Any] = {**figures}
    return _encoded(_said(strings, rate, given), rate, form, length_s, given)


def _said(strings: Sequence[str], rate: float, given: dict[str, Any]) -> Dialled:
    """The keys; ``given`` is filled up with the defaults."""
    check_rate(rate)
    if unknown := sorted(set(given) - set(DEFAULTS)):
        raise TypeError(f"unexpected argument {unknown[0]!r}: expected some of {', '.join(DEFAULTS)}")
    given |= {name: value for name, value in DEFAULTS.items() if name not in given}
    for name in ("pause_s", "wait_s"):
        value = numbers(given[name], name)
        if value.ndim or not 0 <= value < np.inf:
            raise ValueError(
                f"{name} is {reprlib.repr(given[name])}: expected a finite number of seconds, not negative"
            )
    return dialled(strings, pause_s=float(given["pause_s"]), wait_s=float(given["wait_s"]))


def _encoded(
    said: Dialled, rate: float, form: np.dtype[Any], length_s: float | None, given: dict[str, Any]
) -> EncodedBatch:
    figure = {name: said.figures(given[name], name) for name in DEFAULTS if name not in OF_STRING}
    _check(said, "on_s", figure["on_s"], figure["on_s"] > 0, f"at least one sample, {1 / rate:g} s")
    for name in ("off_s", "edge_s", "interruption_at_s", "interruption_s"):
        _check(said, name, figure[name], figure[name] >= 0, "a number of seconds, not negative")
    for name in ("level_low_dbm0", "level_high_dbm0"):
        _check(said, name, figure[name], figure[name] <= LOUDEST_DBM0, f"at most {LOUDEST_DBM0:g} dBm0")
    start, on, length = _laid_out(said, rate, figure["on_s"], figure["off_s"], given["lead_s"])
    if length_s is not None:
        if length > round(length_s * rate):
            raise ValueError(f"length_s is {length_s:g}: expected at least {length / rate:g}, the longest string")
        length = round(length_s * rate)
    if length * len(said.count) > MOST_SAMPLES:
        raise ValueError(
            f"{len(said.count)} strings of {length} samples: expected {MOST_SAMPLES} samples in all at most"
        )
    samples = np.zeros((len(said.count), length), dtype=form)
    there = said.there
    owner = np.repeat(np.arange(len(said.count)), said.count)
    _bursts(said, rate, owner * length + start[there], on[there], figure).write(samples.reshape(-1))
    none = np.where(there, 0, -1)
    return EncodedBatch(samples, rate, said.texts(), np.where(there, start, none), np.where(there, start + on, none))


def _laid_out(said: Dialled, rate: float, on_s: Float64, off_s: Float64, lead_s: ArrayLike) -> tuple[Int64, Int64, int]:
    """First sample and length of each digit, both (strings, most digits), and samples of the longest string."""
    first_s = numbers(lead_s, "lead_s")
    if first_s.shape not in ((), said.count.shape) or not np.all((first_s >= 0) & (first_s < np.inf)):
        told = reprlib.repr(first_s.tolist())
        raise ValueError(f"lead_s is {told}: expected finite seconds, not negative, for all strings or for each")
    tone_s, slot_s = np.zeros((2, *said.there.shape))
    tone_s[said.there], slot_s[said.there] = on_s, on_s + off_s
    before_s = np.cumsum(np.pad(slot_s, ((0, 0), (1, 0))), axis=1)
    # Every instant is rounded by itself, so that a long string does not drift at rates that do not divide.
    begin_s = np.broadcast_to(first_s, said.count.shape)[:, None] + np.cumsum(said.wait_s, axis=1) + before_s
    if begin_s.max(initial=0.0) * rate > MOST_SAMPLES:
        raise ValueError(f"{begin_s.max():.6g} s is too long: expected {MOST_SAMPLES / rate:.0f} s at most")
    start = np.rint(begin_s * rate).astype(np.int64)
    stop = np.rint((begin_s[:, :-1] + tone_s) * rate).astype(np.int64)
    on = np.minimum(stop, start[:, 1:]) - start[:, :-1]  # without a pause, half a sample may be rounded both ways
    _check(said, "on_s", on_s, on[said.there] >= 1, f"at least one sample, {1 / rate:g} s")
    last = np.take_along_axis(start, said.count[:, None], axis=1)
    return start[:, :-1], on, int(last.max(initial=0))


def _bursts(said: Dialled, rate: float, place: Int64, on: Int64, figure: dict[str, Float64]) -> Bursts:
    cycles = []
    for group, table, which in (("low", LOW_HZ, said.key // 4), ("high", HIGH_HZ, said.key % 4)):
        offset = figure[f"{group}_offset_percent"]
        freq_hz = np.asarray(table)[which] * (1.0 + offset / 100.0)
        inside = (freq_hz > 0) & (freq_hz < rate / 2)
        _check(said, f"{group}_offset_percent", offset, inside, f"a frequency between 0 and {rate / 2:g} Hz")
        cycles.append(freq_hz / rate)
    cut_at = figure["interruption_at_s"] * rate
    cut_end = cut_at + figure["interruption_s"] * rate
    return Bursts(
        place=place,
        on=on,
        cycles=np.stack(cycles),
        peak=peak(np.stack((figure["level_low_dbm0"], figure["level_high_dbm0"]))),
        turn=np.stack((figure["low_phase_rad"], figure["high_phase_rad"])) / (2.0 * np.pi),
        edge=figure["edge_s"] * rate,
        cut_from=np.rint(np.minimum(cut_at, on)).astype(np.int64),
        cut_to=np.rint(np.minimum(cut_end, on)).astype(np.int64),
    )


def _check(said: Dialled, name: str, figure: Float64, good: NDArray[np.bool_], expected: str) -> None:
    """ValueError that names the first digit whose figure is not good."""
    if not np.all(good):
        at = int(np.argmin(good))
        row = int(np.searchsorted(np.cumsum(said.count), at, side="right"))
        which = f"digit {at - int(said.count[:row].sum()) + 1}"
        which += f" of string {row + 1}" if len(said.count) > 1 else ""
        raise ValueError(f"{name} is {figure[at]:g} for {which}: expected {expected}")
