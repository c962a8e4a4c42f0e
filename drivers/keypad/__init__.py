"""Keypads: one contact a key, a row and a column contact, a phone's own web server, or a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Press:
    """One key press as it was achieved, on the common clock, in seconds."""

    key: str
    closed_s: float
    """When the last contact that the key needs was acknowledged closed."""
    opened_s: float
    """When the first of them was acknowledged open."""
    timed_by: str = "bench"
    """Who kept the time: "bench", "board" (the times are its own), "phone" (a key pressed over its network interface:
    from request to answer) or "person" (from onset to end of the tone that was heard)."""

    @property
    def hold_s(self) -> float:
        """How long the key was down."""
        return self.opened_s - self.closed_s


OnPress = Callable[[Press], None]


class Keypad(Protocol):
    """The keys of one telephone."""

    @property
    def keys(self) -> str:
        """Every key there is, one character each."""

    def press(self, key: str, hold_s: float | None = None, gap_s: float | None = None) -> Press:
        """Press one key, wait for the gap after it too; times not given are the keypad's own.

        Raises NotAllowed while another key of this keypad is down, ConfigError for a key it has not, DeviceError.
        """

    def dial(self, text: str) -> list[Press]:
        """Press keys one after the other; spaces are skipped."""

    def on_press(self, listener: OnPress) -> None:
        """Tell the listener of every press, when its key is up again."""
