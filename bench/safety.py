"""The safe state: audio muted, hooks down, every relay open, the bench's CTI monitors stopped, and all read back.

:func:`make_safe` runs on every way out of a station, so it never raises and takes bounded time: everything is done at
once, beside each other, and what is not done after :data:`LIMIT_S` (TH-19) is reported as not done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from offhook.bench.station_gate import CountedCti, GatedBoard, GatedGenerator
from offhook.bench.station_model import StationModel, ref
from offhook.drivers.audio import AudioPort
from offhook.drivers.clock import Clock, Task
from offhook.drivers.cti import Response, Service
from offhook.drivers.errors import DeviceRefused, DeviceTimeout
from offhook.drivers.sense import SenseInputs
from offhook.drivers.visa import Instrument

LIMIT_S = 2.0
"""The safe state is reached within this (requirements TH-19)."""
HOOK_SETTLE_S = 0.3
"""A hook sensor follows its relay within this."""


class Safeable(Protocol):
    """What of a rig the way to the safe state needs."""

    model: StationModel
    clock: Clock
    relays: dict[str, GatedBoard]
    audio: dict[str, AudioPort]
    senses: dict[str, SenseInputs]
    instruments: dict[str, Instrument]
    cti: CountedCti
    connected: set[str]

    @property
    def monitors(self) -> dict[str, str]:
        """CTI monitors of the bench's session that are not stopped: id -> device."""


@dataclass(frozen=True)
class SafeItem:
    """One thing made safe. ``error`` is "" if what was read back is what was commanded."""

    resource: str
    commanded: str
    read_back: str = ""
    took_s: float = 0.0
    error: str = ""

    def __str__(self) -> str:
        end = f"FAIL: {self.error}" if self.error else self.read_back
        return f"{self.resource}: {self.commanded}: {end} ({self.took_s * 1000:.0f} ms)"


