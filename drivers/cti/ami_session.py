"""One AMI session: greeting, login by challenge, actions with their answers and time limits, events."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from offhook.drivers.clock import Clock, Timer
from offhook.drivers.cti import OnTrace
from offhook.drivers.cti.ami_tap import blank_secrets
from offhook.drivers.cti.ami_wire import AmiError, AmiReader, pack
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import Link

Headers = dict[str, str]
Answered = Callable[[Headers, list[Headers]], None]
Failed = Callable[[str], None]
ACTION_LIMIT_S = 5.0


@dataclass
class _Pending:
    answered: Answered
    failed: Failed
    timer: Timer
    list_end: str
    response: Headers = field(default_factory=dict)
    rows: list[Headers] = field(default_factory=list)


class AmiSession:
    """Owns the link. ``on_event`` gets every event that is not part of an answer."""

    def __init__(self, link: Link, clock: Clock, on_event: Callable[[Headers], None], heartbeat_s: float) -> None:
        self._link = link
        self._clock = clock
        self._on_event = on_event
        self._heartbeat_s = heartbeat_s
        self._reader = AmiReader()
        self._ids = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._traces: list[OnTrace] = []
        self._on_down: Callable[[str], None] = lambda reason: None
        self._closed = False
        self.up = False

    def start(self, user: str, secret: str, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        """Log in; ``on_up`` once that is done, ``on_down`` when it is refused or the link is lost."""
        self._on_down = on_down

        def challenged(answer: Headers, rows: list[Headers]) -> None:
            key = hashlib.md5((answer.get("Challenge", "") + secret).encode(), usedforsecurity=False).hexdigest()
            login = {"Action": "Login", "AuthType": "MD5", "Username": user, "Key": key}
            self.ask(login, logged_in, self._silent)

        def logged_in(answer: Headers, rows: list[Headers]) -> None:
            if answer.get("Response") != "Success":
                self.lose(f"login as {user!r} refused: {answer.get('Message', 'no reason given')}")
                return
            self.up = True
            self._beat_later()
            on_up()

        self._link.attach(self._take, self.lose)
        self.ask({"Action": "Challenge", "AuthType": "MD5"}, challenged, self._silent)

    def ask(self, action: Headers, answered: Answered, failed: Failed, list_end: str = "") -> None:
        """Send an action. Exactly one of ``answered(response, rows)`` and ``failed(reason)`` follows, never at once."""
        action_id = str(next(self._ids))
        limit = self._clock.call_at(self._clock.now_s() + ACTION_LIMIT_S, lambda: self._fail(action_id, "timeout"))
        self._pending[action_id] = _Pending(answered, failed, limit, list_end)
        try:
            data = pack({**action, "ActionID": action_id})
            self._link.send(data)
        except AmiError as error:
            self._post_failure(action_id, f"invalid argument: {error}")
        except DeviceGone as error:
            self._post_failure(action_id, "link down")
            reason = str(error)
            self._clock.post(lambda: self.lose(reason))
        else:
            self._report("out", data)

    def trace(self, on_trace: OnTrace) -> None:
        """Deliver every message in both directions, secrets blanked."""
        self._traces.append(on_trace)

    def lose(self, reason: str) -> None:
        """End the session because of ``reason``; everything asked fails with "link down"."""
        if not self._closed:
            self.close()
            self._on_down(reason)

    def close(self) -> None:
        """End the session."""
        if self._closed:
            return
        self._closed = True
        self.up = False
        for action_id in list(self._pending):
            self._fail(action_id, "link down")
        self._link.close()

    def _post_failure(self, action_id: str, reason: str) -> None:
        self._clock.post(lambda: self._fail(action_id, reason))

    def _fail(self, action_id: str, reason: str) -> None:
        pending = self._pending.pop(action_id, None)
        if pending is not None:
            pending.timer.cancel()
            pending.failed(reason)

    def _take(self, data: bytes) -> None:
        try:
            messages = self._reader.feed(data)
        except AmiError as error:
            self.lose(str(error))
            return
        for headers, raw in messages:
            self._report("in", raw)
            self._dispatch(headers)

    def _dispatch(self, headers: Headers) -> None:
        action_id = headers.get("ActionID", "")
        pending = self._pending.get(action_id)
        if "Event" not in headers:
            if pending is not None:
                pending.response = headers
                if not pending.list_end or headers.get("Response") == "Error":
                    self._settle(action_id)
        elif pending is not None and pending.list_end:
            if headers["Event"] == pending.list_end:
                self._settle(action_id)
            else:
                pending.rows.append(headers)
        else:
            self._on_event(headers)

    def _settle(self, action_id: str) -> None:
        pending = self._pending.pop(action_id)
        pending.timer.cancel()
        pending.answered(pending.response, pending.rows)

    def _silent(self, reason: str) -> None:
        self.lose(f"no answer from the manager interface ({reason})")

    def _beat_later(self) -> None:
        if self._heartbeat_s > 0:
            self._clock.call_at(self._clock.now_s() + self._heartbeat_s, self._beat)

    def _beat(self) -> None:
        if self.up:
            self.ask({"Action": "Ping"}, lambda answer, rows: self._beat_later(), self._silent)

    def _report(self, direction: str, data: bytes) -> None:
        if self._traces:
            safe = blank_secrets(data)
            for on_trace in list(self._traces):
                on_trace(direction, self._clock.now_s(), safe)
