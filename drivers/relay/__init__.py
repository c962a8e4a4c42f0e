"""Relay boards: contacts that open and close, and say so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol, runtime_checkable

from offhook.drivers.safe_action import SafeAction

OnSwitch = Callable[[int, bool, float, float], None]
"""(relay, closed, time the command left, time it was acknowledged), on the common clock, in seconds."""


class RelayBoard(Protocol):
    """Relays are numbered from 0."""

    @property
    def channels(self) -> int:
        """How many relays the station file says it has."""

    def connect(self) -> str:
        """Check that the board answers, open every relay, return its identity. Raises DeviceError."""

    def set(self, relay: int, closed: bool) -> None:
        """Switch one relay and wait for the board's acknowledgement.

        Raises DeviceTimeout, DeviceRefused or DeviceGone, naming board and relay.
        """

    def read_all(self) -> tuple[bool, ...]:
        """What the board reports, one value a relay; see also :func:`reads_back`."""

    def open_all(self) -> None:
        """The safe state: every relay open, in as few commands as the board allows."""

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""

    def close(self) -> None:
        """Let go of the wire (after :meth:`open_all`)."""


@runtime_checkable
class Guardable(Protocol):
    """A board that its guardian can make safe after the bench has died. Optional, and every driver should have it."""

    def safe_action(self, closed: Collection[int] = ()) -> SafeAction:
        """Every relay open but those in ``closed``, read back, whatever was left in the board's line buffer."""


class State(NamedTuple):
    """What is known of one relay; None is unknown, as after a command that was not acknowledged.

    ``commanded`` was acknowledged, ``reported`` is what the board said when it was last read (its firmware's bit, not
    the contact), ``observed`` is what something at the contact's far end showed (a hook sensor, a decoded digit).
    """

    commanded: bool | None = None
    reported: bool | None = None
    observed: bool | None = None

    @property
    def agrees(self) -> bool:
        """False if two of the three contradict each other."""
        return len({each for each in self if each is not None}) < 2


@runtime_checkable
class Stateful(Protocol):
    """A board that keeps account of what was commanded, reported and observed. Optional."""

    @property
    def states(self) -> tuple[State, ...]:
        """One a relay."""

    def observe(self, relay: int, closed: bool) -> None:
        """Somebody saw what the contact does."""


@runtime_checkable
class Pulsing(Protocol):
    """A board that times a closure itself, so that a relay opens even if the bench dies. Optional."""

    @property
    def pulse_step_s(self) -> float | None:
        """Closures are multiples of this; None for a board (or a model of it) that times none."""

    def pulse(self, relay: int, hold_s: float) -> None:
        """Close a relay for a multiple of the step. Returns once the board acknowledged, not once it opened.

        Raises ConfigError for a length that the board cannot do, and what :meth:`RelayBoard.set` raises.
        """


def reads_back(board: object) -> bool:
    """False for a board that says so: its ``read_all`` is what it was last told, not what it reports."""
    return bool(getattr(board, "reads_back", True))
