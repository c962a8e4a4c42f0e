"""Speed of the generator on one core beside Debian's libspandsp2: medians of alternating runs, the audio checked.

1,000 strings as one int16 array of 1,000 x 10 s at 8 kHz, every digit with its own level, twist, offset of both
frequencies and phases. libspandsp's dtmf_tx cannot do that: a string in one call has one level and twist, and a call a
digit has whole dB; offsets and phases it has none. Both fill new memory.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from dsp_machine import Limits, alternating, headline
from dsp_peers import SpandspSender

from offhook import dsp

STRINGS, SECONDS = 1000, 10.0
SAMPLES = int(SECONDS * 8000)
METERED = 10
CONTENT = {"back to back, 50/50 ms": (100, 50, 50), "100/100 ms": (50, 100, 100), "10 digits in 10 s": (10, 100, 900)}


def figures(count: int, rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    shape = (STRINGS, count)
    level, twist = rng.uniform(-23, -6, shape), rng.uniform(-4, 3, shape)
    return {
        "level_low_dbm0": level - twist / 2,
        "level_high_dbm0": level + twist / 2,
        "low_offset_percent": rng.uniform(-1.5, 1.5, shape),
        "high_offset_percent": rng.uniform(-1.5, 1.5, shape),
        "low_phase_rad": rng.uniform(0, 2 * np.pi, shape),
        "high_phase_rad": rng.uniform(0, 2 * np.pi, shape),
    }


def checked(made: dsp.EncodedBatch, strings: list[str], figure: dict[str, Any]) -> str:
    """Digits of all rows by the receiver; frequencies and levels of some by a fit to the samples inside the edges."""
    padded = np.pad(made.samples, ((0, 0), (0, 400)))
    right = sum(heard == sent for heard, sent in zip(dsp.decode(padded).texts(), strings, strict=True))
    worst_percent = worst_db = 0.0
    for row in range(METERED):
        for digit, span in enumerate(made.spans(row)):
            x = made.samples[row, span.start + 16 : span.stop - 16] / 32768.0
            seen = dsp.measure.digit(x, envelope=np.ones(len(x)))
            for group, nominal, hz, level in zip(
                ("low", "high"),
                dsp.tones.frequencies(span.key),
                (seen.low_hz, seen.high_hz),
                (seen.low_dbm0, seen.high_dbm0),
                strict=True,
            ):
                asked = nominal * (1 + figure[f"{group}_offset_percent"][row, digit] / 100)
                worst_percent = max(worst_percent, 100 * abs(hz.value / asked - 1))
                worst_db = max(worst_db, abs(level.value - figure[f"level_{group}_dbm0"][row, digit]))
    return (
        f"{right}/{len(strings)} strings decoded right; by the meter, {METERED} strings: frequency within "
        f"{worst_percent:.4f} %, level within {worst_db:.4f} dB"
    )


def measure(name: str, count: int, on_ms: int, off_ms: int, limits: Limits) -> None:
    rng = np.random.default_rng(1)
    strings = ["".join(rng.choice(list(dsp.tones.KEYS), count)) for _ in range(STRINGS)]
    figure: Any = figures(count, rng)
    levels = rng.integers(-23, -6, (STRINGS, count)).tolist()
    twists = rng.integers(-4, 3, (STRINGS, count)).tolist()
    sender = SpandspSender(on_ms, off_ms)

    def ours() -> dsp.EncodedBatch:
        times = {"on_s": on_ms / 1000, "off_s": off_ms / 1000}
        return dsp.encode_batch(strings, dtype=np.int16, length_s=SECONDS, **times, **figure)

    def theirs() -> None:
        for text, row in zip(strings, np.zeros((STRINGS, SAMPLES), np.int16), strict=True):
            sender.encode(text, row)

    def theirs_each() -> None:
        rows = np.zeros((STRINGS, SAMPLES), np.int16)
        for text, level, twist, row in zip(strings, levels, twists, rows, strict=True):
            sender.encode_each(text, level, twist, row)

    check = checked(ours(), strings, figure)
    spent = alternating({"ours": ours, "alike": theirs, "each": theirs_each})
    speed = {each: STRINGS * SAMPLES / took for each, took in spent.items()}
    share = limits.generator_share(speed["ours"], on_ms / (on_ms + off_ms))
    print(
        f"{name:24s} {speed['ours'] / 1e6:6.0f} Msamples/s ({share})  dtmf_tx, all alike "
        f"{speed['alike'] / 1e6:6.0f}: {speed['ours'] / speed['alike']:.2f}x (goal 1x)  "
        f"dtmf_tx, level and twist of each {speed['each'] / 1e6:6.0f}: {speed['ours'] / speed['each']:.2f}x"
    )
    print(f"{'':24s} {check}")


def main() -> None:
    limits = headline()
    for name, (count, on_ms, off_ms) in CONTENT.items():
        measure(name, count, on_ms, off_ms, limits)


if __name__ == "__main__":
    main()
