"""A run that goes on after it was stopped or killed: what was cut short stays, and the record says what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from offhook.bench.record import schema
from offhook.bench.record.reader import Evidence
from offhook.bench.record.schema import Attempt, Verdict
from offhook.bench.record.store import Store


def superseded(attempts: Iterable[Attempt], outcomes: Mapping[int, Verdict]) -> dict[int, int]:
    """Attempts that were cut short and made anew later, each with the one that stands in its place, by their ids.

    They are kept for what they saw and count for nothing. One that had failed before it was cut short is none of them:
    a failure is not made good by trying again.
    """
    listed = list(attempts)
    latest = {one.nodeid: one.id for one in sorted(listed, key=lambda one: one.id)}
    return {
        one.id: latest[one.nodeid]
        for one in listed
        if one.cut_short and one.id != latest[one.nodeid] and outcomes.get(one.id) is not Verdict.FAIL
    }


def interruptions(store: Store, evidence: Evidence, part: dict[str, Any]) -> list[dict[str, Any]]:
    """All interruptions of a run, the one it now goes on from last; ends the attempts that it cut short.

    ``part`` is what ``folder.set_aside`` says of the run so far. An attempt that was cut short will be made anew, in
    full; it is kept for what it saw.
    """
    meta, latest_s = evidence.meta(), evidence.latest_s()
    for one in evidence.attempts():
        if one.raised is None or one.cut_short:
            message = f"{schema.CUT_SHORT}killed" if one.raised is None else one.message
            store.execute(
                "UPDATE attempt SET ended_s = ifnull(ended_s, ?), raised = ?, required = 0, outcome = ?, "
                "message = ? WHERE id = ?",
                (max(latest_s, one.started_s), Verdict.NOT_RUN, Verdict.NOT_RUN, message, one.id),
            )
    part |= {
        "ended": "killed" if meta.get("ended") is None else meta["ended"],
        "attempts": len(evidence.attempts()),
        "clock_s": latest_s,
        "resumed_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return [*(meta.get("interruptions") or []), part]
