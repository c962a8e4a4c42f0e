"""One attempt as the page shows it: what to read, what to see, what to hear."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

from offhook.bench.record.schema import DATABASE, Judgement, Observation, Step, Verdict
from offhook.reports.budget import Budget
from offhook.reports.closeup import closeup, closeups
from offhook.reports.explain import NEVER, Place, Told, explain, explain_raised
from offhook.reports.folder import Case, Run
from offhook.reports.ladder import draw_call, window
from offhook.reports.quantity import figure_of, limits, number
from offhook.reports.sound import wires_between
from offhook.reports.strips import named
from offhook.reports.summary import made_again, went_wrong

CLIP_PAD_S = 0.7
CLIP_LONGEST_S = 12.0
LEG_LONGEST_S = 120.0
WHOLE = "*"
PROBES = {
    "R": "relay",
    "C": "CTI",
    "K": "cloud's API",
    "T": "bench",
    "A-h": "handset audio",
    "A-i": "IVR audio",
    "A-l": "line audio",
    "G-r": "ring sensor",
    "G-h": "hook or loop sensor",
    "G-l": "lamp sensor",
}
"""Where something was seen, in words (requirements, section 2)."""
_FIELD = re.compile(r"\b[df]_(?=[a-z])")
"""What the record puts before the fields of a message, so that they differ from its own."""


@dataclass(frozen=True)
class PlaceView:
    """A link into the run folder."""

    href: str
    text: str


@dataclass(frozen=True)
class ToldView:
    """The four lines of one finding."""

    req: str
    title: str
    step: str
    expected: str
    heard: str
    hint: str
    wire: str
    places: list[PlaceView]
    audio: str
    closeup: Markup | str
    whole: bool
    """True if it is about the attempt as a whole, not about one judgement."""


@dataclass(frozen=True)
class StepView:
    """A row of the table of steps."""

    name: str
    title: str
    flow: str
    time: str
    since: str
    cause: str
    effect: str
    bad: bool


@dataclass(frozen=True)
class RowView:
    """A row of the table of judgements."""

    id: int
    verdict: Verdict
    req: str
    title: str
    reason: str
    figure: str
    limit: str
    n: str
    places: list[PlaceView]


@dataclass(frozen=True)
class CaseView:
    """An attempt; ``elsewhere`` if it is shown among the failures, ``left_out`` if its tables found no room."""

    id: int
    title: str
    nodeid: str
    outcome: Verdict
    message: str
    lasted: str
    elsewhere: bool
    told: list[ToldView]
    picture: Markup | str
    legs: list[dict[str, str]]
    closeups: list[dict[str, Markup | str]]
    steps: list[StepView]
    rows: list[RowView]
    left_out: bool


def showcase(run: Run) -> set[int]:
    """Attempts whose audio goes into the page: everything that went wrong, and one call of every flow.

    That is the first call of a test, unless the call of another test went through the same steps in the same order.
    """
    shown: set[int] = set()
    tests: set[str] = set()
    flows: set[tuple[str, ...]] = set()
    for case in run.counted:
        test = case.attempt.nodeid.partition("[")[0]
        bad = went_wrong(case)
        first = not bad and test not in tests and bool(wires_between(run, *window(run, case)))
        if first:
            tests.add(test)
            flow = tuple(step.name for step in case.steps)
            first = not flow or flow not in flows
            flows.add(flow)
        if bad or first:
            shown.add(case.id)
    return shown


def case_view(run: Run, case: Case, budget: Budget, *, in_full: bool) -> CaseView:
    """Everything about one attempt; ``in_full`` puts its audio and close-ups into the page."""
    bad = went_wrong(case)
    found = findings(run, case) if bad else []
    main = found[0][1] if found else None
    told = [_told_view(run, case, title, req, item, budget) for (title, req), item in found]
    legs = _legs(run, case, budget) if in_full else []
    detailed = budget.has_tables(case)
    return CaseView(
        id=case.id,
        title=(case.attempt.title or case.attempt.nodeid) + made_again(case),
        nodeid=case.attempt.nodeid,
        outcome=case.outcome,
        message=case.attempt.message,
        lasted=f"{case.last_s - case.attempt.started_s:.1f} s",
        elsewhere=bad,
        told=told,
        picture=_picture(run, case, main, budget),
        legs=legs,
        closeups=closeups(run, case) if in_full else [],
        steps=_steps(case, main.step if main else None) if detailed else [],
        rows=[_row(run, case, judgement) for judgement in case.judgements] if detailed else [],
        left_out=not detailed,
    )


def _picture(run: Run, case: Case, main: Told | None, budget: Budget) -> Markup:
    """The ladder, if there is anything on it and room for it."""
    if not case.steps and not wires_between(run, *window(run, case)):
        return Markup()
    return budget.picture(lambda: draw_call(run, case, main.step if main else None, main.span if main else None))


def findings(run: Run, case: Case) -> list[tuple[tuple[str, str], Told]]:
    """What is wrong with an attempt, worst first: what it raised, then every judgement that is not PASS."""
    found: list[tuple[tuple[str, str], Told]] = []
    if case.attempt.raised is None:
        ended = Told("the attempt to come to its end", "the run ended while it was running", (), "")
        found.append((("never finished", WHOLE), ended))
    elif case.attempt.raised in (Verdict.FAIL, Verdict.INCONCLUSIVE) and case.attempt.message:
        found.append((("the attempt broke off", WHOLE), explain_raised(run, case)))
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        for item in case.judgements:
            if item.verdict is verdict:
                found.append(((item.title, item.req), explain(run, case, item)))
    return found


def _told_view(run: Run, case: Case, title: str, req: str, told: Told, budget: Budget) -> ToldView:
    audio, picture = "", Markup()
    listen = _listen_to(run, told)
    if listen:
        wire, from_s, to_s = listen
        audio = budget.clip(run, wire, from_s, to_s)
        picture = budget.picture(lambda: closeup(run, wire, from_s, to_s))
    return ToldView(
        req="" if req == WHOLE else req,
        title=title,
        step=told.step.name if told.step else "",
        whole=req == WHOLE,
        expected=told.expected,
        heard=told.heard,
        hint=told.hint,
        wire=told.wire,
        places=[_place(place) for place in told.places],
        audio=audio,
        closeup=picture,
    )


def _listen_to(run: Run, told: Told) -> tuple[str, float, float] | None:
    """The wire and the seconds worth hearing: the finding's own span, or a few seconds around its place."""
    wires = {clip.file: clip.wire for clip in run.clips}
    for place in told.places:
        if place.time_s is None or place.file not in wires:
            continue
        from_s, to_s = place.time_s - CLIP_PAD_S, place.time_s + 3.0
        if told.span and told.span[0] - CLIP_PAD_S <= place.time_s <= told.span[1]:
            to_s = max(to_s, min(told.span[1] + CLIP_PAD_S, from_s + CLIP_LONGEST_S))
        return wires[place.file], from_s, to_s
    return None


