"""Harsh synthetic talk-off, 20 minutes, seeds fixed: hits of ours, libspandsp and multimon-ng."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from dsp_peers import Multimon, Ours, Spandsp

from offhook import dsp
from offhook.dsp import talkoff

SEEDS = range(20)


def main() -> None:
    receivers = [Ours(), Spandsp(), Multimon()]
    hits = {receiver.name: 0 for receiver in receivers}
    for seed in SEEDS:
        audio = dsp.to_int16(talkoff.harsh(60.0, seed))
        for receiver in receivers:
            hits[receiver.name] += len(receiver.decode(audio))
    for name, count in hits.items():
        print(f"{name:12s} {count:4d} false digits in {len(SEEDS)} min")


if __name__ == "__main__":
    main()
