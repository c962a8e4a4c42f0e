"""Harsh synthetic talk-off, 20 minutes, seeds fixed: hits of ours, libspandsp and multimon-ng."""

from __future__ import annotations

from offhook import dsp
from offhook.bench.characterize.receivers import open_receiver
from offhook.dsp import talkoff

SEEDS = range(20)
RECEIVERS = ("offhook", "libspandsp", "multimon-ng")


def main() -> None:
    hits = dict.fromkeys(RECEIVERS, 0)
    for seed in SEEDS:
        audio = dsp.to_int16(talkoff.harsh(60.0, seed))
        for name in RECEIVERS:
            hits[name] += len(open_receiver(name).decode(audio))
    for name, count in hits.items():
        print(f"{name:12s} {count:4d} false digits in {len(SEEDS)} min")


if __name__ == "__main__":
    main()
