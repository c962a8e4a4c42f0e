"""A PBX for the cloud's tests: honours the CtiDriver protocol, answers by script, never heard of audio."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from offhook.drivers.cti import (
    Capability,
    CtiEvent,
    EventKind,
    OnEvent,
    OnResponse,
    OnTrace,
    Response,
    Service,
)
from offhook.drivers.errors import DeviceGone
from offhook.fixtures.simclock import SimClock

ANSWER_S = 0.01


class ScriptedPbx:
    """What the PBX knows, and what it was asked. ``refuse`` and ``silent`` change its answers by service."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.asked: list[tuple[Service, dict[str, str]]] = []
        self.refuse: dict[Service, str] = {}
        self.silent: set[Service] = set()
        self.extensions = {"1001", "1002", "1003", "2001"}
        self.capabilities = frozenset(Capability)
        self.reachable = True
        self.confirms_lock = True
        self.monitors: dict[str, str] = {}
        self.locks: dict[str, str] = {}
        self.calls: dict[str, tuple[str, str]] = {}
        self.drivers: list[ScriptedCti] = []
        self._ids = itertools.count(1)

    def factory(self) -> ScriptedCti:
        if not self.reachable:
            raise DeviceGone("cti", "open", "nobody there")
        self.drivers.append(ScriptedCti(self))
        return self.drivers[-1]

    def count(self, service: Service) -> int:
        return sum(1 for each, _ in self.asked if each is service)

    def dialled(self) -> list[str]:
        return [arguments["called"] for service, arguments in self.asked if service is Service.MAKE_CALL]

    def call_of(self, extension: str) -> str:
        """The id of the newest call made for an extension."""
        return [call_id for call_id, (device, _) in self.calls.items() if device == extension][-1]

    def lose(self) -> None:
        """The link breaks and the PBX drops what belonged to it."""
        self.monitors.clear()
        self.drivers[-1].lose("unplugged")

    # ---- what happens at the phone

    def emit(self, kind: EventKind, extension: str, call_id: str = "", cause: str = "", device: str = "") -> None:
        self.drivers[-1].deliver(
            CtiEvent(kind, self.clock.now_s(), device or extension, call_id, extension, "", cause, "1")
        )

    def state(self, extension: str, state: str) -> None:
        self.calls[self.call_of(extension)] = (extension, state)

    def lift(self, extension: str) -> None:
        """The ringing phone is answered: a locked one prompts (and says nothing), another goes on to the trunk."""
        if self.locks.get(extension) != "LOCKED":
            self.go_on(extension)

    def go_on(self, extension: str) -> None:
        self.state(extension, "connected")
        self.emit(EventKind.ORIGINATED, extension, self.call_of(extension))

    def local_code(self, extension: str, right: bool) -> None:
        if right:
            self.locks[extension] = "UNLOCKED"
            self.emit(EventKind.UNLOCKED, extension)
            self.go_on(extension)
        else:
            self.emit(EventKind.LOCK_DENIED, extension, self.call_of(extension), "local_code")
            self.hang_up(extension, "local_code")

    def hang_up(self, extension: str, cause: str = "hung_up") -> None:
        call_id = self.call_of(extension)
        if self.calls.pop(call_id, None) is not None:
            self.emit(EventKind.CONNECTION_CLEARED, extension, call_id, cause)

    # ---- services

    def serve(self, service: Service, arguments: dict[str, str]) -> Response:
        if service in self.refuse:
            return Response(service, error=self.refuse[service])
        handler: dict[Service, Callable[[Service, dict[str, str]], Response]] = {
            Service.MONITOR_START: self._monitor_start,
            Service.MONITOR_STOP: self._monitor_stop,
            Service.SNAPSHOT_DEVICE: self._snapshot,
            Service.LOCK: self._lock,
            Service.UNLOCK: self._unlock,
            Service.MAKE_CALL: self._make_call,
            Service.CLEAR_CONNECTION: self._clear,
        }
        return handler.get(service, lambda each, _: Response(each))(service, arguments)

    def _monitor_start(self, service: Service, arguments: dict[str, str]) -> Response:
        if arguments["device"] not in self.extensions:
            return Response(service, error="unknown_extension")
        monitor_id = f"m{next(self._ids)}"
        self.monitors[monitor_id] = arguments["device"]
        return Response(service, monitor_id=monitor_id)

    def _monitor_stop(self, service: Service, arguments: dict[str, str]) -> Response:
        self.monitors.pop(arguments["monitor_id"], None)
        return Response(service)

    def _snapshot(self, service: Service, arguments: dict[str, str]) -> Response:
        device = arguments["device"]
        rows = tuple(
            {"call_id": call_id, "state": state, "calling": device, "called": ""}
            for call_id, (owner, state) in self.calls.items()
            if owner == device
        )
        return Response(service, calls=rows, lock_state=self.locks.get(device, "UNLOCKED"))

    def _lock(self, service: Service, arguments: dict[str, str]) -> Response:
        device = arguments["device"]
        if self.confirms_lock:
            self.locks[device] = "LOCKED"
            self.clock.call_in(0.2, lambda: self.emit(EventKind.LOCKED, device))
        return Response(service, lock_state="UNLOCKED")  # as the PBX answers before the phone has done it

    def _unlock(self, service: Service, arguments: dict[str, str]) -> Response:
        self.locks[arguments["device"]] = "UNLOCKED"
        device = arguments["device"]
        self.clock.post(lambda: self.emit(EventKind.UNLOCKED, device))
        return Response(service, lock_state="UNLOCKED")

    def _make_call(self, service: Service, arguments: dict[str, str]) -> Response:
        call_id, extension = f"c{next(self._ids)}", arguments["calling"]
        self.calls[call_id] = (extension, "initiated")
        self.clock.call_in(0.1, lambda: self._ring(extension, call_id))
        return Response(service, call_id=call_id)

    def _ring(self, extension: str, call_id: str) -> None:
        if call_id in self.calls and self.drivers[-1].up:
            self.emit(EventKind.SERVICE_INITIATED, extension, call_id, "makeCall")

    def _clear(self, service: Service, arguments: dict[str, str]) -> Response:
        if self.calls.pop(arguments["call_id"], None) is None:
            return Response(service, error="unknown_call")
        self.emit(EventKind.CONNECTION_CLEARED, arguments["device"], arguments["call_id"], "cti")
        return Response(service)


