"""The contract of :class:`offhook.drivers.keypad.Keypad`."""

from __future__ import annotations

import itertools

import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, NotAllowed
from offhook.drivers.keypad import Keypad
from offhook.drivers.relay import RelayBoard

PRESSES = 40


class KeyingContract:
    """What every keypad does, whoever keeps the time of a press.

    Fixtures to give: ``clock``, and ``keypad``, ready to press.
    """

    def test_dialling_presses_each_key_once_in_order(self, keypad: Keypad) -> None:
        presses = keypad.dial("14 7*#")
        assert [press.key for press in presses] == list("147*#")
        assert all(early.opened_s < late.closed_s for early, late in itertools.pairwise(presses))

    def test_listeners_hear_of_every_press(self, keypad: Keypad) -> None:
        told: list[str] = []
        keypad.on_press(lambda press: told.append(press.key))
        keypad.dial("90")
        assert told == ["9", "0"]

    def test_it_says_who_kept_the_time(self, keypad: Keypad) -> None:
        press = keypad.press("5")
        assert press.timed_by in ("bench", "board", "phone", "person")
        assert press.opened_s >= press.closed_s

    def test_two_keys_at_once_are_refused(self, keypad: Keypad, clock: Clock) -> None:
        first = clock.spawn(lambda: keypad.press("1", gap_s=0.5))
        clock.sleep(0.02)
        with pytest.raises(NotAllowed):
            keypad.press("2")
        assert first.join(10.0).key == "1"
        assert keypad.press("2").key == "2"

    def test_an_unknown_key_is_refused_before_anything_moves(self, keypad: Keypad) -> None:
        told: list[str] = []
        keypad.on_press(lambda press: told.append(press.key))
        with pytest.raises(ConfigError):
            keypad.dial("12X")
        assert told == []


class KeypadContract(KeyingContract):
    """Of a keypad of relay contacts, too. Fixtures to give besides: its ``boards``, connected."""

    hold_tolerance_s = 0.010

    def test_holds_are_within_10_ms_at_the_95th_percentile(self, keypad: Keypad) -> None:
        hold_s = (0.06, 0.1, 0.25)
        errors_s = sorted(abs(keypad.press("5", hold_s[n % 3], 0.05).hold_s - hold_s[n % 3]) for n in range(PRESSES))
        assert errors_s[int(0.95 * PRESSES) - 1] <= self.hold_tolerance_s

    def test_every_relay_is_open_afterwards(self, keypad: Keypad, boards: list[RelayBoard]) -> None:
        for key in keypad.keys:
            keypad.press(key, 0.06, 0.06)
        assert not any(closed for board in boards for closed in board.read_all())

    def test_a_chord_that_was_refused_leaves_no_relay_closed(
        self, keypad: Keypad, clock: Clock, boards: list[RelayBoard]
    ) -> None:
        first = clock.spawn(lambda: keypad.press("1", 0.5))
        clock.sleep(0.2)
        with pytest.raises(NotAllowed):
            keypad.press("2", 0.5)
        first.join(10.0)
        assert not any(closed for board in boards for closed in board.read_all())
