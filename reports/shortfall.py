"""What a run fell short of: cases that were not run, and why; cases that did not pass, alike ones told once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from offhook.bench.asked import selected
from offhook.bench.record.schema import Verdict
from offhook.reports.attempt import WHOLE, findings
from offhook.reports.folder import Case, Run
from offhook.reports.summary import title_of, variant_of, went_wrong

MOST_FAILURES = 60
"""Kinds of failure that are told in full; the rest is counted."""


def without(text: str, variant: str) -> str:
    """A text without what differs between variants of a case: the phone's name, and every number."""
    phone = re.search(r"[a-z]\w*-\d+", variant)
    text = text.replace(phone[0], "*") if phone else text
    return re.sub(r"\d+(?:\.\d+)?", "#", text)


def ranges(numbers: Iterable[int]) -> str:
    """``1–3, 7, 9–12``."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in spans)


def _numbered(cases: list[Case]) -> str:
    return f"attempt{'s' if len(cases) > 1 else ''} {ranges(case.id for case in cases)}"


def not_run(run: Run) -> list[dict[str, Any]]:
    """A row for each case and reason, with its attempts and requirements."""
    groups: dict[tuple[Verdict, str, str], list[Case]] = defaultdict(list)
    for case in run.counted:
        if case.outcome in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE) and not went_wrong(case):
            groups[case.outcome, title_of(case), without(_reason(case), variant_of(case))].append(case)
    return [
        {
            "verdict": verdict.value,
            "title": title,
            "reason": _reason(cases[0]) or "no reason was given",
            "attempts": _told_of(cases),
            "reqs": list(dict.fromkeys(req for case in cases for req in case.attempt.reqs)),
        }
        for (verdict, title, _), cases in groups.items()
    ]


def _told_of(cases: list[Case]) -> str:
    """Which attempts, and which of them is told."""
    return _numbered(cases) + (f", told of attempt {cases[0].id}" if len(cases) > 1 else "")


def _reason(case: Case) -> str:
    reasons = [item.reason for item in case.judgements if item.verdict is case.outcome]
    return case.attempt.message.partition("\n")[0] or "; ".join(dict.fromkeys(filter(None, reasons)))


def never_begun(run: Run) -> list[str]:
    """What was never planned or never begun."""
    said = []
    if part := selected(run.meta):
        said.append(f"Only a part of the suites was asked for: {part}.")
    planned = run.meta.get("planned")
    if isinstance(planned, dict):
        begun = Counter(suite for suite, _ in {(case.attempt.suite, case.attempt.nodeid) for case in run.cases})
        for suite, count in planned.items():
            if int(count) > begun[suite]:
                said.append(f"{int(count) - begun[suite]} of {count} planned attempts of {suite} were never begun.")
        said.append(f"Suites of this run: {', '.join(sorted(planned))}.")
    return said


def failures(run: Run) -> tuple[list[dict[str, Any]], str]:
    """What went wrong, told once for attempts that went wrong alike, and a line on what is left out."""
    alike: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
    for case in run.counted:
        if went_wrong(case):
            broke = case.attempt.raised is not Verdict.PASS
            why = without(_reason(case), variant_of(case)) if broke else ""
            bad = tuple((item.req, item.title) for item in case.judgements if _is_bad(item.verdict))
            alike[case.attempt.nodeid.partition("[")[0], case.outcome, bad, why].append(case)
    ranked = sorted(alike.values(), key=lambda cases: (cases[0].outcome is not Verdict.FAIL, cases[0].id))
    told = [_failure(run, cases) for cases in ranked[:MOST_FAILURES]]
    rest = sum(map(len, ranked[MOST_FAILURES:]))
    return told, f"{rest} more attempts did not pass: they are in the list of every attempt." if rest else ""


def _is_bad(verdict: Verdict) -> bool:
    return verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)


def _failure(run: Run, cases: list[Case]) -> dict[str, Any]:
    first = cases[0]
    found = []
    for (title, req), told in findings(run, first):
        listen = ", ".join(map(str, told.places))
        rows = [("expected", told.expected), ("heard", told.heard), ("evidence", listen), ("try", told.hint)]
        what = f"{told.step.name}: {title}" if told.step else title
        found.append({"req": "" if req == WHOLE else req, "title": what, "rows": [list(row) for row in rows if row[1]]})
    return {
        "verdict": Verdict.INCONCLUSIVE.value if first.outcome is Verdict.NOT_RUN else first.outcome.value,
        "title": title_of(first),
        "attempts": _told_of(cases),
        "found": found,
    }
