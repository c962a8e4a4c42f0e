"""What a person wants to know in the morning: what failed, since when, what changed since it was last good.

It is read from the run folders as they lie side by side (``runs/``), those of the same station, oldest first. Verdicts
of the run itself are worked out anew, so that nobody is told what an altered file no longer proves; those of earlier
runs are what these came to. One line each::

    failed     S1 to S36 without a lock [desk-2]: 3 of 10, S33: expected the prompt in the ear ...
               since 2026-11-20_220000 (2 runs), last good 2026-11-19_220000
    changed    since 2026-11-19_220000: firmware 1 -> 2, station file (1 line: press_ms = 100)
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench.asked import selected
from offhook.bench.changed import changes
from offhook.bench.record import Attempt, RunResult, Verdict, open_run
from offhook.bench.record.guarded import guarded
from offhook.bench.record.interrupted import superseded
from offhook.bench.record.judge import OVER_ATTEMPTS, UNTESTED, judge_evidence
from offhook.bench.record.schema import DATABASE, Judgement
from offhook.bench.record.verdicts import worst
from offhook.drivers.errors import ConfigError

FILE = "summary.txt"
BAD = (Verdict.FAIL, Verdict.INCONCLUSIVE)
WORDS = {Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "open"}
NOTHING = "there is no run in it"
GOOD = "nothing failed, nothing was left out"
SHOWN = 20
"""So many lines of one label are shown; of the others, their number."""
TITLE, REASON = 70, 140
"""Letters of a test's title and of why it failed."""
LOOK_BACK = 200
"""So many earlier runs are looked at."""


@dataclass
class CaseOutcome:
    """All attempts of one test on one phone, whatever their repetition."""

    title: str
    outcomes: list[Verdict] = field(default_factory=list)
    reason: str = ""

    @property
    def tried(self) -> list[Verdict]:
        """Without what was not run or does not apply."""
        return [one for one in self.outcomes if one not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE)]

    @property
    def verdict(self) -> Verdict:
        """The worst of those tried; NOT_RUN if none was."""
        return worst(self.tried) if self.tried else Verdict.NOT_RUN

    @property
    def bad(self) -> int:
        """How many failed or were left open."""
        return sum(one in BAD for one in self.outcomes)


@dataclass(frozen=True)
class Night:
    """One run, as its folder tells it; ``result`` is None for an earlier one, whose verdicts are those it came to."""

    folder: Path
    meta: Mapping[str, Any]
    cases: Mapping[str, CaseOutcome]
    rates: Sequence[Judgement]
    result: RunResult | None = None

    @property
    def name(self) -> str:
        """As the folder is called."""
        return self.folder.name

    @property
    def exit_code(self) -> int:
        """As that of ``offhook run``, 3 for a run that was stopped from outside: nobody stopped who asks now."""
        if self.result is None:
            return 3
        code = 1 if self.result.verdict is Verdict.FAIL else self.result.exit_code
        return code if code in (0, 1, 2) else 3

    @property
    def not_done(self) -> int:
        """Planned attempts that were never begun, or cut short and not made again."""
        planned = self.meta.get("planned")
        total = sum(planned.values()) if isinstance(planned, dict) else 0
        return max(0, total - sum(len(case.outcomes) for case in self.cases.values()))


def read(folder: Path, result: RunResult | None = None) -> Night:
    """One run, judged anew if it was not just now. Raises ConfigError if the folder is no run that can be read."""
    if result is None:
        with open_run(folder) as evidence:
            result = judge_evidence(evidence)
    attempts = [(one.attempt, one.outcome) for one in result.counted]
    return _night(folder, result.meta, attempts, result, result)


def stored(folder: Path) -> Night:
    """An earlier run, verdicts as it came to them. Raises ConfigError if the folder is no run that can be read."""
    with open_run(folder) as evidence:
        outcomes = {one.id: one.outcome or Verdict.NOT_RUN for one in evidence.attempts()}
        again = superseded(evidence.attempts(), outcomes)
        attempts = [(one, outcomes[one.id]) for one in evidence.attempts() if one.id not in again]
        return _night(folder, evidence.meta(), attempts, evidence.judgements_over_all_or(BAD))


def _night(
    folder: Path,
    meta: Mapping[str, Any],
    attempts: Iterable[tuple[Attempt, Verdict]],
    judgements: Iterable[Judgement],
    result: RunResult | None = None,
) -> Night:
    reasons: dict[int, Judgement] = {}
    rates = []
    for one in judgements:
        if one.attempt is None and one.kind in OVER_ATTEMPTS and one.spec.get("claimed", True):
            rates.append(one)
        elif one.attempt is not None and one.verdict in BAD:
            known = reasons.get(one.attempt)
            if known is None or worst([known.verdict, one.verdict]) is not known.verdict:
                reasons[one.attempt] = one
    return Night(folder, meta, _cases(attempts, reasons), rates, result)


