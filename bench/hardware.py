"""What a station lacks: real wires, for tests marked ``hardware``, and whole sections, for those marked ``needs``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offhook.bench.station_file import find_station, load_station
from offhook.bench.station_linesim import LineSim
from offhook.bench.station_model import StationModel, ref

SECTION_OF = {"accounts": "cloud.accounts"}


def missing(station: str | Path, resources: Sequence[str]) -> str:
    """The first wire that is not there, in words; "" if all are. No names mean every wire of the station."""
    model = load_station(find_station(station)).model
    for name in resources or _all(model):
        lack = _lack(model, name)
        if lack:
            return lack
    return ""


def absent(model: StationModel, kinds: Sequence[str]) -> str:
    """Which of these sections (phone, pbx, cloud, loop ...) a station has not, in words; "" if it has all."""
    missing = [f"[{SECTION_OF.get(kind, kind)}]" for kind in dict.fromkeys(kinds) if not getattr(model, kind)]
    return f"station {model.name!r} has no {', no '.join(missing)}" if missing else ""


def _all(model: StationModel) -> list[str]:
    boards = [
        f"{kind}.{name}"
        for kind in ("relay", "sense", "audio", "instrument", "linesim")
        for name in getattr(model, kind)
    ]
    return [*boards, *model.single]


def _lack(model: StationModel, resource: str) -> str:
    kind, _, name = resource.partition(".")
    section: Any = getattr(model, kind, None)
    if name and isinstance(section, dict):
        section = section.get(name)
    if section is None or isinstance(section, dict):
        return f"station {model.name!r} has no [{resource}]"
    if isinstance(section, LineSim):  # as real as the wires that it hangs on
        wires = f"audio.{ref(section.line).board}", f"relay.{ref(section.loop).board}"
        return next(filter(None, (_lack(model, wire) for wire in wires)), "")
    address = str(getattr(section, "link", None) or getattr(section, "device", None) or getattr(section, "url", ""))
    if address.startswith("end://"):
        return f"{resource} of station {model.name!r} is simulated ({address})"
    if address.startswith("/dev/") and not Path(address).exists():
        return f"{resource}: {address} is not there"
    return ""
