"""The kinds of judgement: each is a rule over observations, logs and WAV files (docs/architecture.md, the run folder).

A rule gets a :class:`Case` and returns a :class:`Finding`. It raises :class:`NoEvidence` where what it needs is not
there, ValueError where its own spec is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offhook.bench.record.heard import Ear
from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import CTI_LOG, Attempt, Observation, Verdict
from offhook.bench.record.searching import holds, message
from offhook.bench.record.verdicts import combine, within

if TYPE_CHECKING:
    from offhook.bench.record.rates import Made


class NoEvidence(Exception):
    """What a judgement needs was not observed or not recorded."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule came to; ``files`` were read for it, ``evidence`` says where to look and listen."""

    verdict: Verdict
    reason: str = ""
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    u: float | None = None
    n: int | None = None
    files: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement to make: its spec, where the evidence is, and the attempt it belongs to."""

    spec: dict[str, Any]
    evidence: Evidence
    ear: Ear
    attempt: Attempt | None
    unit: str = ""
    made: Made | None = None
    """What the other judgements came to, for a rule over many attempts; None: as the run stored it."""

    @property
    def from_s(self) -> float:
        """Start of the window: ``from_s``, else the attempt's start."""
        start = self.attempt.started_s if self.attempt else -math.inf
        return float(self.spec.get("from_s", start))

    @property
    def to_s(self) -> float:
        """End of the window: ``to_s``, else the attempt's end."""
        ended = self.attempt.ended_s if self.attempt else None
        return float(self.spec.get("to_s", math.inf if ended is None else ended))

    def need(self, key: str) -> Any:
        """A value of the spec. Raises ValueError if it is not there."""
        if key not in self.spec:
            raise ValueError(f"the judgement's spec lacks {key!r}")
        return self.spec[key]

    def limit(self, key: str) -> float | None:
        """A limit of the spec, if it has it."""
        value = self.spec.get(key)
        return None if value is None else float(value)


Rule = Callable[[Case], Finding]


def interval(case: Case) -> Finding:
    """The time between two observations; one that never came fails its limit once that has passed."""
    low, high = case.limit("at_least"), case.limit("at_most")
    start, stop = (_observation(case, key) for key in ("from", "to"))
    if start is None:
        raise NoEvidence("the cause was never observed")
    if stop is None:
        return _never_came(case, start, low, high)
    _check_heard(case, start, stop)
    figure, u = stop.time_s - start.time_s, combine(start.u_s, stop.u_s)
    verdict = within(figure, u, low, high)
    reason = f"from {_name(start)} to {_name(stop)}"
    return Finding(verdict, reason, figure, low, high, u, 1)


def losses(evidence: Evidence, from_s: float, to_s: float) -> list[Observation]:
    """Audio lost within a span of time; ``until_s`` says how long a loss lasted, null: until it is ``back``."""
    found = evidence.observations_between("xrun", -math.inf, math.inf)
    inside = [lost for lost in found if lost.time_s <= to_s and _end_s(lost, found) >= from_s]
    return [lost for lost in inside if not lost.data.get("back")]


def _end_s(lost: Observation, found: list[Observation]) -> float:
    until_s = lost.data.get("until_s", lost.time_s)
    if until_s is not None:
        return float(until_s)
    back = [one for one in found if one.data.get("back") and one.subject == lost.subject and one.time_s >= lost.time_s]
    return min((float(one.data["until_s"]) for one in back), default=math.inf)


def _check_heard(case: Case, start: Observation, stop: Observation) -> None:
    """A time that was read off audio is worth nothing where audio was lost on the way."""
    heard = [seen for seen in (start, stop) if seen.kind == "digit"]
    lost = losses(case.evidence, min(start.time_s, stop.time_s), max(start.time_s, stop.time_s)) if heard else []
    wires = {"", *(seen.wire for seen in heard)}
    for one in lost:
        if one.wire in wires:
            what = one.data.get("what") or "overrun"
            raise NoEvidence(f"audio of {heard[0].wire} was lost at {one.time_s:.3f} s ({what})")


def _observation(case: Case, key: str) -> Observation | None:
    wanted = case.need(key)
    return None if wanted is None else case.evidence.observation(int(wanted))


def _never_came(case: Case, start: Observation, low: float | None, high: float | None) -> Finding:
    ended = case.attempt.ended_s if case.attempt else None
    waited_s = (case.evidence.latest_s() if ended is None else ended) - start.time_s
    reason = f"never seen in the {waited_s:.3f} s after {_name(start)}"
    if high is not None and waited_s - start.u_s > high:
        return Finding(Verdict.FAIL, reason, None, low, high, start.u_s, 0)
    raise NoEvidence(reason)


def _name(seen: Observation) -> str:
    name = seen.data.get("name")
    what = f"{seen.kind} {name}" if isinstance(name, str) else seen.kind
    return f"{what} {seen.subject} at {seen.time_s:.3f} s".replace("  ", " ")


def count(case: Case) -> Finding:
    """How many observations match; ``observed`` (or ``kind``) names their kind."""
    kind = str(case.spec.get("observed") or case.need("kind"))
    low, high = case.limit("at_least"), case.limit("at_most")
    where = dict(case.spec.get("where") or {})
    for key in where:
        if case.evidence.lacks(kind, key):
            raise ValueError(f"no observation of kind {kind!r} has {key!r}")
    inside = case.evidence.observations_between(kind, case.from_s, case.to_s)
    found = [seen for seen in inside if _matches(case.spec, where, seen)]
    verdict = within(len(found), 0.0, low, high)
    first = f"; first {_name(found[0])}" if found else ""
    return Finding(verdict, f"{len(found)} seen{first}", float(len(found)), low, high, 0.0, len(found))


