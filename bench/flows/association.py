"""Associating an extension with a cloud account (requirements section 6): S1 to S36 in the order they really happen.

Each step is one method, so that a test can stop, hang up or cut a wire between any two. ``associate`` runs them all.
Every step has a cause and an effect seen by another probe (requirements section 14); when the effect never comes,
:class:`StepFailed` names the wire between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from offhook.bench.flows.attempt import IVR_LEG, AssociationAttempt
from offhook.bench.flows.keying import LONGEST_S, doubled, why_doubled
from offhook.bench.flows.lock import DIAL_TONES, key_local_code, wait_local_prompt
from offhook.bench.flows.never_came import START_S, judge_never_came
from offhook.bench.flows.steps import StepFailed
from offhook.bench.watch import Seen
from offhook.drivers.errors import DeviceGone, DeviceRefused, DeviceTimeout

QUIET_BEFORE_S3_S = 0.5
OUR_OWN = ("relay.", "sense.", "audio.")
"""Resources of the bench itself."""
COMMANDS = ("MonitorStart", "Lock", "MakeCall")
"""What S4 to S6 send to the PBX; none of it may cross the link before S3."""
SOONER_S = 0.1
"""A code that the service takes for complete so long before its last digit had one digit too many."""
CALL_EVENTS = ("Originated", "Delivered", "Established")
TOLD_ONCE = ("name", "f_call_id", "f_cause", "f_monitor_id")
"""What makes an event the same again: a phone that two accounts watch for a while has two monitors, and each tells."""
EVENT_LEAD_S = 30.0
"""From the first of them to the first context digit: ring time at the far end, and TH-06."""
IVR_ANSWER_S = 10.0
PROMPT_S = 20.0
"""No prompt is longer."""


@dataclass
class Association(AssociationAttempt):
    """The stages of an association, in order; ``run_to`` runs them."""

    def run_to(self, stage: str, first: str = "request") -> None:
        """Run the stages from ``first`` up to and including ``stage``."""
        for name in STAGES[STAGES.index(first) : STAGES.index(stage) + 1]:
            try:
                getattr(self, name)()
            except (DeviceGone, DeviceRefused, DeviceTimeout) as error:
                if error.resource.startswith(OUR_OWN):
                    raise  # a wire of the bench that fails says nothing of the telephone
                raise StepFailed(name, "the stage to go on", str(error), f"the wire to {error.resource}") from error
            except StepFailed as failed:
                self.station.listener.check()  # what a deaf bench did not hear is nobody's fault
                judge_never_came(self, failed)
                raise

    def again(self) -> Association:
        """A new attempt from S3 for the same request (LOCK-S25.3, ASSOC-RETRY.1), every step of it recorded anew."""
        retry = replace(self, flow=self.flow + ", again", steps={}, port="", call_id="", keyed_s=0.0)
        retry.retry = True
        retry.steps = {name: self.steps[name] for name in ("S1", "S21", "S2") if name in self.steps}
        return retry

    # ---- S1, S21, S2, S3 ---------------------------------------------------------------------------------------

    def request(self) -> None:
        """S1 to S2: ask, and read the code in the account."""
        self.association, asked = self.account.request(self.phone.extension)
        self.mark("S1", "the account asks for the extension", asked)
        self.equal("ASSOC-S1.1", "extension asked for", self._cloud_step("S1"), "d_extension", self.phone.extension)
        if self.options.context:
            made = self._cloud_step("S21")
            self.context = self._told_context(made)
            self.mark("S21", "a context id is stored with the code", made, asked)
            self.interval("ASSOC-S21.1", "S1 to the context id", asked, made, self.limits.code_delivered_s)
        got = self.account.code(self.association)
        if got is None:
            raise StepFailed("S2", "a code in the account's inbox", "none in 5 s", "HTTP to the cloud service")
        self.code, delivered = got
        self.station.codes_drawn.add(self.code)
        self.mark("S2", "the code is in the account", delivered, asked)
        self.interval("ASSOC-S2.1", "S1 to S2", asked, delivered, self.limits.code_delivered_s)

    def _told_context(self, made: Seen) -> str:
        context = str(made.data.get("d_context_id", ""))
        self.station.context_ids.add(context)
        return context

    def complete(self) -> None:
        """S3: the user says that he is near the phone; before that the CTI link is silent about it."""
        if not (self.options.s3 or self.retry):
            return
        self.station.clock.sleep(QUIET_BEFORE_S3_S)
        done = self.account.complete(self.association)
        self.mark("S3", "the user is near the phone", done, self.steps["S2"])
        if self.retry:
            self.code = self.account.api.code(self.account.name, self.association)
            self.station.codes_drawn.add(self.code)
            self.context = self._told_context(self._cloud_step("S21")) if self.context else ""
            return
        from_s, to_s = self.steps["S1"].time_s, done.time_s - done.u_s
        for command in COMMANDS:
            title = f"{command} about the extension before S3"
            spec: dict[str, Any] = {"subject": self.phone.extension, "where": {"name": command, "direction": ">"}}
            self.count("ASSOC-S3.1", title, "cti", from_s, to_s, **spec, at_most=0)

    # ---- S4, S5, S6 --------------------------------------------------------------------------------------------

    def monitored(self) -> None:
        """S4/S11: the cloud monitors the extension, the PBX confirms."""
        start = self._trigger
        asked = self._cti("MonitorStart", "S4", start)
        self.mark("S4", "the cloud asks to monitor the extension", asked, start)
        if "S3" not in self.steps:
            self.interval("ASSOC-S3.2", "S1 to S4, where no completion is asked for", start, asked, START_S)
        answer = self._cti("MonitorStartResponse", "S11", asked)
        self.mark("S11", "the PBX monitors it", answer, asked)
        self.equal("ASSOC-S4.1", "extension to be monitored", asked, "f_device", self.phone.extension)
        self.interval("ASSOC-S11.1", "S4 to S11", asked, answer, self.limits.monitor_confirmed_s)

    def locked(self) -> None:
        """S5/S13/S22: the cloud has the phone locked, the phone says so."""
        if self.lock == "none":
            return
        if self.lock == "prefix":
            prefix = self.station.model.lock_prefix
            asked = self._cti("MakeCall", "S5", self.steps["S11"], f_called=prefix)
        else:
            asked = self._cti("Lock", "S5", self.steps["S11"])
        self.mark("S5", f"the cloud locks the phone ({self.lock})", asked, self.steps["S11"])
        done = self._cti("Locked", "S22", asked)
        if self.lock == "notify":
            self.mark("S13", "the PBX notifies the phone", done, asked)
        self.mark("S22", "the phone is locked", done, asked)
        if self.lock == "prefix":
            self.equal("LOCK-S5.2", "extension that the lock call is from", asked, "f_calling", self.phone.extension)
            self.interval("LOCK-S5.2", "lock call to the lock", asked, done, self.limits.lock_effective_s)
        else:
            title = "lock command to the phone's own confirmation"
            self.interval("LOCK-S13.1", title, asked, done, self.limits.lock_effective_s)
        self.interval("LOCK-S5.1", "S5 to the lock's confirmation", asked, done, self.limits.lock_effective_s)

    def called(self) -> None:
        """S6/S14: MakeCall from the extension to the public IVR number, acknowledged."""
        before = self.steps.get("S5", self.steps["S11"])  # its answer may come before the phone's own Locked
        asked = self._cti("MakeCall", "S6", before, f_called=self.dial_string)
        self.mark("S6", "the cloud makes the call", asked, before)
        if self.lock == "none":
            spec: dict[str, Any] = {"subject": self.phone.extension, "where": {"name": "Lock", "direction": ">"}}
            title = "lock commands where the administrator did not activate the lock"
            self.count("LOCK-CAP.1", title, "cti", self._trigger.time_s, asked.time_s, **spec, at_most=0)
        self.equal("ASSOC-S6.1", "MakeCall's extension", asked, "f_calling", self.phone.extension)
        self.equal("ASSOC-S6.2", "MakeCall's dial string", asked, "f_called", self.dial_string)
        answer = self._cti("MakeCallResponse", "S14", asked)
        self.mark("S14", "the PBX starts the call", answer, asked)
        self.interval("ASSOC-S14.1", "S6 to the PBX's acknowledgement", asked, answer, self.limits.monitor_confirmed_s)
        self.call_id = str(answer.data.get("f_call_id", ""))

    # ---- S15, S24, S25 -----------------------------------------------------------------------------------------

    def answer(self) -> None:
        """S15: this phone rings, no other does, and it is lifted."""
        asked = self.steps["S6"]
        ring = self.phone.ring(self.limits.first_ring_s + 1.0, asked.time_s)
        if ring is None:
            heard = "no ring within 3 s of MakeCall"
            raise StepFailed("S15", f"{self.phone.name} rings", heard, "ringer sensor or PBX", "offhook check")
        self.mark("S15", "the phone rings", ring, asked)
        self.interval("ASSOC-S15.1", "S6 to first ring", asked, ring, self.limits.first_ring_s)
        self.station.clock.sleep(1.0)
        lifted = self.phone.lift()
        self.steps["lift"] = lifted
        if self.alone:
            self._no_other_ring(asked, lifted)

    def _no_other_ring(self, asked: Seen, lifted: Seen) -> None:
        self.count(
            "ASSOC-S15.1",
            "rings on other phones",
            "ring",
            asked.time_s,
            lifted.time_s,
            not_subject=self.phone.name,
            where={"active": True},
            at_most=0,
        )

    def unlock(self, code: str | None = None) -> None:
        """S24/S25: the local code is asked for before the trunk is seized, and keyed."""
        if self.lock == "none":
            return
        lifted = self.steps["lift"]
        prompt = wait_local_prompt(self, self.phone, lifted)
        self.mark("S24", "the phone asks for the local code", prompt, lifted)
        self.judge(
            "LOCK-S24.1",
            "local code prompt at the handset",
            "tone",
            wire=self.phone.name,
            from_s=prompt.data["from_s"],
            to_s=prompt.time_s,
            expected=DIAL_TONES,
        )
        self.count(
            "LOCK-S24.1",
            "trunk seizures before the local code",
            "seizure",
            lifted.time_s,
            prompt.time_s,
            active=True,
            at_most=0,
        )
        keyed = key_local_code(self, self.phone, code if code is not None else self.phone.local_code)
        self.steps["local-code"] = keyed

    # ---- S16, S31, S32, S33 ------------------------------------------------------------------------------------

    def dialled_out(self) -> None:
        """S16: an outside line is seized (after the right local code, if locked: S25)."""
        cause = self.steps.get("local-code", self.steps["lift"])
        seized = self.station.watch.expect("seizure", self.limits.seizure_s + 1.0, cause.time_s, active=True)
        if seized is None:
            raise StepFailed("S16", "an outside line seized", "none within 3 s", self._silent_before_trunk())
        if self.lock != "none":
            self.mark("S25", "the right local code lets the call go on", seized, cause)
            told = self._cti("Unlocked", "S25", self.steps["lift"])  # the last key's gap is still to come by then
            self.interval("LOCK-S25.1", "Unlocked on CTI to seizure", told, seized, self.limits.seizure_s)
        self.mark("S16", "the PBX calls the IVR over the PSTN", seized, cause)
        self.interval("ASSOC-S16.1", "answer (or local code) to seizure", cause, seized, self.limits.seizure_s)

    def identified(self) -> None:
        """S31/S32: the IVR answers, hears the context digits as tones, and the service has the calling number."""
        seized = self.steps["S16"]
        if self.context:
            expected = self.context + "#"
            self.port = self._port_that_heard(expected, seized)
            digits = self._digits(self.heard, seized)
            self.mark("S31", "the IVR hears the context digits", digits[-1], seized)
            to_s = digits[-1].time_s + 0.03
            spec: dict[str, Any] = {"wire": self.heard, "from_s": seized.time_s, "to_s": to_s, "expected": expected}
            self.judge("ASSOC-S16.2", "context digits at the IVR", "digits", **spec, longest_s=LONGEST_S)
            if self.in_call:
                self._digits_were_ordered(seized)
            self._call_was_reported(digits[0])
        else:
            self.port = self._port_that_speaks(seized)
            self.mark("S31", "the IVR answers", self._cloud_step("S31"), seized)
            to_s = self.steps["S31"].time_s
            self.count("ASSOC-VAR.1", "digits at the IVR where no context id is asked for", "digit",
                       seized.time_s, to_s, wire=self.heard, at_most=0)  # fmt: skip
        if self.options.ddi:
            self.mark("S32", "the calling number is known", self._cloud_step("S32"), seized)

    def _digits_were_ordered(self, seized: Seen) -> None:
        """S16 over the established connection: the cloud tells the PBX to dial the context digits (ASSOC-S16.4)."""
        sent = self.station.watch.all("cti", seized.time_s, name="GenerateDigits", direction=">")
        ordered = [each for each in sent if self.alone or each.data.get("f_call_id") == self.call_id]
        if not ordered and not self.alone:
            return  # a link that does not say for which call: other flows' digits are among them
        digits = "".join(str(each.data.get("f_digits", "")) for each in ordered)
        time_s = ordered[-1].time_s if ordered else seized.time_s
        seen = self.station.watch.note("C", "cti-tap", "generated", self.phone.extension, time_s, 0.005, digits=digits)
        self.equal("ASSOC-S16.4", "digits that the cloud orders in the call", seen, "digits", self.context + "#")

    def _call_was_reported(self, digit: Seen) -> None:
        """S11: the monitor told of the call, in order, before the first digit crossed it."""
        before = self.steps["S6"]
        for name in CALL_EVENTS:
            event = self._cti(name, "S11", before, subject=None, f_call_id=self.call_id)
            self.interval("ASSOC-S11.2", f"{name} on CTI before the first context digit", event, digit, EVENT_LEAD_S)
            where = {key: event.data[key] for key in TOLD_ONCE if key in event.data}
            spec: dict[str, Any] = {"subject": event.subject, "where": where, "at_most": 1}
            self.count("ASSOC-S11.2", f"{name} on CTI, once", "cti", self.steps["S6"].time_s, digit.time_s, **spec)
            before = event
        self.interval("ASSOC-S31.1", "seizure to the IVR's answer", self.steps["S16"], before, IVR_ANSWER_S)
        first, last = self.limits.first_context_digit_min_s, self.limits.first_context_digit_max_s
        self.interval("ASSOC-S16.3", "the IVR's answer to the first context digit", before, digit, last, first)

    def prompted(self) -> None:
        """S33: the IVR asks for the code; its voice leaves the IVR and arrives in the ear."""
        after = self.steps["S31"]
        spoken = self._sound(self.spoken, after.time_s, self.limits.prompt_onset_s + 1.0, "A-i")
        if spoken is None:
            raise StepFailed("S33", "a voice prompt", f"silence on {self.spoken}", IVR_LEG)
        ear = self._sound(self.phone.name, spoken.time_s - 0.1, 1.5, "A-h")
        if ear is None:
            raise StepFailed("S33", f"the prompt in the ear of {self.phone.name}", "silence", self._handset)
        self.mark("S33", "the IVR asks for the code", ear, spoken)
        self.lag_s = max(0.0, ear.time_s - spoken.time_s)
        self.interval("ASSOC-S33.1", "context digits to prompt", after, spoken, self.limits.prompt_onset_s)
        self.station.clock.sleep(0.6)
        now_s = self.station.clock.now_s()
        for wire, start in ((self.spoken, spoken), (self.phone.name, ear)):
            self.judge("ASSOC-S33.1", f"voice on {wire}", "voice", wire=wire, from_s=start.time_s, to_s=now_s)

    # ---- S27, S8, S9, S10, S36 ---------------------------------------------------------------------------------

    def key_code(self, code: str | None = None, *, over_prompt: bool = False) -> None:
        """S27: the code keyed on the phone reaches the IVR as tones, once.

        Keyed when the prompt is over, at the IVR and in the ear: not every IVR hears through its own voice, and no ear
        does for sure. With ``over_prompt`` at once, and what counts is what the IVR hears; so it is with more digits
        than a code has, as the IVR may answer before the last of them.
        """
        typed = self.code if code is None else code
        watch, only_ivr = self.station.watch, over_prompt or len(typed) > len(self.code) > 0
        if not over_prompt:
            watch.clock.wait_for(self._prompt_is_over, PROMPT_S)
        self.keyed_s = start_s = watch.clock.now_s()
        self.phone.key(typed)
        watch.clock.wait_for(lambda: len(list(watch.all("digit", start_s, self.heard))) >= len(typed), 1.0)
        ear, ivr = (list(watch.all("digit", start_s, wire)) for wire in (self.phone.name, self.heard))
        to_s = max([seen.time_s for seen in ear + ivr] + [watch.clock.now_s()]) + 0.03
        spec: dict[str, Any] = {"from_s": start_s, "to_s": to_s, "expected": typed}
        for wire in (self.heard,) if only_ivr else (self.heard, self.phone.name):
            self.judge("ASSOC-S27.1", f"code keyed, heard on {wire}", "digits", wire=wire, **spec)
        self._check_keyed(typed, ear, ivr)
        if len(ear) != len(typed) and not only_ivr:
            raise StepFailed("S27", f"{typed} in the ear", self._text(ear) or "nothing", self._handset)
        self.mark("S27", "the code reaches the IVR", ivr[-1], ear[-1] if ear else None)

    def _prompt_is_over(self) -> bool:
        listener, now_s = self.station.listener, self.station.clock.now_s()
        return not any(listener.sounding(self.spoken, at_s) for at_s in (now_s, now_s - self.lag_s))

    def _check_keyed(self, typed: str, ear: list[Seen], ivr: list[Seen]) -> None:
        """Raise StepFailed, with the wire that is to blame, unless the IVR heard what was typed."""
        text = self._text(ivr)
        if text == typed:
            return
        through = len(ear) == len(typed) or (ear and not ivr)  # unheard keys do not end the prompt in the ear
        wire_name = IVR_LEG if through else self._keypad if not ear else self._handset
        heard = f"{text or 'nothing'} at the IVR, {self._text(ear) or 'nothing'} in the ear"
        for twice in doubled(typed, ivr):
            heard += f"; {twice}: {why_doubled(self.station.watch, self.phone.name, twice, doubled(typed, ear))}"
        raise StepFailed("S27", f"{typed} at the IVR", heard, wire_name, "listen to both WAVs; settle_ms, press_ms")

    def decided(self) -> None:
        """S8, S9, S10, S36: the service has the code, compares, associates, and says so."""
        last = self.steps["S27"]
        for name, title in (("S8", "the code reaches the service"), ("S9", "it is compared")):
            self.mark(name, title, self._cloud_step(name, after_s=self.keyed_s), last)
        self.interval("ASSOC-S8.1", "last code digit to S8", last, self.steps["S8"], self.limits.decision_s)
        self.equal("ASSOC-S31.2", "digits taken as the code", self.steps["S8"], "d_digits", len(self.code))
        title = "last code digit to the end of the code: with a context digit before them it ends sooner"
        self.interval("ASSOC-S31.2", title, last, self.steps["S8"], self.limits.decision_s, -SOONER_S)
        self.equal("ASSOC-S9.1", "the codes are equal", self.steps["S9"], "d_equal", True)
        done = self._cloud_step("S10", after_s=self.keyed_s)
        self.mark("S10", "the extension is associated", done, last)
        self.interval("ASSOC-S10.1", "last code digit to S10", last, done, self.limits.decision_s)
        told = self._cloud_step("S36", after_s=self.keyed_s)
        confirmed = self._sound(self.phone.name, last.time_s, self.limits.notified_s + 1.0, "A-h")
        if confirmed is None:
            raise StepFailed("S36", f"a spoken confirmation in the ear of {self.phone.name}", "silence", self._handset)
        self.mark("S36", "the account is told", told, done)
        self.interval("ASSOC-S36.1", "S10 to S36", done, told, self.limits.notified_s)
        self.station.clock.sleep(0.6)
        self.judge(
            "ASSOC-S36.1",
            "spoken confirmation at the handset",
            "voice",
            wire=self.phone.name,
            from_s=confirmed.time_s,
            to_s=self.station.clock.now_s(),
        )


STAGES = (
    "request",
    "complete",
    "monitored",
    "locked",
    "called",
    "answer",
    "unlock",
    "dialled_out",
    "identified",
    "prompted",
    "key_code",
    "decided",
)
