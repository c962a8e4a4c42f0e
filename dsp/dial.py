"""Dial strings, many at once: their keys, their pauses, and figures given for each digit."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp.tones import KEYS, Float64

PAUSE_S = 2.0
WAIT_S = 0.5

_PAUSE, _WAIT, _NONE = 16, 17, 18
_CODES = np.full(128, _NONE, dtype=np.int64)
for _code, _chars in enumerate([*KEYS, ",", "w"]):
    _CODES[[ord(_chars), ord(_chars.upper()), ord(_chars.lower())]] = _code


@dataclass(frozen=True)
class Dialled:
    """Keys of some strings, one string after the other.

    ``key`` (digits,) is their place in ``KEYS``, ``count`` (strings,) how many each string has, ``wait_s`` (strings,
    most digits + 1) the extra silence before each key of a string, and after its last.
    """

    key: NDArray[np.int64]
    count: NDArray[np.int64]
    wait_s: Float64

    @property
    def there(self) -> NDArray[np.bool_]:
        """Where a table (strings, most digits) holds a digit."""
        return np.arange(self.wait_s.shape[1] - 1) < self.count[:, None]

    def texts(self) -> list[str]:
        """The keys of each string."""
        whole = "".join(np.array(list(KEYS))[self.key].tolist())
        ends = np.cumsum(self.count).tolist()
        return [whole[end - count : end] for end, count in zip(ends, self.count.tolist(), strict=True)]

    def figures(self, value: ArrayLike | Sequence[ArrayLike], name: str) -> Float64:
        """One figure for each digit, (digits,).

        ``value`` is one number, one a string (strings,), one a digit (strings, most digits), where what has no digit is
        not looked at, or a sequence with a number or a sequence for each string. Raises ValueError that says what was
        given. Figures are finite, or -inf where ``name`` begins with "level_".
        """
        if isinstance(value, (list, tuple)) and any(np.ndim(numbers(part, name)) for part in value):
            found = self._ragged(value, name)
        else:
            array = numbers(value, name)
            if array.ndim == 0:
                found = np.broadcast_to(array, (len(self.key),))
            elif array.shape in ((len(self.count),), (len(self.count), 1)):
                found = np.repeat(array.reshape(-1), self.count)
            elif array.shape == self.there.shape:
                found = array[self.there]
            else:
                raise ValueError(f"{name} has shape {array.shape}: expected {self._wanted()}")
        silent = name.startswith("level_") & (found == -np.inf)
        if not np.all(np.isfinite(found) | silent):
            raise ValueError(f"{name} holds NaN or infinity: expected finite numbers")
        return found

    def _ragged(self, value: Sequence[ArrayLike], name: str) -> Float64:
        if len(value) != len(self.count):
            raise ValueError(f"{name} has {len(value)} entries: expected {self._wanted()}")
        parts = []
        for row, (part, count) in enumerate(zip(value, self.count.tolist(), strict=True)):
            array = numbers(part, name)
            if array.ndim > 1 or array.shape not in ((), (1,), (count,)):
                given = f"{len(array)} numbers" if array.ndim == 1 else f"shape {array.shape}"
                expected = f"expected one number, or one for each of its {count} digits"
                raise ValueError(f"{name} has {given} for string {row + 1}: {expected}")
            parts.append(np.broadcast_to(array, (count,)))
        return np.concatenate(parts)

    def _wanted(self) -> str:
        strings, most = self.there.shape
        return (
            f"one number, one for each of {strings} strings, or one for each digit, ragged or of shape {strings, most}"
        )


def numbers(value: Any, name: str) -> Float64:
    """A figure as an array of float64, NaN and infinity as they are; ValueError for what is no array of numbers."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {reprlib.repr(value)}: expected numbers") from None


def dialled(strings: Sequence[str], *, pause_s: float = PAUSE_S, wait_s: float = WAIT_S) -> Dialled:
    """Read strings of ``0``-``9 * # A``-``D``, ``,`` (``pause_s``) and ``w`` (``wait_s``), in either case.

    Any other character is a ValueError that names it and its place.
    """
    if isinstance(strings, str) or not all(isinstance(text, str) for text in strings):
        raise ValueError(f"strings to dial are {reprlib.repr(strings)}: expected a sequence of texts")
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
    chars = np.frombuffer("".join(strings).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    code = np.where(chars < 128, _CODES[np.minimum(chars, 127)], _NONE)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    if np.any(code == _NONE):
        at = int(np.argmax(code == _NONE))
        text, place = strings[int(owner[at])], at - int(lengths[: owner[at]].sum())
        raise ValueError(
            f"character {text[place]!r} at position {place + 1} of {reprlib.repr(text)} cannot be dialled: "
            "expected 0-9 * # A-D, ',' (pause) or 'w' (wait)"
        )
    is_key = code < len(KEYS)
    count = np.bincount(owner[is_key], minlength=len(lengths))
    before: NDArray[np.int64] = np.cumsum(is_key) - is_key  # keys before this character, of all strings
    slot = before - np.repeat(np.cumsum(count) - count, lengths)
    slots = int(count.max(initial=0)) + 1
    seconds = np.choose(np.maximum(code - _PAUSE + 1, 0), (0.0, pause_s, wait_s))
    wait = np.bincount(owner * slots + slot, weights=seconds, minlength=len(lengths) * slots)
    return Dialled(code[is_key], count, wait.astype(np.float64).reshape(len(lengths), slots))


def parse(digits: str, *, pause_s: float = PAUSE_S, wait_s: float = WAIT_S) -> tuple[str, list[float]]:
    """The keys of one dial string and the seconds of extra silence before each key and after the last."""
    said = dialled([digits], pause_s=pause_s, wait_s=wait_s)
    return said.texts()[0], said.wait_s[0].tolist()
