"""What is known of each relay of a board, and who is told of every command."""

from __future__ import annotations

from offhook.drivers.relay import OnSwitch, State


class Account:
    """Commanded, reported and observed states of a board's relays."""

    def __init__(self, channels: int) -> None:
        self._states = [State()] * channels
        self._listeners: list[OnSwitch] = []

    @property
    def states(self) -> tuple[State, ...]:
        """One a relay."""
        return tuple(self._states)

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""
        self._listeners.append(listener)

    def acknowledged(self, relay: int, closed: bool, sent_s: float, acked_s: float) -> None:
        """A command was; what was observed before it says nothing any more."""
        self._states[relay] = State(commanded=closed)
        for listener in self._listeners:
            listener(relay, closed, sent_s, acked_s)

    def all_open(self, sent_s: float, acked_s: float) -> None:
        """One command opened every relay; listeners hear of those that may have been closed."""
        for relay, state in enumerate(self._states):
            if state.commanded is not False:
                self.acknowledged(relay, False, sent_s, acked_s)

    def in_doubt(self, relay: int) -> None:
        """A command was sent and not acknowledged: it may have run."""
        self._states[relay] = State()

    def all_in_doubt(self) -> None:
        """The same, of every relay."""
        self._states = [State()] * len(self._states)

    def reported(self, closed: tuple[bool, ...]) -> None:
        """The board was read."""
        self._states = [state._replace(reported=now) for state, now in zip(self._states, closed, strict=True)]

    def observed(self, relay: int, closed: bool) -> None:
        """Somebody saw what the contact does."""
        self._states[relay] = self._states[relay]._replace(observed=closed)