def _cases(attempts: Iterable[tuple[Attempt, Verdict]], reasons: Mapping[int, Judgement]) -> dict[str, CaseOutcome]:
    cases: dict[str, CaseOutcome] = {}
    for attempt, outcome in attempts:
        if attempt.cut_short and outcome is Verdict.NOT_RUN:
            continue
        case = cases.setdefault(_unnumbered(attempt.nodeid), CaseOutcome(_short(_unnumbered(attempt.title))))
        case.outcomes.append(outcome)
        if outcome in BAD and not case.reason:
            why = reasons.get(attempt.id)
            text = attempt.message if attempt.raised in BAD else f"{why.req} {why.title}: {why.reason}" if why else ""
            first = (text.splitlines() or [""])[0].removeprefix("StepFailed: ")
            case.reason = textwrap.shorten(re.sub(r" \(try: .*\)$", "", first), REASON, placeholder=" ...")
        elif outcome is Verdict.NOT_RUN and not case.reason:
            case.reason = attempt.message
    return cases


def _unnumbered(text: str) -> str:
    """A name without the number of its repetition."""
    return re.sub(r" ?\[\]", "", re.sub(r"(\[)#\d+-?|-#\d+", r"\1", text))


def _short(title: str) -> str:
    """A title short enough to share a line; the phone at its end stays."""
    text, bracket, rest = title.partition(" [")
    return textwrap.shorten(text, TITLE, placeholder=" ...") + bracket + rest


def before(night: Night) -> list[Night]:
    """Earlier runs of the same station in the same folder, the newest first. What cannot be read is passed over."""
    started, found = str(night.meta.get("started_utc", "")), []
    for folder in (path.parent for path in night.folder.resolve().parent.glob(f"*/{DATABASE}")):
        about = _meta(folder)
        same = about.get("station") == night.meta.get("station") and folder != night.folder.resolve()
        if same and (str(about.get("started_utc", "")), folder.name) < (started, night.name):
            found.append((str(about.get("started_utc", "")), folder))
    nights = []
    for _, folder in sorted(found, reverse=True)[:LOOK_BACK]:
        try:
            nights.append(stored(folder))
        except ConfigError:
            continue
    return nights


def _meta(folder: Path) -> dict[str, Any]:
    try:
        with open_run(folder) as evidence:
            return evidence.meta()
    except ConfigError:
        return {}


# ---- the lines -----------------------------------------------------------------------------------------------------


def lines(night: Night, earlier: Sequence[Night]) -> list[tuple[str, str]]:
    """Label and text of each line, the worst first; none if there is nothing to tell."""
    bad = [(key, case) for key, case in night.cases.items() if case.verdict in BAD]
    bad.sort(key=lambda pair: pair[1].verdict is not Verdict.FAIL)
    told: list[tuple[str, str]] = []
    since: dict[str, Night] = {}
    for key, case in bad:
        last_good, story = _since(night, key, earlier)
        if last_good is not None:
            since[last_good.name] = last_good
        count = f"{case.bad} of {len(case.tried)}, " if len(case.tried) > 1 else ""
        told.append((WORDS[case.verdict], f"{case.title}: {count}{case.reason}; {story}"))
    told = _shortened(told)
    for good in sorted(since.values(), key=lambda one: str(one.meta.get("started_utc")), reverse=True)[:3]:
        what = ", ".join(changes(good.meta, night.meta)) or "nothing that is on record"
        told.append(("changed", f"since {good.name}: {what}"))
    told += _shortened([("mended", text) for text in _mended(night, earlier)])
    return [*_doubts(night), *told, *_not_done(night), *_rates(night)]


def _doubts(night: Night) -> Iterator[tuple[str, str]]:
    """Why a run is not good, whatever its tests came to: files altered, no seal, nothing tested."""
    if night.result is None:
        return
    for damage in night.result.damages:
        yield "altered", damage
    if not night.result.sealed:
        yield "unsealed", night.result.doubts[-1]
    if not night.result.tested:
        yield "untested", UNTESTED


