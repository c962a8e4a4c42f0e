"""A keypad without wires: a person is asked to press, and what is heard at the handset says whether it was done.

A press is never taken for done because somebody said so. It counts when the digit was heard after the prompt; what is
heard of another key is an error, and silence for ``patience_s`` is :class:`offhook.drivers.errors.NotDone`, which makes
the test NOT RUN.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceRefused, NotAllowed, NotDone
from offhook.drivers.keypad import OnPress, Press
from offhook.drivers.links import Wires

KEYS = "123456789*0#"
PATIENCE_S = 60.0


class HeardDigit(NamedTuple):
    """One digit at the handset, on the common clock, in seconds."""

    key: str
    start_s: float
    end_s: float


Ask = Callable[[str], None]
"""Shows a person what to do."""
Hear = Callable[[float], Sequence[HeardDigit]]
"""(since) -> digits heard at this phone since then, oldest first."""


class OperatorKeypad:
    """The keys of one phone, pressed by a person; see :class:`offhook.drivers.keypad.Keypad`."""

    def __init__(self, name: str, clock: Clock, ask: Ask, patience_s: float = PATIENCE_S) -> None:
        """``ask`` shows the prompt. :meth:`observed_by` must be called before the first press."""
        self._name = f"keypad of {name}"
        self._phone = name
        self._clock = clock
        self.ask = ask
        self._patience_s = patience_s
        self._hear: Hear | None = None
        self._down = ""
        self._listeners: list[OnPress] = []

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Prompts go to the console; ``patience_s`` is how long a person has for one key."""
        return cls(name, wires.clock, _to_console, float(options.get("patience_s", PATIENCE_S)))

    def observed_by(self, hear: Hear) -> None:
        """Name who hears the digits of this phone."""
        self._hear = hear

    @property
    def keys(self) -> str:
        """The twelve keys."""
        return KEYS

    def press(self, key: str, hold_s: float | None = None, gap_s: float | None = None) -> Press:
        """Ask for one key and wait until it was heard. ``gap_s`` has no meaning here.

        Raises NotDone if nothing was heard in time, DeviceRefused for another key, NotAllowed while a key is asked for.
        """
        self._check(key)
        if self._down:
            detail = f'a person is being asked for "{self._down}"'
            raise NotAllowed(self._name, f'press "{key}"', detail, "press one after the other")
        hear = self._hear
        if hear is None:
            raise ConfigError(self._name, f'press "{key}"', "nobody hears what is pressed", "wire the handset")
        self._down = key
        try:
            done = self._wait_for(key, hold_s, hear)
        finally:
            self._down = ""
        for listener in self._listeners:
            listener(done)
        return done

    def dial(self, text: str) -> list[Press]:
        """Ask for keys one after the other; spaces are skipped, an unknown key is refused before the first."""
        digits = text.replace(" ", "")
        for key in digits:
            self._check(key)
        return [self.press(key) for key in digits]

    def on_press(self, listener: OnPress) -> None:
        """Tell the listener of every press that was heard."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Nothing to let go of."""

    def _check(self, key: str) -> None:
        if len(key) != 1 or key not in KEYS:
            raise ConfigError(self._name, f'press "{key}"', f"no such key (it has {KEYS})", "one of them")

    def _wait_for(self, key: str, hold_s: float | None, hear: Hear) -> Press:
        asked_s = self._clock.now_s()
        length = f" for {hold_s:g} s" if hold_s is not None else ""
        self.ask(f'{self._phone}: press "{key}"{length}, once (you have {self._patience_s:g} s)')
        heard = self._clock.wait_for(lambda: [one for one in hear(asked_s) if one.start_s >= asked_s], self._patience_s)
        operation = f'press "{key}"'
        if not heard:
            detail = f"a person was asked to, and no digit was heard within {self._patience_s:g} s"
            raise NotDone(self._name, operation, detail, "somebody at the phone; patience_s; is the handset wired?")
        if heard[0].key != key:
            detail = f'"{heard[0].key}" was heard instead'
            raise DeviceRefused(self._name, operation, detail, "start the test again")
        return Press(key, heard[0].start_s, heard[0].end_s, "person")


def _to_console(text: str) -> None:
    sys.stderr.write(f"\a\n>>> {text}\n")
    sys.stderr.flush()
