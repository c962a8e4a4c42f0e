"""What the recorded wires carried: digits, call-progress tones and voice, read from the WAV files again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import Clip

VOICE = "voice"
Row = tuple[str, float, float]
"""What was heard, from second to second of the samples."""
_KEPT = 512
_CLIPS = 64
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
    """Where the digits heard first depart from those expected, in words."""
    heard = text(keys)
    at = next((i for i, pair in enumerate(zip(expected, heard, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(expected), len(heard)) if at is None else at
    if at < len(heard):
        key = keys[at]
        if len(heard) > len(expected) and at and heard[at] == heard[at - 1]:
            gap_ms = (key.start_s - keys[at - 1].end_s) * 1000
            return f'"{key.key}" twice, {gap_ms:.0f} ms apart, at {key.start_s:.3f} s'
        if at == len(expected):
            return f'"{key.key}" too much at {key.start_s:.3f} s'
        return f'"{key.key}" instead of "{expected[at]}" at {key.start_s:.3f} s'
    after = f" after {keys[-1].end_s:.3f} s" if keys else ""
    return f'"{expected[at:]}" missing{after}'
