"""The CTI driver for Asterisk, over its Manager Interface (AMI).

Options: ``user`` and ``secret`` (which never crosses the wire: MD5 challenge), the dialplan's names (see
:mod:`offhook.drivers.cti.ami_actions`), ``heartbeat_s`` (0: none; else Ping that often). The user needs the classes
``call`` and ``user`` to read, ``originate``, ``call`` and ``user`` to write, and should have no others: ``dtmf`` and
``dialplan`` would show keyed digits.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from offhook.drivers.clock import Clock, Timer
from offhook.drivers.cti import Capability, CtiEvent, EventKind, OnEvent, OnResponse, OnTrace, Response, Service
from offhook.drivers.cti import ami_actions as actions
from offhook.drivers.cti.ami_calls import AmiCalls, Channel, bare_number, device_of
from offhook.drivers.cti.ami_session import AmiSession, Headers
from offhook.drivers.links import Link, Wires

CAPABILITIES = frozenset(
    {
        Capability.MONITOR,
        Capability.MAKE_CALL,
        Capability.POST_DIAL_DTMF,
        Capability.GENERATE_DIGITS,
        Capability.LOCK_NOTIFY,
        Capability.CLEAR,
    }
)
LOCK_LIMIT_S = 5.0
DIGIT_PERIOD_S = 0.25
"""From one generated digit to the next: 100 ms of tone, and the PBX's own pause after it many times over."""
_STATES = {"Up": "connected", "Ringing": "alerting", "Ring": "initiated", "Down": "initiated"}


