"""Limits, bracketed: the last value at which a receiver does what is wanted, and the next one, at which it does not.

Each limit is a walk along one parameter from an easy value to an impossible one, halved until two neighbouring values
of a fixed step stand on either side. All limits advance together, one value each a round, so that workers stay busy;
which values are tried follows from counts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.stimulus import Condition
from offhook.bench.characterize.tally import Tally
from offhook.dsp import stats
from offhook.dsp.tones import KEYS

MODES = {"both": (1, 1), "low": (1, 0), "high": (0, 1), "opposite": (1, -1)}


@dataclass(frozen=True)
class Limit:
    """A walk from ``easy`` to ``hard`` in steps of ``step``. ``wants``: "accept" (99 % right), "ignore" (1 %)."""

    name: str
    unit: str
    easy: float
    hard: float
    step: float
    at: Callable[[Condition, float], Condition]
    wants: str = "accept"
    base: Condition = field(default_factory=Condition)

    @property
    def last(self) -> int:
        """Number of the last value."""
        return round(abs(self.hard - self.easy) / self.step)

    def value(self, place: int) -> float:
        """A value by its number, free of rounding dust."""
        sign = 1 if self.hard >= self.easy else -1
        return round(self.easy + sign * place * self.step, 9)

    def condition(self, place: int) -> Condition:
        """What is sent at a value."""
        return self.at(self.base, self.value(place))

    def holds(self, tally: Tally) -> bool:
        """Whether the receiver does what is wanted."""
        return tally.accepted if self.wants == "accept" else tally.ignored


@dataclass(frozen=True)
class Bracket:
    """``holds_at`` (None: not even at the easy end) and ``fails_at`` (None: not even at the hard end), with counts."""

    limit: str
    unit: str
    wants: str
    receiver: str
    holds_at: float | None
    fails_at: float | None
    holds: Tally | None
    fails: Tally | None
    tried: tuple[tuple[float, Tally], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def words(self) -> str:
        """The limit for a table."""
        if self.holds_at is None:
            return "none"
        return f"{self.holds_at:g}" if self.fails_at is not None else f"beyond {self.holds_at:g}"


class _Walk:
    """One limit of one receiver while it is being found."""

    def __init__(self, receiver: str, limit: Limit) -> None:
        self.receiver, self.limit = receiver, limit
        self.tried: dict[int, Tally] = {}
        self.good, self.bad = -1, limit.last + 1

    @property
    def next(self) -> int | None:
        """The value to try: first both ends, then the middle; None when two neighbours stand on either side."""
        for end in (0, self.limit.last):
            if end not in self.tried and self.good < end < self.bad:
                return end
        return (self.good + self.bad) // 2 if self.bad - self.good > 1 else None

    def note(self, place: int, tally: Tally) -> None:
        self.tried[place] = tally
        if self.limit.holds(tally):
            self.good = max(self.good, place)
        else:
            self.bad = min(self.bad, place)

    def bracket(self) -> Bracket:
        limit = self.limit
        inside = 0 <= self.good, self.bad <= limit.last
        return Bracket(
            limit.name,
            limit.unit,
            limit.wants,
            self.receiver,
            limit.value(self.good) if inside[0] else None,
            limit.value(self.bad) if inside[1] else None,
            self.tried[self.good] if inside[0] else None,
            self.tried[self.bad] if inside[1] else None,
            tuple((limit.value(place), tally) for place, tally in sorted(self.tried.items())),
        )


def find(campaign: Campaign, receivers: Sequence[str], limits: Sequence[Limit], batches: int) -> list[Bracket]:
    """Bracket every limit of every receiver, each value with ``batches`` batches."""
    walks = [_Walk(receiver, limit) for limit in limits for receiver in receivers]
    while open_ := [(walk, place) for walk in walks if (place := walk.next) is not None]:
        cells = [(walk.receiver, walk.limit.condition(place)) for walk, place in open_]
        for (walk, place), tally in zip(open_, campaign.run(cells, batches), strict=True):
            walk.note(place, tally)
    return [walk.bracket() for walk in walks]


def frequency(mode: str) -> Callable[[Condition, float], Condition]:
    """Both tones moved together, one alone, or opposite ways; percent."""
    low, high = MODES[mode]
    return lambda base, percent: base.with_(low_percent=low * percent, high_percent=high * percent)


def setter(name: str, scale: float = 1.0) -> Callable[[Condition, float], Condition]:
    """One field of the condition."""
    return lambda base, value: base.with_(**{name: round(value * scale, 9)})


def line(pattern: str) -> Callable[[Condition, float], Condition]:
    """An impairment with the value in it."""
    return lambda base, value: base.with_(line=pattern.format(value))


def standard(base: Condition | None = None) -> list[Limit]:
    """What is bracketed (DTMF-RX.2, and impairments); ``base`` says what is nominal."""
    base = base or Condition()
    walks = [
        Limit("level, lowest", "dBm0", -20, -60, 0.5, setter("level_dbm0")),
        Limit("level, highest", "dBm0", -10, 3, 0.5, setter("level_dbm0")),
        Limit("high stronger, most", "dB", 0, 20, 0.1, setter("twist_db")),
        Limit("low stronger, most", "dB", 0, 20, 0.1, setter("twist_db", -1.0)),
        Limit("tone, shortest", "ms", 60, 5, 0.5, setter("on_s", 0.001)),
        Limit("tone, longest ignored", "ms", 5, 60, 0.5, setter("on_s", 0.001), "ignore"),
        Limit("pause between equal digits, shortest", "ms", 60, 1, 0.5, setter("off_s", 0.001)),
        Limit("interruption ridden through, longest", "ms", 1, 40, 0.5, setter("cut_s", 0.001)),
        Limit("S/N, 50 ms digits, lowest", "dB", 30, -6, 0.5, setter("snr_db")),
        Limit("S/N, 100 ms digits, lowest", "dB", 30, -6, 0.5, setter("snr_db")),
        Limit("echo of 20 ms, least loss", "dB", 30, 0, 0.5, line("echo:20,{:g}")),
        Limit("echo of 50 ms, least loss", "dB", 30, 0, 0.5, line("echo:50,{:g}")),
        Limit("350+440 Hz dial tone over digits, most", "dB", -20, 24, 0.5, _dial("dial")),
        Limit("425 Hz dial tone over digits, most", "dB", -20, 24, 0.5, _dial("dial-eu")),
        Limit("clipping over full scale, most", "dB", 0, 30, 0.5, line("clip:{:g}")),
        Limit("voice-like sounds under digits, nearest", "dB", 30, 0, 0.5, line("voice:{:g}")),
    ]
    special = {
        "pause between equal digits, shortest": base.with_(repeat=12),
        "interruption ridden through, longest": base.with_(on_s=0.1),
        "S/N, 100 ms digits, lowest": base.with_(on_s=0.1, off_s=0.1),
        "clipping over full scale, most": base.with_(level_dbm0=-3.0),
        "echo of 20 ms, least loss": base.with_(off_s=0.1),
        "echo of 50 ms, least loss": base.with_(off_s=0.1),
    }
    walks += frequency_limits()
    suffix = f", key {base.keys}" if base.keys != KEYS else ""
    return [replace(walk, name=walk.name + suffix, base=special.get(walk.name, base)) for walk in walks]


def frequency_limits() -> list[Limit]:
    """Four modes, both directions: accepted up to, and ignored from (5 % is half-way to the next tone)."""
    found = []
    for mode in MODES:
        for sign, way in ((1, "+"), (-1, "-")):
            move = frequency(mode)
            found.append(Limit(f"frequency {way}, {mode}, accepted", "%", 0, sign * 8, 0.05, move))
            found.append(Limit(f"frequency {way}, {mode}, ignored", "%", sign * 5, 0, 0.05, move, "ignore"))
    return found


def _dial(name: str) -> Callable[[Condition, float], Condition]:
    return lambda base, value: base.with_(level_dbm0=-18.0, line=f"{name}:{-18.0 + value:g}")


def describe(tally: Tally | None) -> str:
    """Counts and interval: 312/320 right, 95.4 to 99.1 %."""
    if tally is None:
        return ""
    share = stats.clopper_pearson(tally.right, tally.sent)
    extra = f", {tally.extra} extra" if tally.extra else ""
    return f"{tally.right}/{tally.sent} right, {100 * share.low:.1f} to {100 * share.high:.1f} %{extra}"
