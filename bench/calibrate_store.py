"""Calibrations: where they are kept, how long they are good for, and what makes one worthless.

One JSON file a station in ``$OFFHOOK_CALIBRATIONS``, else ``offhook/calibrations`` in the user's data folder. It holds
the hash of what it was made for (sound cards and loops of the station file), its own hash, and the day it ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from offhook.bench.station_model import StationModel

SCHEMA = 1
DAYS = 90
"""A calibration is good for so long where nobody says otherwise."""
FULL_SCALE_DBM0 = 3.14
"""What digital full scale is on the bench (a sine, A-law's full scale; ITU-T G.711)."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Calibration:
    """What is known of a station's wires. ``data`` is {} where nothing is; ``state`` says in words how it stands."""

    state: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """True for one that holds today, for this wiring."""
        return bool(self.data)

    def on_record(self, model: StationModel) -> dict[str, Any] | None:
        """What a run says of it; None unless it is live and has the level of every channel that a verdict rests on."""
        if not self.live or self.lacking(model):
            return None
        keys = ("id", "made_utc", "valid_until_utc", "sha256", "channels")
        return {key: self.data[key] for key in keys}

    def lacking(self, model: StationModel) -> list[str]:
        """Channels in use whose level in dBm is not known."""
        used = [phone.handset for phone in model.phone.values()]
        used += [channel for ivr in model.ivr.values() for channel in (ivr.heard, ivr.spoken)]
        return [channel for channel in used if channel not in self.data.get("channels", {})]

    def gains(self, card: str, channels: int) -> dict[str, list[float]]:
        """What the driver adds to every channel so that full scale is +3.14 dBm0; {} where nothing is known."""
        known = self.data.get("channels", {})
        if not any(f"{card}/{number}" in known for number in range(channels)):
            return {}
        levels = [known.get(f"{card}/{number}", {}) for number in range(channels)]
        return {
            "play_gain_db": [FULL_SCALE_DBM0 - level.get("play_dbm", FULL_SCALE_DBM0) for level in levels],
            "hear_gain_db": [level.get("hear_dbm", FULL_SCALE_DBM0) - FULL_SCALE_DBM0 for level in levels],
        }


def place(station: str) -> Path:
    """The file of a station's calibration."""
    given = os.environ.get("OFFHOOK_CALIBRATIONS")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    folder = Path(given) if given else Path(data) / "offhook" / "calibrations"
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', station)}.json"


def wiring_sha256(model: StationModel) -> str:
    """The hash of what a calibration is made for: each sound card as the station file has it."""
    cards = {name: card.model_dump(exclude_none=True) for name, card in model.audio.items()}
    loops = {name: loop.model_dump() for name, loop in model.loop.items()}
    contacts = {name: contact.model_dump() for name, contact in model.contact.items()}
    return _sha256({"audio": cards, "loop": loops, "contact": contacts})


def store(model: StationModel, measured: Mapping[str, Any], now: datetime, days: float = DAYS) -> Path:
    """Write a calibration. ``measured`` has ``cards``, ``channels``, ``loops``; see docs/calibration.md."""
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "id": f"R5-{now:%Y%m%d-%H%M%S}",
        "station": model.name,
        "made_utc": now.strftime(_TIME),
        "valid_until_utc": (now + timedelta(days=days)).strftime(_TIME),
        "wiring_sha256": wiring_sha256(model),
        **measured,
    }
    data["sha256"] = _sha256(data)
    file = place(model.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    draft.replace(file)
    return file


NO_LOOP = "the station has no [loop] to make one by"


def load(model: StationModel, now: datetime | None = None) -> Calibration:
    """The calibration of a station as it stands now. Never raises: what cannot be trusted is no calibration."""
    file = place(model.name)
    again = f"make one: offhook calibrate {model.name}" if model.loop else NO_LOOP
    try:
        data = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Calibration(f"none; {again}")
    except (OSError, ValueError) as error:
        return Calibration(f"{file} cannot be read ({error}); {again}")
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        return Calibration(f"{file} is of another version; {again}")
    if data.get("sha256") != _sha256({key: value for key, value in data.items() if key != "sha256"}):
        return Calibration(f"{file} was altered after it was made; {again}")
    if data["wiring_sha256"] != wiring_sha256(model):
        return Calibration(f"{data['id']} was made for other sound cards or loops than the station has now; {again}")
    until = str(data["valid_until_utc"])
    if until <= (now or datetime.now(UTC)).strftime(_TIME):
        return Calibration(f"{data['id']} expired on {until[:10]}; {again}")
    levels = f"levels of {len(data['channels'])} channels" if data["channels"] else "no levels in dBm (no meter)"
    return Calibration(f"{data['id']}, {levels}, until {until[:10]}", data)


def _sha256(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
