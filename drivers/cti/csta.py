"""The CTI driver for PBXs that speak CSTA XML (ECMA-323) over TCP without SOAP.

A session opens with ``RequestSystemStatus``; the answer says that the system works and, as private data, what it can
do.
Options: ``capabilities`` (a list, for a PBX that does not say), ``heartbeat_s`` (0: none; else ask for the system
status that often and call the link lost when no answer comes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from offhook.drivers.clock import Clock, Timer
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
from offhook.drivers.cti.csta_frames import EVENT_INVOKE_ID, Frame, FrameError, FrameReader
from offhook.drivers.cti.csta_messages import ERROR_NAME, Message, MessageError, from_xml, to_xml
from offhook.drivers.cti.csta_services import (
    parse_capabilities,
    parse_event,
    parse_response,
    request_message,
)
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import Link, Wires

REQUEST_LIMIT_S = 5.0
_ALIVE = frozenset({"normal", "enabled", "partiallyOverloaded"})


@dataclass
class _Pending:
    answered: Callable[[Message], None]
    failed: Callable[[str], None]
    timer: Timer


class CstaDriver:
    """A CSTA session over a link. See :class:`offhook.drivers.cti.CtiDriver`."""

    def __init__(self, link: Link, clock: Clock, options: Mapping[str, Any]) -> None:
        self._link = link
        self._clock = clock
        self._heartbeat_s = float(options.get("heartbeat_s", 0.0))
        self._default = parse_capabilities(" ".join(options.get("capabilities", ())))
        self._capabilities: frozenset[Capability] = frozenset()
        self._reader = FrameReader()
        self._pending: dict[int, _Pending] = {}
        self._next_id = 0
        self._up = False
        self._closed = False
        self._on_down: Callable[[str], None] = lambda reason: None
        self._events: list[OnEvent] = []
        self._traces: list[OnTrace] = []
        self._locks: dict[str, tuple[OnResponse, Response, Timer]] = {}

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> CstaDriver:
        """Open ``options["link"]`` for the resource ``name``. Raises DeviceGone or ConfigError."""
        return cls(wires.link(str(options["link"])), wires.clock, options)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the PBX said it can do."""
        return self._capabilities

    @property
    def up(self) -> bool:
        """True from the answer to RequestSystemStatus until the link is lost."""
        return self._up

    def start(self, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        """Open the session."""
        self._on_down = on_down
        self._link.attach(self._take, self._lose)

        def opened(message: Message) -> None:
            status = message.fields.get("system_status", "")
            if message.name == ERROR_NAME or status not in _ALIVE:
                self._lose(f"the PBX refused the session: {status or message.fields.get('reason', message.name)}")
                return
            self._capabilities = parse_capabilities(message.private.get("capabilities", "")) or self._default
            self._up = True
            self._beat_later()
            on_up()

        self._ask(Message("RequestSystemStatus"), opened, self._silent)

    def request(self, service: Service, done: OnResponse, **arguments: str) -> None:
        """Ask for a service; ``done`` is called exactly once and never from inside this call."""
        if not self._up:
            self._clock.post(lambda: done(Response(service, error="link down")))
            return

        def answered(message: Message) -> None:
            response = parse_response(service, message)
            if response.ok and service is Service.LOCK and arguments.get("variant") == "prefix":
                self._await_lock(arguments["device"], response, done)
            else:
                done(response)

        message = request_message(service, arguments)
        self._ask(message, answered, lambda reason: done(Response(service, error=reason)))

    def subscribe(self, on_event: OnEvent) -> None:
        """Deliver every event of every monitor of this session."""
        self._events.append(on_event)

    def trace(self, on_trace: OnTrace) -> None:
        """Deliver every frame in both directions; CSTA carries no secret of ours."""
        self._traces.append(on_trace)

    def close(self) -> None:
        """Let go of the wire; a CSTA server drops the monitors of a session with it."""
        if not self._closed:
            self._closed = True
            self._up = False
            self._fail_all("link down")
            self._link.close()

    def _ask(self, message: Message, answered: Callable[[Message], None], failed: Callable[[str], None]) -> None:
        invoke_id = self._free_id()
        limit = self._clock.call_at(self._clock.now_s() + REQUEST_LIMIT_S, lambda: self._expire(invoke_id))
        self._pending[invoke_id] = _Pending(answered, failed, limit)
        try:
            self._send(invoke_id, message)
        except (DeviceGone, FrameError) as error:
            gone, detail = isinstance(error, DeviceGone), str(error)
            self._clock.post(lambda: self._give_up(invoke_id, "link down" if gone else detail))
            if gone:
                self._clock.post(lambda: self._lose(detail))

    def _send(self, invoke_id: int, message: Message) -> None:
        data = Frame(invoke_id, to_xml(message)).to_bytes()
        self._link.send(data)
        self._report("out", data)

    def _free_id(self) -> int:
        while self._next_id in self._pending:
            self._next_id = (self._next_id + 1) % EVENT_INVOKE_ID
        free, self._next_id = self._next_id, (self._next_id + 1) % EVENT_INVOKE_ID
        return free

    def _expire(self, invoke_id: int) -> None:
        self._give_up(invoke_id, "timeout")

    def _give_up(self, invoke_id: int, reason: str) -> None:
        pending = self._pending.pop(invoke_id, None)
        if pending is not None:
            pending.timer.cancel()
            pending.failed(reason)

    def _take(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except FrameError as error:
            self._lose(str(error))
            return
        for frame in frames:
            self._report("in", frame.to_bytes())
            try:
                message = from_xml(frame.body)
            except MessageError as error:
                self._lose(str(error))
                return
            self._dispatch(frame.invoke_id, message)

    def _dispatch(self, invoke_id: int, message: Message) -> None:
        if message.name == "SystemStatus":
            self._send(invoke_id, Message("SystemStatusResponse"))
            return
        event = parse_event(message, self._clock.now_s())
        if event is not None:
            self._settle_lock(event)
            for on_event in list(self._events):
                on_event(event)
            return
        pending = self._pending.pop(invoke_id, None)
        if pending is not None:
            pending.timer.cancel()
            pending.answered(message)

    def _await_lock(self, device: str, response: Response, done: OnResponse) -> None:
        """A lock by prefix is a call, soon over; a monitor of the extension reports its effect, or its failure."""

        def expire() -> None:
            self._locks.pop(device, None)
            done(Response(Service.LOCK, error="timeout", call_id=response.call_id))

        if response.lock_state == "LOCKED":
            done(response)
            return
        timer = self._clock.call_at(self._clock.now_s() + REQUEST_LIMIT_S, expire)
        self._locks[device] = (done, response, timer)

    def _settle_lock(self, event: CtiEvent) -> None:
        waiting = self._locks.get(event.device)
        if waiting is None:
            return
        done, response, timer = waiting
        same_call = bool(event.call_id) and event.call_id == response.call_id
        if event.kind is EventKind.LOCKED:
            answer = Response(Service.LOCK, call_id=response.call_id, lock_state="LOCKED")
        elif event.kind is EventKind.FAILED and same_call:
            answer = Response(Service.LOCK, error=event.cause or "refused", call_id=response.call_id)
        else:
            return
        del self._locks[event.device]
        timer.cancel()
        done(answer)

    def _beat_later(self) -> None:
        if self._heartbeat_s > 0:
            self._clock.call_at(self._clock.now_s() + self._heartbeat_s, self._beat)

    def _beat(self) -> None:
        if self._up:
            self._ask(Message("RequestSystemStatus"), lambda message: self._beat_later(), self._silent)

    def _silent(self, reason: str) -> None:
        self._lose(f"no answer to RequestSystemStatus ({reason})")

    def _lose(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        self._up = False
        self._fail_all("link down")
        self._link.close()
        self._on_down(reason)

    def _fail_all(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for request in pending.values():
            request.timer.cancel()
            request.failed(reason)
        locks, self._locks = self._locks, {}
        for done, response, timer in locks.values():
            timer.cancel()
            done(Response(Service.LOCK, error=reason, call_id=response.call_id))

    def _report(self, direction: str, data: bytes) -> None:
        for on_trace in list(self._traces):
            on_trace(direction, self._clock.now_s(), data)
