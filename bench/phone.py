"""A phone of the station, as a person beside it: lift, press, listen, wait for the ring."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.bench.lamp_signs import Sign, signs_of, watched
from offhook.bench.listen import Listener
from offhook.bench.station import Rig
from offhook.bench.station_model import PhoneModel, ref
from offhook.bench.watch import Seen, Watch
from offhook.drivers.errors import ConfigError, OffhookError
from offhook.drivers.keypad import Keypad, Press
from offhook.drivers.keypad.contacts import Contact
from offhook.drivers.keypad.hook import FLASH_S, Break, HookSwitch, PulseTrain
from offhook.drivers.nearest import instead_of
from offhook.drivers.sense.lamp import Lamp

HOOK_LIMIT_S = 0.5
"""A hook contact that closed shows at the hook sensor within this, or the wire between them is cut."""
SAY_LEAD_S = 0.2
"""Between asking for a sound and its first sample: more than any sound card's buffer."""
TONE_WINDOW_S = 1.2
"""Audio needed to tell one call-progress tone from another (two cycles of the fastest cadence)."""


BREAK_U_S = 0.005
"""Expanded uncertainty of a break's beginning: the contact follows its command within 10 ms."""


class WireCut(OffhookError):
    """A cause was given and its effect never came: names the wire between them."""


