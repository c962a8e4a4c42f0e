"""Sweeps: named conditions side by side, curves over one parameter, maps over two; and the test of a claimed rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.limits import frequency, setter
from offhook.bench.characterize.stimulus import Condition
from offhook.bench.characterize.tally import Tally
from offhook.dsp import stats

CONDITIONS = {
    "clean, 50/50 ms": Condition(),
    "A-law": Condition(line="alaw"),
    "mu-law": Condition(line="ulaw"),
    "A-law, S/N 15 dB": Condition(line="alaw", snr_db=15.0),
    "linear, S/N 15 dB": Condition(snr_db=15.0),
    "ADPCM-like, 4 bits (32 kbit/s)": Condition(line="adpcm:4"),
    "ADPCM-like, 3 bits (24 kbit/s)": Condition(line="adpcm:3"),
    "packet loss 1 %, 20 ms, faded": Condition(on_s=0.1, off_s=0.1, line="loss:1"),
    "packet loss 3 %, 20 ms, faded": Condition(on_s=0.1, off_s=0.1, line="loss:3"),
    "packet loss 10 %, bursts of 2": Condition(on_s=0.1, off_s=0.1, line="bursts:10,2"),
    "drop-outs of 5 ms, 4 a second": Condition(on_s=0.1, off_s=0.1, line="drop:5,4"),
    "drop-outs of 10 ms, 4 a second": Condition(on_s=0.1, off_s=0.1, line="drop:10,4"),
    "hum 50 Hz at -20 dBm0": Condition(line="hum:50,-20"),
    "DC of 10 % of full scale": Condition(line="dc:0.1"),
    "clock skew 500 ppm": Condition(line="skew:500"),
    "carrier shift 5 Hz": Condition(line="shift:5"),
    "clipped 12 dB over full scale": Condition(level_dbm0=-3.0, line="clip:12"),
    "echo 20 ms, 10 dB down": Condition(off_s=0.1, line="echo:20,10"),
    "echo 50 ms, 10 dB down": Condition(off_s=0.1, line="echo:50,10"),
    "voice-like sounds 15 dB under": Condition(line="voice:15"),
}


@dataclass(frozen=True)
class Axis:
    """A parameter of a curve or a map."""

    name: str
    unit: str
    values: tuple[float, ...]
    field: str

    def put(self, condition: Condition, value: float) -> Condition:
        """The condition at a value; ``field`` "freq" moves both tones."""
        move = frequency("both") if self.field == "freq" else setter(self.field, 0.001 if self.unit == "ms" else 1.0)
        return move(condition, value)


def _span(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(round(first + step * i, 6) for i in range(round((last - first) / step) + 1))


AXES = {
    "level": Axis("level of each tone", "dBm0", _span(-50, 2, 2), "level_dbm0"),
    "twist": Axis("twist, high over low", "dB", _span(-14, 14, 1), "twist_db"),
    "frequency": Axis("frequency, both tones", "%", _span(-5, 5, 0.25), "freq"),
    "duration": Axis("tone", "ms", _span(16, 60, 2), "on_s"),
    "gap": Axis("pause between equal digits", "ms", _span(4, 60, 4), "off_s"),
    "snr": Axis("S/N, 0 to 4 kHz", "dB", _span(-6, 30, 2), "snr_db"),
}
MAPS = (("twist", "snr"), ("frequency", "duration"))


@dataclass(frozen=True)
class Curve:
    """Tallies of one receiver along an axis."""

    receiver: str
    axis: Axis
    tallies: tuple[Tally, ...]


@dataclass(frozen=True)
class Map:
    """Tallies of one receiver over two axes; ``tallies[i][j]`` is at ``x.values[j]``, ``y.values[i]``."""

    receiver: str
    x: Axis
    y: Axis
    tallies: tuple[tuple[Tally, ...], ...]


def conditions(campaign: Campaign, receivers: Sequence[str], batches: int) -> dict[str, list[Tally]]:
    """Every named condition on every receiver, in the order of ``receivers``."""
    cells = [(name, condition) for condition in CONDITIONS.values() for name in receivers]
    found = iter(campaign.run(cells, batches))
    return {title: [next(found) for _ in receivers] for title in CONDITIONS}


def curves(campaign: Campaign, receivers: Sequence[str], names: Sequence[str], batches: int) -> list[Curve]:
    """Curves by the names of their axes."""
    chosen = [(AXES[name], receiver) for name in names for receiver in receivers]
    base = {"off_s": Condition(repeat=12)}
    cells = [
        (name, axis.put(base.get(axis.field, Condition()), value)) for axis, name in chosen for value in axis.values
    ]
    found = iter(campaign.run(cells, batches))
    return [Curve(name, axis, tuple(next(found) for _ in axis.values)) for axis, name in chosen]


def maps(
    campaign: Campaign, receivers: Sequence[str], pairs: Sequence[tuple[str, str]], batches: int, thin: int = 2
) -> list[Map]:
    """Maps over pairs of axes, of which every ``thin``-th value is taken."""
    chosen = [(_thin(AXES[x], thin), _thin(AXES[y], thin), name) for x, y in pairs for name in receivers]
    cells = [
        (name, y.put(x.put(Condition(), across), up))
        for x, y, name in chosen
        for up, across in product(y.values, x.values)
    ]
    found = iter(campaign.run(cells, batches))
    return [Map(name, x, y, tuple(tuple(next(found) for _ in x.values) for _ in y.values)) for x, y, name in chosen]


def _thin(axis: Axis, step: int) -> Axis:
    return Axis(axis.name, axis.unit, axis.values[::step], axis.field)


@dataclass(frozen=True)
class Claim:
    """What testing "at most this rate of wrong digits" came to."""

    receiver: str
    rate: float
    verdict: str
    tally: Tally

    @property
    def bound(self) -> float:
        """95 % upper bound of the rate of errors."""
        return stats.error_bound(min(self.tally.errors, self.tally.sent), self.tally.sent)


def claim(campaign: Campaign, receiver: str, plan: stats.Plan, condition: Condition | None = None) -> Claim:
    """Send nominal digits until the plan's end is certain; batches count in their order, whoever finished first."""
    cell = (receiver, condition or Condition())
    total, batch, state = Tally(), 0, "open"
    while state == "open":
        wanted = -(-plan.remaining(total.errors, total.sent) // 64)
        chunk = max(1, min(wanted, 4 if batch == 0 else 64))  # a bad receiver is found out by the first few
        total += campaign.run([cell], chunk, batch)[0]
        batch += chunk
        state = plan.state(total.errors, total.sent)
    return Claim(receiver, plan.rate, state, total)
