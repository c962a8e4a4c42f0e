"""The page of a campaign: one self-contained HTML file, tables and plots, read without a manual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import groupby

from offhook.bench.characterize import plots
from offhook.bench.characterize.findings import Findings
from offhook.bench.characterize.limits import Bracket, describe
from offhook.bench.characterize.sender import RULES, Row, Rule, overall, shortfalls
from offhook.bench.characterize.tally import Tally
from offhook.dsp.tones import KEYS

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; margin: .8rem 0 1.6rem } th, td { padding: .25rem .7rem; text-align: left;
border-bottom: 1px solid #ccc; font-variant-numeric: tabular-nums; vertical-align: top } th { background: #f2f2f2 }
.bad { font-weight: bold; color: #a01818 } .note { color: #555; font-size: 13px } svg { max-width: 100%; height: auto }
"""


def html(found: Findings) -> str:
    """A receiver campaign's page."""
    sections: list[tuple[str, Callable[[Findings], str], bool]] = [
        ("Conditions", _conditions, bool(found.conditions)),
        ("Limits", _limits, bool(found.brackets)),
        ("Curves", _curves, bool(found.curves)),
        ("Maps", _maps, bool(found.maps)),
        ("Classic battery", _classics, bool(found.classics)),
        ("Talk-off", _talkoffs, bool(found.talkoffs)),
        ("Claimed error rate", _claims, bool(found.claims)),
    ]
    body = "".join(f"<h2>{title}</h2>\n{write(found)}" for title, write, there in sections if there)
    lead = (
        f"<p>Receivers: {escape(', '.join(found.receivers))}. Campaign seed {found.seed}; at least {found.digits} "
        "digits at each value. Right: the digit that was sent, once. Intervals are exact (Clopper-Pearson), 95 %.</p>"
    )
    return document("DTMF receiver characterization", lead + body)


