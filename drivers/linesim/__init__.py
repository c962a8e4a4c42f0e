"""Telephone line simulators: boxes with lines of their own, set by what the bench sends them.

``LineSimulator``   what one is to the bench; that of :mod:`offhook.drivers.linesim.teltone` is set by DTMF
"""

from __future__ import annotations

from typing import Protocol


class LineSimulator(Protocol):
    """A box that is programmed, and says by its tones what it makes of it."""

    def program(self, command: int, *values: int) -> str:
        """Set one thing; returns the text that was sent.

        Raises ConfigError (no such command, or a value out of its range), DeviceTimeout (it does not hear or say
        anything) or DeviceRefused (it answers with an error tone).
        """
