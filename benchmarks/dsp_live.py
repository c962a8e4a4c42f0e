"""Live cost and delay: one channel in 10 ms blocks, 1,000 channels in 20 ms ticks of which one in twenty dials."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from dsp_machine import cpu_model

from offhook import dsp


def share_of_core(decoder: dsp.Decoder, audio: np.ndarray, block: int) -> str:
    """CPU time as a share of real time: mean, and the 99th percentile of single calls."""
    spent = []
    for at in range(0, audio.shape[1] - block + 1, block):
        began = time.process_time()
        decoder.feed(audio[:, at : at + block])
        spent.append(time.process_time() - began)
    each = np.array(spent) / (block / 8000)
    return f"{100 * each.mean():.2f} % of a core (99th percentile of blocks {100 * np.percentile(each, 99):.1f} %)"


def main() -> None:
    print(cpu_model())
    rng = np.random.default_rng(1)
    floor = rng.normal(0, 10, (1, 80000)).astype(np.int16)
    print("one idle channel, 10 ms:", share_of_core(dsp.Decoder(8000), floor, 80))
    made = dsp.encode_spans("0123456789*#ABCD" * 3, off_s=rng.uniform(0.1, 0.12, 48))
    x = made.int16()[None, :80000]
    print("one dialling channel, 10 ms:", share_of_core(dsp.Decoder(8000), x, 80))
    decoder, late = dsp.Decoder(8000), []
    for at in range(0, 80000, 80):
        for event in decoder.feed(x[:, at : at + 80]):
            if isinstance(event, dsp.Onset):
                late.append(1000 * ((at + 80) - made.spans[len(late)].start) / 8000)
    print(f"onset after tone start, 10 ms blocks: median {np.median(late):.1f} ms, {min(late):.1f} to {max(late):.1f}")
    many = np.tile(floor, (1000, 1))
    for channel in range(0, 1000, 20):
        many[channel, channel * 7 :] = x[0, : 80000 - channel * 7]
    print("1,000 channels, 20 ms, 1 in 20 dialling:", share_of_core(dsp.Decoder(8000, 1000), many, 160))


if __name__ == "__main__":
    main()