def _legs(run: Run, case: Case, budget: Budget) -> list[dict[str, str]]:
    from_s, to_s = window(run, case)
    legs = []
    for wire in wires_between(run, from_s, to_s):
        clips = run.evidence.clips(wire, from_s, to_s)
        start_s = max(from_s, min(clip.start_s for clip in clips))
        end_s = min(to_s, max(clip.end_s for clip in clips), start_s + LEG_LONGEST_S)
        audio = budget.clip(run, wire, start_s, end_s)
        if audio:
            legs.append({"wire": wire, "audio": audio})
    return legs


def _steps(case: Case, bad: Step | None) -> list[StepView]:
    seen = {item.id: item for item in case.observations}
    many = len({step.flow for step in case.steps}) > 1
    rows, last_s = [], case.attempt.started_s
    for step in [*case.steps, bad] if bad is not None and bad.id == NEVER else case.steps:
        rows.append(
            StepView(
                name=step.name,
                title=step.title,
                flow=step.flow if many else "",
                time=f"{step.time_s:.3f} s ± {number(step.u_s)}" if step.u_s else f"{step.time_s:.3f} s",
                since=f"+{step.time_s - last_s:.3f} s",
                cause=_seen_by(seen.get(step.cause or -1)),
                effect=_seen_by(seen.get(step.effect or -1)),
                bad=bad is not None and step.id == bad.id,
            )
        )
        last_s = step.time_s
    return rows


def _seen_by(item: Observation | None) -> str:
    return "–" if item is None else f"{PROBES.get(item.probe, item.probe)}, {item.wire}: {named(item)}"


def _row(run: Run, case: Case, judgement: Judgement) -> RowView:
    told = explain(run, case, judgement)
    reason = _FIELD.sub("", judgement.reason)
    stored = run.stored.get(judgement.id)
    if stored is not None and stored is not judgement.verdict:
        reason = f"the run itself said {stored.value}; {reason}"
    return RowView(
        id=judgement.id,
        verdict=judgement.verdict,
        req=judgement.req,
        title=judgement.title,
        reason=reason,
        figure=figure_of(judgement),
        limit=limits(judgement),
        n="–" if judgement.n is None else str(judgement.n),
        places=[_place(place) for place in told.places],
    )


def _place(place: Place) -> PlaceView:
    name = place.file.partition(":")[0]
    mark = "" if place.offset_s is None else f"#t={place.offset_s:.1f}"
    return PlaceView(quote(name) + mark, str(place).removeprefix("audio/").removeprefix(f"{DATABASE}:"))
