"""Talk-off: a folder of recordings without digits, and how many each receiver hears in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from offhook import dsp
from offhook.bench.characterize.campaign import Campaign, Unit
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


def hear(receiver: str, recording: Path | int) -> dict[str, Any]:
    """One recording (a file, or a seed of the synthetic kind) through one receiver; what a worker process does."""
    audio = dsp.to_int16(talkoff.harsh(60.0, recording, RATE)) if isinstance(recording, int) else load(recording)
    return {"seconds": len(audio) / RATE, "text": open_receiver(receiver).decode(audio)}


def folder(campaign: Campaign, receivers: Sequence[str], path: Path) -> list[TalkOff]:
    """Every recording of a folder through every receiver."""
    files = [(str(file.relative_to(path)), _content(file), file) for file in recordings(path)]
    return _run(campaign, receivers, path.name or str(path), files)


def harsh(campaign: Campaign, receivers: Sequence[str], minutes: int) -> list[TalkOff]:
    """The synthetic talk-off, a minute a seed."""
    return _run(campaign, receivers, "harsh synthetic", [(f"seed {n}", f"harsh:{n}", n) for n in range(minutes)])


def _content(file: Path) -> str:
    """A name of what is in a file, wherever it lies."""
    return "recording:" + hashlib.sha256(file.read_bytes()).hexdigest()


def _run(
    campaign: Campaign, receivers: Sequence[str], source: str, named: Sequence[tuple[str, str, Path | int]]
) -> list[TalkOff]:
    units = [Unit((name, key, 0), hear, (name, what)) for name in receivers for _, key, what in named]
    found = campaign.compute(units)
    results = []
    for place, name in enumerate(receivers):
        mine = found[place * len(named) : (place + 1) * len(named)]
        hours = sum(one["seconds"] for one in mine) / 3600
        keys = Counter("".join(one["text"] for one in mine))
        heard = {title: one["text"] for (title, _, _), one in zip(named, mine, strict=True) if one["text"]}
        results.append(TalkOff(name, source, len(named), hours, keys.total(), dict(sorted(keys.items())), heard))
    return results
