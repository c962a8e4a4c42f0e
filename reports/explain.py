"""What a tired engineer needs, in this order: what was expected, what was heard, where to listen, what to try."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offhook.bench.record.schema import DATABASE, Judgement, Observation, Step
from offhook.bench.record.secrets import shown
from offhook.reports.folder import Case, Run
from offhook.reports.quantity import figure_of, limits
from offhook.reports.sound import where, wires_between
from offhook.reports.strips import named
from offhook.reports.trail import place_of

Spec = dict[str, Any]
NEVER = -1
"""Id of a step that was expected and did not happen."""
LONGEST_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the run folder, the offset in it, and the time on the common clock (None: the file as a whole)."""

    file: str
    offset_s: float | None = None
    time_s: float | None = None

    def __str__(self) -> str:
        return self.file if self.offset_s is None else f"{self.file}@{self.offset_s:.1f}"


@dataclass(frozen=True, slots=True)
class Told:
    """The four lines, the span they are about, and the step it happened in."""

    expected: str
    heard: str
    places: tuple[Place, ...]
    hint: str
    step: Step | None = None
    span: tuple[float, float] | None = None
    wire: str = ""

    def lines(self) -> list[str]:
        """As text; lines that have nothing to say are left out."""
        listen = "   ".join(map(str, self.places))
        pairs = [("expected", self.expected), ("heard", self.heard), ("listen", listen), ("try", self.hint)]
        return [f"{name:9} {value}" for name, value in pairs if value]


def explain(run: Run, case: Case, judgement: Judgement) -> Told:
    """The four lines of one judgement."""
    seen = {item.id: item for item in case.observations}
    span = _span(judgement, seen)
    wire = _wire(judgement, seen)
    says = _EXPECTED.get(judgement.kind, _as_titled)
    return Told(
        expected=says(judgement, seen),
        heard=_heard(judgement),
        places=_places(run, judgement, seen, wire, span),
        hint=_hint(case, judgement, wire),
        step=_step(case, judgement, span),
        span=span,
        wire=wire,
    )


def explain_raised(run: Run, case: Case) -> Told:
    """The four lines of an attempt that broke off: what its message says, and where it was when it did."""
    text = case.attempt.message.strip()
    fields = {name: found.group(1).strip() for name, pattern in _FIELDS.items() if (found := pattern.search(text))}
    at_s = case.last_s
    last = case.steps[-1] if case.steps else None
    name = _STEP.match(text)
    step = _missing(case, name.group(1), fields.get("expected", "it")) if name else last
    playing = wires_between(run, at_s - 2.0, at_s)
    places = [Place(*spot, at_s - 1.0) for wire in playing if (spot := where(run, wire, at_s - 1.0))]
    return Told(
        expected=fields.get("expected", ""),
        heard=fields.get("heard") or (text.splitlines()[0] if text else "no message"),
        places=tuple(places[:3]),
        hint=fields.get("try") or fields.get("hint", ""),
        step=step,
        span=(max(last.time_s if last else at_s, at_s - LONGEST_WAIT_S), at_s),
        wire=fields.get("wire", ""),
    )


def _heard(judgement: Judgement) -> str:
    """The reason, without what it says of the expectation, after the figure if that is a quantity."""
    reason = _PREFIX.sub("", judgement.reason, count=1)
    if judgement.kind not in ("interval", "figure") or judgement.figure is None:
        return reason
    return " ".join([figure_of(judgement), reason]).strip()


def _missing(case: Case, name: str, expected: str) -> Step:
    """A step that never came, where the attempt gave up waiting for it."""
    flow = case.steps[-1].flow if case.steps else ""
    return Step(NEVER, case.id, flow, name, f"never seen: {expected}", case.last_s, 0.0, None, None)


_PREFIX = re.compile(r"^expected .*?, (?:heard |was )")
_STEP = re.compile(r"(?:\w+: )?(S\d+): ")
_FIELDS = {
    "expected": re.compile(r"expected (.+?)(?:; heard|\n|$)"),
    "heard": re.compile(r"; heard (.+?)(?:; wire:|\n|$)"),
    "wire": re.compile(r"; wire: (.+?)(?:\n|$)"),
    "try": re.compile(r"\n\s*try: (.+)"),
    "hint": re.compile(r"\(try: (.+)\)"),
}


def _name(seen: dict[int, Observation], key: Any) -> str:
    item = seen.get(key)
    return f"observation {key}" if item is None else named(item)