class ScriptedCti:
    """One session. Implements offhook.drivers.cti.CtiDriver."""

    def __init__(self, pbx: ScriptedPbx) -> None:
        self._pbx = pbx
        self._on_event: list[OnEvent] = []
        self._on_down: Callable[[str], None] = lambda reason: None
        self._open: dict[int, tuple[Service, OnResponse]] = {}
        self._numbers = itertools.count()
        self.up = False
        self.closed = False

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._pbx.capabilities

    def start(self, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        self._on_down = on_down

        def opened() -> None:
            if not self.closed:
                self.up = True
                on_up()

        self._pbx.clock.call_in(ANSWER_S, opened)

    def request(self, service: Service, done: OnResponse, **arguments: str) -> None:
        self._pbx.asked.append((service, arguments))
        number = next(self._numbers)
        self._open[number] = (service, done)
        if service in self._pbx.silent:
            self._pbx.clock.call_in(5.0, lambda: self._finish(number, Response(service, error="timeout")))
        else:
            self._pbx.clock.call_in(ANSWER_S, lambda: self._answer(number, service, arguments))

    def subscribe(self, on_event: OnEvent) -> None:
        self._on_event.append(on_event)

    def trace(self, on_trace: OnTrace) -> None:
        pass

    def deliver(self, event: CtiEvent) -> None:
        if self.up:
            for on_event in self._on_event:
                on_event(event)

    def lose(self, reason: str) -> None:
        self.up = False
        self._fail_open()
        self._on_down(reason)

    def close(self) -> None:
        self.up = False
        self.closed = True
        self._fail_open()

    def _answer(self, number: int, service: Service, arguments: dict[str, str]) -> None:
        if number in self._open:
            self._finish(number, self._pbx.serve(service, arguments))

    def _finish(self, number: int, response: Response) -> None:
        if number in self._open:
            self._open.pop(number)[1](response)

    def _fail_open(self) -> None:
        waiting, self._open = self._open, {}
        for service, done in waiting.values():
            done(Response(service, error="link down"))
