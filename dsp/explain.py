"""Why something was not a digit: every candidate the receiver weighed and refused, with the first limit it broke."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import profiles
from offhook.dsp.decode import Analysis, analyses
from offhook.dsp.digits import Digits
from offhook.dsp.fine import CANDIDATE_SHARE, FAIR_SHARE, WARM
from offhook.dsp.profiles import Profile
from offhook.dsp.purity import crest_limit, residue
from offhook.dsp.tones import HIGH_HZ, INT16_SCALE, KEYS, LOW_HZ, checked, dbm0

SHORTEST_S = 0.012


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate: what it would have been, and why it is not. ``kind`` is one word, ``reason`` the sentence.

    Kinds: level, twist, frequency, duration, energy (too much beside the tones), residue (what is beside the tones is
    not noise: speech, music), echo.
    """

    channel: int
    key: str
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    low_dbm0: float
    high_dbm0: float
    kind: str
    reason: str


def explain(samples: ArrayLike, rate: float = 8000, profile: Profile = profiles.ATT) -> tuple[Digits, list[Rejected]]:
    """The digits of a recording, as ``decode`` gives them, and every rejected candidate of 12 ms or more."""
    value = checked(samples, rate)
    parts: list[dict[str, NDArray[np.generic]]] = []
    rejected: list[Rejected] = []
    for part in analyses(value, rate, profile, explained=True):
        parts.append(part.columns())
        rejected += _refused(part, profile)
    channels = value.shape[0] if value.ndim == 2 else 1
    if not parts:
        return Digits.of([], channels), []
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Digits(table, channels), rejected


def _refused(part: Analysis, profile: Profile) -> list[Rejected]:
    """Runs of candidate hops of one key, outside of digits."""
    hops = part.hops
    taken = np.zeros(hops.amplitude.shape[1] + 1, dtype=np.int64)
    found = part.found
    np.add.at(taken, np.maximum(np.floor(found.start).astype(np.int64), 0), 1)
    np.add.at(taken, np.minimum(np.ceil(found.end).astype(np.int64) + 6, len(taken) - 1), -1)
    free = np.cumsum(taken)[hops.at] == 0
    free &= part.place[hops.at] >= WARM
    free &= hops.share > CANDIDATE_SHARE * 1.5
    candidates = np.flatnonzero(free)
    if not len(candidates):
        return []
    at, key = hops.at[candidates], hops.key[candidates]
    breaks = (np.diff(at) > 3) | (np.diff(key) != 0) | (np.diff(part.lane[at]) != 0)
    rejected = []
    for run in np.split(candidates, np.flatnonzero(breaks) + 1):
        best = run[np.argmax(hops.on_s[run] * np.minimum(hops.share[run], 1.0))]
        if hops.on_s[best] >= SHORTEST_S:
            rejected.append(_one(part, int(best), run, profile))
    return rejected


def _one(part: Analysis, best: int, run: NDArray[np.int64], profile: Profile) -> Rejected:
    hops, rx = part.hops, part.rx
    hop = hops.at[best : best + 1]
    origin = int(part.origin_of(hop)[0])
    end = (float(hops.at[run].max()) - 0.5 + origin) * rx.hop_s - part.delay_s
    key = int(hops.key[best])
    low_hz = LOW_HZ[key // 4] + float(hops.low_offset[best])
    high_hz = HIGH_HZ[key % 4] + float(hops.high_offset[best])
    low_dbm0 = float(dbm0(hops.low_power[best] / INT16_SCALE**2))
    high_dbm0 = float(dbm0(hops.high_power[best] / INT16_SCALE**2))
    length = float(hops.on_s[run].max())
    kind, reason = _reason(part, best, profile, length, low_dbm0, high_dbm0)
    channel, start = int(part.channel_of(hop)[0]), max(end - length, 0.0)
    return Rejected(channel, KEYS[key], start, end, low_hz, high_hz, low_dbm0, high_dbm0, kind, reason)


def _reason(
    part: Analysis, best: int, profile: Profile, length: float, low_dbm0: float, high_dbm0: float
) -> tuple[str, str]:
    hops = part.hops
    key = int(hops.key[best])
    if not hops.level_ok[best]:
        if min(low_dbm0, high_dbm0) < profile.min_level_dbm0:
            return "level", f"{min(low_dbm0, high_dbm0):.1f} dBm0 is below {profile.min_level_dbm0:.1f}"
        return "level", f"{max(low_dbm0, high_dbm0):.1f} dBm0 is above {profile.max_level_dbm0:.1f}"
    if not hops.twist_ok[best]:
        twist = high_dbm0 - low_dbm0
        if twist > 0:
            return "twist", f"high {twist:.1f} dB stronger than low is more than {profile.max_high_over_low_db:.1f}"
        return "twist", f"low {-twist:.1f} dB stronger than high is more than {profile.max_low_over_high_db:.1f}"
    if not hops.offset_ok[best]:
        low, high = float(hops.low_offset[best]) / LOW_HZ[key // 4], float(hops.high_offset[best]) / HIGH_HZ[key % 4]
        name, value = ("low", low) if abs(low) > abs(high) else ("high", high)
        return (
            "frequency",
            f"{name} tone is off by {100 * value:+.1f} %, more than {profile.freq_tolerance_percent:.2f} %",
        )
    if length < profile.min_on_s:
        return "duration", f"{1000 * length:.0f} ms is shorter than {1000 * profile.min_on_s:.1f} ms"
    if not hops.accepted[best] and hops.share[best] < FAIR_SHARE:
        return (
            "energy",
            f"the two tones hold {100 * hops.share[best]:.0f} % of the energy, less than {100 * FAIR_SHARE:.0f} %",
        )
    if hops.accepted[best]:
        return "echo", "the same digit again at once, and weaker"
    at = hops.at[best : best + 1]
    low_hz = [LOW_HZ[key // 4] + hops.low_offset[best]]
    high_hz = [HIGH_HZ[key % 4] + hops.high_offset[best]]
    crest = float(residue(part.blocks, at, low_hz, high_hz, part.rx.fine.rate, profile.null_hz)[0][0])
    over = 10 * np.log10(max(crest, 1e-9) / float(crest_limit(hops.share[best])))
    if over > 0:
        return "residue", f"residue peaks {over:.1f} dB more than noise does (speech or music)"
    return "residue", f"the tones hold {100 * hops.share[best]:.0f} % of the energy and do not stand still"