def _interval(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    return f"{limits(judgement)} from {_name(seen, spec.get('from'))} to {_name(seen, spec.get('to'))}"


def _count(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    kind = spec.get("observed") or spec.get("kind") or "observation"
    about = " ".join(str(spec[key]) for key in ("subject", "wire", "probe") if spec.get(key))
    other = f", not {spec['not_subject']}" if spec.get("not_subject") else ""
    data = "".join(f", {key} {value}" for key, value in (spec.get("where") or {}).items())
    return f"{_times(spec)} {kind} {about}".rstrip() + other + data + _when(spec)


def _times(spec: Spec) -> str:
    low, high = spec.get("at_least"), spec.get("at_most")
    if low is not None and low == high:
        return f"{low:g} times" if low != 1 else "once"
    if high is not None and low in (None, 0):
        return "no" if high == 0 else f"at most {high:g} times"
    return f"at least {low:g} times" if high is None else f"{low:g} to {high:g} times"


def _equal(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    key = str(spec.get("key")).removeprefix("f_").removeprefix("d_")
    return f"{_name(seen, spec.get('observation'))}: {key} is {spec.get('expected')}"


def _digits(judgement: Judgement, seen: dict[int, Observation]) -> str:
    return (
        f"{judgement.spec.get('wire')} carries exactly {shown(judgement.spec.get('expected'))}{_when(judgement.spec)}"
    )


def _no_digits(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    wires = spec.get("wires", "*")
    names = "no wire" if wires == "*" else f"none of {', '.join(wires)}"
    kept = f" (but {', '.join(spec['except'])})" if spec.get("except") else ""
    return f"{names}{kept} carries {shown(spec.get('forbidden'))}{_when(spec)}"


def _tone(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    return f"{spec.get('expected')} tone on {spec.get('wire')}{_lasting(judgement)}{_when(spec)}"


def _voice(judgement: Judgement, seen: dict[int, Observation]) -> str:
    return f"voice on {judgement.spec.get('wire')}{_lasting(judgement)}{_when(judgement.spec)}"


def _lasting(judgement: Judgement) -> str:
    return "" if judgement.limit_low is None else f" for at least {judgement.limit_low:g} s"


def _search(judgement: Judgement, seen: dict[int, Observation]) -> str:
    return f"{shown(judgement.spec.get('forbidden'))} in no message and no log"


def _figure(judgement: Judgement, seen: dict[int, Observation]) -> str:
    return f"{judgement.title} {limits(judgement)}".strip()


def _as_titled(judgement: Judgement, seen: dict[int, Observation]) -> str:
    return judgement.title


_EXPECTED: dict[str, Callable[[Judgement, dict[int, Observation]], str]] = {
    "interval": _interval,
    "count": _count,
    "equal": _equal,
    "digits": _digits,
    "no_digits": _no_digits,
    "tone": _tone,
    "voice": _voice,
    "search": _search,
    "figure": _figure,
    "reading": _figure,
}


def _when(spec: Spec) -> str:
    from_s, to_s = spec.get("from_s"), spec.get("to_s")
    if from_s is None and to_s is None:
        return ""
    if to_s is None:
        return f", from {from_s:.2f} s on"
    return f", {from_s or 0.0:.2f} to {to_s:.2f} s"


def _span(judgement: Judgement, seen: dict[int, Observation]) -> tuple[float, float] | None:
    spec = judgement.spec
    if isinstance(spec.get("from_s"), int | float) and isinstance(spec.get("to_s"), int | float):
        return float(spec["from_s"]), float(spec["to_s"])
    keys = [*(spec.get(key) for key in ("from", "to", "observation")), *spec.get("of", ())]
    times = [seen[key].time_s for key in keys if key in seen]
    return (min(times), max(times)) if times else None


def _wire(judgement: Judgement, seen: dict[int, Observation]) -> str:
    spec = judgement.spec
    if spec.get("wire"):
        return str(spec["wire"])
    for key in ("to", "observation", "from"):
        if spec.get(key) in seen:
            return seen[spec[key]].wire
    return ""


def _places(
    run: Run, judgement: Judgement, seen: dict[int, Observation], wire: str, span: tuple[float, float] | None
) -> tuple[Place, ...]:
    starts = run.starts
    places = [_place(entry, starts) for entry in judgement.evidence]
    if not places:
        keys = dict.fromkeys(judgement.spec.get(key) for key in ("from", "to", "observation"))
        found = [place_of(run, seen[key]) for key in keys if key in seen]
        places = [Place(file, offset_s, _at(starts, file, offset_s)) for file, offset_s in found]
    if not places and span and wire:
        spot = where(run, wire, span[0]) or where(run, wire, sum(span) / 2)
        places = [Place(*spot, _at(starts, *spot))] if spot else []
    if not places:  # nothing to hear or to see: the rule itself, and what it searched
        row = "observations" if judgement.kind == "count" else f"judgement {judgement.id}"
        places = [Place(f"{DATABASE}:{row}")]
    return tuple(dict.fromkeys(places))


def _at(starts: dict[str, float], file: str, offset_s: float | None) -> float | None:
    return None if offset_s is None or file not in starts else starts[file] + offset_s


def _place(entry: str, starts: dict[str, float]) -> Place:
    file, mark, offset = entry.rpartition("@")
    if not mark:
        return Place(entry)
    try:
        offset_s = float(offset)
    except ValueError:
        return Place(entry)
    return Place(file, offset_s, _at(starts, file, offset_s))


def _step(case: Case, judgement: Judgement, span: tuple[float, float] | None) -> Step | None:
    ends = [judgement.spec.get(key) for key in ("to", "observation", "from")]
    for key in ends:
        for step in case.steps:
            if key is not None and key in (step.effect, step.cause):
                return step
    named = judgement.req.partition("-")[2].partition(".")[0]
    same = [step for step in case.steps if step.name == named]
    if same:
        return same[-1]
    before = [step for step in case.steps if span and step.time_s <= span[0]]
    return before[-1] if before else None


def _hint(case: Case, judgement: Judgement, wire: str) -> str:
    if judgement.spec.get("hint"):
        return str(judgement.spec["hint"])
    for text in (judgement.reason, case.attempt.message):
        found = _FIELDS["hint"].search(text) or _FIELDS["try"].search(text)
        if found:
            return found.group(1).strip()
    reason = judgement.reason
    if judgement.kind == "digits" and "twice" in reason:
        return "a bouncing key or a doubled sender: raise press_ms or settle_ms of the key's relay, look at both legs"
    if judgement.kind == "digits" and "missing" in reason:
        return f"is {wire} connected and recorded? compare the sender's leg with the far end's"
    if judgement.kind == "digits" and "instead of" in reason:
        return "are the keypad's row and column contacts wired as the station file says?"
    if judgement.kind == "interval" and judgement.limit_high is not None:
        return "look for the gap in the ladder: the step before it is where the time went"
    return ""
