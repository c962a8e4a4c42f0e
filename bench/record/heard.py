"""What the recorded wires carried: digits, call-progress tones and voice, read from the WAV files again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import Clip

VOICE = "voice"
Row = tuple[str, float, float]
"""What was heard, from second to second of the samples."""
_KEPT = 4096
"""Pieces of audio that were listened to: all of a whole certification, which is judged again when it ends."""
_CLIPS = 64
_TOLD = 4
"""Differences that a sentence names one by one."""
_known: OrderedDict[tuple[str, int, bytes], list[Row]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Key:
    """One DTMF digit on the common clock."""

    key: str
    start_s: float
    end_s: float
    file: str
    offset_s: float


@dataclass(frozen=True, slots=True)
class Sound:
    """A span of audio; ``name`` is a call-progress tone, or :data:`VOICE`."""

    name: str
    start_s: float
    end_s: float
    file: str
    offset_s: float


class Ear:
    """Decodes each clip once; a clip that grew since is decoded again."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._plan = str(evidence.meta().get("region", "US"))
        self._keys: dict[str, tuple[int, list[Key]]] = {}

    def keys(self, clip: Clip) -> list[Key]:
        """The digits of a clip. Raises OSError or ValueError if it cannot be read."""
        frames, found = self._keys.get(clip.file, (-1, []))
        if frames != clip.frames:
            found = self._decode(clip)
            self._keys[clip.file] = clip.frames, found
            if len(self._keys) > _CLIPS:  # the oldest; it can be decoded again
                del self._keys[next(iter(self._keys))]
        return found

    def keys_between(self, wire: str, from_s: float, to_s: float) -> list[Key]:
        """The digits of a wire that began within a time span."""
        clips = self._evidence.clips(wire, from_s, to_s)
        return [key for clip in clips for key in self.keys(clip) if from_s <= key.start_s < to_s]

    def sounds_between(self, wire: str, from_s: float, to_s: float) -> list[Sound]:
        """The tones and the voice on a wire within a time span, in order of time; the span alone is looked at."""
        found = [
            sound for clip in self._evidence.clips(wire, from_s, to_s) for sound in self._classify(clip, from_s, to_s)
        ]
        return sorted(found, key=lambda sound: sound.start_s)

    def _decode(self, clip: Clip) -> list[Key]:
        samples, start_s = self._evidence.samples(clip)
        return [
            Key(key, start_s + begin_s, start_s + end_s, clip.file, begin_s)
            for key, begin_s, end_s in _once("digits", samples, clip.rate_hz, _digits)
        ]

    def _classify(self, clip: Clip, from_s: float, to_s: float) -> list[Sound]:
        samples, start_s = self._evidence.samples(clip, from_s, to_s)
        offset_s = start_s - clip.start_s
        return [
            Sound(name, start_s + begin_s, start_s + end_s, clip.file, offset_s + begin_s)
            for name, begin_s, end_s in _once(self._plan, samples, clip.rate_hz, self._sounds)
        ]

    def _sounds(self, samples: NDArray[np.int16], rate_hz: int) -> list[Row]:
        from offhook import dsp

        tones = dsp.progress.classify(samples, rate_hz, self._plan)
        voices = dsp.progress.voice(samples, rate_hz)
        return [(tone.name, tone.start_s, tone.end_s) for tone in tones] + [(VOICE, *span) for span in voices]


def _digits(samples: NDArray[np.int16], rate_hz: int) -> list[Row]:
    from offhook import dsp

    return [(digit.key, digit.start_s, digit.end_s) for digit in dsp.decode(samples, rate=rate_hz)]


def _once(
    what: str, samples: NDArray[np.int16], rate_hz: int, listen: Callable[[NDArray[np.int16], int], list[Row]]
) -> list[Row]:
    """``listen``, or what it said of these very samples before: a run is judged several times in a process."""
    if not len(samples):
        return []
    content = what, rate_hz, hashlib.sha256(samples.tobytes()).digest()
    if content not in _known:
        _known[content] = listen(samples, rate_hz)
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return _known[content]


def text(keys: Iterable[Key]) -> str:
    """The digits as a string."""
    return "".join(key.key for key in keys)


def total_s(sounds: Iterable[Sound]) -> dict[str, float]:
    """Seconds by name."""
    sums: dict[str, float] = defaultdict(float)
    for sound in sounds:
        sums[sound.name] += sound.end_s - sound.start_s
    return dict(sums)


def errors(expected: str, heard: str) -> int:
    """Digit errors: the least number of digits to insert, drop or change."""
    row = np.arange(len(heard) + 1)
    for i, wanted in enumerate(expected, 1):
        change = row[:-1] + np.array([wanted != digit for digit in heard], dtype=int) if heard else row[:0]
        new = [i]
        for j in range(len(heard)):
            new.append(int(min(change[j], row[j + 1] + 1, new[j] + 1)))
        row = np.array(new)
    return int(row[-1])


def difference(expected: str, keys: list[Key]) -> str:
    """Every digit that is missing, too much or wrong, in words; digits are numbered from 1 as they were expected."""
    parts = [_told(expected, keys, i, j, wanted, got) for i, j, wanted, got in _aligned(expected, text(keys))]
    rest = len(parts) - _TOLD
    return ", ".join(parts[:_TOLD]) + (f", and {rest} more" if rest > 0 else "")


def _told(expected: str, keys: list[Key], i: int, j: int, wanted: str, got: str) -> str:
    place = f"(digit {i + 1} of {len(expected)})"
    if wanted and got:
        return f'"{got}" instead of "{wanted}" at {keys[j].start_s:.3f} s {place}'
    if wanted:
        place = place if len(wanted) == 1 else f"(digits {i + 1} to {i + len(wanted)} of {len(expected)})"
        after = f" after {keys[j - 1].end_s:.3f} s" if j else ""
        return f'"{wanted}" missing{after} {place}' if keys else f'"{wanted}" missing'
    for first, second in pairwise(keys[max(0, j - 1) : j + 2]):
        if first.key == second.key:
            gap_ms = (second.start_s - first.end_s) * 1000
            return f'"{got}" twice, {gap_ms:.0f} ms apart, at {second.start_s:.3f} s'
    return f'"{got}" too much at {keys[j].start_s:.3f} s'


def _aligned(expected: str, heard: str) -> list[tuple[int, int, str, str]]:
    """The fewest changes, as (index expected, index heard, wanted, got); "" is nothing. Neighbours missing are one."""
    costs = [list(range(len(heard) + 1))]
    for i, wanted in enumerate(expected):
        row = [i + 1]
        for j, got in enumerate(heard):
            row.append(min(costs[i][j] + (wanted != got), costs[i][j + 1] + 1, row[j] + 1))
        costs.append(row)
    found: list[tuple[int, int, str, str]] = []
    i, j = len(expected), len(heard)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (expected[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            if expected[i] != heard[j]:
                found.append((i, j, expected[i], heard[j]))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            if found and found[-1][:2] == (i + 1, j) and not found[-1][3]:
                found[-1] = i, j, expected[i] + found[-1][2], ""
            else:
                found.append((i, j, expected[i], ""))
        else:
            j -= 1
            found.append((i, j, "", heard[j]))
    return found[::-1]
