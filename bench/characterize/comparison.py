"""The documentation page that puts receivers side by side."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from itertools import groupby

from offhook.bench.characterize.findings import Findings
from offhook.bench.characterize.limits import Bracket
from offhook.bench.characterize.tally import Tally

DEBIAN = {"libspandsp": "libspandsp2", "multimon-ng": "multimon-ng"}


def versions(receivers: Sequence[str]) -> dict[str, str]:
    """What was under test: our version, or that of the Debian package."""
    found = {}
    for name in receivers:
        kind = name.partition(":")[0]
        if kind == "offhook":
            found[name] = version("offhook")
        elif kind in DEBIAN and shutil.which("dpkg-query"):
            told = subprocess.run(
                ["dpkg-query", "-W", "-f", "${Version}", DEBIAN[kind]], capture_output=True, text=True, check=False
            )
            found[name] = f"Debian {DEBIAN[kind]} {told.stdout}".strip()
    return found


def markdown(found: Findings) -> str:
    """The page. Numbers stand alone; the best of a row is not marked, the reader can see it."""
    named = [f"- {name}: {found.versions.get(name) or 'version unknown'}" for name in found.receivers]
    parts = [
        "# Receivers side by side",
        "",
        "Made by `make comparison`; every number is measured, with each receiver's default settings:",
        "",
        *named,
        "",
        f"All receivers hear the same samples (8 kHz, 16 bits; multimon-ng resampled to its 22,050 Hz), at least "
        f"{found.digits} digits at each value: all 16 keys, random phases and starts, 50 ms on and off unless said. "
        "A digit is right if it came once; digits are matched by sequence alignment. Intervals are exact, 95 %.",
        "",
        *_conditions(found),
        *_limits(found),
        *_classics(found),
        *_talkoffs(found),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]


def _percent(tally: Tally) -> str:
    share = tally.share
    extra = f", +{tally.extra} extra" if tally.extra else ""
    return f"{100 * share.value:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f}){extra}"


def _conditions(found: Findings) -> list[str]:
    if not found.conditions:
        return []
    sent = next(iter(found.conditions.values()))[0].sent
    rows = [[title, *map(_percent, tallies)] for title, tallies in found.conditions.items()]
    return [f"## Digits right, % (n = {sent} each)", "", *_table(["condition", *found.receivers], rows)]


def _limits(found: Findings) -> list[str]:
    if not found.brackets:
        return []
    rows = []
    for (limit, unit), group in groupby(found.brackets, key=lambda one: (one.limit, one.unit)):
        rows.append([f"{limit} ({unit})", *map(_bracket, group)])
    note = (
        'The last value at which at least 99 % of digits came right and at most 1 % came extra (of the "ignored" rows: '
        'at most 1 % gave any digit). The next value of the step, in brackets, failed. "Beyond": the end of the search.'
    )
    return ["## Limits", "", note, "", *_table(["limit", *found.receivers], rows)]


def _bracket(one: Bracket) -> str:
    return one.words() + (f" [{one.fails_at:g}]" if one.holds_at is not None and one.fails_at is not None else "")


def _classics(found: Findings) -> list[str]:
    if not found.classics:
        return []

    def number(value: float | None) -> str:
        return "none" if value is None else f"{round(value, 1) + 0.0:.1f}"

    rows = [["decode, all keys (% right)", *(_percent(one.decode) for one in found.classics)]]
    for place, (freq, _, _) in enumerate(found.classics[0].bands):
        bands = [one.bands[place] for one in found.classics]
        rows.append([f"{freq:g} Hz: bandwidth, centre offset (%)", *(f"{number(w)}, {number(o)}" for _, w, o in bands)])
    rows.append(["high over low, most (dB)", *(number(one.high_over_low_db) for one in found.classics)])
    rows.append(["low over high, most (dB)", *(number(one.low_over_high_db) for one in found.classics)])
    rows.append(["dynamic range (dB)", *(number(one.dynamic_range_db) for one in found.classics)])
    rows.append(["guard time (ms)", *(number(one.guard_ms) for one in found.classics)])
    for place, (ratio, _) in enumerate(found.classics[0].noise):
        rows.append([f"S/N {ratio} dB (% right)", *(_percent(one.noise[place][1]) for one in found.classics)])
    return ["## Mitel CM7291 style battery", "", *_table(["figure", *found.receivers], rows)]


def _talkoffs(found: Findings) -> list[str]:
    if not found.talkoffs:
        return []
    rows = []
    for (source, hours), group in groupby(found.talkoffs, key=lambda one: (one.source, one.hours)):
        cells = [
            f"{one.hits}: {one.per_hour.value:.3g} ({one.per_hour.low:.3g} to {one.per_hour.high:.3g})" for one in group
        ]
        rows.append([f"{source}, {hours:.2f} h", *cells])
    note = "False digits: number, and rate an hour with its exact Poisson interval (95 %)."
    return ["## Talk-off", "", note, "", *_table(["recordings", *found.receivers], rows)]