@dataclass(frozen=True)
class SafeReport:
    """What :func:`make_safe` did. ``started_s`` is on the common clock."""

    started_s: float
    took_s: float
    items: tuple[SafeItem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """True if everything was commanded, read back, and is as commanded."""
        return not any(item.error for item in self.items)

    def __str__(self) -> str:
        if self.ok:
            return f"safe state reached and read back in {self.took_s:.2f} s ({len(self.items)} items)"
        broken = "\n  ".join(str(item) for item in self.items if item.error)
        return f"SAFE STATE NOT CONFIRMED after {self.took_s:.2f} s; go and look:\n  {broken}"


Action = Callable[[], str]
"""Does it and returns what was read back; raises where that is not what was commanded."""


def make_safe(rig: Safeable, *, stay_shut: bool = False) -> SafeReport:
    """Bring the station to its safe state and read it back. Never raises.

    Relays cannot be closed meanwhile, nor generators switched on; with ``stay_shut`` (the way out) nor afterwards.
    """
    started_s = rig.clock.now_s()
    generators = [each for each in rig.instruments.values() if isinstance(each, GatedGenerator)]
    gates: list[GatedBoard | GatedGenerator] = [*rig.relays.values(), *generators]
    for gate in gates:
        gate.shut = True
    items = _all_at_once(rig.clock, _outputs(rig), started_s + LIMIT_S)
    items += _all_at_once(rig.clock, _hook_sensors(rig), started_s + LIMIT_S + HOOK_SETTLE_S)
    for gate in gates:
        gate.shut = stay_shut
    return SafeReport(started_s, rig.clock.now_s() - started_s, tuple(items))


def _outputs(rig: Safeable) -> list[tuple[str, str, Action]]:
    actions: list[tuple[str, str, Action]] = []
    for name, port in rig.audio.items():
        if f"audio.{name}" in rig.connected:
            actions.append((f"audio.{name}", "mute", _muting(port)))
    for name, gate in rig.relays.items():
        closed = closed_when_safe(rig.model, name)
        commanded = "every relay open" + (f" but {', '.join(map(str, sorted(closed)))}" if closed else "")
        actions.append((f"relay.{name}", commanded, _opening(gate, closed)))
    for name, instrument in rig.instruments.items():
        if f"instrument.{name}" in rig.connected:
            actions.append((f"instrument.{name}", "output off", _quieting(instrument)))
    for monitor, device in rig.monitors.items():
        actions.append(("pbx", f"stop monitor of {device}", _stopping(rig, monitor)))
    return actions


def closed_when_safe(model: StationModel, board: str) -> set[int]:
    """Relays that are closed in the safe state: hooks of phones that lie on hook when their contact is closed."""
    hooks = [phone.hook for phone in model.phone.values() if phone.hook.safe == "closed"]
    return {ref(hook.contact).number for hook in hooks if ref(hook.contact).board == board}


def _muting(port: AudioPort) -> Action:
    def mute() -> str:
        port.mute()
        return "muted"

    return mute


def _quieting(instrument: Instrument) -> Action:
    def quiet() -> str:
        instrument.safe()
        return "nothing on the line"

    return quiet


def _opening(gate: GatedBoard, closed: set[int]) -> Action:
    def open_and_read() -> str:
        if not closed:
            gate.inner.open_all()
        for relay in range(gate.channels) if closed else ():  # one by one: those hooks must not lift in between
            gate.inner.set(relay, relay in closed)
        reported = gate.inner.read_all()
        wrong = [relay for relay, is_closed in enumerate(reported) if is_closed != (relay in closed)]
        if wrong:
            detail = ", ".join(f"{relay} reads {'closed' if reported[relay] else 'open'}" for relay in wrong)
            raise DeviceRefused(f"relay.{gate.name}", "read back", detail, "cut its power and look at the board")
        if not gate.reads_back:
            return f"{len(reported)} relays commanded, not read back: this board cannot be read"
        return f"{len(reported)} relays as commanded"

    return open_and_read


def _stopping(rig: Safeable, monitor: str) -> Action:
    def stop() -> str:
        answers: list[Response] = []
        rig.cti.request(Service.MONITOR_STOP, answers.append, monitor_id=monitor)
        if not rig.clock.wait_for(lambda: bool(answers), LIMIT_S):
            raise DeviceTimeout("pbx", f"stop monitor {monitor}", "no answer", "it ends with the session")
        if not answers[0].ok:
            raise DeviceRefused("pbx", f"stop monitor {monitor}", answers[0].error, "it ends with the session")
        return "stopped"

    return stop


def _hook_sensors(rig: Safeable) -> list[tuple[str, str, Action]]:
    actions: list[tuple[str, str, Action]] = []
    for name, phone in rig.model.phone.items():
        if phone.hook_sense is None:
            continue
        board, pin = ref(phone.hook_sense)
        if f"sense.{board}" in rig.connected:
            actions.append((f"phone.{name}", "on hook", _looking(rig, f"phone.{name}", board, pin)))
    return actions


def _looking(rig: Safeable, resource: str, board: str, pin: int) -> Action:
    def look() -> str:
        if not rig.clock.wait_for(lambda: not rig.senses[board].active(pin), HOOK_SETTLE_S):
            raise DeviceRefused(resource, "read the hook sensor", "still off hook", "look at the phone's hook relay")
        return "sensor says on hook"

    return look


def _all_at_once(clock: Clock, actions: list[tuple[str, str, Action]], deadline_s: float) -> list[SafeItem]:
    took_s: dict[int, float] = {}

    def timed(number: int, action: Action) -> Callable[[], str]:
        def run() -> str:
            start_s = clock.now_s()
            try:
                return action()
            finally:
                took_s[number] = clock.now_s() - start_s

        return run

    tasks = [clock.spawn(timed(number, action)) for number, (_, _, action) in enumerate(actions)]
    return [
        _joined(clock, task, resource, commanded, deadline_s, lambda n=number: took_s.get(n, LIMIT_S))  # type: ignore[misc]
        for number, ((resource, commanded, _), task) in enumerate(zip(actions, tasks, strict=True))
    ]


def _joined(
    clock: Clock, task: Task[str], resource: str, commanded: str, deadline_s: float, took_s: Callable[[], float]
) -> SafeItem:
    try:
        read_back = task.join(max(0.0, deadline_s - clock.now_s()))
    except Exception as error:  # whatever broke, the others still have to be made safe
        return SafeItem(resource, commanded, took_s=took_s(), error=f"{type(error).__name__}: {error}")
    return SafeItem(resource, commanded, read_back, took_s())
