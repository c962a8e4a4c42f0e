"""What a station could not show: one line for each reason, however many cases, requirements and phones it holds for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from offhook.bench.record import RunResult, Verdict

MOST = 4
"""Requirements or phones that are named; the rest is counted."""


@dataclass
class _Reason:
    text: str
    reqs: dict[str, None] = field(default_factory=dict)
    cases: dict[str, None] = field(default_factory=dict)
    phones: dict[str, None] = field(default_factory=dict)


def lines(result: RunResult) -> Iterator[str]:
    """``ASSOC-N10, LOCK-N01  7 cases: desk-1 is an analog set (desk-3 likewise)``; every case is in the reports."""
    names = sorted(_phones(result.meta), key=len, reverse=True)
    reasons: dict[str, _Reason] = {}
    for one in result.counted:
        for note in one.judgements:
            if note.kind != "note" or note.verdict is not Verdict.NOT_APPLICABLE:
                continue
            phone = next((name for name in names if name in note.reason), "")
            alike = note.reason.replace(phone, "*") if phone else note.reason
            found = reasons.setdefault(alike, _Reason(note.reason))
            found.reqs[note.req] = found.cases[one.attempt.nodeid] = None
            found.phones |= {phone: None} if phone else {}
    for found in reasons.values():
        count = f"{len(found.cases)} case{'s' if len(found.cases) > 1 else ''}"
        others = f" ({_some(list(found.phones)[1:])} likewise)" if len(found.phones) > 1 else ""
        yield f"{_some(found.reqs)}  {count}: {found.text}{others}"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:MOST])
    return shown if len(listed) <= MOST else f"{shown} and {len(listed) - MOST} more"


def _phones(meta: dict[str, Any]) -> list[str]:
    """The phones of the station file that the run keeps."""
    try:
        phones = tomllib.loads(str(meta.get("station_toml") or "")).get("phone")
    except tomllib.TOMLDecodeError:
        return []
    return list(phones) if isinstance(phones, dict) else []
