"""The classic battery, as the Mitel CM7291 cassette (side 1) runs it, with the same figures at its end.

Decode: every key ten times. Recognition bandwidth and centre offset: each tone alone moved both ways in 0.1 % steps;
the bandwidth is the sum of both ways, the offset half their difference. Acceptable twist: both ways in 0.1 dB
steps, 50 ms digits. Dynamic range: from the loudest to the softest level of "1". Guard time: the shortest tone.
Signal to noise: 1,000 pulses at each ratio. Here each step is a full sample of digits instead of one pulse each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.limits import Bracket, Limit, find, frequency, setter
from offhook.bench.characterize.stimulus import BATCH, Condition
from offhook.bench.characterize.tally import Tally
from offhook.dsp.tones import HIGH_HZ, KEYS, LOW_HZ

PULSES = 1000
RATIOS_DB = (24, 18, 12, 6)


@dataclass(frozen=True)
class Classic:
    """The figures of one receiver. ``bands``: of each tone (Hz, bandwidth %, centre offset %); None: not found."""

    receiver: str
    decode: Tally
    bands: tuple[tuple[float, float | None, float | None], ...]
    high_over_low_db: float | None
    low_over_high_db: float | None
    dynamic_range_db: float | None
    guard_ms: float | None
    noise: tuple[tuple[int, Tally], ...]


def run(campaign: Campaign, receivers: Sequence[str], batches: int = 2) -> list[Classic]:
    """Run it on some receivers."""
    walks = [*_bands(), *_others()]
    found = {(one.receiver, one.limit): one for one in find(campaign, receivers, walks, batches)}
    decode = campaign.run([(name, Condition(keys=KEYS, off_s=0.051)) for name in receivers], 3)
    rounds = -(-PULSES // BATCH)
    conditions = [Condition(keys="1", snr_db=float(ratio)) for ratio in RATIOS_DB]
    noise = campaign.run([(name, condition) for name in receivers for condition in conditions], rounds)
    size = len(RATIOS_DB)
    return [
        _classic(name, found, decode[i], tuple(zip(RATIOS_DB, noise[i * size : (i + 1) * size], strict=True)))
        for i, name in enumerate(receivers)
    ]


def _bands() -> list[Limit]:
    walks = []
    for group, freqs in (("low", LOW_HZ), ("high", HIGH_HZ)):
        for place, freq in enumerate(freqs):
            keys = KEYS[place * 4 : place * 4 + 4] if group == "low" else KEYS[place::4]
            for sign, way in ((1, "+"), (-1, "-")):
                base = Condition(keys=keys)
                walks.append(Limit(f"{freq:g} {way}", "%", 0, sign * 8, 0.1, frequency(group), base=base))
    return walks


def _others() -> list[Limit]:
    one = Condition(keys="1")
    return [
        Limit("high over low", "dB", 0, 20, 0.1, setter("twist_db"), base=one),
        Limit("low over high", "dB", 0, 20, 0.1, setter("twist_db", -1.0), base=one),
        Limit("softest", "dBm0", -10, -60, 0.5, setter("level_dbm0"), base=one),
        Limit("loudest", "dBm0", -10, 3, 0.5, setter("level_dbm0"), base=one),
        Limit("guard", "ms", 60, 5, 0.5, setter("on_s", 0.001), base=one),
    ]


def _classic(
    name: str, found: dict[tuple[str, str], Bracket], decode: Tally, noise: tuple[tuple[int, Tally], ...]
) -> Classic:
    def at(limit: str) -> float | None:
        return found[(name, limit)].holds_at

    bands = []
    for freq in (*LOW_HZ, *HIGH_HZ):
        up, down = at(f"{freq:g} +"), at(f"{freq:g} -")
        known = up is not None and down is not None
        bands.append((freq, up - down if known else None, (up + down) / 2 if known else None))  # type: ignore[operator]
    loud, soft = at("loudest"), at("softest")
    return Classic(
        receiver=name,
        decode=decode,
        bands=tuple(bands),
        high_over_low_db=at("high over low"),
        low_over_high_db=at("low over high"),
        dynamic_range_db=loud - soft if loud is not None and soft is not None else None,
        guard_ms=at("guard"),
        noise=noise,
    )
