"""An account of the cloud service, as its holder uses it; everything it answers is a sighting by probe K."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import TypeVar

from offhook.bench.phone import Phone
from offhook.bench.watch import Seen, Watch
from offhook.drivers.cloud import Association, CloudClient
from offhook.drivers.errors import DeviceRefused

T = TypeVar("T")
POLL_S = 0.05
READ_U_S = 0.001
"""The service's clock is read in milliseconds."""


class Account:
    """One logged-in account."""

    def __init__(self, name: str, api: CloudClient, watch: Watch, phones: Sequence[Phone] = ()) -> None:
        self.name = name
        self.api = api
        self._watch = watch
        self._phones = phones
        self._after = 0
        self._asked: set[str] = set()

    def request(self, extension: str) -> tuple[str, Seen]:
        """S1: ask to associate an extension; returns the context's id and the sighting of the request."""
        asked_s = self._watch.clock.now_s()
        context = self.api.request_association(self.name, extension)
        self._asked.add(context.id)
        return context.id, self._note("request", asked_s, context.id)

    def code(self, association: str, within_s: float = 5.0) -> tuple[str, Seen] | None:
        """S2: wait for the code in the inbox; the code itself is kept out of the record."""

        def look() -> tuple[str, Seen] | None:
            asked_s = self._watch.clock.now_s()
            for message in self.api.inbox(self.name):
                if message.kind == "code" and message.association == association:
                    return message.code, self._note("code", asked_s, association)
            return None

        return self._poll(look, within_s)

    def complete(self, association: str) -> Seen:
        """S3: tell the service that the user is near the phone."""
        asked_s = self._watch.clock.now_s()
        self.api.complete(self.name, association)
        return self._note("completion", asked_s, association)

    def state(self, association: str) -> Association:
        """What the service says of the context."""
        return self.api.association(self.name, association)

    def wait_state(self, association: str, states: Collection[str], within_s: float) -> Seen | None:
        """Wait until the context is in one of these states; the sighting carries state and reason."""

        def look() -> Seen | None:
            asked_s = self._watch.clock.now_s()
            context = self.state(association)
            if context.state not in states:
                return None
            return self._note("state", asked_s, association, state=context.state, reason=context.reason)

        return self._poll(look, within_s)

    def wait_step(self, association: str, step: str, within_s: float, since_s: float = 0.0) -> Seen | None:
        """Wait until the service reports a step of the flow (its own view, K)."""

        def look() -> Seen | None:
            self._fetch_steps()
            return self._watch.first("cloud-step", since_s, association=association, step=step)

        return self._poll(look, within_s)

    def wait_again(self, association: str, since_s: float, within_s: float) -> Seen | None:
        """Wait until the IVR repeats its prompt (the service's view, K)."""

        def look() -> Seen | None:
            self._fetch_steps()
            return self._watch.first("cloud-step", since_s, association=association, step="S33", d_again=True)

        return self._poll(look, within_s)

    def phones(self) -> list[str]:
        """Extensions this account may control."""
        return [phone.extension for phone in self.api.phones(self.name)]

    def note_phones(self) -> Seen:
        """The same, as a sighting: ``count`` and ``extensions``."""
        asked_s = self._watch.clock.now_s()
        phones = self.phones()
        return self._note("phones", asked_s, "", count=len(phones), extensions=" ".join(phones))

    def abandon(self) -> None:
        """Cancel what this account asked for and has not come to an end."""
        while self._asked:
            with suppress(DeviceRefused):  # it has ended by itself
                self.api.cancel(self.name, self._asked.pop())

    def leave(self, extension: str) -> None:
        """End the account's association with an extension, if there is one (ASSOC-END.1)."""
        if extension in self.phones():
            self.api.end_association(self.name, extension)

    def controls(self, phone: Phone, to: str = "") -> Seen | None:
        """S10.2: let the account call another phone from this one; the ring that proves it, None if refused or silent.

        ``to`` is whom to call (default: another phone of the station).
        """
        others = [each.extension for each in self._phones if each is not phone]
        to = to or (others or [phone.extension])[0]
        since_s = self._watch.clock.now_s()
        try:
            call_id = self.api.make_call(self.name, phone.extension, to)
        except DeviceRefused as refusal:
            self._note("control-refused", since_s, "", reason=refusal.detail)
            return None
        self._note("control", since_s, "", to=to)
        rang = phone.ring(within_s=3.0, since_s=since_s)
        self.api.clear(self.name, phone.extension, call_id)
        self._watch.clock.sleep(0.5)
        return rang

    def _fetch_steps(self) -> None:
        asked_s = self._watch.clock.now_s()
        page = self.api.steps(self.name, self._after)
        now_s = self._watch.clock.now_s()
        offset_s = (asked_s + now_s) / 2 - page.now_s
        for step in page.steps:
            self._after = max(self._after, step.seq)
            self._watch.note(
                "K",
                "cloud",
                "cloud-step",
                self.name,
                step.at_s + offset_s,
                (now_s - asked_s) / 2 + READ_U_S,
                association=step.association,
                step=step.step,
                **{f"d_{key}": value for key, value in step.data.items()},
            )

    def _poll(self, look: Callable[[], T | None], within_s: float) -> T | None:
        clock = self._watch.clock
        deadline_s = clock.now_s() + within_s
        while (found := look()) is None and clock.now_s() < deadline_s:
            clock.sleep(POLL_S)
        return found

    def _note(self, kind: str, asked_s: float, association: str, **data: str | int) -> Seen:
        half_s = (self._watch.clock.now_s() - asked_s) / 2
        u_s = half_s + READ_U_S + (POLL_S if kind in ("code", "state") else 0.0)
        return self._watch.note("K", "cloud", kind, self.name, asked_s + half_s, u_s, association=association, **data)
