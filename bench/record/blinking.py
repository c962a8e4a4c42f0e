"""The kinds of judgement on what goes on and off: the colour and cadence of a lamp, the cadence of a bell.

Both are rules over the edges that a sensor saw, each with its time and its uncertainty.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from offhook.bench.record.kinds import Case, Finding, NoEvidence
from offhook.bench.record.schema import Observation, Verdict
from offhook.bench.record.verdicts import combine, within, worst

MIXED = {"amber": {"red", "green"}, "white": {"red", "green", "blue"}}
"""Colours that several sensors see together."""
LAMP_SHARE, LAMP_LEAST_S = 0.25, 0.02
"""How far a time lit or dark may be off: that share of it, and at least so much. An eye does not tell it apart."""
LAMP_PERIODS, LAMP_WINDOW = 2, 3
"""Whole times lit and dark that are needed, and the periods of a window in which there are as many."""
BELL_SHARE, BELL_LEAST_S = 0.1, 0.02
BELL_WINDOW = 2
HOLD_S = 0.15
"""Breaks shorter than this are inside a burst: a detector may follow the ringing voltage itself (16 to 68 Hz)."""
WAVE_U_S = 0.03
"""What is then not known of a burst's end: half a wave of 16 Hz."""


class Span(NamedTuple):
    """A time on or off; ``whole`` if it lies between two edges, and not at an end of the window."""

    on: bool
    start_s: float
    end_s: float
    u_s: float
    whole: bool

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.start_s


class Off(NamedTuple):
    """How far a span is from what it should be."""

    verdict: Verdict
    by_s: float
    limit_s: float
    u_s: float


def lamp(case: Case) -> Finding:
    """A lamp shows a colour ("": dark) all through the window: steadily, or lit and dark for ``on_s`` and ``off_s``."""
    colour = str(case.need("colour"))
    on_s, off_s = (case.limit(key) or 0.0 for key in ("on_s", "off_s"))
    shown = _sensors(case, str(case.need("subject")))
    lit = _parts(colour, shown)
    blinks = on_s > 0
    wanted = f"{colour}, {on_s:g} s lit and {off_s:g} s dark" if blinks else colour or "dark"
    seen = " and ".join(filter(None, (_shown(name, spans) for name, spans in shown.items()))) or "nothing"
    reason, expected = f"it shows {seen}", f"expected {wanted}, it shows {seen}"
    wrong_s = sum(
        sum(span.length_s for span in spans if span.on != (name in lit))
        for name, spans in shown.items()
        if not (blinks and name in lit)
    )
    if wrong_s > 0:
        return Finding(Verdict.FAIL, expected, wrong_s, None, 0.0, 0.0, len(shown))
    if not blinks:
        return Finding(Verdict.PASS, reason, 0.0, None, 0.0, 0.0, len(shown))
    spans = [span for name in lit for span in shown[name]]
    whole = [span for span in spans if span.whole]
    enough = all(sum(span.on is on for span in whole) >= LAMP_PERIODS * len(lit) for on in (True, False))
    if not enough and case.to_s - case.from_s < LAMP_WINDOW * (on_s + off_s):
        raise NoEvidence(f"{case.to_s - case.from_s:.2f} s are too short for {wanted}")
    offs = [_off(span, on_s if span.on else off_s, LAMP_SHARE, LAMP_LEAST_S) for span in spans]
    return _timed(offs, enough, len(whole), reason, expected)


def cadence(case: Case) -> Finding:
    """Bursts (of a bell) and the pauses between them are those of ``pattern``: seconds on and off, in turn."""
    pattern = [float(seconds) for seconds in case.need("pattern")]
    if len(pattern) < 2 or len(pattern) % 2:
        raise ValueError("a pattern is seconds on and off, in turn")
    subject = str(case.need("subject"))
    edges = _of(case.evidence.observations_between(str(case.need("observed")), case.from_s, case.to_s), subject)
    spans = _bursts(_spans(False, edges, case.from_s, case.to_s))
    wanted = _listed(pattern)
    if not spans:
        return Finding(Verdict.FAIL, f"expected {wanted}, nothing rings", n=0)
    reason = f"it rings {_listed([round(span.length_s, 3) for span in spans if span.whole][: len(pattern) + 2])}"
    if spans[-1].length_s > (1 + BELL_SHARE) * max(pattern):
        reason += f", then {'a ring' if spans[-1].on else 'silence'} for {spans[-1].length_s:.2f} s"
    whole = [span for span in spans if span.whole]
    enough = len(whole) > len(pattern)
    if not enough and case.to_s - spans[0].start_s < BELL_WINDOW * sum(pattern):
        raise NoEvidence(f"{case.to_s - spans[0].start_s:.2f} s since the first ring are too short for {wanted}")
    turns = [pattern[start:] + pattern[:start] for start in range(0, len(pattern), 2)]
    offs = min(
        ([_off(*pair, BELL_SHARE, BELL_LEAST_S) for pair in zip(spans, itertools.cycle(turn))] for turn in turns),
        key=lambda offs: max(off.by_s / off.limit_s for off in offs),
    )
    return _timed(offs, enough, len(whole), reason, f"expected {wanted}, {reason}")


