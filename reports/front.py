"""The facts of page one: what was tested, on what, by which wires."""

from __future__ import annotations

import tomllib
from typing import Any

from offhook.bench.record.guarded import guarded
from offhook.reports.differs import interruptions
from offhook.reports.folder import Run
from offhook.reports.summary import Digest

ROLES = {
    "R1": "R1: PBX, phones and cloud simulated; regression of the bench itself",
    "R2": "R2: real PBX and phones, reference cloud",
    "R3": "R3: real cloud, simulated PBX and phones",
    "R4": "R4: real PBX, phones and cloud",
    "R5": "R5: loopback of the bench's own wires",
}
_WIRED = ("relay", "audio", "sense", "visa", "sip")
_SINGLE = ("pbx", "tap", "cloud")


def facts(run: Run, digest: Digest) -> list[dict[str, Any]]:
    """Three blocks of name and value; the last is a long one."""
    meta = run.meta
    dut = meta.get("dut") or {}
    tested = [(key, str(dut[key])) for key in ("vendor", "model", "firmware", "serial") if dut.get(key)]
    tested += [(key, str(value)) for key, value in dut.items() if key not in dict(tested) and value]
    bench = [
        ("station", str(meta.get("station") or "–")),
        ("role", ROLES.get(str(meta.get("role")), str(meta.get("role") or "–"))),
        ("calibration", _calibration(meta)),
        ("bench", f"Offhook {meta.get('bench_version') or '–'}"),
        ("started", str(meta.get("started_utc") or "–").replace("T", " ").partition(".")[0]),
        ("seed, profile", f"{_or_dash(meta.get('seed'))}, {_or_dash(meta.get('profile'))}"),
        ("ended", digest.ended),
        ("safe state", _safe(run)),
    ]
    if meta.get("faults"):
        bench.append(("faults set", ", ".join(map(str, meta["faults"]))))
    if meta.get("only"):
        bench.append(("only tests that match", str(meta["only"])))
    bench += _history(meta)
    return [
        {"title": "Tested", "rows": tested or [("device", "not named by the station")], "wide": False},
        {"title": "On", "rows": bench, "wide": False},
        {"title": "Telephones", "rows": telephones(meta), "wide": True},
        {"title": "Wires, and what is at their end", "rows": wires(meta), "wide": True},
    ]


def _or_dash(value: Any) -> str:
    return "–" if value is None else str(value)


def _calibration(meta: dict[str, Any]) -> str:
    calibration = meta.get("calibration")
    if not isinstance(calibration, dict):
        return str(meta.get("calibration_state") or "none")
    made = f", made {calibration['made_utc']}" if calibration.get("made_utc") else ""
    said = f"{calibration.get('id', '')}{made}, valid until {calibration.get('valid_until_utc', '?')}"
    return f"{said}, SHA-256 {calibration['sha256']}" if calibration.get("sha256") else said


def _history(meta: dict[str, Any]) -> list[tuple[str, str]]:
    """What happened to the run on its way: parts it was made in, phones that were left alone."""
    rows = [("interrupted", text) for text in interruptions(meta.get("interruptions") or ())]
    quarantine = meta.get("quarantine")
    if isinstance(quarantine, dict):
        rows += [("left alone", f"{phone}: {_why(why)}") for phone, why in sorted(quarantine.items())]
    return rows


def _why(why: Any) -> str:
    return str(why.get("reason") or why) if isinstance(why, dict) else str(why)


def _safe(run: Run) -> str:
    """What was read back at the end, by the bench or by its guardian."""
    back = [item for item in run.evidence.observations() if item.kind == "safe"]
    if not back:
        by_guardian = guarded(run.path)
        return "not read back" if by_guardian is None else str(by_guardian)
    unsafe = [item for item in back if not item.data.get("ok")]
    bad = [f"{item.wire}: {item.data.get('error') or item.data.get('read_back')}" for item in unsafe]
    return f"NOT reached: {'; '.join(bad)}" if bad else f"read back on {len(back)} wires: all safe"


def _station(meta: dict[str, Any]) -> dict[str, Any] | None:
    """The station file that the run has on record; None if it cannot be read."""
    source = meta.get("station_toml")
    try:
        return tomllib.loads(source) if isinstance(source, str) else dict(source or {})
    except (tomllib.TOMLDecodeError, TypeError, ValueError):
        return None


def telephones(meta: dict[str, Any]) -> list[tuple[str, str]]:
    """Every telephone of the station: what it is, its numbers, how it is locked."""
    phones = (_station(meta) or {}).get("phone")
    rows = []
    for name, phone in phones.items() if isinstance(phones, dict) else ():
        if isinstance(phone, dict):
            said = [f"{phone.get('kind', '?')} telephone, extension {phone.get('extension', '?')}"]
            said += [f"direct number {phone['ddi']}"] if phone.get("ddi") else []
            said += [f"locked by {phone['lock']}"] if phone.get("lock") else []
            rows.append((str(name), ", ".join(said)))
    return rows or [("telephones", "none")]


def wires(meta: dict[str, Any]) -> list[tuple[str, str]]:
    """Every wire of the station with its driver and its grade; secrets of the station file are not read."""
    station = _station(meta)
    if station is None:
        return [("wires", "the station file cannot be read")]
    found = [(name, station[name]) for name in _SINGLE if isinstance(station.get(name), dict)]
    for kind in _WIRED:
        section = station.get(kind)
        found += [(f"{kind} {name}", item) for name, item in (section or {}).items() if isinstance(item, dict)]
    grade = str(meta.get("grade") or "").lower() or "grade unknown"
    said = meta.get("wires") or {}
    rows = [(name, _wire(item, grade, str(said.get(name.replace(" ", "."), "")))) for name, item in found]
    return rows or [("wires", "none")]


def _wire(section: dict[str, Any], grade: str, identity: str) -> str:
    driver = str(section.get("driver") or section.get("dialect") or "–")
    address = str(section.get("link") or section.get("url") or section.get("port") or "")
    real = grade if address.startswith("end://") else "physical"
    return f"{driver}, {real}" + (f": {identity}" if identity else "")
