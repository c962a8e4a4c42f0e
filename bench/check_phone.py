"""The wires of one phone: hook, lamp, ear, keys, each tried by what it does at another wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.bench.check_keys import diagnose
from offhook.bench.check_lamp import LampCheck
from offhook.bench.check_line import CheckLine
from offhook.bench.station import Rig
from offhook.bench.station_model import KEYS, PhoneModel, Ref, ref
from offhook.drivers.cti import Response, Service
from offhook.drivers.errors import DeviceTimeout, OffhookError
from offhook.drivers.keypad import Keypad
from offhook.drivers.keypad.contacts import Contact, ContactKeypad

HOOK_LIMIT_S = 0.5
TONE_LIMIT_S = 3.0
TONE_WINDOW_S = 1.2
CTI_LIMIT_S = 6.0
SETTLE_S = 0.3
ON_HOOK_S = 0.6
"""An exchange takes a shorter break for a hook flash (350 ms: Teltone TLS-3A)."""
AROUND_S = 0.06


class PhoneCheck:
    """The wires of one phone; ``lift``, ``press`` and ``hear`` are for what needs a phone that works."""

    def __init__(self, rig: Rig, name: str, model: PhoneModel) -> None:
        self._rig = rig
        self._clock = rig.clock
        self._name = name
        self._model = model
        self._handset = ref(model.handset)
        self._hook = ref(model.hook.contact)

        self.well = False
        """Can it be used to try others?"""

    @property
    def can_dial(self) -> bool:
        """Is it well, and are its keys pressed by the bench?"""
        return self.well and self._model.keypad.driver != "operator"

    def check(self) -> Iterator[CheckLine]:
        """One line a wire; stops at the first that makes the rest pointless."""
        lines: list[CheckLine] = []
        for line in self._check():
            lines.append(line)
            yield line
        self.well = all(line.ok for line in lines)

    def _check(self) -> Iterator[CheckLine]:
        missing = [resource for resource in self._needs() if resource not in self._rig.connected]
        if missing:
            yield self._line("", f"not tried: {', '.join(missing)} does not answer", ok=False)
            return
        try:
            if self._rig.model.pbx is not None:
                yield self._try_extension()
            hook = self._try_hook()
            yield hook
            if not hook.ok:
                return
            if self._model.lamp:
                yield self._try_lamp()
            yield self._try_dial_tone()
            yield self._try_keys()
        except OffhookError as error:
            yield self._line("", f"{error.operation}: {error.detail}", ok=False, hint=error.hint)
        finally:
            with suppress(OffhookError):  # on a dead board; the safe state reports it
                self.lift(False)
                self._clock.sleep(ON_HOOK_S)

    def dial(self, number: str) -> None:
        """Key a number, off hook. Raises DeviceError."""
        pad = self._pad()
        for key in number:
            pad.press(key)

    def _needs(self) -> list[str]:
        contacts = [self._hook, *(ref(text) for text in self._model.keypad.all_contacts())]
        needs = {f"relay.{contact.board}" for contact in contacts} | {f"audio.{self._handset.board}"}
        if self._model.hook_sense:
            needs.add(f"sense.{ref(self._model.hook_sense).board}")
        needs |= {f"sense.{ref(pin).board}" for pin in self._model.lamp.values()}
        return sorted(needs)

    def _line(self, key: str, found: str, *, ok: bool = True, hint: str = "") -> CheckLine:
        path = ("phone", self._name, key) if key else ("phone", self._name)
        where, wires = self._rig.loaded.where(*path), self._wires_of(key)
        return CheckLine(where, f"phone.{self._name}", found, ok, hint, wires)

    def _wires_of(self, key: str) -> tuple[str, ...]:
        model = self._model
        hook = (model.hook.contact, *filter(None, [model.hook_sense]))
        everything = (model.handset, *hook, *model.keypad.all_contacts())
        return {
            "hook": hook,
            "handset": (model.handset,),
            "lamp": tuple(model.lamp.values()),
            "keypad": tuple(model.keypad.all_contacts()),
            "extension": (),
        }.get(key, everything)

    def _try_extension(self) -> CheckLine:
        if "pbx" not in self._rig.connected:
            return self._line("extension", "extension not tried: pbx does not answer", ok=False)
        answers: list[Response] = []
        extension = self._model.extension
        self._rig.cti.request(Service.SNAPSHOT_DEVICE, answers.append, device=extension)
        self._clock.wait_for(lambda: bool(answers), CTI_LIMIT_S)
        error = answers[0].error if answers else "no answer"
        if error:
            hint = "is that its number on this PBX, and may this login watch it?"
            return self._line("extension", f"the PBX does not show {extension}: {error}", ok=False, hint=hint)
        return self._line("extension", f"the PBX knows extension {extension}")

    def lift(self, off_hook: bool) -> None:
        """Move the hook contact. Raises DeviceError."""
        closed = off_hook == (self._model.hook.closed == "off-hook")
        self._rig.relays[self._hook.board].set(self._hook.number, closed)

    def _try_hook(self) -> CheckLine:
        if self._model.hook_sense is None:
            self.lift(True)
            return self._line("hook", "hook relay clicks (no hook sensor to see it)")
        board, pin = ref(self._model.hook_sense)
        seen: list[tuple[bool, float]] = []
        self._rig.senses[board].subscribe(pin, lambda active, time_s: seen.append((active, time_s)))
        for off_hook in (True, False, True):
            start_s, before = self._clock.now_s(), len(seen)
            self.lift(off_hook)
            self._clock.wait_for(lambda n=before: len(seen) > n, HOOK_LIMIT_S)  # type: ignore[misc]
            if len(seen) == before or seen[-1][0] != off_hook:
                way = "lift" if off_hook else "hang up"
                hint = f"is {self._model.hook.contact} wired to the cradle switch, and {self._model.hook_sense} to it?"
                return self._line("hook", f"{way}: relay set, hook sensor sees nothing", ok=False, hint=hint)
            delay_s = seen[-1][1] - start_s
            self._clock.sleep(SETTLE_S)
        return self._line("hook", f"hook relay clicks, hook sensor follows in {delay_s * 1000:.0f} ms")

    def _try_lamp(self) -> CheckLine:
        def lift(off_hook: bool) -> None:
            self.lift(off_hook)
            self._clock.sleep(ON_HOOK_S)

        found, hint = LampCheck(self._rig, self._name).look(lift)
        return self._line("lamp", found, ok=not hint, hint=hint)

    def _try_dial_tone(self) -> CheckLine:
        port = self._rig.audio[self._handset.board]
        heard: set[str] = set()
        limit_s = self._clock.now_s() + TONE_LIMIT_S
        self._clock.sleep(TONE_WINDOW_S)
        while self._clock.now_s() < limit_s:
            now_s = self._clock.now_s()
            samples = self.hear(now_s - TONE_WINDOW_S, now_s)
            heard |= {each.name for each in dsp.progress.classify(samples, port.rate_hz, self._rig.model.region)}
            if "dial" in heard:
                return self._line("handset", f"dial tone at {self._handset}")
            self._clock.sleep(0.2)
        found = f"no dial tone at {self._handset} within {TONE_LIMIT_S:.0f} s"
        if heard:
            return self._line("handset", found, ok=False, hint=f"heard {', '.join(sorted(heard))} instead")
        return self._line("handset", found, ok=False, hint=self._tone_elsewhere())

    def _tone_elsewhere(self) -> str:
        """The dial tone may be in another channel, whoever that one belongs to."""
        port, now_s = self._rig.audio[self._handset.board], self._clock.now_s()
        for channel in range(port.channels):
            samples = self.hear(now_s - TONE_WINDOW_S, now_s, channel)
            tones = {each.name for each in dsp.progress.classify(samples, port.rate_hz, self._rig.model.region)}
            if "dial" in tones:
                at = f"{self._handset.board}/{channel}"
                theirs = [name for name, phone in self._rig.model.phone.items() if phone.handset == at]
                whose = f", where the handset of {theirs[0]} should be" if theirs else ""
                return f"its dial tone is at {at}{whose}: are the cables exchanged?"
        return "is the handset's cable in that channel, and does the hook contact reach the cradle switch?"

    def hear(self, from_s: float, to_s: float, channel: int | None = None) -> NDArray[np.int16]:
        """What its handset (or another channel of that card) carried. Raises DeviceError."""
        port = self._rig.audio[self._handset.board]
        start, stop = port.frame_at(from_s), min(port.frame_at(to_s), port.now_frame())
        if stop < start:
            late_s = (start - stop) / port.rate_hz
            what = f"frames stand still since {late_s:.1f} s"
            raise DeviceTimeout(f"audio.{self._handset.board}", "listen", what, "start its sound server again")
        number = self._handset.number if channel is None else channel
        heard: NDArray[np.int16] = port.take(max(0, start), max(0, stop))[number]
        return heard

    def _try_keys(self) -> CheckLine:
        if self._model.keypad.driver == "operator":
            return self._line("keypad", "keys are pressed by a person, so none was tried")
        pad, first = self._pad(), self._covering()
        heard = {key: self._press(pad, key) for key in first}
        if all(digits == key for key, digits in heard.items()):
            return self._line("keypad", f"keys {' '.join(first)} heard at {self._handset} as themselves")
        heard |= {key: self._press(pad, key) for key in KEYS if key not in heard}
        found, hint = diagnose(self._model.keypad, {key: heard[key] for key in KEYS})
        return self._line("keypad", f"{found} at {self._handset}", ok=False, hint=hint)

    def _covering(self) -> Sequence[str]:
        """Keys that together use every contact: a diagonal of a matrix, or all of them."""
        return "159#" if self._model.keypad.rows else KEYS

    def _pad(self) -> Keypad:
        if self._model.keypad.driver is not None:
            return self._rig.keypad_driver(self._name, self._model)

        def contact(place: Ref) -> Contact:
            return Contact(self._rig.relays[place.board], place.number)

        made = {place: contact(place) for place in map(ref, self._model.keypad.all_contacts())}
        contacts = {key: [made[place] for place in self._model.keypad.contacts(key)] for key in KEYS}
        return ContactKeypad(self._name, self._clock, contacts, self._model.press_ms / 1000, self._model.gap_ms / 1000)

    def _press(self, pad: Keypad, key: str) -> str:
        """Press a key in a lift of its own; returns what was heard, "" for nothing."""
        self.lift(False)
        self._clock.sleep(ON_HOOK_S)
        self.lift(True)
        self._clock.sleep(SETTLE_S)
        press = pad.press(key)
        self._clock.sleep(SETTLE_S)
        late_s = SETTLE_S if press.timed_by == "phone" else AROUND_S  # it answers first, and presses then
        samples = self.hear(press.closed_s - AROUND_S, press.opened_s + late_s)
        rate = self._rig.audio[self._handset.board].rate_hz
        heard: str = dsp.decode(samples, rate).text()
        return heard