def _timed(offs: Sequence[Off], enough: bool, n: int, reason: str, expected: str) -> Finding:
    """All times are near enough, and there are enough of them."""
    most = max(offs, key=lambda off: off.by_s / off.limit_s)
    verdict = worst(off.verdict for off in offs) if enough else Verdict.FAIL
    words = reason if verdict is Verdict.PASS else expected
    return Finding(verdict, words, most.by_s, None, most.limit_s, most.u_s, n)


def _off(span: Span, wanted_s: float, share: float, least_s: float) -> Off:
    """A span at an end of the window is cut short: only too long can it be."""
    limit_s = max(share * wanted_s, least_s)
    by_s = abs(span.length_s - wanted_s) if span.whole else max(0.0, span.length_s - wanted_s)
    return Off(within(by_s, span.u_s, None, limit_s), by_s, limit_s, span.u_s)


# ---- edges ----------------------------------------------------------------------------------------------------------


def _sensors(case: Case, subject: str) -> dict[str, list[Span]]:
    """What each light sensor of a lamp saw in the window, by its colour."""
    before = case.evidence.levels_at("lamp", subject, case.from_s)
    if not before:
        raise NoEvidence(f"no light sensor of {subject} was looked at before {case.from_s:.3f} s")
    edges = _of(case.evidence.observations_between("lamp", case.from_s, case.to_s), subject)
    return {
        str(level.data.get("colour")): _spans(
            bool(level.data["active"]), [edge for edge in edges if edge.wire == level.wire], case.from_s, case.to_s
        )
        for level in before
    }


def _of(seen: Iterable[Observation], subject: str) -> list[Observation]:
    return [each for each in seen if each.subject == subject]


def _parts(colour: str, sensors: Mapping[str, object]) -> set[str]:
    """The sensors that see a colour."""
    if colour in ("", *sensors):
        return {colour} & set(sensors)
    if colour in MIXED and set(sensors) >= MIXED[colour]:
        return MIXED[colour]
    raise NoEvidence(f"no sensor sees {colour}: there are {', '.join(sensors)}")


def _spans(level: bool, edges: Iterable[Observation], from_s: float, to_s: float) -> list[Span]:
    """From one edge to the next, the whole window through; ``level`` is the one before it."""
    spans: list[Span] = []
    start_s, u_s, inside = from_s, 0.0, False
    for edge in edges:
        if bool(edge.data["active"]) != level:
            spans.append(Span(level, start_s, edge.time_s, combine(u_s, edge.u_s), inside))
            level, start_s, u_s, inside = not level, edge.time_s, edge.u_s, True
    return [*spans, Span(level, start_s, to_s, u_s, False)]


def _bursts(spans: Sequence[Span]) -> list[Span]:
    """The bursts and pauses from the first burst on, waves of a ringing voltage taken together."""
    found: list[Span] = []
    follows_waves = False
    for span in itertools.dropwhile(lambda span: not span.on, spans):
        if found and found[-1].on and span.whole and not span.on and span.length_s < HOLD_S:
            follows_waves = True
            continue
        start_s = found.pop().start_s if found and found[-1].on and span.on else span.start_s
        found.append(span._replace(start_s=start_s))
    return [span._replace(u_s=combine(span.u_s, WAVE_U_S)) for span in found] if follows_waves else found


def _shown(name: str, spans: Sequence[Span]) -> str:
    """``red``, ``red 0.25 s lit and 0.25 s dark``, or "" for a dark one."""
    if not any(span.on for span in spans):
        return ""
    if len(spans) < 4:
        lit_s = sum(span.length_s for span in spans if span.on)
        return name if len(spans) == 1 else f"{name} for {lit_s:.2f} s of {spans[-1].end_s - spans[0].start_s:.2f} s"
    on_s, off_s = (
        statistics.median(span.length_s for span in spans if span.on is on and span.whole) for on in (True, False)
    )
    last = spans[-1]
    stopped = last.length_s > 1.5 * max(on_s, off_s)
    end = f", then {'lit' if last.on else 'dark'} for {last.length_s:.2f} s" if stopped else ""
    return f"{name}, {on_s:.2f} s lit and {off_s:.2f} s dark{end}"


def _listed(seconds: Sequence[float]) -> str:
    """``2 s, pause 4 s``."""
    parts = (f"{length:g} s" if place % 2 == 0 else f"pause {length:g} s" for place, length in enumerate(seconds))
    return ", ".join(parts) or "without a pause"
