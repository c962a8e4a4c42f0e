"""Speed of the receiver on one core beside Debian's libspandsp2: medians of alternating runs, digits checked.

1,000 channels x 10 s of int16 at 8 kHz, no channel like another, levels -3 to -25 dBm0, offsets up to 1.5 %; a table
of digits and their text come out inside the timed run.
"""

from __future__ import annotations

import glob
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from dsp_peers import Spandsp

from offhook import dsp

CHANNELS, SECONDS = 1000, 10.0
Audio = np.ndarray[Any, np.dtype[np.int16]]


def noise(level_dbm0: float) -> tuple[Audio, list[str]]:
    rng = np.random.default_rng(1)
    sigma = np.sqrt(float(dsp.tones.power_of(level_dbm0))) * 32768
    audio = rng.normal(0, sigma, (CHANNELS, int(SECONDS * 8000))).astype(np.float32)
    return np.clip(np.rint(audio), -32768, 32767).astype(np.int16), [""] * CHANNELS


def digits(count: int, on_s: float, off_s: float) -> tuple[Audio, list[str]]:
    rng = np.random.default_rng(2)
    audio = np.zeros((CHANNELS, int(SECONDS * 8000)), dtype=np.int16)
    texts = []
    for channel in range(CHANNELS):
        keys = "".join(rng.choice(list(dsp.tones.KEYS), count))
        level = rng.uniform(-25, -3, count)
        twist = rng.uniform(-4, 3, count)
        made = dsp.encode_spans(
            keys,
            on_s=on_s,
            off_s=off_s,
            lead_s=float(rng.uniform(0.01, 0.05)),
            level_low_dbm0=np.minimum(level - twist / 2, -3),
            level_high_dbm0=np.minimum(level + twist / 2, -3),
            low_offset_percent=rng.uniform(-1.5, 1.5, count),
            high_offset_percent=rng.uniform(-1.5, 1.5, count),
            low_phase_rad=rng.uniform(0, 6.28, count),
            high_phase_rad=rng.uniform(0, 6.28, count),
        ).samples[: audio.shape[1]]
        whole = np.zeros(audio.shape[1], dtype=np.float32)
        whole[: len(made)] = made
        audio[channel] = np.rint(whole * 32768 + rng.normal(0, 8, len(whole)))
        texts.append(keys)
    return audio, texts


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


def seconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def decoded(audio: Audio) -> list[str]:
    return dsp.decode(audio).texts()


def peer_decoded(peer: Spandsp, audio: Audio) -> list[str]:
    return [peer.decode(row) for row in audio]


def machine() -> str:
    a = np.ones((20000, 102), np.float32)
    b = np.ones((102, 16), np.float32)
    gemm = min(seconds(lambda: a @ b) for _ in range(20))
    x = np.ones(1 << 25, np.int16)
    read = min(seconds(lambda: x.max()) for _ in range(5))
    return (
        f"sgemm (20000x102)(102x16) {2 * a.size * 16 / gemm / 1e9:.0f} GFLOP/s = {a.size / gemm / 1e6:.0f} Msamples/s, "
        f"int16 read {x.nbytes / read / 1e9:.1f} GB/s"
    )


def main() -> None:
    wanted = sys.argv[1:]
    print(platform.processor() or platform.machine(), "numpy", np.__version__)
    print(machine())
    peer = Spandsp()
    for name, (make, goal) in CONTENT.items():
        if wanted and not any(word in name for word in wanted):
            continue
        audio, texts = make()
        ours: list[float] = []
        theirs: list[float] = []
        dsp.decode(audio[:50])
        heard = dsp.decode(audio).texts()
        right = sum(a == b for a, b in zip(heard, texts, strict=True))
        part = audio[:200]
        for _ in range(5):
            ours.append(seconds(partial(decoded, audio)))
            theirs.append(seconds(partial(peer_decoded, peer, part)) * CHANNELS / len(part))
        a, b = statistics.median(ours), statistics.median(theirs)
        rate = audio.size / a / 1e6
        print(
            f"{name:32s} {rate:7.0f} Msamples/s  libspandsp {audio.size / b / 1e6:5.0f}  "
            f"{b / a:5.1f}x (goal {goal}x)  {right}/{len(texts)} channels right"
        )


if __name__ == "__main__":
    main()