def document(title: str, body: str) -> str:
    """A whole page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n{body}</body></html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells that are HTML already are marked by a leading "<"."""

    def cell(text: str) -> str:
        return f"<td>{text if text.startswith('<') else escape(text)}</td>"

    top = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = "".join(f"<tr>{''.join(map(cell, row))}</tr>\n" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead>\n<tbody>{lines}</tbody></table>\n"


def _tally(tally: Tally) -> str:
    text = f"{escape(describe(tally))}{_confusions(tally)}"
    return f"<span>{text}</span>" if tally.accepted else f'<span class="bad">{text}</span>'


def _confusions(tally: Tally) -> str:
    named = [
        f"{pair[0]} as {pair[1]}: {n}" for pair, n in tally.confusion.items() if "-" not in pair and "+" not in pair
    ]
    return f'<br><span class="note">{escape("; ".join(named[:6]))}</span>' if named else ""


def _conditions(found: Findings) -> str:
    rows = [[title, *(_tally(tally) for tally in tallies)] for title, tallies in found.conditions.items()]
    return table(("condition", *found.receivers), rows) + _confusion_matrix(found)


def _confusion_matrix(found: Findings) -> str:
    """All conditions together: what was sent against what was heard, errors only."""
    parts = []
    for place, name in enumerate(found.receivers):
        total = sum((tallies[place] for tallies in found.conditions.values()), Tally())
        if total.confusion:
            heard = sorted({pair[1] for pair in total.confusion})
            sent = sorted({pair[0] for pair in total.confusion})
            rows = [[a, *(str(total.confusion.get(a + b, "")) for b in heard)] for a in sent]
            note = f"{escape(name)}: what became of wrong digits, all conditions, n = {total.sent}"
            key = "row: sent (+ nothing); column: heard (- nothing)"
            parts.append(f"<details><summary>{note}</summary>{key}{table(('', *heard), rows)}</details>\n")
    return "".join(parts)


def _limits(found: Findings) -> str:
    rows = []
    for name, group in groupby(found.brackets, key=lambda one: (one.limit, one.unit)):
        rows.append([f"{name[0]} ({name[1]})", *(_bracket(one) for one in group)])
    note = (
        '<p class="note">The last value at which at least 99 % of digits came right and at most 1 % extra ("ignored": '
        "at most 1 % gave any digit), and in brackets the next value, at which not.</p>"
    )
    return note + table(("limit", *found.receivers), rows)


def _bracket(one: Bracket) -> str:
    counts = "; ".join(filter(None, (describe(one.holds), describe(one.fails))))
    after = f" [{one.fails_at:g}]" if one.fails_at is not None and one.holds_at is not None else ""
    return f'<span>{escape(one.words() + after)}<br><span class="note">{escape(counts)}</span></span>'


def _curves(found: Findings) -> str:
    ordered = sorted(found.curves, key=lambda one: one.axis.name)
    return "".join(plots.curve(list(group)) for _, group in groupby(ordered, key=lambda one: one.axis.name))


def _maps(found: Findings) -> str:
    return "".join(plots.heat(chart) for chart in found.maps)


def _classics(found: Findings) -> str:
    def number(value: float | None, unit: str) -> str:
        return "none" if value is None else f"{round(value, 1) + 0.0:.1f} {unit}"

    lines: list[list[str]] = [["decode, all keys", *(_tally(one.decode) for one in found.classics)]]
    for place, (freq, _, _) in enumerate(found.classics[0].bands):
        bands = [one.bands[place] for one in found.classics]
        cells = [f"RRB {number(width, '%')}, RCFO {number(offset, '%')}" for _, width, offset in bands]
        lines.append([f"{freq:g} Hz", *cells])
    lines.append(["high over low", *(number(one.high_over_low_db, "dB") for one in found.classics)])
    lines.append(["low over high", *(number(one.low_over_high_db, "dB") for one in found.classics)])
    lines.append(["dynamic range", *(number(one.dynamic_range_db, "dB") for one in found.classics)])
    lines.append(["guard time", *(number(one.guard_ms, "ms") for one in found.classics)])
    for place, (ratio, _) in enumerate(found.classics[0].noise):
        lines.append([f"S/N {ratio} dB", *(_tally(one.noise[place][1]) for one in found.classics)])
    note = '<p class="note">RRB: recognition bandwidth, both ways together; RCFO: its centre\'s offset.</p>'
    return note + table(("Mitel CM7291 style", *found.receivers), lines)


def _talkoffs(found: Findings) -> str:
    rows = [
        [
            one.source,
            one.receiver,
            f"{one.hours:.2f}",
            str(one.hits),
            f"{one.per_hour.value:.3g} ({one.per_hour.low:.3g} to {one.per_hour.high:.3g})",
            " ".join(f"{key}:{count}" for key, count in one.by_key.items()),
        ]
        for one in found.talkoffs
    ]
    return table(("recordings", "receiver", "hours", "hits", "an hour (Poisson, 95 %)", "by key"), rows)


def _claims(found: Findings) -> str:
    rows = [
        [one.receiver, f"{one.rate:.3g}", one.verdict, str(one.tally.errors), f"{one.tally.sent:,}", f"{one.bound:.3g}"]
        for one in found.claims
    ]
    return table(("receiver", "at most", "verdict", "errors", "digits", "95 % upper bound"), rows)


def _sender_lead(rows: Sequence[Row]) -> str:
    verdict, short = overall(rows), shortfalls(rows)
    said = f"{len(short)} of {len(rows)} figures are not" if short else f"all {len(rows)} figures are"
    mark = ' class="bad"' if short else ""
    lead = f"<p{mark}>{verdict}: {said} within the limits at every press, with the uncertainty.</p>"
    if short:
        lead += f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in short)}</ul>"
    heard = {row.key: max(one.n for one in rows if one.key == row.key) for row in rows}
    lead += f"<p>Keys, and how often each was heard: {', '.join(f'{key} ({n})' for key, n in heard.items())}."
    missing = " ".join(key for key in KEYS if key not in heard)
    return lead + (f" Not in the recordings, so not judged: {missing}.</p>" if missing else "</p>")


def sender_html(rows: Sequence[Row], rules: Sequence[Rule] = RULES) -> str:
    """A sender's page: the verdict and what it rests on, then a plot and a table for each figure."""
    parts = [_sender_lead(rows)]
    for rule in rules:
        mine = [row for row in rows if row.figure == rule.name]
        if mine:
            cells = [
                [
                    row.key,
                    str(row.n),
                    f"{row.mean:.3f}",
                    f"{row.spread:.3f}",
                    f"{row.worst:.3f} ± {row.worst_u:.3f}",
                    row.verdict if row.verdict == "PASS" else f'<span class="bad">{row.verdict}</span>',
                ]
                for row in mine
            ]
            limits = ", ".join(
                f"{word} {limit:g} {rule.unit}"
                for word, limit in (("at least", rule.at_least), ("at most", rule.at_most))
                if limit is not None
            )
            plot = plots.keys(mine, rule.at_least, rule.at_most)
            head = ("key", "n", f"mean ({rule.unit})", "s.d.", "worst ± 95 %", "verdict")
            parts.append(f"<h2>{escape(rule.name)}: {escape(limits)}</h2>\n{plot}{table(head, cells)}")
    return document("DTMF sender characterization", "".join(parts))
