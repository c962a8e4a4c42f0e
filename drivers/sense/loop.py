"""Loop current, or a hook contact: off hook, on hook, and what short breaks mean.

A break of 15 to 200 ms is a dial pulse, one of 300 ms to ``on_hook_s`` a hook flash, a longer one the receiver put
down; what is between a pulse and a flash is a glitch, and told as one. So "on hook" is known ``on_hook_s`` late; it
keeps the time at which the current stopped.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from offhook.drivers.clock import Clock, Timer
from offhook.drivers.sense import SenseInputs

SHORTEST_PULSE_S, LONGEST_PULSE_S = 0.015, 0.2
SHORTEST_FLASH_S = 0.3
ON_HOOK_S = 1.3
INTERDIGIT_S = 0.25
"""Current for so long after a pulse ends the digit."""


class LoopEventKind(enum.StrEnum):
    """What happened on a loop."""

    OFF_HOOK = "off-hook"
    ON_HOOK = "on-hook"
    FLASH = "flash"
    DIGIT = "digit"
    GLITCH = "glitch"


@dataclass(frozen=True)
class LoopEvent:
    """``time_s`` is when it began, ``length_s`` how long the break took (of a digit, its first pulse to its last)."""

    kind: LoopEventKind
    time_s: float
    length_s: float = 0.0
    digit: str = ""


class LoopSensor:
    """One loop. ``events`` has all there were; ``closed`` is the present level."""

    def __init__(self, clock: Clock, inputs: SenseInputs, pin: int, on_hook_s: float = ON_HOOK_S) -> None:
        """``inputs`` must be connected. Raises ConfigError for a pin that is no input."""
        self.events: list[LoopEvent] = []
        self.closed = inputs.active(pin)
        self._clock = clock
        self._on_hook_s = on_hook_s
        self._off_hook = self.closed
        self._opened_s = 0.0
        self._pulses: list[tuple[float, float]] = []
        self._timer: Timer | None = None
        self._listeners: list[Callable[[LoopEvent], None]] = []
        inputs.subscribe(pin, self._edge)

    @property
    def off_hook(self) -> bool:
        """Off hook, pulses and flashes not counted as breaks."""
        return self._off_hook

    def on_event(self, listener: Callable[[LoopEvent], None]) -> None:
        """Tell the listener of every event."""
        self._listeners.append(listener)

    def _edge(self, closed: bool, time_s: float) -> None:
        self.closed = closed
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not closed:
            self._opened_s = time_s
            if self._off_hook:
                self._timer = self._clock.call_at(time_s + self._on_hook_s, self._put_down)
        elif not self._off_hook:
            self._off_hook = True
            self._tell(LoopEvent(LoopEventKind.OFF_HOOK, time_s))
        else:
            self._broken(time_s - self._opened_s, time_s)

    def _broken(self, length_s: float, time_s: float) -> None:
        if SHORTEST_PULSE_S <= length_s <= LONGEST_PULSE_S:
            self._pulses.append((self._opened_s, time_s))
            self._timer = self._clock.call_at(time_s + INTERDIGIT_S, self._digit_over)
            return
        self._digit_over()
        kind = LoopEventKind.FLASH if length_s >= SHORTEST_FLASH_S else LoopEventKind.GLITCH
        self._tell(LoopEvent(kind, self._opened_s, length_s))

    def _digit_over(self) -> None:
        self._timer = None
        pulses, self._pulses = self._pulses, []
        if not pulses:
            return
        start_s, length_s = pulses[0][0], pulses[-1][1] - pulses[0][0]
        if len(pulses) > 10:
            self._tell(LoopEvent(LoopEventKind.GLITCH, start_s, length_s))
        else:
            self._tell(LoopEvent(LoopEventKind.DIGIT, start_s, length_s, str(len(pulses) % 10)))

    def _put_down(self) -> None:
        self._timer = None
        self._digit_over()
        self._off_hook = False
        self._tell(LoopEvent(LoopEventKind.ON_HOOK, self._opened_s))

    def _tell(self, event: LoopEvent) -> None:
        self.events.append(event)
        for listener in self._listeners:
            listener(event)
