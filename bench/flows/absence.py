"""Judgements that something did not happen: what must be absent is looked for on the wire where it would show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offhook.bench.devices import Station
from offhook.bench.flows.association import COMMANDS
from offhook.drivers.errors import DeviceRefused


def refusal_of(ask: Callable[[], object]) -> str:
    """Why the service refuses what is asked of it, in its own words; "" if it does not."""
    try:
        ask()
    except DeviceRefused as refused:
        return refused.detail
    return ""


def judge_no_effect(station: Station, req: str, since_s: float, extension: str = "") -> None:
    """No command for a phone on the CTI link (for any, without ``extension``), no bell, no outside line seized."""
    judge_no_command(station, req, since_s, extension)
    judge_no_bell(station, req, since_s)
    judge_no_seizure(station, req, since_s)


def judge_no_command(
    station: Station, req: str, since_s: float, extension: str = "", names: tuple[str, ...] = COMMANDS
) -> None:
    """None of these commands of the cloud to the PBX."""
    about = f"about {extension}" if extension else "about any extension"
    for name in names:
        spec: dict[str, Any] = {"subject": extension} if extension else {}
        spec |= {"observed": "cti", "from_s": since_s, "to_s": station.clock.now_s(), "at_most": 0}
        station.record.judge(req, f"{name} {about}", "count", **spec, where={"name": name, "direction": ">"})


def judge_no_bell(station: Station, req: str, since_s: float) -> None:
    """No phone rings."""
    station.judge_count(req, "phones that ring", "ring", since_s, active=True, at_most=0)


def judge_no_seizure(station: Station, req: str, since_s: float) -> None:
    """No outside line is taken."""
    station.judge_count(req, "outside lines seized", "seizure", since_s, active=True, at_most=0)


def judge_no_association(station: Station, req: str, since_s: float) -> None:
    """The service associates nothing (its own word, K), and no account has a phone that it had not before."""
    station.judge_count(req, "associations made", "cloud-step", since_s, step="S10", at_most=0)
    for name in station.model.service.accounts:
        seen = station.account(name).note_phones()
        station.record.judge(req, f"phones of {name}", "equal", observation=seen.id, key="count", expected=0)


def rows(station: Station, table: str) -> int:
    """How many rows a table of the service has now."""
    return len(station.cloud.dump().get(table, ()))


def judge_no_row(station: Station, req: str, table: str, before: int) -> None:
    """A table of the service has not grown."""
    grown = float(rows(station, table) - before)
    station.record.judge(req, f"new rows in {table}", "figure", unit="rows", value=grown, at_most=0.0, u=0.0, n=1)
