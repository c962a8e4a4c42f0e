"""A sender by its recordings: every digit measured, then each key's mean, spread and worst against a sender profile.

Default profile: +-1.5 % a tone, high group 1 to 4 dB above low, single unwanted components at least 20 dB below the
weaker tone, at least 65 ms on (ETSI ES 201 235-2 class).
"""

from __future__ import annotations

import csv as comma
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from offhook import dsp
from offhook.drivers.errors import ConfigError
from offhook.dsp import measure
from offhook.dsp.measure import Measured
from offhook.dsp.tones import KEYS, frequencies


@dataclass(frozen=True)
class Rule:
    """One figure of a sender with its limits."""

    name: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None


RULES = (
    Rule("low tone offset", "%", -1.5, 1.5),
    Rule("high tone offset", "%", -1.5, 1.5),
    Rule("twist, high over low", "dB", 1.0, 4.0),
    Rule("tone on", "ms", at_least=65.0),
    Rule("unwanted component to weaker tone", "dB", at_most=-20.0),
    Rule("pause before", "ms", at_least=65.0),
)


@dataclass(frozen=True)
class Row:
    """One figure of one key over all its presses. ``verdict``: PASS needs every press and its uncertainty inside."""

    key: str
    figure: str
    unit: str
    n: int
    mean: float
    spread: float
    worst: float
    worst_u: float
    verdict: str


def listen(files: Sequence[Path], clock_ppm: float) -> list[Measured]:
    """All digits of some WAV recordings (every channel). ConfigError for a file that cannot be read."""
    found: list[Measured] = []
    for path in files:
        try:
            audio = dsp.wav.read(str(path))
            for channel in np.atleast_2d(audio.samples):
                found += measure.digits(channel, audio.rate, clock_ppm=clock_ppm)
        except dsp.wav.WavError as error:
            raise ConfigError(str(path), "read WAV", error.detail, error.hint) from None
        except (ValueError, OSError) as error:
            detail = getattr(error, "strerror", None) or str(error)
            raise ConfigError(str(path), "measure digits", detail, "a WAV of 8 kHz or more") from None
    return found


def figures(one: Measured) -> dict[str, tuple[float, float]]:
    """Value and expanded uncertainty of each figure of the profile."""
    low, high = frequencies(one.key)
    weaker = min(one.low_dbm0.value, one.high_dbm0.value)
    told = {
        "low tone offset": (100 * (one.low_hz.value / low - 1), 100 * one.low_hz.u / low),
        "high tone offset": (100 * (one.high_hz.value / high - 1), 100 * one.high_hz.u / high),
        "twist, high over low": (one.twist_db.value, one.twist_db.u),
        "tone on": (1000 * one.duration_s.value, 1000 * one.duration_s.u),
        "unwanted component to weaker tone": (one.unwanted_dbm0 - weaker, 0.0),  # already an upper bound
    }
    if one.pause_s is not None:
        told["pause before"] = (1000 * one.pause_s.value, 1000 * one.pause_s.u)
    return {name: pair for name, pair in told.items() if np.isfinite(pair[0])}  # a cut tone has no length


def summarize(digits: Sequence[Measured], rules: Sequence[Rule] = RULES) -> list[Row]:
    """Rows in the order of the keypad, a row for each figure."""
    rows = []
    for key in KEYS:
        told = [figures(one) for one in digits if one.key == key]
        for rule in rules:
            values = [one[rule.name] for one in told if rule.name in one]
            if values:
                rows.append(_row(key, rule, values))
    return rows


def _row(key: str, rule: Rule, values: list[tuple[float, float]]) -> Row:
    def margin(pair: tuple[float, float], sign: int) -> float:
        """How far inside the limits, with the uncertainty against (-1) or for (+1) the sender."""
        value, u = pair
        low = np.inf if rule.at_least is None else value - rule.at_least
        high = np.inf if rule.at_most is None else rule.at_most - value
        return float(min(low, high) + sign * u)

    worst = min(values, key=lambda pair: margin(pair, -1))
    if margin(worst, -1) >= 0:
        verdict = "PASS"
    else:
        verdict = "FAIL" if any(margin(pair, +1) < 0 for pair in values) else "INCONCLUSIVE"
    array = np.array([value for value, _ in values])
    spread = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    return Row(key, rule.name, rule.unit, len(array), float(array.mean()), spread, *worst, verdict)


def overall(rows: Sequence[Row]) -> str:
    """FAIL if one figure fails, else INCONCLUSIVE if one stays in doubt or there is none, else PASS."""
    verdicts = {row.verdict for row in rows} or {"INCONCLUSIVE"}
    return next((verdict for verdict in ("FAIL", "INCONCLUSIVE") if verdict in verdicts), "PASS")


def shortfalls(rows: Sequence[Row]) -> list[str]:
    """A line for each figure of a key that is not within its limits, failures first."""
    short = sorted((row for row in rows if row.verdict != "PASS"), key=lambda row: row.verdict != "FAIL")
    return [
        f"{row.verdict}  {row.key}  {row.figure}: worst {row.worst:.3f} ± {row.worst_u:.3f} {row.unit}" for row in short
    ]


def presses(digits: Sequence[Measured]) -> Counter[str]:
    """How often each key was heard."""
    return Counter(one.key for one in digits)


def csv(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    writer = comma.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows(astuple(row) for row in rows)
    return text.getvalue()
