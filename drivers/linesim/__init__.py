"""Telephone line simulators: boxes with lines of their own, set by what the bench sends them.

``Line``            one of its lines, as the bench has it: a channel of an audio port and a relay that closes its loop
``LineSimulator``   what one is to the bench; that of :mod:`offhook.drivers.linesim.teltone` is set by DTMF
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from offhook.drivers.audio import AudioPort
from offhook.drivers.clock import Clock


@dataclass(frozen=True)
class Line:
    """``channel`` of ``port`` is both directions of it, ``hook(off_hook)`` closes its loop; ``where`` names both."""

    clock: Clock
    port: AudioPort
    channel: int
    hook: Callable[[bool], None]
    where: str = "its channel and its relay"


class LineSimulator(Protocol):
    """A box that is programmed, and says by its tones what it makes of it.

    Its driver's ``open(name, options, line)`` takes a :class:`Line` where others take wires.
    """

    def connect(self) -> str:
        """Hear that it is there, set what the station file says, return its identity. Leaves its line on hook.

        Raises as :meth:`program`, and DeviceRefused where what can be heard is not what was set.
        """

    def program(self, command: int, *values: int) -> str:
        """Set one thing; returns the text that was sent.

        Raises ConfigError (no such command, or a value out of its range), DeviceTimeout (it does not hear or say
        anything) or DeviceRefused (it answers with an error tone).
        """

    def close(self) -> None:
        """Put its line on hook."""
