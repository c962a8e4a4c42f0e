"""Talk-off: a folder of recordings without digits, and how many each receiver hears in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from offhook import dsp
from offhook.bench.characterize.receivers import RATE, open_receiver
from offhook.drivers.errors import ConfigError
from offhook.dsp import stats, talkoff
from offhook.dsp.tones import Int16


@dataclass(frozen=True)
class TalkOff:
    """Hits of one receiver: in all, by key and by recording (those with any)."""

    receiver: str
    source: str
    recordings: int
    hours: float
    hits: int
    by_key: dict[str, int]
    by_recording: dict[str, str]

    @property
    def per_hour(self) -> stats.Interval:
        """Hits an hour with their exact 95 % interval."""
        return stats.poisson(self.hits, self.hours)


def recordings(folder: Path) -> list[Path]:
    """All WAV files in a folder and below, in order. ConfigError if there are none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".wav" and path.is_file())
    if not found:
        raise ConfigError(str(folder), "read recordings", "no .wav files in it", "name a folder of recordings")
    return found


def load(path: Path) -> Int16:
    """A recording at 8 kHz, all channels one after the other."""
    try:
        audio = dsp.wav.read(str(path))
    except (dsp.wav.WavError, OSError) as error:
        raise ConfigError(str(path), "read WAV", str(error), "leave it out of the folder") from None
    samples = np.atleast_2d(dsp.to_float(audio.samples))
    if audio.rate != RATE:
        from scipy.signal import resample_poly

        ratio = Fraction(RATE, round(audio.rate))
        samples = resample_poly(samples, ratio.numerator, ratio.denominator, axis=1)
    return dsp.to_int16(np.pad(samples, ((0, 0), (0, RATE // 5))).ravel())


def folder(receivers: Sequence[str], path: Path, progress: Callable[[int, int], None] | None = None) -> list[TalkOff]:
    """Every recording of a folder through every receiver."""
    files = recordings(path)
    named = [(str(file.relative_to(path)), lambda file=file: load(file)) for file in files]
    return _run(receivers, str(path.name), named, progress)


def harsh(receivers: Sequence[str], minutes: int, progress: Callable[[int, int], None] | None = None) -> list[TalkOff]:
    """The synthetic talk-off, a minute a seed."""
    named = [
        (f"seed {seed}", lambda seed=seed: dsp.to_int16(talkoff.harsh(60.0, seed, RATE))) for seed in range(minutes)
    ]
    return _run(receivers, "harsh synthetic", named, progress)


def _run(
    receivers: Sequence[str],
    source: str,
    named: Sequence[tuple[str, Callable[[], Int16]]],
    progress: Callable[[int, int], None] | None,
) -> list[TalkOff]:
    heard: dict[str, dict[str, str]] = {name: {} for name in receivers}
    seconds = 0.0
    for done, (title, audio_of) in enumerate(named, start=1):
        audio = audio_of()
        seconds += len(audio) / RATE
        for name in receivers:
            if text := open_receiver(name).decode(audio):
                heard[name][title] = text
        if progress is not None:
            progress(done, len(named))
    hours = seconds / 3600
    results = []
    for name in receivers:
        keys = Counter("".join(heard[name].values()))
        hits = sum(keys.values())
        results.append(TalkOff(name, source, len(named), hours, hits, dict(sorted(keys.items())), heard[name]))
    return results
