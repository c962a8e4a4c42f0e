"""A keypad of relay contacts: a key is down while all of its contacts are closed.

With one relay a key each key has one contact. A press is two absolute deadlines, counted from the moment the last
closing command left, so that what the commands take themselves does not lengthen the press. A board that can time the
press itself is asked to (the key then opens even if the bench dies), and read afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused, NotAllowed
from offhook.drivers.keypad import OnPress, Press
from offhook.drivers.relay import Pulsing, RelayBoard
from offhook.drivers.urgency import urgent

LONGEST_HOLD_S = 10.0
BOARD_LATE_S = 0.03
"""A board that times a press has opened its relay so long after it should."""


class Contact:
    """One relay of a board, with the times of its last acknowledged command."""

    def __init__(self, board: RelayBoard, relay: int) -> None:
        if not 0 <= relay < board.channels:
            raise ConfigError("keypad", f"relay {relay}", f"the board has 0 to {board.channels - 1}", "")
        self._board = board
        self._relay = relay
        self.closed = False
        self.sent_s = 0.0
        self.acked_s = 0.0
        board.on_switch(self._switched)

    def set(self, closed: bool) -> None:
        """Close or open it; raises what the board raises."""
        self._board.set(self._relay, closed)

    def times(self, hold_s: float) -> bool:
        """Can its board time such a press by itself?"""
        step_s = getattr(self._board, "pulse_step_s", None)
        return step_s is not None and hold_s >= step_s and abs(hold_s / step_s - round(hold_s / step_s)) < 1e-6

    def pulse(self, hold_s: float) -> None:
        """Close it for a time that its board keeps."""
        if not isinstance(self._board, Pulsing):
            raise ConfigError("keypad", f"pulse relay {self._relay}", "its board times no closures", "pulses = false")
        self._board.pulse(self._relay, hold_s)

    def check_open(self) -> None:
        """Raises DeviceRefused if its board says that it is closed."""
        if self._board.read_all()[self._relay]:
            detail = f"relay {self._relay} is still closed after the press that its board was to time"
            raise DeviceRefused("keypad", "press", detail, "pulses = false in its board's section")

    def _switched(self, relay: int, closed: bool, sent_s: float, acked_s: float) -> None:
        if relay == self._relay:
            self.closed, self.sent_s, self.acked_s = closed, sent_s, acked_s


class ContactKeypad:
    """Keys made of contacts; see :class:`offhook.drivers.keypad.Keypad`."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        contacts: Mapping[str, Sequence[Contact]],
        press_s: float = 0.1,
        gap_s: float = 0.1,
    ) -> None:
        """``contacts`` of each key in closing order; they open in reverse. ``name`` is for messages."""
        self._name = f"keypad of {name}"
        for key, closing in contacts.items():
            if len(key) != 1 or not closing:
                raise ConfigError(self._name, f'key "{key}"', "a key is one character and has contacts", "")
        self._clock = clock
        self._contacts = {key: tuple(closing) for key, closing in contacts.items()}
        self._press_s = press_s
        self._gap_s = gap_s
        self._down = ""
        self._listeners: list[OnPress] = []

    @property
    def keys(self) -> str:
        """Every key there is."""
        return "".join(self._contacts)

    def press(self, key: str, hold_s: float | None = None, gap_s: float | None = None) -> Press:
        """Press one key; its contacts are opened whatever happens."""
        hold_s = self._press_s if hold_s is None else hold_s
        contacts = self._check(key, hold_s)
        if self._down:
            detail = f'key "{self._down}" is down, and two at once make a chord'
            raise NotAllowed(self._name, f'press "{key}"', detail, "press one after the other")
        self._down = key
        try:
            with urgent(self._clock):
                done = self._close_and_open(key, contacts, hold_s)
        finally:
            self._down = ""
        for listener in self._listeners:
            listener(done)
        self._clock.wait_until(contacts[-1].sent_s + (self._gap_s if gap_s is None else gap_s))
        return done

    def dial(self, text: str) -> list[Press]:
        """Press keys one after the other; spaces are skipped, an unknown key is refused before the first is pressed."""
        digits = text.replace(" ", "")
        for key in digits:
            self._check(key, self._press_s)
        return [self.press(key) for key in digits]

    def long_press(self, key: str, hold_s: float = 2.0) -> Press:
        """A press that phones take for another function (1 to 3 s)."""
        return self.press(key, hold_s)

    def on_press(self, listener: OnPress) -> None:
        """Tell the listener of every press, when its key is up again."""
        self._listeners.append(listener)

    def _check(self, key: str, hold_s: float) -> tuple[Contact, ...]:
        contacts = self._contacts.get(key)
        if contacts is None:
            raise ConfigError(self._name, f'press "{key}"', f"no such key (it has {self.keys})", "")
        if not 0 < hold_s <= LONGEST_HOLD_S:
            raise ConfigError(self._name, f'press "{key}"', f"hold of {hold_s} s", f"at most {LONGEST_HOLD_S:g} s")
        return contacts

    def _close_and_open(self, key: str, contacts: tuple[Contact, ...], hold_s: float) -> Press:
        try:
            if contacts[-1].times(hold_s):
                return self._let_the_board_time(key, contacts, hold_s)
            for contact in contacts:
                contact.set(True)
            closed_s = contacts[-1].acked_s
            self._clock.wait_until(contacts[-1].sent_s + hold_s)
            contacts[-1].set(False)
            opened_s = contacts[-1].acked_s
            for contact in reversed(contacts[:-1]):
                contact.set(False)
        except BaseException:
            for contact in reversed(contacts):
                with contextlib.suppress(DeviceError):  # the first error says what went wrong
                    contact.set(False)
            raise
        return Press(key, closed_s, opened_s)

    def _let_the_board_time(self, key: str, contacts: tuple[Contact, ...], hold_s: float) -> Press:
        """The last contact is the one that is timed; the others are closed well before and open well after it."""
        last = contacts[-1]
        for contact in contacts[:-1]:
            contact.set(True)
        last.pulse(hold_s)
        closed_s = last.acked_s
        self._clock.wait_until(closed_s + hold_s + BOARD_LATE_S)
        last.check_open()
        for contact in reversed(contacts[:-1]):
            contact.set(False)
        return Press(key, closed_s, closed_s + hold_s, "board")