class Phone:
    """One telephone; every action on it is a relay, all that is known of it comes from a sensor or its audio."""

    def __init__(
        self, name: str, model: PhoneModel, rig: Rig, keypad: Keypad, listener: Listener, watch: Watch
    ) -> None:
        self.name = name
        self.model = model
        self.extension = model.extension
        self.kind = model.kind
        self._rig = rig
        self._keypad = keypad
        self._listener = listener
        self._watch = watch
        board, self._hook_relay = ref(model.hook.contact)
        self._board = rig.relays[board]
        self._hook_contact = Contact(self._board, self._hook_relay)
        self._lifted_at_s = 0.0
        self._lamp = watched(name, model.lamp, model.lamps, rig.senses, watch.clock)

    @property
    def lock_variant(self) -> str:
        """How this phone is locked over CTI: "notify", "prefix" or "none"; its own setting before the station's."""
        return self.model.lock or self._rig.model.options.lock

    @property
    def local_code(self) -> str:
        """The code that unlocks it. Raises ConfigError if the station file has none."""
        if self.model.local_code is None:
            raise ConfigError(f"phone.{self.name}", "unlock", "no local_code", 'local_code = "..." in its section')
        return self.model.local_code

    @property
    def lamp(self) -> Lamp:
        """Its line lamp, seen by light sensors. Raises ConfigError if the station file has none."""
        if self._lamp is None:
            raise ConfigError(
                f"phone.{self.name}", "watch its lamp", "no sensor is named", 'lamp = { red = "sense/11" }'
            )
        return self._lamp

    @property
    def signs(self) -> dict[str, Sign]:
        """What its lamp shows, by state: "rest", "ringing", "in_use", "locked" (if it shows that); {} without one."""
        return signs_of(self.model.lamp, self.model.lamps)

    @property
    def shows_lock(self) -> str:
        """How it shows that it is locked: "lamp", "tone" or "display"."""
        return self.model.shows_lock or ("lamp" if "locked" in self.signs else "tone")

    @property
    def ring_s(self) -> Sequence[float]:
        """The cadence of its bell: seconds of ringing and of pause, in turn.

        A region's bells have the rhythm of its ringback tone (ITU-T E.180), unless the station file says otherwise.
        """
        ringback = dsp.progress.find("ringback", self._listener.plan)
        rhythm = ringback.rhythm if isinstance(ringback, dsp.progress.Tone) else ()
        return self.model.ring_s or [seconds for pair in rhythm for seconds in pair]

    @property
    def off_hook(self) -> bool:
        """What the hook sensor says."""
        edges = [seen for seen in self._watch.all("hook", subject=self.name)]
        return bool(edges and edges[-1].data["active"])

    def lift(self) -> Seen:
        """Lift the handset and see the hook sensor follow. Raises WireCut if it does not."""
        return self._hook(off_hook=True)

    def hang_up(self) -> Seen | None:
        """Put the handset down; None if it lay there already."""
        return self._hook(off_hook=False) if self.off_hook else None

    def _hook(self, *, off_hook: bool) -> Seen:
        start_s = self._watch.clock.now_s()
        closed = off_hook == (self.model.hook.closed == "off-hook")
        self._board.set(self._hook_relay, closed)
        seen = self._watch.expect("hook", HOOK_LIMIT_S, start_s, self.name, active=off_hook)
        if seen is None:
            raise WireCut(
                f"relay wire {self.model.hook.contact} of {self.name}",
                "hook",
                f"the board acknowledged, the hook sensor {self.model.hook_sense} saw nothing within {HOOK_LIMIT_S} s",
                "is the relay wired to the cradle switch?  offhook check names every silent wire",
            )
        self._board.observe(self._hook_relay, closed)
        if off_hook:
            self._lifted_at_s = seen.time_s
        return seen

    def flash(self, length_s: float = FLASH_S) -> Break:
        """A hook flash, by its length in seconds. Raises DeviceRefused if it was not as long as that."""
        return self._hook_switch().flash(length_s)

    def pulse_dial(self, number: str) -> list[PulseTrain]:
        """Dial by breaks of the loop; refused before anything moves if it is not on the allow list (NotAllowed)."""
        digits = number.replace(" ", "")
        self._rig.allow(digits)
        return self._hook_switch().pulse_dial(digits)

    def _hook_switch(self) -> HookSwitch:
        switch = HookSwitch(self.name, self._watch.clock, self._hook_contact, self.model.hook.closed)
        switch.take_over(self.off_hook)
        switch.on_break(self._note_break)
        return switch

    def _note_break(self, done: Break) -> None:
        """What was achieved, on record."""
        figures = {"length_s": round(done.length_s, 6), "asked_s": round(done.asked_s, 6)}
        wire = self.model.hook.contact
        self._watch.note("R", wire, "hook-break", self.name, done.opened_s, BREAK_U_S, **figures)

    def press(self, key: str, hold_s: float | None = None) -> Press:
        """Press one key for ``hold_s`` (default: the station's press_ms), and wait for the gap after it."""
        return self._keypad.press(key, hold_s)

    def key(self, text: str) -> tuple[float, float]:
        """Key a code inside a call; returns when the first and the last key were released, in seconds."""
        first_s = self._watch.clock.now_s()
        for key in text:
            self.press(key)
        return first_s, self._watch.clock.now_s()

    def say(self, samples: NDArray[np.int16]) -> tuple[float, float]:
        """Play sound into the handset's microphone; returns when it begins and ends, in seconds. Does not wait."""
        card, channel = ref(self.model.handset)
        port = self._rig.audio[card]
        first = port.now_frame() + round(SAY_LEAD_S * port.rate_hz)
        port.play_at(first, channel, samples)
        return port.time_of_s(first), port.time_of_s(first + len(samples))

    @property
    def audio_rate_hz(self) -> int:
        """Of :meth:`say`."""
        return self._rig.audio[ref(self.model.handset)[0]].rate_hz

    def dial(self, number: str) -> None:
        """Dial a number; refused before anything moves if it is not on the station's allow list (NotAllowed)."""
        digits = number.replace(" ", "")
        self._rig.allow(digits)
        self.key(digits)

    def ring(self, within_s: float, since_s: float = 0.0) -> Seen | None:
        """Wait for the bell."""
        return self._watch.expect("ring", within_s, since_s, self.name, active=True)

    def hears_dial_tone(self, within_s: float = 3.0) -> str:
        """Wait for dial tone, plain or stutter (locked phones, waiting messages); which one, or "" if none came."""
        return self._hears(("dial", "stutter", "confirmation"), within_s)

    def hears(self, tone: str, within_s: float = 3.0) -> bool:
        """Wait until a call-progress tone (dial, reorder, busy, ringback ...) is in the ear.

        Raises ConfigError for a tone the station's region does not have, so that a misspelt one is never "not heard".
        """
        known = dsp.progress.names(self._listener.plan)
        if tone not in known:
            raise ConfigError(f"phone.{self.name}", f"hear {tone!r}", "no such tone here", instead_of(tone, known))
        return bool(self._hears((tone,), within_s))

    def _hears(self, tones: Collection[str], within_s: float) -> str:
        clock = self._watch.clock
        deadline_s = clock.now_s() + within_s
        while True:
            heard = [name for name in self._listener.tones(self.name, TONE_WINDOW_S) if name in tones]
            if heard or clock.now_s() >= deadline_s:
                return heard[0] if heard else ""
            clock.sleep(0.1)
