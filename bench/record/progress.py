"""Audible spans of a recording, each with the name of the call-progress tone it is, if it is one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.02
LOUD_DBM0 = -42.0
"""Softer than this is silence: an idle line's noise is 10 dB below, the softest prompt 20 dB above."""
FULL_SCALE_DBM0 = 3.14


def spans(samples: NDArray[np.int16], rate_hz: int, plan: str) -> list[tuple[str, float, float]]:
    """``(name, start_s, end_s)`` in order of time; ``name`` is "" where the sound is none of the plan's tones."""
    from offhook import dsp

    loud = audible(samples, rate_hz)
    if not loud.any():
        return []
    named = [(found.name, found.start_s, found.end_s) for found in dsp.progress.classify(samples, rate_hz, plan)]
    for _, start_s, end_s in named:
        loud[int(start_s / FRAME_S) : int(np.ceil(end_s / FRAME_S))] = False
    return sorted(named + [("", start_s, end_s) for start_s, end_s in runs(loud)], key=lambda span: span[1])


def audible(samples: NDArray[np.int16], rate_hz: int) -> NDArray[np.bool_]:
    """One value a 20 ms frame: louder than silence."""
    size = round(FRAME_S * rate_hz)
    count = -(-len(samples) // size)
    padded = np.zeros(count * size, np.float32)
    padded[: len(samples)] = samples
    power = np.square(padded).reshape(count, size).mean(axis=1)
    threshold = 32768.0**2 / 2 * 10 ** ((LOUD_DBM0 - FULL_SCALE_DBM0) / 10)
    return np.asarray(power > threshold)


def runs(flags: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Start and end in seconds of every run of true frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(float(start) * FRAME_S, float(stop) * FRAME_S) for start, stop in edges.reshape(-1, 2)]
