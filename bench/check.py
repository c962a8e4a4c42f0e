"""``offhook check``: every wire of a station tried, one line for each, everything safe afterwards.

Boards, sensors, audio, instruments, CTI and cloud say what they are; loops are measured. Then each phone: the hook
relay clicks and the hook sensor sees it, the lamp lights (if a sensor is before it), dial tone is in the ear, and
pressed keys are heard as those keys. Keys are chosen so that each row and column contact is used; if one is not heard
the others are tried too, to tell a dead key from a dead contact. Each is pressed in a lift of its own, so that they
never make a number. Then what only a call shows (check_calls.py), and what the instruments measure at their lines
(check_instruments.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offhook.bench.check_calls import check_outside, check_rings, check_tap
from offhook.bench.check_instruments import DriftWatch, check_instruments
from offhook.bench.check_line import CheckLine, Tell
from offhook.bench.check_phone import PhoneCheck
from offhook.bench.station import Rig, open_rig

__all__ = ["CheckLine", "Tell", "check_rig", "check_station"]


def check_station(
    station: str, tell: Tell, *, seed: int = 1, realtime: bool = False, faults: Sequence[str] = ()
) -> list[CheckLine]:
    """Open a station and try everything; ``tell`` gets each line at once. Raises ConfigError and Busy."""
    lines: list[CheckLine] = []

    def note(line: CheckLine) -> None:
        lines.append(line)
        tell(line)

    with open_rig(
        station,
        seed=seed,
        realtime=realtime,
        faults=faults,
        purpose="offhook check",
        require_all=False,
        on_safe=lambda report: note(CheckLine("", "safe state", str(report), report.ok)),
    ) as rig:
        for line in check_rig(rig):
            note(line)
    return lines


def check_rig(rig: Rig) -> Iterator[CheckLine]:
    """Try everything on an open rig; phones are left on hook."""
    yield from _answers(rig)
    drift = DriftWatch(rig)
    if rig.model.loop:
        from offhook.bench.calibrate import check_loops

        yield from check_loops(rig)
    phones = {name: PhoneCheck(rig, name, phone) for name, phone in rig.model.phone.items()}
    for phone in phones.values():
        yield from phone.check()
    yield from check_rings(rig, phones)
    yield from check_outside(rig, phones)
    yield from check_tap(rig)
    yield from check_instruments(rig, phones)
    if not rig.model.loop:  # loops have told of it
        yield from drift.lines()


def _answers(rig: Rig) -> Iterator[CheckLine]:
    """Who answered, who did not, and who cannot be asked here."""
    for resource in rig.resources:
        where = rig.loaded.where(*resource.split(".", 1))
        wires = _wires_of(rig, resource)
        error, left_out = rig.failures.get(resource), rig.left_out.get(resource)
        if left_out is not None:
            yield CheckLine(where, resource, f"not tried: {left_out.detail}", True, left_out.hint, wires, False)
        elif error is None:
            yield CheckLine(where, resource, rig.identities[resource], wires=wires)
        else:
            yield CheckLine(where, resource, f"{error.operation}: {error.detail}", False, error.hint, wires)


def _wires_of(rig: Rig, resource: str) -> tuple[str, ...]:
    """Of a line simulator, which has no cable of its own: it answers through a channel and a relay of the bench."""
    kind, _, name = resource.partition(".")
    return (rig.model.linesim[name].line, rig.model.linesim[name].loop) if kind == "linesim" else ()
