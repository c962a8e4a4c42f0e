"""``offhook check``: every wire of a station tried, one line for each, everything safe afterwards.

Boards, sensors, audio, CTI and cloud say what they are. Then each phone: the hook relay clicks and the hook sensor
sees it, dial tone is in the ear, and pressed keys are heard as those keys. Keys are chosen so that each row and column
contact is used; if one is not heard the others are tried too, to tell a dead key from a dead contact. Each key is
pressed in a lift of its own, so that no number is ever dialled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.bench.check_keys import diagnose
from offhook.bench.station import Rig, open_rig
from offhook.bench.station_model import KEYS, PhoneModel, Ref, ref
from offhook.drivers.cti import Response, Service
from offhook.drivers.errors import OffhookError
from offhook.drivers.keypad import Keypad
from offhook.drivers.keypad.contacts import Contact, ContactKeypad

HOOK_LIMIT_S = 0.5
TONE_LIMIT_S = 3.0
TONE_WINDOW_S = 1.2
CTI_LIMIT_S = 6.0
SETTLE_S = 0.3
AROUND_S = 0.06


@dataclass(frozen=True)
class CheckLine:
    """One thing tried: where it stands in the station file, what was found, and what to try if it is not well."""

    where: str
    resource: str
    found: str
    ok: bool = True
    hint: str = ""

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "FAIL"
        line = f"{self.where:20} {self.resource:14} {self.found:58} {verdict}"
        return f"{line}\n{'':20} {self.hint}" if self.hint and not self.ok else line


Tell = Callable[[CheckLine], None]


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
    for resource in rig.resources:
        where = rig.loaded.where(*resource.split(".", 1))
        error = rig.failures.get(resource)
        if error is None:
            yield CheckLine(where, resource, rig.identities[resource])
        else:
            yield CheckLine(where, resource, f"{error.operation}: {error.detail}", False, error.hint)
    if rig.model.loop:
        from offhook.bench.calibrate import check_loops

        yield from check_loops(rig)
    for name, phone in rig.model.phone.items():
        yield from _Phone(rig, name, phone).check()


class _Phone:
    """The wires of one phone."""

    def __init__(self, rig: Rig, name: str, model: PhoneModel) -> None:
        self._rig = rig
        self._clock = rig.clock
        self._name = name
        self._model = model
        self._handset = ref(model.handset)
        self._hook = ref(model.hook.contact)

    def check(self) -> Iterator[CheckLine]:
        """One line a wire; stops at the first that makes the rest pointless."""
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
            yield self._try_dial_tone()
            yield self._try_keys()
        except OffhookError as error:
            yield self._line("", f"{error.operation}: {error.detail}", ok=False, hint=error.hint)
        finally:
            with suppress(OffhookError):  # on a dead board; the safe state reports it
                self._set_hook(off_hook=False)

    def _needs(self) -> list[str]:
        contacts = [self._hook, *(ref(text) for text in self._model.keypad.all_contacts())]
        needs = {f"relay.{contact.board}" for contact in contacts} | {f"audio.{self._handset.board}"}
        if self._model.hook_sense:
            needs.add(f"sense.{ref(self._model.hook_sense).board}")
        return sorted(needs)

    def _line(self, key: str, found: str, *, ok: bool = True, hint: str = "") -> CheckLine:
        path = ("phone", self._name, key) if key else ("phone", self._name)
        return CheckLine(self._rig.loaded.where(*path), f"phone.{self._name}", found, ok, hint)

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

    def _set_hook(self, *, off_hook: bool) -> None:
        closed = off_hook == (self._model.hook.closed == "off-hook")
        self._rig.relays[self._hook.board].set(self._hook.number, closed)

    def _try_hook(self) -> CheckLine:
        if self._model.hook_sense is None:
            self._set_hook(off_hook=True)
            return self._line("hook", "hook relay clicks (no hook sensor to see it)")
        board, pin = ref(self._model.hook_sense)
        seen: list[tuple[bool, float]] = []
        self._rig.senses[board].subscribe(pin, lambda active, time_s: seen.append((active, time_s)))
        for off_hook in (True, False, True):
            start_s, before = self._clock.now_s(), len(seen)
            self._set_hook(off_hook=off_hook)
            self._clock.wait_for(lambda n=before: len(seen) > n, HOOK_LIMIT_S)  # type: ignore[misc]
            if len(seen) == before or seen[-1][0] != off_hook:
                way = "lift" if off_hook else "hang up"
                hint = f"is {self._model.hook.contact} wired to the cradle switch, and {self._model.hook_sense} to it?"
                return self._line("hook", f"{way}: relay set, hook sensor sees nothing", ok=False, hint=hint)
            delay_s = seen[-1][1] - start_s
            self._clock.sleep(SETTLE_S)
        return self._line("hook", f"hook relay clicks, hook sensor follows in {delay_s * 1000:.0f} ms")

    def _try_dial_tone(self) -> CheckLine:
        port = self._rig.audio[self._handset.board]
        heard: set[str] = set()
        limit_s = self._clock.now_s() + TONE_LIMIT_S
        self._clock.sleep(TONE_WINDOW_S)
        while self._clock.now_s() < limit_s:
            now_s = self._clock.now_s()
            samples = self._heard(now_s - TONE_WINDOW_S, now_s)
            heard |= {each.name for each in dsp.progress.classify(samples, port.rate_hz, self._rig.model.region)}
            if "dial" in heard:
                return self._line("handset", f"dial tone at {self._handset}")
            self._clock.sleep(0.2)
        found = f"no dial tone at {self._handset} within {TONE_LIMIT_S:.0f} s"
        instead = f"heard {', '.join(sorted(heard))} instead" if heard else "is the handset's cable in that channel?"
        return self._line("handset", found, ok=False, hint=instead)

    def _heard(self, from_s: float, to_s: float) -> NDArray[np.int16]:
        port = self._rig.audio[self._handset.board]
        start, stop = port.frame_at(from_s), min(port.frame_at(to_s), port.now_frame())
        heard: NDArray[np.int16] = port.take(max(0, start), max(0, start, stop))[self._handset.number]
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
        self._set_hook(off_hook=False)
        self._clock.sleep(SETTLE_S)
        self._set_hook(off_hook=True)
        self._clock.sleep(SETTLE_S)
        press = pad.press(key)
        self._clock.sleep(SETTLE_S)
        late_s = SETTLE_S if press.timed_by == "phone" else AROUND_S  # it answers first, and presses then
        samples = self._heard(press.closed_s - AROUND_S, press.opened_s + late_s)
        rate = self._rig.audio[self._handset.board].rate_hz
        heard: str = dsp.decode(samples, rate).text()
        return heard
