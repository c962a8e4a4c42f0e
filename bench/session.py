"""A station opened and recorded: what ``offhook run`` and ``pytest --station`` have in common.

The way out is the same for both: the safe state, read back and put on record; wires closed; the run folder sealed.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from offhook.bench import signals
from offhook.bench.devices import Station
from offhook.bench.guardian import GuardianGone
from offhook.bench.profiles import PROFILES, Profile
from offhook.bench.rates import judge_rates
from offhook.bench.record import RunRecord, RunResult, Verdict, judge
from offhook.bench.record.schema import CUT_SHORT
from offhook.bench.safety import SafeReport
from offhook.bench.station import Rig, open_rig
from offhook.bench.thresholds import SMOKE, Thresholds
from offhook.drivers.errors import ConfigError, DeviceError, NotAllowed, NotDone

RUNS = Path("runs")
CODE = "local code"
SHORTEST_WORD = 4
PACKAGES = ("offhook", "numpy", "scipy", "pyserial", "pytest")


@dataclass(frozen=True)
class Wanted:
    """What to open and where to record it; ``folder`` is the run folder itself, else one is made under ``runs``."""

    station: str | Path = "simulated"
    seed: int = 1
    realtime: bool = False
    faults: Sequence[str] = ()
    folder: Path | None = None
    runs: Path = RUNS
    profile: Profile = PROFILES["smoke"]
    resume: Path | None = None
    """A run folder to go on with, from ``from_s`` on its common clock."""
    from_s: float = 0.0
    rates: bool | None = None
    """True: rates are claimed, and judged when the run ends; False: they are shown; None: neither."""
    note: Mapping[str, Any] = field(default_factory=dict)


class Session:
    """One run: ``rig``, ``station``, ``record``. ``ended`` says how it came to its end, ``safe`` what was read back."""

    def __init__(self, rig: Rig, record: RunRecord, limits: Thresholds = SMOKE) -> None:
        self.rig = rig
        self.record = record
        self.station = Station(rig, record)
        self.station.limits = limits
        self.ended = "completed"
        self.safe: SafeReport | None = None

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.record.folder

    def result(self) -> RunResult:
        """Every verdict, recomputed from the sealed folder."""
        return judge(self.folder)


@contextmanager
def opened(wanted: Wanted) -> Iterator[Session]:
    """Open and record a station. On every way out: safe state on record, wires closed, folder sealed.

    Raises what :func:`offhook.bench.station.open_rig` raises, before there is a run folder.
    """
    kept: list[RunRecord] = []
    safe: list[SafeReport] = []
    session: Session | None = None
    ended = "completed"

    def on_safe(report: SafeReport) -> None:
        safe.append(report)
        if kept:
            kept[0].last_words()
            note_safe(kept[0], report)
            kept[0].stop_audio()

    try:
        with _rig(wanted, on_safe) as rig:
            record = (
                RunRecord.create(wanted.runs, rig.clock, describe(rig, wanted), wanted.folder)
                if wanted.resume is None
                else RunRecord.reopen(wanted.resume, rig.clock)
            )
            kept.append(record)
            keep_secrets(record, rig)
            if rig.guard is not None:
                rig.guard.note_folder(record.folder)
                rig.guard.look = record.check
            session = Session(rig, record, wanted.profile.limits)
            yield session
    except BaseException as error:
        ended = how_it_ended(error)
        raise
    finally:
        if kept:
            if session is not None:
                session.safe = safe[0] if safe else None
                ended = session.ended if ended == "completed" else ended
                guard = session.rig.guard
                if guard is not None and guard.lost is not None:
                    ended = f"error: {guard.lost}"
            with signals.current().shielded():
                ended = how_it_ended(None) or ended
                if kept[0].current is not None:
                    kept[0].finish(Verdict.NOT_RUN, f"{CUT_SHORT}{ended}")
                if wanted.rates is not None and not kept[0].lost:
                    judge_rates(kept[0], wanted.profile.limits, claimed=wanted.rates)
                kept[0].seal(ended)


@contextmanager
def _rig(wanted: Wanted, on_safe: Any) -> Iterator[Rig]:
    with open_rig(
        wanted.station,
        seed=wanted.seed,
        realtime=wanted.realtime,
        faults=wanted.faults,
        on_safe=on_safe,
        from_s=wanted.from_s,
    ) as rig:
        yield rig


def how_it_ended(error: BaseException | None) -> str:
    """The word for table meta: a signal goes before any exception; "" if there was neither."""
    signum = signals.current().signum
    if signum is not None:
        return "interrupted" if signum == 2 else "terminated"
    if error is None:
        return ""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"error: {type(error).__name__}: {error}"


def note_safe(record: RunRecord, report: SafeReport) -> None:
    """Put the safe state on record, item by item, and judge it: everything as commanded, within TH-19."""
    for item in report.items:
        probe = "C" if item.resource == "pbx" else "G-h" if item.resource.startswith("phone.") else "R"
        record.observe(
            probe,
            item.resource,
            "safe",
            item.resource,
            report.started_s + item.took_s,
            0.0,
            commanded=item.commanded,
            read_back=item.read_back,
            ok=not item.error,
            error=item.error,
        )
    spec: dict[str, Any] = {"observed": "safe", "from_s": report.started_s}
    title = "safe state at the end"
    record.judge(
        "BENCH-RUN.3", f"{title}: read back as commanded", "count", **spec, ok=True, at_least=len(report.items)
    )
    record.judge("BENCH-RUN.3", f"{title}: not as commanded", "count", **spec, ok=False, at_most=0)
    record.judge("BENCH-RUN.3", f"{title}: time", "figure", unit="s", value=report.took_s, at_most=2.0, u=0.01)


def describe(rig: Rig, wanted: Wanted) -> dict[str, Any]:
    """What a run says of itself in table meta; secrets and local codes are blanked."""
    return {
        "bench_version": _version("offhook"),
        "station": rig.model.name,
        "station_toml": blanked(rig),
        "role": rig.role,
        "grade": rig.grade.name,
        "region": rig.model.region,
        "seed": wanted.seed,
        "realtime": wanted.realtime,
        "faults": [*(rig.model.world.faults if rig.model.world else ()), *wanted.faults],
        **wanted.profile.on_record(),
        "dut": rig.dut.model_dump(),
        "wires": dict(rig.identities),
        "guarded": rig.guard.armed if rig.guard is not None else [],
        "calibration": rig.calibration.on_record(rig.model),
        "calibration_state": rig.calibration.state,
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "command": " ".join(["offhook", *sys.argv[1:]]),
        **wanted.note,
    }


def secrets_of(rig: Rig) -> dict[str, str]:
    """The secrets of a station by name, local codes first."""
    model = rig.model
    codes = {f"{CODE} of {name}": phone.local_code for name, phone in model.phone.items()}
    words = {
        "PBX password": model.pbx.secret if model.pbx else None,
        "administrator's token": model.cloud.admin if model.cloud else None,
    }
    words |= {f"password of {name}": word for name, word in model.accounts.items()}
    return {name: secret for name, secret in {**codes, **words}.items() if secret}


def keep_secrets(record: RunRecord, rig: Rig) -> None:
    """Have the record spell out no secret. Only a password that cannot be mistaken for anything else is masked.

    One of digits, a very short one, and one that is also an ordinary word of the station are in other texts by chance.
    """
    rest = blanked(rig)
    for name, secret in secrets_of(rig).items():
        unmistakable = len(secret) >= SHORTEST_WORD and not secret.isdigit() and secret not in rest
        record.keep_secret(name, secret, word=unmistakable and not name.startswith(CODE))


def blanked(rig: Rig) -> str:
    """The station file without its secrets: they would be evidence against us."""
    text = rig.loaded.text
    for secret in secrets_of(rig).values():
        text = re.sub(rf"""(["']){re.escape(secret)}\1""", '"***"', text)
    return text


def verdict_of(error: BaseException) -> Verdict:
    """What an exception out of a test makes of its attempt: a thing on a wire that misbehaved leaves it open.

    What the bench itself refused, such as a number that is not on the allow list or a name that the station file has
    not, says nothing of what is under test.
    A bench that lost its guardian leaves it open too, whatever the flow took that for.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GuardianGone):
            return Verdict.INCONCLUSIVE
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, NotAllowed | NotDone | ConfigError):
        return Verdict.NOT_RUN
    return Verdict.INCONCLUSIVE if isinstance(error, DeviceError) else Verdict.FAIL


def versions() -> dict[str, str]:
    """The versions that a run rests on."""
    return {name: _version(name) for name in PACKAGES} | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