def _since(night: Night, key: str, earlier: Sequence[Night]) -> tuple[Night | None, str]:
    """The last run in which a case was good, and the story in words."""
    first_bad, runs = night, 1
    for one in earlier:
        case = one.cases.get(key)
        verdict = case.verdict if case else Verdict.NOT_RUN
        if verdict is Verdict.PASS:
            since = "new in this run" if runs == 1 else f"since {first_bad.name} ({runs} runs)"
            return one, f"{since}, last good {one.name}"
        if verdict in BAD:
            first_bad, runs = one, runs + 1
    if runs > 1:
        return None, f"since {first_bad.name} ({runs} runs), never good before"
    return None, "never run before" if earlier else "no earlier run to compare with"


def _mended(night: Night, earlier: Sequence[Night]) -> Iterator[str]:
    for key, case in night.cases.items():
        if case.verdict is not Verdict.PASS:
            continue
        last = next((one for one in earlier if key in one.cases and one.cases[key].tried), None)
        if last is not None and last.cases[key].verdict in BAD:
            yield f"{case.title}: passes again, was {last.cases[key].verdict} in {last.name}"


def _not_done(night: Night) -> Iterator[tuple[str, str]]:
    for phone, why in dict(night.meta.get("quarantine") or {}).items():
        tests = sum(case.outcomes.count(Verdict.NOT_RUN) for key, case in night.cases.items() if f"{phone}]" in key)
        yield "quarantine", f"{phone}, {tests} tests not run: {why}"
    if night.not_done:
        yield "not done", f"{night.not_done} of the planned tests"
    for part in night.meta.get("interruptions") or ():
        text = f"{part['ended']} at {part['last_written_utc']} after {part['attempts']} attempts, resumed at"
        yield "resumed", f"{text} {part['resumed_utc']}" + (f"; {part['guardian']}" if "guardian" in part else "")
    ended = night.meta.get("ended")
    if ended != "completed" and not (night.result is not None and night.result.live):
        yield "ended", str(ended or "killed: offhook run --resume goes on with it")
    if (account := guarded(night.folder)) is not None:
        yield "guardian", str(account)


def _rates(night: Night) -> Iterator[tuple[str, str]]:
    for one in night.rates:
        if one.verdict in BAD and one.kind != "percentile":
            yield "rate", f"{one.verdict}  {one.title}: {one.reason}"
    times = [one for one in night.rates if one.verdict in BAD and one.kind == "percentile"]
    failed = [one for one in times if one.verdict is Verdict.FAIL]
    for one in failed:
        yield "p95", f"{one.verdict}  {one.title}: {one.reason}"
    if len(times) > len(failed):
        yield "p95", f"{Verdict.INCONCLUSIVE}  {len(times) - len(failed)} times: too few samples for the claim"


def _shortened(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(told) - SHOWN
    return told if more <= 0 else [*told[:SHOWN], (told[SHOWN][0], f"and {more} more: see the report")]


# ---- as text -------------------------------------------------------------------------------------------------------


def summary(night: Night, earlier: Sequence[Night], now: datetime | None = None) -> str:
    """The whole summary of a run, as it is kept; with how long ago that was, as it is printed."""
    part = selected(night.meta)
    good = f"nothing failed and nothing was left out of what was asked for, {part}" if part else GOOD
    told = lines(night, earlier) or [("good", good)]
    counted = {verdict: sum(case.outcomes.count(verdict) for case in night.cases.values()) for verdict in Verdict}
    counts = "   ".join(f"{verdict} {counted[verdict]}" for verdict in (Verdict.PASS, *BAD[:2], Verdict.NOT_RUN))
    head = f"{night.meta.get('station')}, run of {when(night.meta, now)}, {len(earlier)} earlier runs beside it"
    text = [("run", f"{night.folder}: {head}"), ("tests", counts)]
    text += [("part", f"not all of the suites: {part}")] if part else []
    return "".join(f"{label:<10} {line}\n" for label, line in [*text, *told])


def when(meta: Mapping[str, Any], now: datetime | None) -> str:
    """``2026-11-28 22:00 UTC, 26 hours ago``; as it is on record if that is no time."""
    try:
        at = datetime.fromisoformat(str(meta.get("started_utc")))
    except ValueError:
        return str(meta.get("started_utc"))
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M} UTC{f', {_ago((now - at).total_seconds())}' if now is not None else ''}"


def _ago(seconds: float) -> str:
    if seconds < 0:
        return "which is yet to come by the clock of this machine"
    day, hour, minute = 86400, 3600, 60
    if seconds >= 2 * day:
        return f"{seconds / day:.0f} days ago"
    return f"{seconds / hour:.0f} hours ago" if seconds >= 2 * hour else f"{seconds / minute:.0f} minutes ago"
