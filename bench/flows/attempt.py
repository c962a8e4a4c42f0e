"""One association attempt: what its steps share, and how each waits for what it must see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from offhook.bench.accounts import Account
from offhook.bench.flows.keying import LONGEST_S, doubled, held
from offhook.bench.flows.steps import Script, StepFailed
from offhook.bench.phone import Phone
from offhook.bench.station_model import Options
from offhook.bench.thresholds import SMOKE, Thresholds
from offhook.bench.watch import Seen

CLOUD_CTI = "CTI link between cloud and PBX"
IVR_LEG = "IVR leg (trunk audio)"
SENDER = "the PBX's DTMF sender"
CLOCKS_AGREE_S = 0.05
"""The service's clock, read over HTTP, agrees with the bench's within this (half a round trip)."""


@dataclass
class AssociationAttempt(Script):
    """One account, one phone, and what is known of the attempt so far."""

    account: Account = field(kw_only=True)
    phone: Phone = field(kw_only=True)
    options: Options = field(kw_only=True)
    lock: str = field(kw_only=True, default="none")
    in_call: bool = field(kw_only=True, default=False)
    """The context id goes over the established connection, not into MakeCall (ASSOC-S16.4)."""
    limits: Thresholds = field(kw_only=True, default=SMOKE)
    association: str = ""
    code: str = ""
    context: str = ""
    port: str = ""
    call_id: str = ""
    keyed_s: float = 0.0
    lag_s: float = 0.0
    """What the IVR says is in the ear so much later: by internet telephony, some tenths of a second."""
    retry: bool = False
    alone: bool = True
    """False while other flows run beside this one: their phones ring, rightly."""

    @property
    def heard(self) -> str:
        """The wire towards the IVR port that took the call."""
        return f"ivr-{self.port}-heard"

    @property
    def spoken(self) -> str:
        """The wire from that port."""
        return f"ivr-{self.port}-spoken"

    @property
    def dial_string(self) -> str:
        """What MakeCall must carry: the public number, and the context id where the option is on."""
        return f"{self.public_number}*{self.context}#" if self.context and not self.in_call else self.public_number

    @property
    def public_number(self) -> str:
        """The IVR's, as it is dialled."""
        return "00" + next(iter(self.station.model.ivr.values())).number.removeprefix("+")

    @property
    def _trigger(self) -> Seen:
        return self.steps.get("S3", self.steps["S1"])

    @property
    def _handset(self) -> str:
        return f"handset audio of {self.phone.name} ({self.phone.model.handset})"

    @property
    def _keypad(self) -> str:
        return f"keypad relays of {self.phone.name}"

    @staticmethod
    def _text(digits: list[Seen]) -> str:
        return "".join(str(seen.data["key"]) for seen in digits)

    def _cloud_step(self, step: str, within_s: float = 5.0, after_s: float | None = None) -> Seen:
        since_s = self._trigger.time_s - CLOCKS_AGREE_S if after_s is None else after_s - CLOCKS_AGREE_S
        seen = self.account.wait_step(self.association, step, within_s, since_s)
        if seen is None:
            state = self.account.state(self.association)
            heard = f"state {state.state} {state.reason}".strip()
            raise StepFailed(step, f"the service reports {step}", heard, "cloud service")
        return seen

    def _cti(self, name: str, step: str, after: Seen, subject: str | None = "", **where: str | None) -> Seen:
        device = self.phone.extension if subject == "" else subject
        seen = self.station.watch.expect("cti", 3.0, after.time_s, device, name=name, **where)
        if seen is None:
            others = sorted({str(s.data["name"]) for s in self.station.watch.all("cti", after.time_s)})
            heard = f"{', '.join(others) or 'nothing'} at the tap within 3 s"
            raise StepFailed(step, f"{name} for {self.phone.extension}", heard, CLOUD_CTI, "is the CTI link up?")
        return seen

    def _digits(self, wire: str, after: Seen) -> list[Seen]:
        return list(self.station.watch.all("digit", after.time_s, wire))

    def _port_that_heard(self, expected: str, after: Seen) -> str:
        watch = self.station.watch

        def match() -> str:
            texts = {port: self._text(self._digits(f"ivr-{port}-heard", after)) for port in self.station.ivr_ports}
            return next((port for port, text in texts.items() if text == expected), "")

        port = watch.clock.wait_for(match, self.limits.first_context_digit_max_s + self.limits.context_digits_s)
        self._check_ends(expected, after)
        if not port:
            texts = [self._text(self._digits(f"ivr-{name}-heard", after)) for name in self.station.ivr_ports]
            heard = ", ".join(text for text in texts if text) or "nothing"
            for name in self.station.ivr_ports:
                twice = doubled(expected, self._digits(f"ivr-{name}-heard", after))
                heard += "".join(f"; {each}: doubled by the PBX's sender or the trunk" for each in twice)
            hint = "listen to ivr-*-heard.wav"
            raise StepFailed("S31", f"context digits {expected} at the IVR", heard + self._given_up(), IVR_LEG, hint)
        return port

    def _check_ends(self, expected: str, after: Seen) -> None:
        """A tone that nobody ends is the fault of who sent it, and not of the service that waits for its end."""
        now_s = self.station.clock.now_s()
        for port in self.station.ivr_ports:
            wire = f"ivr-{port}-heard"
            long = held(self.station.listener, wire, self._digits(wire, after), after.time_s, now_s)
            if long is None:
                continue
            hint = f"listen to {wire}.wav; have the PBX end its tones, or send the context digits with MakeCall"
            spec: dict[str, Any] = {"wire": wire, "from_s": after.time_s, "to_s": now_s, "expected": expected}
            self.judge("ASSOC-S16.2", "context digits at the IVR", "digits", **spec, longest_s=LONGEST_S, hint=hint)
            raise StepFailed("S16", "context digits that end", str(long) + self._given_up(), SENDER, hint)

    def _given_up(self) -> str:
        """Why the service itself has given up, if it has: then the wire is not to blame."""
        state = self.account.state(self.association)
        return f"; the service has given up: {state.reason}" if state.state == "FAILED" else ""

    def _port_that_speaks(self, after: Seen) -> str:
        clock, listener = self.station.clock, self.station.listener

        def match() -> str:
            ports = self.station.ivr_ports
            return next((p for p in ports if listener.sound_after(f"ivr-{p}-spoken", after.time_s)), "")

        port = clock.wait_for(match, 5.0)
        if not port:
            raise StepFailed("S31", "the IVR answers", "silence on every IVR port", IVR_LEG)
        return port

    def _sound(self, wire: str, after_s: float, within_s: float, probe: str) -> Seen | None:
        span = self.station.clock.wait_for(lambda: self.station.listener.sound_after(wire, after_s), within_s)
        if span is None:
            return None
        return self.station.watch.note(probe, wire, "sound", wire, span.start_s, 0.02)

    def _silent_before_trunk(self) -> str:
        ear = self.station.listener.sound_after(self.phone.name, self.steps["lift"].time_s - 0.1)
        if ear is None and self.lock != "none":
            return self._handset
        return "trunk or PBX"
