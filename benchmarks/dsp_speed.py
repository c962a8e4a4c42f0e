"""Speed of the receiver on one core beside Debian's libspandsp2: medians of alternating runs, digits checked.

1,000 channels x 10 s of int16 at 8 kHz, no channel like another, levels -3 to -25 dBm0, offsets up to 1.5 %; a table
of digits and their text come out inside the timed run. A share of a limit above 100 % is no error: the gate does not
multiply every sample.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from dsp_machine import alternating, headline

from offhook import dsp
from offhook.bench.characterize.receivers import Spandsp
from offhook.dsp import compiled

CHANNELS, SECONDS = 1000, 10.0
Audio = np.ndarray[Any, np.dtype[np.int16]]


def noise(level_dbm0: float) -> tuple[Audio, list[str]]:
    rng = np.random.default_rng(1)
    sigma = np.sqrt(float(dsp.tones.power_of(level_dbm0))) * 32768
    audio = rng.normal(0, sigma, (CHANNELS, int(SECONDS * 8000))).astype(np.float32)
    return np.clip(np.rint(audio), -32768, 32767).astype(np.int16), [""] * CHANNELS


def digits(count: int, on_s: float, off_s: float) -> tuple[Audio, list[str]]:
    rng = np.random.default_rng(2)
    shape = (CHANNELS, count)
    texts = ["".join(rng.choice(list(dsp.tones.KEYS), count)) for _ in range(CHANNELS)]
    level, twist = rng.uniform(-25, -3, shape), rng.uniform(-4, 3, shape)
    audio = dsp.encode_batch(
        texts,
        length_s=SECONDS,
        on_s=on_s,
        off_s=off_s,
        lead_s=rng.uniform(0.01, 0.05, CHANNELS),
        level_low_dbm0=np.minimum(level - twist / 2, -3),
        level_high_dbm0=np.minimum(level + twist / 2, -3),
        low_offset_percent=rng.uniform(-1.5, 1.5, shape),
        high_offset_percent=rng.uniform(-1.5, 1.5, shape),
        low_phase_rad=rng.uniform(0, 2 * np.pi, shape),
        high_phase_rad=rng.uniform(0, 2 * np.pi, shape),
    ).samples
    audio += rng.standard_normal(audio.shape, dtype=np.float32) * np.float32(8 / 32768)
    return dsp.to_int16(audio), texts


def speech() -> tuple[Audio, list[str]]:
    parts = []
    for name in sorted(set(map(os.path.realpath, glob.glob("/usr/share/asterisk/sounds/**/*.wav", recursive=True)))):
        try:
            parts.append(dsp.wav.read(name).samples[0])
        except dsp.wav.WavError:
            continue
    whole = np.concatenate(parts).astype(np.int16)
    want = CHANNELS * int(SECONDS * 8000)
    start = np.linspace(0, len(whole) - int(SECONDS * 8000), CHANNELS).astype(int) if len(whole) < want else None
    size = int(SECONDS * 8000)
    if start is None:
        return whole[:want].reshape(CHANNELS, size).copy(), [""] * CHANNELS
    return np.stack([whole[a : a + size] for a in start]), [""] * CHANNELS


CONTENT: dict[str, tuple[Callable[[], tuple[Audio, list[str]]], float]] = {
    "idle, -60 dBm0": (lambda: noise(-60.0), 12.0),
    "white noise, -15 dBm0": (lambda: noise(-15.0), 9.0),
    "dialling, 10 digits in 10 s": (lambda: digits(10, 0.1, 0.895), 5.0),
    "real speech": (speech, 4.0),
    "digits back to back, 50/50 ms": (lambda: digits(99, 0.05, 0.05), 1.5),
}


def decoded(audio: Audio) -> list[str]:
    return dsp.decode(audio).texts()


def by_numpy(audio: Audio) -> list[str]:
    compiled.use(False)
    texts = decoded(audio)
    compiled.use(True)
    return texts


def peer_decoded(peer: Spandsp, audio: Audio) -> list[str]:
    return [peer.decode(row) for row in audio]


def _main() -> None:
    wanted = sys.argv[1:]
    limits = headline()
    peer = Spandsp()
    for name, (make, goal) in CONTENT.items():
        if wanted and not any(word in name for word in wanted):
            continue
        audio, texts = make()
        part = audio[: CHANNELS // 5]
        heard = decoded(audio)
        right = sum(a == b for a, b in zip(heard, texts, strict=True))
        alike = by_numpy(audio[:100]) == heard[:100]
        spent = alternating(
            {
                "ours": partial(decoded, audio),
                "numpy": partial(by_numpy, audio),
                "theirs": partial(peer_decoded, peer, part),
            }
        )
        ours, alone, theirs = audio.size / spent["ours"], audio.size / spent["numpy"], part.size / spent["theirs"]
        print(
            f"{name:32s} {ours / 1e6:7.0f} Msamples/s ({limits.receiver_share(ours)})  libspandsp "
            f"{theirs / 1e6:5.0f}: {ours / theirs:5.1f}x (goal {goal:g}x), numpy alone {alone / theirs:.1f}x  "
            f"{right}/{len(texts)} channels right{'' if alike else '; NUMPY ALONE SAYS OTHERWISE'}"
        )


def main() -> None:
    compiled.use(True)
    _main()


if __name__ == "__main__":
    main()