def _matches(spec: dict[str, Any], where: dict[str, Any], seen: Observation) -> bool:
    for key in ("probe", "wire", "subject"):
        if spec.get(key) is not None and getattr(seen, key) != spec[key]:
            return False
    if spec.get("not_subject") is not None and seen.subject == spec["not_subject"]:
        return False
    return all(seen.data.get(key) == value for key, value in where.items())


def equal(case: Case) -> Finding:
    """A value that was observed is the one expected."""
    seen = _observation(case, "observation")
    key, expected = str(case.need("key")), case.need("expected")
    if seen is None:
        raise NoEvidence("it was never observed")
    if key not in seen.data and key != "subject":
        raise NoEvidence(f"{_name(seen)} has no {key!r}")
    actual = seen.data.get(key, seen.subject)
    if actual == expected:
        return Finding(Verdict.PASS, f"{key} is {expected!r}", n=1)
    return Finding(Verdict.FAIL, f"expected {key} {expected!r}, was {actual!r} ({_name(seen)})", n=1)


def search(case: Case) -> Finding:
    """No observation and no CTI message holds a text. The whole run is searched, unless ``from_s`` says since when.

    ``apart_from`` are texts that hold it by chance (a context id with four of its digits) and are passed over.
    """
    forbidden = case.need("forbidden")
    texts = [forbidden] if isinstance(forbidden, str) else [str(text) for text in forbidden]
    if not texts or not all(texts):
        raise ValueError("search needs a text that is not empty")
    apart = [str(text) for text in case.spec.get("apart_from", ())]
    from_s, to_s = (float(case.spec.get(key, end)) for key, end in (("from_s", -math.inf), ("to_s", math.inf)))
    searched, seen = case.evidence.observations_with(texts, case.spec.get("kinds"), from_s, to_s)
    hits = [_name(one) for one in seen if holds([one.subject, one.wire, one.data], texts, apart)]
    messages, lines = case.evidence.log_lines_with(CTI_LOG, texts, from_s, to_s)
    logged = [number for number, line in lines if holds([message(line)], texts, apart)]
    places = hits + [f"{CTI_LOG}:{n}" for n in logged]
    found, total = float(len(places)), searched + messages
    reason = f"found in {places[0]}" if places else f"{searched} observations and {messages} CTI messages searched"
    verdict = Verdict.FAIL if places else Verdict.PASS
    return Finding(verdict, reason, found, None, 0.0, 0.0, total, (CTI_LOG,), tuple(places[:10]))


def figure(case: Case) -> Finding:
    """A measured value with its uncertainty."""
    value, u = float(case.need("value")), float(case.spec.get("u", 0.0))
    low, high = case.limit("at_least"), case.limit("at_most")
    verdict = within(value, u, low, high)
    return Finding(verdict, _against(value, u, low, high, case.unit), value, low, high, u, int(case.spec.get("n", 1)))


T95 = {2: 12.7, 3: 4.31, 4: 3.19, 5: 2.78, 6: 2.58, 7: 2.45, 8: 2.37, 9: 2.31, 10: 2.27}
"""Student's t for 95 %, by the number of readings; rounded up."""


def reading(case: Case) -> Finding:
    """The mean of readings of an instrument, as observed; ``size``: of their sizes.

    Its uncertainty is the instrument's (they all share it) and that of the mean of so many, by their spread.
    """
    found = [case.evidence.observation(int(each)) for each in case.need("of")]
    seen = [each for each in found if each is not None]
    if not seen or len(seen) < len(found):
        raise NoEvidence("a reading is missing")
    for each in seen:
        if each.kind != "reading" or each.data.get("unit") != case.unit:
            raise ValueError(f"observation {each.id} ({each.kind}) is no reading in {case.unit}")
    values = [float(each.data["value"]) for each in seen]
    values = [abs(value) for value in values] if case.spec.get("size") else values
    mean = math.fsum(values) / len(values)
    u = max(float(each.data["u"]) for each in seen)
    if len(values) > 1:
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
        u = combine(u, T95.get(len(values), T95[10]) * deviation / math.sqrt(len(values)))
    low, high = case.limit("at_least"), case.limit("at_most")
    first = seen[0]
    by = f"read by {first.wire} on its range of {first.data.get('range'):g}; " if first.data.get("range") else ""
    verdict, text = within(mean, u, low, high), _against(mean, u, low, high, case.unit)
    return Finding(verdict, f"{by}{text}", mean, low, high, u, len(values))


def _against(value: float, u: float, low: float | None, high: float | None, unit: str) -> str:
    """``3 s +- 0.1 s, limit at most 2 s``."""
    limits = [f"{word} {limit:g}" for word, limit in (("at least", low), ("at most", high)) if limit is not None]
    spread = f" +- {u:.2g}" if u else ""
    return f"{value:.6g}{spread}{f' {unit}' if unit else ''}, limit {' and '.join(limits)}{f' {unit}' if unit else ''}"


def note(case: Case) -> Finding:
    """A verdict that was given, not measured. PASS and FAIL need evidence and are refused."""
    verdict = Verdict(case.need("verdict"))
    if verdict in (Verdict.PASS, Verdict.FAIL):
        raise ValueError("a note is NOT_RUN, NOT_APPLICABLE or INCONCLUSIVE; PASS and FAIL need evidence")
    return Finding(verdict, str(case.need("reason")))
