"""What ``report.pdf`` says: the certificate and its annexes as plain data, for the template to set.

Everything in it is text or a number. Long runs stay readable: attempts of one case share a line, failures that are
alike are told once, and what is left out is said to be.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from offhook.bench.record.schema import MANIFEST, Verdict
from offhook.bench.record.verdicts import worst
from offhook.reports.deviations import alarm, deviation_rows
from offhook.reports.folder import Case, Run
from offhook.reports.front import facts
from offhook.reports.quantity import figure_of, limits
from offhook.reports.rates import rate_rows
from offhook.reports.shortfall import failures, never_begun, not_run, ranges
from offhook.reports.steps import legend
from offhook.reports.summary import RULE, Digest, made_again, title_of, variant_of
from offhook.reports.timing import timing
from offhook.reports.wording import (
    LEVELS,
    WORDS,
    document_title,
    file_rows,
    heading,
    requirement_rows,
    sealed,
    sentence,
    verdict_word,
)

MOST_FILES = 2000
_REPETITION = re.compile(r"^#\d+-?|-#\d+(?=-|$)")
_ILLEGAL = {code: "�" for code in range(32) if code not in (9, 10)}


def content(run: Run, digest: Digest) -> dict[str, Any]:
    """Everything the template sets."""
    shortfalls, left_out = failures(run)
    figures = timing(run, drawn=False)
    whole = {
        "title": document_title(run, digest),
        "run_id": run.name,
        "heading": heading(run),
        "bench_version": str(run.meta.get("bench_version") or ""),
        "date": _date(run),
        "words": {verdict.value: word for verdict, word in WORDS.items()},
        "verdict": digest.verdict.value,
        "verdict_word": verdict_word(digest),
        "level": digest.level,
        "level_means": LEVELS.get(digest.level, ""),
        "sentence": sentence(run, digest),
        "alarms": [*alarm(run.meta), *digest.remarks],
        "deviations": deviation_rows(run.meta),
        "facts": [_part(block) for block in facts(run, digest) if not block["wide"]],
        "rule": RULE,
        "closest": [
            {"req": item.req, "title": item.title, "figure": figure_of(item), "limit": limits(item)}
            for item, _ in digest.closest
        ],
        "counts": _counts(run),
        "digest": _digest(run),
        "integrity": _integrity(run),
        "rates": rate_rows(run),
        "lines": requirement_rows(digest),
        "not_run": not_run(run),
        "also_not": never_begun(run),
        "failures": shortfalls,
        "failures_left_out": left_out,
        "suites": _suites(run),
        "steps": [list(row) for row in legend(run)],
        "timing": [{key: str(value) for key, value in row.items()} for row in figures["rows"]] if figures else [],
        "attempts": [_attempt(case) for case in run.cases],
        "bench": [_part(block) for block in facts(run, digest) if block["wide"]] + _made_with(run),
        "evidence": _evidence(run),
        "files": file_rows(run)[:MOST_FILES],
    }
    return dict(_plain(whole))


def _part(block: dict[str, Any]) -> dict[str, Any]:
    return {"title": block["title"], "rows": [[str(name), str(value)] for name, value in block["rows"]]}


def started(run: Run) -> datetime | None:
    """When the run began; None if it does not say."""
    try:
        at = datetime.fromisoformat(str(run.meta.get("started_utc")))
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def _date(run: Run) -> dict[str, int] | None:
    at = started(run)
    if at is None:
        return None
    return {
        "year": at.year,
        "month": at.month,
        "day": at.day,
        "hour": at.hour,
        "minute": at.minute,
        "second": at.second,
    }


# ---- integrity ------------------------------------------------------------------------------------------------------


def _digest(run: Run) -> str:
    """SHA-256 of the manifest, which holds that of every other file: one number for the whole folder."""
    path = run.path / MANIFEST
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none: the run was never sealed"


def _integrity(run: Run) -> str:
    said = f"{sealed(run)} {len(run.integrity.hashes)} files were hashed again when this document was made."
    if not run.integrity.sealed:
        return said
    return (
        f"{said} The digest at the foot of each page is the SHA-256 of {MANIFEST}, which holds the SHA-256 of every "
        "file of the run folder; whoever has the folder can check it, work out every verdict again and make this "
        "document again (offhook report), byte for byte with the same installed versions. A verdict that rests on a "
        "file which is not what was sealed is INCONCLUSIVE."
    )


def _evidence(run: Run) -> str:
    names = {*run.integrity.hashes, *run.integrity.missing}
    text = f"{len(names)} files. {sealed(run)}"
    return text + f" The first {MOST_FILES} are listed; {MANIFEST} has all." if len(names) > MOST_FILES else text


# ---- cases and attempts ---------------------------------------------------------------------------------------------


def _attempt(case: Case) -> dict[str, Any]:
    passed = sum(item.verdict is Verdict.PASS for item in case.judgements)
    return {
        "id": str(case.id),
        "title": _soft(case.attempt.nodeid.rpartition("::")[2] or case.attempt.title) + made_again(case),
        "start": f"{case.attempt.started_s:.1f}",
        "judged": f"{passed}/{len(case.judgements)}",
        "verdict": case.outcome.value,
    }


def _suites(run: Run) -> list[dict[str, Any]]:
    suites: dict[str, dict[tuple[str, str], list[Case]]] = defaultdict(lambda: defaultdict(list))
    for case in run.counted:
        test = case.attempt.nodeid.partition("[")[0]
        suites[case.attempt.suite or "tests"][test, title_of(case)].append(case)
    return [
        {"name": name, "cases": [_case(title, cases) for (_, title), cases in suites[name].items()]}
        for name in sorted(suites)
    ]


def _counts(run: Run) -> dict[str, Any]:
    """Attempts by suite and outcome."""
    counted: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for case in run.counted:
        counted[case.attempt.suite or "tests"][case.outcome] += 1
    seen = [verdict for verdict in WORDS if any(row[verdict] for row in counted.values())]
    rows = [[name, *(str(counted[name][verdict]) for verdict in seen)] for name in sorted(counted)]
    return {"heads": ["suite", *(WORDS[verdict] for verdict in seen)], "rows": rows}


def _case(title: str, cases: list[Case]) -> dict[str, Any]:
    passed = sum(case.outcome is Verdict.PASS for case in cases)
    tried = sum(case.outcome not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE) for case in cases)
    variants = dict.fromkeys(_REPETITION.sub("", variant_of(case)) for case in cases)
    variants.pop("", None)
    named = ", ".join(list(variants)[:12]) + (f" and {len(variants) - 12} more" if len(variants) > 12 else "")
    return {
        "verdict": worst(case.outcome for case in cases).value,
        "title": title,
        "variants": named,
        "reqs": list(dict.fromkeys(req for case in cases for req in case.attempt.reqs)),
        "passed": f"{passed} / {tried}" if tried else "–",
        "attempts": ranges(case.id for case in cases),
    }


def _made_with(run: Run) -> list[dict[str, Any]]:
    versions = run.meta.get("versions")
    rows = [[str(name), str(value)] for name, value in versions.items()] if isinstance(versions, dict) else []
    rows += [[name, str(run.meta[name])] for name in ("machine", "command") if run.meta.get(name)]
    return [{"title": "Software and machine", "rows": rows}] if rows else []


# ---- text -----------------------------------------------------------------------------------------------------------


def _soft(name: str) -> str:
    """A name that may be broken after its underscores."""
    return name.replace("_", "_\u200b")


def _plain(value: Any) -> Any:
    """Texts without control characters, numbers and lists as they are."""
    if isinstance(value, str):
        return value.translate(_ILLEGAL)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
