"""Judgements that look back over a whole association: control, calling number, secrecy of the local code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows.association import Association
from offhook.bench.flows.steps import StepFailed
from offhook.bench.record.searching import said
from offhook.bench.watch import Seen

SEARCHED = ("cti", "cti-event", "cloud-step", "state", "request", "completion")


def judge_control(flow: Association, before: Seen | None, rang: Seen | None) -> None:
    """S10.2: refused before the association, a real ring after it."""
    station = flow.station
    refused = station.watch.first("control-refused")
    since_s = refused.time_s if refused else 0.0
    before_s = flow.steps["S1"].time_s
    spec: dict[str, Any] = {"observed": "control-refused", "from_s": since_s, "to_s": before_s, "at_least": 1}
    flow.judge("ASSOC-S10.2", "control refused before the association", "count", **spec)
    spec = {"observed": "ring", "from_s": since_s, "to_s": before_s, "where": {"active": True}, "at_most": 0}
    spec |= {} if flow.alone else {"subject": flow.phone.name}
    flow.judge("ASSOC-S10.2", "rings by that refused action", "count", **spec)
    done_s = flow.steps["S10"].time_s
    spec = {
        "observed": "ring",
        "subject": flow.phone.name,
        "from_s": done_s,
        "to_s": station.clock.now_s(),
        "where": {"active": True},
    }
    flow.judge("ASSOC-S10.2", "the account makes the phone ring after it", "count", **spec, at_least=1)
    if before is not None or rang is None:
        raise AssertionError("control must be refused before the association and work after it")


def judge_ddi(flow: Association) -> None:
    """S32, S10: the calling number that the service bound is the phone's own."""
    bound = flow.steps["S32"]
    spec: dict[str, Any] = {"observation": bound.id, "key": "d_ddi", "expected": flow.phone.model.ddi}
    flow.judge("ASSOC-S32.1", "calling number", "equal", **spec)
    phones = flow.account.api.phones(flow.account.name)
    ddi = ", ".join(phone.ddi for phone in phones if phone.extension == flow.phone.extension)
    seen = flow.station.watch.note("K", "cloud", "bound", flow.account.name, flow.station.clock.now_s(), 0.05, ddi=ddi)
    spec = {"observation": seen.id, "key": "ddi", "expected": flow.phone.model.ddi}
    flow.judge("ASSOC-S10.3", "number bound to the account", "equal", **spec)


def judge_local_code_stayed(flow: Association) -> None:
    """LOCK-CODE.2: the local code is on no other wire than the handset, in no CTI message, in no row of the cloud."""
    station, code = flow.station, flow.phone.local_code
    if code in station.codes_drawn:
        station.not_run("LOCK-CODE.2", "the service drew an association code that is the local code, by chance")
        return
    if code in _numbers(station):
        station.not_run("LOCK-CODE.2", _ALSO_A_NUMBER.format(flow.phone.name))
        return
    from_s, to_s = flow.steps["lift"].time_s, station.clock.now_s()
    apart = sorted(context for context in station.context_ids if code in context)
    spec: dict[str, Any] = {
        "apart_from": apart,
        "wires": "*",
        "except": [flow.phone.name],
        "from_s": from_s,
        "to_s": to_s,
        "forbidden": code,
    }
    flow.judge("LOCK-CODE.2", "local code on any other wire", "no_digits", **spec)
    spec = {"forbidden": code, "kinds": list(SEARCHED), "apart_from": apart}
    spec |= {"from_s": flow.steps["S1"].time_s, "to_s": station.clock.now_s()}
    flow.judge("LOCK-CODE.2", "local code in CTI and cloud traffic", "search", **spec)
    rows = sum(occurrences(table, code) for table in station.cloud.dump().values())
    spec = {"value": float(rows), "at_most": 0.0, "u": 0.0, "n": 1}
    flow.judge("LOCK-CODE.2", "rows of the cloud's database that hold the local code", "figure", unit="rows", **spec)


_ALSO_A_NUMBER = "the local code of {} is also a number of this station, and rightly on every wire: give it another one"


def _numbers(station: Station) -> set[str]:
    """What is dialled and told on every wire without being a secret."""
    phones = station.model.phone.values()
    return {phone.extension for phone in phones} | {phone.ddi for phone in phones if phone.ddi}


def judge_no_secret(station: Station) -> None:
    """ASSOC-SEC.1: no account's password and no phone's local code is in a row of the service or in CTI traffic.

    Passwords are masked before anything is written to the run folder; they are looked for in what the service keeps.
    """
    codes = {name: phone.local_code for name, phone in station.phones.items() if phone.model.local_code}
    for name in [name for name, code in codes.items() if code in _numbers(station)]:
        del codes[name]
        station.not_run("ASSOC-SEC.1", _ALSO_A_NUMBER.format(name))
    secrets = {f"password of {name}": secret for name, secret in station.model.accounts.items()}
    secrets |= {f"local code of {name}": code for name, code in codes.items()}
    tables = station.cloud.dump()
    for title, secret in secrets.items():
        rows = sum(occurrences(table, secret) for table in tables.values())
        spec: dict[str, Any] = {"value": float(rows), "at_most": 0.0, "u": 0.0, "n": 1}
        station.record.judge("ASSOC-SEC.1", f"rows of the service that hold the {title}", "figure", unit="rows", **spec)
    for name, code in codes.items():
        apart = sorted(context for context in station.context_ids if code in context)
        spec = {"forbidden": code, "kinds": list(SEARCHED), "apart_from": apart}
        station.record.judge("ASSOC-SEC.1", f"local code of {name} in CTI and cloud traffic", "search", **spec)


def judge_phones(flow: Association, req: str, title: str, expected: int) -> None:
    """How many phones the account controls now, asked of the service."""
    seen = flow.account.note_phones()
    flow.judge(req, title, "equal", observation=seen.id, key="count", expected=expected)


@contextmanager
def judged_anyway(station: Station, account: Account, reqs: Sequence[str], title: str) -> Iterator[None]:
    """One phone is the account's after what is done here; judged as well where a step of it never came."""
    try:
        yield
    except StepFailed:
        _one_phone(station, account, reqs, title)
        raise
    _one_phone(station, account, reqs, title)


def _one_phone(station: Station, account: Account, reqs: Sequence[str], title: str) -> None:
    seen = account.note_phones()
    for req in reqs:
        station.record.judge(req, title, "equal", observation=seen.id, key="count", expected=1)


COUNTED = ("seq", "call_id", "monitor_id")
"""Fields with a number that a table or a PBX gives in turn: it comes past every code in time."""
_CALL = re.compile(r"\bcall=\S+")
"""The number of a call in words of an audit trail."""


def occurrences(rows: list[dict[str, Any]], code: str) -> int:
    """Rows with a field that holds the code as a word of its own (not as part of a longer number, a time or a hash).

    A message that delivers an association code which is the same by chance (one of 10,000 is) is no such row.
    """
    pattern = re.compile(rf"(?<![\w.]){re.escape(code)}(?!\w|\.\d)")
    others = [row for row in rows if not (row.get("kind") == "code" and row.get("code") == code)]
    fields = ([_read(value) for key, value in row.items() if key not in COUNTED] for row in others)
    return sum(any(pattern.search(text) for text in said(row, COUNTED)) for row in fields)


def _read(field: object) -> object:
    """A field, or the document in it where it is one of JSON: a figure in it is a figure, and no text."""
    if not isinstance(field, str):
        return field
    try:
        return json.loads(field) if field[:1] in ("{", "[") else _CALL.sub("", field)
    except (ValueError, RecursionError):
        return field
