"""On bad lines the receiver is no worse than the best of libspandsp and multimon-ng, all measured in the same run.

A digit counts when it came out right and once: what a receiver hears twice is taken off. "No worse" means within the
exact 95 % interval of the better one's share. Real speech is that of Debian's asterisk-core-sounds-en.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.characterize.receivers import RATE, open_receiver
from offhook.bench.characterize.tally import compare
from offhook.dsp import impair, stats, talkoff, wav
from offhook.dsp.rows import Step
from offhook.dsp.tones import FULL_SCALE_DBM0, KEYS, Float32, Float64

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
BATCHES, LEVEL_DBM0 = 4, -10.0
PEAKS_DBM0 = LEVEL_DBM0 + 6.02  # of a sine as high as both tones' peaks together


@lru_cache(maxsize=1)
def speech() -> Float32:
    """Four minutes of prompts, chosen from all of them."""
    files = sorted(
        path for path in PROMPTS.rglob("*.wav") if "silence" not in path.parts and path.stat().st_size > 4000
    )
    assert len(files) > 300, "the prompts of asterisk-core-sounds-en-wav are not installed: bash tools/packages.sh"
    parts = [np.atleast_2d(dsp.to_float(wav.read(str(path)).samples))[0] for path in files[::5]]
    return np.concatenate(parts)[: 240 * RATE].astype(np.float32)


@lru_cache(maxsize=1)
def voice() -> Float32:
    return talkoff.harsh(120.0, 977, RATE)


def clip(over_db: float) -> Step:
    return impair.Clip(over_db + FULL_SCALE_DBM0 - PEAKS_DBM0)


@dataclass(frozen=True)
class Over:
    """A recording under the digits, loaded when it is heard."""

    recording: Callable[[], Float32]
    ratio_db: float

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        return impair.Under(self.recording(), self.ratio_db).apply(audio, rate, rng)


def conditions() -> dict[str, tuple[float, list[Step]]]:
    """Seconds on and off, and what the line does."""
    found: dict[str, tuple[float, list[Step]]] = {}
    for on_ms in (50, 100):
        lines: dict[str, list[Step]] = {
            **{f"echo {d} ms, {db} dB down": [impair.Echo(d / 1000, db)] for d in (10, 30, 45, 60) for db in (6, 10)},
            "echoes of 10 and 25 ms": [impair.Echo(0.010, 10), impair.Echo(0.025, 12)],
            **{f"clipped {db} dB over full scale": [clip(db)] for db in (6, 12, 20)},
            "drop-outs of 5 ms, 20 a second": [impair.DropOuts(0.005, 20)],
            "drop-outs of 10 ms, 4 a second": [impair.DropOuts(0.010, 4)],
            "A-law": [impair.G711("alaw")],
            "mu-law twice": [impair.G711("ulaw"), impair.G711("ulaw")],
            "3 bits a sample": [impair.Adpcm(3)],
            "2 bits a sample": [impair.Adpcm(2)],
            **{f"speech {db} dB under": [Over(speech, db)] for db in (9, 12, 18)},
            "voice-like sounds 12 dB under": [Over(voice, 12)],
            "DC of 10 % of full scale": [impair.Dc(0.1)],
            "hum at the digits' level": [impair.Hum(50.0, LEVEL_DBM0)],
            "S/N 6 dB": [impair.Noise(6.0, signal_dbm0=LEVEL_DBM0 + 3.01)],
            "S/N 2 dB": [impair.Noise(2.0, signal_dbm0=LEVEL_DBM0 + 3.01)],
        }
        if on_ms == 100:
            lines["drop-outs of 20 ms, 4 a second"] = [impair.DropOuts(0.020, 4)]
            lines["packets lost, 5 %, silence"] = [impair.PacketLoss(0.05, conceal="silence")]
            lines["packets lost, 3 %, faded"] = [impair.PacketLoss(0.03)]
            lines["packets lost, 10 %, bursts of 2"] = [impair.PacketLoss(0.10, burst=2.0)]
        found |= {f"{on_ms} ms, {name}": (on_ms / 1000, steps) for name, steps in lines.items()}
    return found


def heard(receiver: str, name: str, on_s: float, steps: list[Step]) -> int:
    """Digits right and once, of 64 a batch: all 16 keys, random phases and starts; the same for each receiver."""
    right = 0
    for batch in range(BATCHES):
        seed = [*hashlib.sha256(name.encode()).digest()[:8], batch]
        rng = np.random.default_rng(seed)
        keys = "".join(rng.permutation(list(KEYS * 4)))
        n = len(keys)
        made = dsp.encode_spans(
            keys,
            RATE,
            on_s=on_s,
            off_s=on_s + rng.uniform(0, 0.008, n),
            level_low_dbm0=LEVEL_DBM0,
            level_high_dbm0=LEVEL_DBM0,
            low_phase_rad=rng.uniform(0, 2 * np.pi, n),
            high_phase_rad=rng.uniform(0, 2 * np.pi, n),
            edge_s=0.001,
            lead_s=0.1 + float(rng.uniform(0, 0.008)),
        )
        audio = np.concatenate((made.samples, np.zeros(RATE // 4, dtype=np.float32)))
        line = impair.Chain(*steps).apply(audio, RATE, [*seed, 1])
        found = compare(keys, open_receiver(receiver).decode(dsp.to_int16(line)))
        right += max(found.right - found.extra, 0)
    return right


@pytest.mark.parametrize("name", conditions())
@pytest.mark.req("DTMF-DEC.7")
def test_no_worse_than_the_best_of_both(name: str) -> None:
    on_s, steps = conditions()[name]
    sent = 64 * BATCHES
    ours, spandsp, multimon = (heard(each, name, on_s, steps) for each in ("offhook", "libspandsp", "multimon-ng"))
    least = stats.clopper_pearson(max(spandsp, multimon), sent).low
    assert ours >= least * sent, f"{ours} of {sent}; libspandsp {spandsp}, multimon-ng {multimon}"
