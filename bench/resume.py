"""Going on with a run that was stopped or killed: ``offhook run --resume RUN``.

What a run is made of (station file, suites, versions, options) is on record when it begins. It is gone on with only if
all of that is still the same: attempts of two different benches must not be counted together.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from offhook.bench.profiles import Profile
from offhook.bench.quarantine import LIMIT
from offhook.bench.record import Evidence, open_run
from offhook.bench.station_file import find_station
from offhook.drivers.errors import ConfigError

QUIET_S = 10.0
"""Between the last thing on record and the common clock of the part that goes on."""
ANEW = "start a new run"


@dataclass(frozen=True)
class Plan:
    """What ``offhook run`` was asked to do: kept in table meta, so that it can be done again."""

    station: str
    suites: tuple[str, ...] = ()
    only: str = ""
    realtime: bool = False
    seed: int = 1
    faults: tuple[str, ...] = ()
    repeat: int | None = None
    rates: bool | None = None
    profile: str = "smoke"
    quarantine: int = LIMIT
    jobs: int = 1

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plan:
        """A plan from names and values, lists as they come from JSON or the command line."""
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**found)

    def on_record(self) -> dict[str, Any]:
        """The same for table meta; a station file is named so that it is found from anywhere."""
        files = {key: Path(given) for key, given in (("station", self.station), ("profile", self.profile))}
        return asdict(self) | {key: str(file.resolve()) for key, file in files.items() if file.is_file()}

    def filled(self, profile: Profile) -> Plan:
        """With what the profile says where the command line said nothing. Rates are claimed if tests are repeated."""
        repeat = self.repeat or profile.repeat or 1
        claimed = next((given for given in (self.rates, profile.rates) if given is not None), True)
        rates = claimed and (repeat > 1 or bool(self.rates))
        return replace(self, repeat=repeat, rates=rates, suites=self.suites or profile.suites)


@dataclass(frozen=True)
class Resumed:
    """A run to go on with: its plan, the cases that are done, and where its clock stood."""

    folder: Path
    plan: Plan
    made_of: dict[str, str]
    done: frozenset[str]
    cases_sha256: str
    planned: int
    from_s: float
    killed: bool

    def __str__(self) -> str:
        how = "killed" if self.killed else "stopped"
        return f"{self.folder}: {len(self.done)} of {self.planned} attempts were made before it was {how}"


def read(folder: Path) -> Resumed:
    """What a run folder says of itself. Raises ConfigError if there is nothing to go on with, or it was altered."""
    with open_run(folder) as evidence:
        meta = evidence.meta()
        if meta.get("ended") == "completed":
            raise ConfigError(str(folder), "resume", "this run was completed", "offhook report, or a new run")
        if not isinstance(meta.get("plan"), dict) or "cases_sha256" not in meta:
            raise ConfigError(str(folder), "resume", "it was ended before its first attempt", ANEW)
        damages = evidence.damages()
        if damages:
            raise ConfigError(str(folder), "resume", "; ".join(damages[:3]), ANEW)
        return _resumed(folder, meta, evidence)


def _resumed(folder: Path, meta: dict[str, Any], evidence: Evidence) -> Resumed:
    done = {one.nodeid for one in evidence.attempts() if one.raised is not None and not one.cut_short}
    return Resumed(
        folder=folder,
        plan=Plan.of(meta["plan"]),
        made_of=dict(meta["made_of"]),
        done=frozenset(done),
        cases_sha256=str(meta["cases_sha256"]),
        planned=sum(meta.get("planned", {}).values()),
        from_s=math.ceil(evidence.end_s()) + QUIET_S,
        killed=meta.get("ended") is None,
    )


def made_of(station: str | Path, profile: Profile, suites: Sequence[Path], versions: dict[str, str]) -> dict[str, str]:
    """What decides a run, each with its hash or version. Raises ConfigError if the station is not to be found."""
    parts = {"the station file": _sha256(find_station(station)), "the profile": profile.sha256 or profile.name}
    parts |= {f"suite {path.name}": _sha256(path) for path in suites}
    return parts | {f"version of {name}": number for name, number in versions.items()}


def check_unchanged(resumed: Resumed, now: dict[str, str]) -> None:
    """Raise ConfigError naming everything that is not what it was when the run began."""
    before = resumed.made_of
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    words = [
        f"{name} ({before.get(name, 'none')} then, {now.get(name, 'none')} now)" if name.startswith("version") else name
        for name in changed
    ]
    if words:
        raise ConfigError(str(resumed.folder), "resume", f"changed since it began: {', '.join(words)}", ANEW)


def cases_sha256(nodeids: Sequence[str]) -> str:
    """One number for the cases of a run, in their order."""
    return hashlib.sha256("\n".join(nodeids).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
