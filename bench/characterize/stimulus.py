"""One condition of a campaign, and its digits as audio: everything follows from (campaign, condition, batch)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np

from offhook import dsp
from offhook.dsp import impair, talkoff
from offhook.dsp.tones import KEYS, Float32, Int16

RATE = 8000
BATCH = 64
JITTER_S = 0.008
TAIL_S = 0.25


@dataclass(frozen=True)
class Condition:
    """What is sent. Nominal values are good sender practice; a sweep changes one or two of them.

    ``twist_db`` is high over low, split between both around ``level_dbm0`` (each tone). ``repeat`` sends each key so
    often in a row with exactly ``off_s`` between. ``line`` names impairments: see :func:`line_of`.
    """

    keys: str = KEYS
    level_dbm0: float = -10.0
    twist_db: float = 0.0
    low_percent: float = 0.0
    high_percent: float = 0.0
    on_s: float = 0.05
    off_s: float = 0.05
    cut_s: float = 0.0
    repeat: int = 1
    snr_db: float | None = None
    line: str = ""

    def with_(self, **changes: object) -> Condition:
        """A condition with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def cell(self) -> str:
        """Its name in the results file: every field that is not nominal."""
        plain = asdict(Condition())
        told = {name: value for name, value in asdict(self).items() if value != plain[name]}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    def seed(self, campaign: int, batch: int) -> list[int]:
        """Entropy of one batch: of the campaign, this condition and the batch, and of nothing else."""
        digest = hashlib.sha256(self.cell.encode()).digest()
        return [campaign, *np.frombuffer(digest[:16], np.uint32).tolist(), batch]


@lru_cache(maxsize=1)
def _voice() -> Float32:
    """Two minutes of the synthetic talk-off's sounds, to be mixed under digits."""
    return talkoff.harsh(120.0, 77, RATE)


LINES: dict[str, Callable[..., impair.Step]] = {
    "alaw": lambda: impair.G711("alaw"),
    "ulaw": lambda: impair.G711("ulaw"),
    "adpcm": lambda bits: impair.Adpcm(int(bits)),
    "echo": lambda delay_ms, loss_db: impair.Echo(delay_ms / 1000, loss_db),
    "dial": lambda level_dbm0: impair.Tones(impair.DIAL_US, level_dbm0),
    "dial-eu": lambda level_dbm0: impair.Tones(impair.DIAL_EU, level_dbm0),
    "hum": lambda freq_hz, level_dbm0: impair.Hum(freq_hz, level_dbm0),
    "loss": lambda percent: impair.PacketLoss(percent / 100),
    "bursts": lambda percent, mean: impair.PacketLoss(percent / 100, burst=mean),
    "drop": lambda length_ms, per_s: impair.DropOuts(length_ms / 1000, per_s),
    "clip": lambda gain_db: impair.Clip(gain_db),
    "dc": lambda share: impair.Dc(share),
    "skew": lambda ppm: impair.ClockSkew(ppm),
    "shift": lambda shift_hz: impair.FrequencyShift(shift_hz),
    "voice": lambda ratio_db: impair.Under(_voice(), ratio_db),
}


@lru_cache(maxsize=256)
def line_of(text: str) -> impair.Chain:
    """Impairments by name, joined by "+": ``echo:20,10+alaw``. Raises ValueError that lists the names."""
    steps = []
    for part in filter(None, text.split("+")):
        name, _, rest = part.partition(":")
        try:
            steps.append(LINES[name](*(float(number) for number in rest.split(",") if number)))
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"line {part!r}: expected one of {', '.join(LINES)} with its numbers") from None
    return impair.Chain(*steps)


@dataclass(frozen=True)
class Batch:
    """Audio, and the digits in it."""

    samples: Int16
    sent: str


def make(condition: Condition, campaign: int, batch: int) -> Batch:
    """One batch of 64 digits, keys in random order (or each once, ``repeat`` in a row), random phases and starts."""
    seed = condition.seed(campaign, batch)
    rng = np.random.default_rng(seed)
    rounds = max(1, BATCH // len(condition.keys)) if condition.repeat == 1 else 1
    order = rng.permutation(list(condition.keys * rounds))
    sent = "".join(np.repeat(order, condition.repeat))
    n = len(sent)
    last = np.arange(n) % condition.repeat == condition.repeat - 1
    pause = condition.off_s if condition.repeat == 1 else max(condition.off_s, 0.1)
    off = np.where(last, pause + rng.uniform(0, JITTER_S, n), condition.off_s)
    low, high = condition.level_dbm0 - condition.twist_db / 2, condition.level_dbm0 + condition.twist_db / 2
    made = dsp.encode_spans(
        sent,
        RATE,
        level_low_dbm0=low,
        level_high_dbm0=high,
        on_s=condition.on_s,
        off_s=off,
        edge_s=min(0.001, condition.on_s / 4),
        low_offset_percent=condition.low_percent,
        high_offset_percent=condition.high_percent,
        low_phase_rad=rng.uniform(0, 2 * np.pi, n),
        high_phase_rad=rng.uniform(0, 2 * np.pi, n),
        interruption_at_s=condition.on_s / 2 - condition.cut_s / 2,
        interruption_s=condition.cut_s,
        lead_s=0.1 + float(rng.uniform(0, JITTER_S)),
    )
    audio = np.concatenate((made.samples, np.zeros(round(TAIL_S * RATE), np.float32)))
    steps = list(line_of(condition.line).steps)
    if condition.snr_db is not None:
        both = 10 * np.log10(10 ** (low / 10) + 10 ** (high / 10))
        steps.append(impair.Noise(condition.snr_db, signal_dbm0=both))
    return Batch(dsp.to_int16(impair.Chain(*steps).apply(audio, RATE, [*seed, 1])), sent)