class AmiDriver:
    """An AMI session over a link. See :class:`offhook.drivers.cti.CtiDriver`."""

    def __init__(self, link: Link, clock: Clock, options: Mapping[str, Any]) -> None:
        self._clock = clock
        self._plan = actions.AmiDialplan.of(options)
        self._user, self._secret = str(options.get("user", "")), str(options.get("secret", ""))
        self._session = AmiSession(link, clock, self._on_ami_event, float(options.get("heartbeat_s", 0.0)))
        self._calls = AmiCalls(self._plan.technology)
        self._monitors: dict[str, str] = {}
        self._monitor_ids = itertools.count(1)
        prefix = secrets.token_hex(4)  # two sessions with one PBX must not choose the same call id
        self._call_ids = (f"cti-{prefix}-{number}" for number in itertools.count(1))
        self._locks: dict[str, tuple[Service, OnResponse, Timer]] = {}
        self._events: list[OnEvent] = []

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> AmiDriver:
        """Open ``options["link"]`` for the resource ``name``. Raises DeviceGone or ConfigError."""
        return cls(wires.link(str(options["link"])), wires.clock, options)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What Asterisk offers with our dialplan."""
        return CAPABILITIES if self.up else frozenset()

    @property
    def up(self) -> bool:
        """True while logged in."""
        return self._session.up

    def start(self, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        """Log in."""

        def lost(reason: str) -> None:
            self._fail_locks()
            on_down(reason)

        self._session.start(self._user, self._secret, on_up, lost)

    def request(self, service: Service, done: OnResponse, **arguments: str) -> None:
        """Ask for a service; ``done`` is called exactly once and never from inside this call."""
        serve: Callable[..., None] | None = getattr(self, f"_do_{service.name.lower()}", None)
        if not self.up:
            self._later(done, Response(service, error="link down"))
        elif serve is None:
            self._later(done, Response(service, error="not_supported"))
        else:
            serve(done, **arguments)

    def subscribe(self, on_event: OnEvent) -> None:
        """Deliver every event of every monitor of this session."""
        self._events.append(on_event)

    def trace(self, on_trace: OnTrace) -> None:
        """Deliver every message in both directions, the login's key blanked."""
        self._session.trace(on_trace)

    def close(self) -> None:
        """End the session; its monitors live in this driver and end with it."""
        self._session.close()
        self._fail_locks()

    def _later(self, done: OnResponse, response: Response) -> None:
        self._clock.post(lambda: done(response))

    def _ask(self, service: Service, done: OnResponse, action: Headers, ok: Callable[[Headers], Response]) -> None:
        """One action whose answer is the service's; ``ok`` makes the response of a success."""

        def answered(answer: Headers, rows: list[Headers]) -> None:
            refused = answer.get("Response") == "Error"
            done(Response(service, error=answer.get("Message") or "refused") if refused else ok(answer))

        self._session.ask(action, answered, lambda reason: done(Response(service, error=reason)))

    def _do_monitor_start(self, done: OnResponse, device: str) -> None:
        def started(answer: Headers) -> Response:
            if answer.get("Status", "-1") == "-1":
                return Response(Service.MONITOR_START, error="unknown_extension")
            monitor_id = str(next(self._monitor_ids))
            self._monitors[monitor_id] = device
            return Response(Service.MONITOR_START, monitor_id=monitor_id)

        self._ask(Service.MONITOR_START, done, actions.monitor_start(self._plan, device), started)

    def _do_monitor_stop(self, done: OnResponse, monitor_id: str) -> None:
        service = Service.MONITOR_STOP
        if monitor_id not in self._monitors:
            self._later(done, Response(service, error="unknown_monitor"))
            return
        action = actions.monitor_stop(self._monitors.pop(monitor_id), monitor_id)
        self._ask(service, done, action, lambda answer: Response(service, monitor_id=monitor_id))

    def _do_make_call(self, done: OnResponse, calling: str, called: str) -> None:
        call_id = next(self._call_ids)
        self._calls.expect(call_id, calling, called)
        action = actions.make_call(self._plan, calling, called, call_id)
        self._ask(Service.MAKE_CALL, done, action, lambda answer: Response(Service.MAKE_CALL, call_id=call_id))

    def _do_clear_connection(self, done: OnResponse, device: str, call_id: str) -> None:
        service = Service.CLEAR_CONNECTION
        channel = self._calls.channel(call_id, device)
        if channel is None:
            self._later(done, Response(service, error="unknown_call"))
            return
        self._ask(service, done, actions.hang_up(channel.name), lambda answer: Response(service, call_id=call_id))

    def _do_generate_digits(self, done: OnResponse, device: str, call_id: str, digits: str) -> None:
        service = Service.GENERATE_DIGITS
        own = self._calls.channel(call_id, device)
        far = [each for each in self._calls.channels.values() if each.call_id == call_id and each.device != device]
        if own is None or not far or not digits:
            self._later(done, Response(service, error="invalid_state" if digits else "invalid_number"))
            return
        self._play(own, digits, done)

    def _play(self, own: Channel, digits: str, done: OnResponse) -> None:
        """One digit after the other; the service is answered with the last, or with the first refusal."""
        service = Service.GENERATE_DIGITS

        def played(response: Response) -> None:
            if not response.ok or len(digits) == 1:
                done(response)
            else:
                due_s = self._clock.now_s() + DIGIT_PERIOD_S
                self._clock.call_at(due_s, lambda: self._play(own, digits[1:], done))

        action = actions.play_digit(own.name, digits[0])
        self._ask(service, played, action, lambda answer: Response(service, call_id=own.call_id))

    def _do_snapshot_device(self, done: OnResponse, device: str) -> None:
        service = Service.SNAPSHOT_DEVICE

        def status(answer: Headers, rows: list[Headers]) -> None:
            calls = tuple(_call_of(row) for row in rows if device_of(row.get("Channel", "")) == device)
            flag = actions.lock_flag(device)
            self._ask(service, done, flag, lambda value: Response(service, calls=calls, lock_state=_locked(value)))

        failed = lambda reason: done(Response(service, error=reason))  # noqa: E731
        self._session.ask({"Action": "Status"}, status, failed, list_end="StatusComplete")

    def _do_lock(self, done: OnResponse, device: str, variant: str = "notify", prefix: str = "") -> None:
        if variant != "notify":
            self._later(done, Response(Service.LOCK, error="not_supported"))
        else:
            self._set_lock(Service.LOCK, done, device)

    def _do_unlock(self, done: OnResponse, device: str) -> None:
        self._set_lock(Service.UNLOCK, done, device)

    def _set_lock(self, service: Service, done: OnResponse, device: str) -> None:
        """Call the dialplan's lock extension; the PBX's own UserEvent is the answer."""

        def give_up(reason: str) -> None:
            waiting = self._locks.pop(device, None)
            if waiting is not None:
                waiting[2].cancel()
                waiting[1](Response(service, error=reason))

        def queued(answer: Headers, rows: list[Headers]) -> None:
            if answer.get("Response") == "Error":
                give_up(answer.get("Message") or "refused")

        if device in self._locks:
            self._later(done, Response(service, error="busy"))
            return
        timer = self._clock.call_at(self._clock.now_s() + LOCK_LIMIT_S, lambda: give_up("timeout"))
        self._locks[device] = (service, done, timer)
        self._session.ask(actions.lock(self._plan, device, service is Service.LOCK), queued, give_up)

    def _fail_locks(self) -> None:
        locks, self._locks = self._locks, {}
        for service, done, timer in locks.values():
            timer.cancel()
            done(Response(service, error="link down"))

    def _on_ami_event(self, headers: Headers) -> None:
        for event in self._calls.feed(headers, self._clock.now_s()):
            self._settle_lock(event)
            self._deliver(event)

    def _settle_lock(self, event: CtiEvent) -> None:
        wanted = {EventKind.LOCKED: Service.LOCK, EventKind.UNLOCKED: Service.UNLOCK}.get(event.kind)
        waiting = self._locks.get(event.device)
        if waiting is not None and waiting[0] is wanted:
            del self._locks[event.device]
            waiting[2].cancel()
            waiting[1](Response(waiting[0], lock_state=str(event.kind).upper()))

    def _deliver(self, event: CtiEvent) -> None:
        parties = {event.device, event.calling, event.called}
        for monitor_id, device in list(self._monitors.items()):
            if device in parties:
                for on_event in list(self._events):
                    on_event(replace(event, monitor_id=monitor_id))


def _locked(value: Headers) -> str:
    return "LOCKED" if value.get("Value") == "1" else "UNLOCKED"


def _call_of(row: Headers) -> dict[str, str]:
    """A row of a snapshot, from a Status event."""
    return {
        "call_id": row.get("Linkedid", ""),
        "state": _STATES.get(row.get("ChannelStateDesc", ""), "unknown"),
        "calling": device_of(row.get("Channel", "")) if row.get("Uniqueid") == row.get("Linkedid") else "",
        "called": bare_number(row.get("Exten", "")),
    }
