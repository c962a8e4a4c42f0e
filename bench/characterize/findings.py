"""All that a campaign found, as plain data: JSON, CSV rows, and nothing that depends on how it was run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from offhook.bench.characterize.battery import Classic
from offhook.bench.characterize.limits import Bracket
from offhook.bench.characterize.sweeps import Claim, Curve, Map
from offhook.bench.characterize.talkoff import TalkOff
from offhook.bench.characterize.tally import Tally

HEADER = ("section", "receiver", "what", "unit", "x", "y", "sent", "right", "substituted", "lost", "extra")
INTERVAL = ("right_share", "low_95", "high_95")


@dataclass
class Findings:
    """Sections; those that were not run are empty."""

    receivers: tuple[str, ...]
    seed: int
    digits: int
    versions: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, list[Tally]] = field(default_factory=dict)
    brackets: list[Bracket] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    maps: list[Map] = field(default_factory=list)
    classics: list[Classic] = field(default_factory=list)
    talkoffs: list[TalkOff] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def json(self) -> str:
        """Everything, the same text for the same results."""
        return json.dumps(_plain(asdict(self)), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def csv(self) -> str:
        """One row for every count."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow((*HEADER, *INTERVAL))
        for place, tally in self._rows():
            counts = (tally.sent, tally.right, tally.substituted, tally.lost, tally.extra)
            share = [f"{number:.6g}" for number in (tally.share.value, tally.share.low, tally.share.high)]
            writer.writerow((*place, *counts, *share))
        return text.getvalue()

    def _rows(self) -> Iterator[tuple[tuple[object, ...], Tally]]:
        for title, tallies in self.conditions.items():
            for name, tally in zip(self.receivers, tallies, strict=True):
                yield ("condition", name, title, "", "", ""), tally
        for bracket in self.brackets:
            for value, tally in bracket.tried:
                yield ("limit", bracket.receiver, bracket.limit, bracket.unit, value, ""), tally
        for curve in self.curves:
            for value, tally in zip(curve.axis.values, curve.tallies, strict=True):
                yield ("curve", curve.receiver, curve.axis.name, curve.axis.unit, value, ""), tally
        for chart in self.maps:
            what = f"{chart.x.name} / {chart.y.name}"
            for up, row in zip(chart.y.values, chart.tallies, strict=True):
                for across, tally in zip(chart.x.values, row, strict=True):
                    yield ("map", chart.receiver, what, f"{chart.x.unit} / {chart.y.unit}", across, up), tally
        for classic in self.classics:
            yield ("battery", classic.receiver, "decode", "", "", ""), classic.decode
            for ratio, tally in classic.noise:
                yield ("battery", classic.receiver, "S/N", "dB", ratio, ""), tally
        for claim in self.claims:
            yield ("claim", claim.receiver, claim.verdict, "", claim.rate, ""), claim.tally


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value
