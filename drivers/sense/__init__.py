"""Sensor inputs: ring detectors, hook and loop-current contacts, lamp sensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

OnEdge = Callable[[bool, float], None]
"""(active, time on the common clock in seconds)."""


class SenseInputs(Protocol):
    """Digital inputs that report their edges; pins are numbered as printed on the board."""

    def connect(self) -> str:
        """Check that the board answers, switch reporting on, return its identity. Raises DeviceError."""

    def active(self, pin: int) -> bool:
        """The last reported level."""

    def subscribe(self, pin: int, on_edge: OnEdge) -> None:
        """Call ``on_edge(active, time_s)`` on every edge of that pin."""

    def close(self) -> None:
        """Let go of the wire."""
