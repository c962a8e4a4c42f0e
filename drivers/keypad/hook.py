"""A hook switch made of one contact: lift, hang up, hook flash, pulse dialling, with the times that were achieved.

The bench times breaks by the clock, over commands that a board acknowledges one by one: good to some milliseconds, and
less under load. So every break and make is measured, reported, and an error if it is further off than asked for.
Figures: pulse dialling is 10 pulses a second with 60 or 67 % break (ITU-T E.180 countries and North America differ);
receivers take breaks of 15 to 200 ms for pulses and 300 ms to 1 s for a flash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused
from offhook.drivers.keypad.contacts import Contact
from offhook.drivers.urgency import urgent

FLASH_S = 0.6
LONGEST_FLASH_S = 2.0
INTERDIGIT_S = 0.8
TOLERANCE_S = 0.010
RATE_TOLERANCE = 0.1
"""Receivers take 9 to 11 pulses a second at least."""


@dataclass(frozen=True)
class Break:
    """The loop was open from ``opened_s`` to ``closed_s``, as acknowledged, on the common clock; ``asked_s`` long."""

    opened_s: float
    closed_s: float
    asked_s: float

    @property
    def length_s(self) -> float:
        """What was achieved."""
        return self.closed_s - self.opened_s

    @property
    def error_s(self) -> float:
        """Achieved less asked."""
        return self.length_s - self.asked_s


@dataclass(frozen=True)
class PulseTrain:
    """One digit as pulses."""

    digit: str
    breaks: tuple[Break, ...]

    @property
    def rate_hz(self) -> float:
        """Pulses a second; 0 for a digit of one."""
        if len(self.breaks) < 2:
            return 0.0
        return (len(self.breaks) - 1) / (self.breaks[-1].opened_s - self.breaks[0].opened_s)

    @property
    def break_share(self) -> float:
        """Share of the period that is break; 0 for a digit of one."""
        return sum(one.length_s for one in self.breaks) / len(self.breaks) * self.rate_hz

    @property
    def worst_error_s(self) -> float:
        """The worst break's, by size."""
        return max((one.error_s for one in self.breaks), key=abs)


class HookSwitch:
    """The hook of one phone. ``closed`` is what a closed contact does."""

    def __init__(
        self, name: str, clock: Clock, contact: Contact, closed: Literal["off-hook", "on-hook"] = "off-hook"
    ) -> None:
        """``name`` is the phone's, for messages."""
        self._name = f"hook of {name}"
        self._clock = clock
        self._contact = contact
        self._up_is_closed = closed == "off-hook"
        self._off_hook = False
        self._listeners: list[Callable[[Break], None]] = []

    @property
    def off_hook(self) -> bool:
        """What was commanded last."""
        return self._off_hook

    def take_over(self, off_hook: bool) -> None:
        """Somebody else moved the contact; this is how it stands."""
        self._off_hook = off_hook

    def lift(self) -> None:
        """Off hook."""
        self._move(True)

    def hang_up(self) -> None:
        """On hook."""
        self._move(False)

    def on_break(self, listener: Callable[[Break], None]) -> None:
        """Tell the listener of every break of a flash or a pulse train."""
        self._listeners.append(listener)

    def flash(self, length_s: float = FLASH_S, tolerance_s: float = TOLERANCE_S) -> Break:
        """A hook flash. Raises DeviceRefused if it was off by more than the tolerance; the phone is off hook again."""
        self._must_be_off_hook("flash")
        if not 0.02 <= length_s <= LONGEST_FLASH_S:
            detail = f"{length_s:g} s is no hook flash"
            raise ConfigError(self._name, "flash", detail, f"0.02 to {LONGEST_FLASH_S:g} s")
        done = self._break(self._clock.now_s(), length_s)
        self._judge("flash", [done], tolerance_s)
        return done

    def pulse_dial(
        self,
        text: str,
        pulses_hz: float = 10.0,
        break_share: float = 0.6,
        interdigit_s: float = INTERDIGIT_S,
        tolerance_s: float = TOLERANCE_S,
    ) -> list[PulseTrain]:
        """Dial digits by breaks of the loop: one for 1, ten for 0; spaces are skipped.

        Raises DeviceRefused, after the last digit, if a break was off by more than the tolerance, or the rate by 10 %.
        """
        self._must_be_off_hook("pulse dial")
        digits = text.replace(" ", "")
        if not digits or not digits.isascii() or not digits.isdigit():
            raise ConfigError(self._name, f"pulse dial {text!r}", "pulses are for the digits 0 to 9", "the keypad")
        if not (5 <= pulses_hz <= 25 and 0.3 <= break_share <= 0.8):
            detail = f"{pulses_hz:g} pulses a second with {break_share:.0%} break"
            raise ConfigError(self._name, "pulse dial", detail, "10 and 60 %, or 20 and 67 % where exchanges take it")
        period_s = 1 / pulses_hz
        trains: list[PulseTrain] = []
        for digit in digits:
            start_s = self._clock.now_s()
            count = int(digit) or 10
            breaks = [self._break(start_s + n * period_s, break_share * period_s) for n in range(count)]
            trains.append(PulseTrain(digit, tuple(breaks)))
            self._clock.wait_until(start_s + count * period_s + interdigit_s)
        self._judge("pulse dial", [one for train in trains for one in train.breaks], tolerance_s)
        slow = [train for train in trains if train.rate_hz and abs(train.rate_hz / pulses_hz - 1) > RATE_TOLERANCE]
        if slow:
            detail = f"{slow[0].rate_hz:.1f} pulses a second where {pulses_hz:g} were asked for"
            raise DeviceRefused(
                self._name, "pulse dial", detail, "this relay board is too slow for pulses: use another"
            )
        return trains

    def _must_be_off_hook(self, operation: str) -> None:
        if not self._off_hook:
            raise ConfigError(self._name, operation, "the phone is on hook", "lift it first")

    def _move(self, off_hook: bool) -> None:
        self._contact.set(off_hook == self._up_is_closed)
        self._off_hook = off_hook

    def _break(self, start_s: float, length_s: float) -> Break:
        """Two absolute deadlines; an error on the way leaves the phone on hook."""
        try:
            with urgent(self._clock):
                self._clock.wait_until(start_s)
                self._move(False)
                opened_s = self._contact.acked_s
                self._clock.wait_until(self._contact.sent_s + length_s)
                self._move(True)
        except BaseException:
            with contextlib.suppress(DeviceError):  # the first error says what went wrong
                self._move(False)
            raise
        done = Break(opened_s, self._contact.acked_s, length_s)
        for listener in self._listeners:
            listener(done)
        return done

    def _judge(self, operation: str, breaks: list[Break], tolerance_s: float) -> None:
        worst = max(breaks, key=lambda one: abs(one.error_s))
        if abs(worst.error_s) > tolerance_s:
            asked, got = 1000 * worst.asked_s, 1000 * worst.length_s
            detail = f"a break of {asked:.0f} ms took {got:.0f} ms (tolerance {1000 * tolerance_s:.0f} ms)"
            hint = "less load on this machine, or a line simulator that times pulses itself"
            raise DeviceRefused(self._name, operation, detail, hint)
