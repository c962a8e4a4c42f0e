"""Relay boards that are spoken to in short messages: a protocol says which bytes, :class:`SpokenBoard` does the rest.

A protocol is sans-I/O: it turns "close relay 3" into bytes and bytes into states, and knows nothing of links, clocks
and errors. A driver is a :class:`BoardProtocol`, and a :class:`SpokenBoard` that names it (docs/new-driver.md).

A command counts only if exactly the answer came that the protocol says, or, from a board that answers nothing, if the
state read back is the one commanded. Anything else is an error, and the relay's state is unknown from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Self

from offhook.drivers.clock import Clock, Mutex, Timer
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused
from offhook.drivers.links import Link, Wires
from offhook.drivers.relay import OnSwitch, State
from offhook.drivers.relay.account import Account
from offhook.drivers.relay.conversation import Conversation, Spent, WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.safe_action import SafeAction, SafeStep

__all__ = ["BoardProtocol", "Command", "SpokenBoard", "WrongAnswer"]
SAFE_PAUSE_S = 0.005
"""The least time that a guardian leaves between two messages."""


class SpokenBoard:
    """A board behind a protocol; see :class:`offhook.drivers.relay.RelayBoard`."""

    protocol_class: ClassVar[type[BoardProtocol]]

    def __init__(self, name: str, clock: Clock, link: Link, protocol: BoardProtocol, timeout_s: float = 0.5) -> None:
        """``name`` is the station file's; ``timeout_s`` is the limit for each answer."""
        self.resource = f"relay.{name}"
        if protocol.channels not in protocol.sizes:
            sizes = ", ".join(map(str, protocol.sizes))
            raise ConfigError(self.resource, f"channels = {protocol.channels}", f"{protocol.title} has {sizes}", "")
        self.protocol = protocol
        self._clock = clock
        self._turn = Mutex(clock)
        self._account = Account(protocol.channels)
        self._talk = Conversation(self.resource, clock, link, protocol.baud, protocol.spacing_s, timeout_s)
        self._pulses: dict[int, Timer] = {}

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Take hold of the port; ``options``: ``link`` (or ``port``), ``timeout_s``, ``spacing_ms``, the board's."""
        address = options.get("link") or options.get("port")
        if not address:
            raise ConfigError(f"relay.{name}", "open", "no port is named", 'port = "/dev/serial/by-id/..."')
        try:
            protocol = cls.protocol_for(options)
        except ValueError as error:
            raise ConfigError(f"relay.{name}", "open", str(error), "see docs/stations.md") from error
        if "spacing_ms" in options:
            protocol.spacing_s = options["spacing_ms"] / 1000
        link = wires.link(str(address), baud=int(options.get("baud", protocol.baud)))
        return cls(name, wires.clock, link, protocol, float(options.get("timeout_s", 0.5)))

    @classmethod
    def protocol_for(cls, options: Mapping[str, Any]) -> BoardProtocol:
        """The protocol as the station file has it. Raises ValueError for options that make no sense."""
        return cls.protocol_class(int(options.get("channels", min(cls.protocol_class.sizes))))

    @property
    def channels(self) -> int:
        """How many relays the station file says it has."""
        return self.protocol.channels

    @property
    def reads_back(self) -> bool:
        """False for a board that cannot be read: then :meth:`read_all` is what it was last told."""
        return self.protocol.reads_back

    @property
    def pulse_step_s(self) -> float | None:
        """Closures that the board times are multiples of this; None if it times none."""
        return self.protocol.pulse_step_s

    @property
    def states(self) -> tuple[State, ...]:
        """Commanded, reported and observed, one a relay."""
        return self._account.states

    def connect(self) -> str:
        """Check that the board answers, open every relay, return its identity."""
        said = ""
        if asked := self.protocol.identify():
            with self._turn:
                said = self._talk.ask(asked, self.protocol.identity, "ask what it is")[0]
        self.open_all()
        if not self.reads_back:
            return f"{self.protocol.title}{said}, {self.channels} relays, cannot be read back"
        still = [str(relay) for relay, closed in enumerate(self.read_all()) if closed]
        if still:
            detail = f"relay {', '.join(still)} still reads closed"
            raise DeviceRefused(self.resource, "open all relays", detail, "is the board defective?")
        return f"{self.protocol.title}{said}, {self.channels} relays"

    def set(self, relay: int, closed: bool) -> None:
        """Switch one relay; returns once it is acknowledged or read back."""
        self._check(relay, "set")
        operation = f"switch relay {relay} {'on' if closed else 'off'}"
        with self._turn, self._doubtful(relay):
            sent_s, acked_s = self._command(self.protocol.switch(relay, closed), operation)
            if not self.protocol.acknowledges and self.reads_back:
                acked_s = self._confirm({relay: closed}, operation)
        self._account.acknowledged(relay, closed, sent_s, acked_s)

    def pulse(self, relay: int, hold_s: float) -> None:
        """Close one relay for a time the board keeps; it opens by itself, whatever becomes of the bench."""
        self._check(relay, "pulse")
        operation = f"pulse relay {relay} for {hold_s:g} s"
        step_s = self.pulse_step_s
        steps = round(hold_s / step_s) if step_s else 0
        if step_s is None or steps < 1 or abs(steps * step_s - hold_s) > 1e-6:
            able = f"it times multiples of {step_s:g} s" if step_s else "it times no closures itself"
            raise ConfigError(self.resource, operation, able, "another press_ms, or pulses = false")
        try:
            command = self.protocol.pulse(relay, steps)
        except ValueError as error:
            raise ConfigError(self.resource, operation, str(error), "a shorter press") from error
        with self._turn, self._doubtful(relay):
            sent_s, acked_s = self._command(command, operation)
        self._account.acknowledged(relay, True, sent_s, acked_s)
        opens_s = acked_s + hold_s
        self._pulses[relay] = self._clock.call_at(
            opens_s, lambda: self._account.acknowledged(relay, False, opens_s, opens_s)
        )

    def read_all(self) -> tuple[bool, ...]:
        """What the board reports, one value a relay; what it was told, if it cannot be read."""
        operation = "read all relays"
        if not self.reads_back:
            unknown = [str(relay) for relay, state in enumerate(self.states) if state.commanded is None]
            if unknown:
                detail = f"the board cannot be read, and the last command to relay {', '.join(unknown)} failed"
                raise DeviceRefused(self.resource, operation, detail, "open all relays")
            return tuple(bool(state.commanded) for state in self.states)
        with self._turn:
            return self._read(operation)[0]

    def open_all(self) -> None:
        """Every relay open, in as few commands as the board allows."""
        operation = "open all relays"
        with self._turn:
            try:
                times = [self._command(command, operation) for command in self.protocol.set_all(())]
                acked_s = times[-1][1]
                if not self.protocol.acknowledges and self.reads_back:
                    acked_s = self._confirm(dict.fromkeys(range(self.channels), False), operation)
                while self._pulses:
                    self._pulses.popitem()[1].cancel()
            except DeviceError:
                self._account.all_in_doubt()
                raise
        self._account.all_open(times[0][0], acked_s)

    def safe_action(self, closed: Collection[int] = ()) -> SafeAction:
        """Every relay open but those in ``closed``, and read back where the board can be read."""
        pause_s = max(self.protocol.spacing_s, SAFE_PAUSE_S)
        steps = [SafeStep(*command, pause_s) for command in self.protocol.set_all(closed)]
        queries = self.protocol.queries() if self.reads_back else ()
        steps += [SafeStep(sent, self.protocol.report(n, closed), pause_s) for n, sent in enumerate(queries)]
        last = steps.pop()
        length = self.protocol.report_length or len(last.expected)
        return SafeAction(self._talk.address, last.sent, last.expected, tuple(steps), self.protocol.baud, length)

    def observe(self, relay: int, closed: bool) -> None:
        """Somebody saw what the contact does."""
        self._account.observed(relay, closed)

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""
        self._account.on_switch(listener)

    def close(self) -> None:
        """Let go of the port."""
        self._talk.close()

    def _check(self, relay: int, verb: str) -> None:
        if not 0 <= relay < self.channels:
            has = f"the board has 0 to {self.channels - 1}"
            raise ConfigError(self.resource, f"{verb} relay {relay}", has, "another number, or channels")

    @contextmanager
    def _doubtful(self, relay: int) -> Iterator[None]:
        """A command that fails may have run, and may not."""
        if relay in self._pulses:
            self._pulses.pop(relay).cancel()
        try:
            yield
        except DeviceError:
            self._account.in_doubt(relay)
            raise

    def _command(self, command: Command, operation: str) -> Spent:
        if not command.answer:
            return self._talk.tell(command.sent, operation)
        return self._talk.ask(command.sent, partial(self._match, command), operation)[1]

    def _match(self, command: Command, answer: bytes) -> bool | None:
        """All of the answer is there, more may come; an answer that is not the one expected is refused."""
        if answer.startswith(command.answer):
            return True
        if command.answer.startswith(answer):
            return None
        complaint = self.protocol.complaint(command.sent, answer)
        raise WrongAnswer(complaint or f"not {command.answer.hex(' ').upper()}")

    def _read(self, operation: str) -> tuple[tuple[bool, ...], float]:
        """(states, when the last of them came)."""
        states: list[bool] = []
        acked_s = self._clock.now_s()
        for number, query in enumerate(self.protocol.queries()):
            some, spent = self._talk.ask(query, partial(self.protocol.states, number), operation)
            states += some
            acked_s = spent.acked_s
        reported = tuple(states)
        self._account.reported(reported)
        return reported, acked_s

    def _confirm(self, wanted: Mapping[int, bool], operation: str) -> float:
        """Read a board that acknowledges nothing. Raises DeviceRefused if a relay is not as it was ever commanded."""
        known = {n: state.commanded for n, state in enumerate(self.states) if state.commanded is not None}
        reported, acked_s = self._read(operation)
        wrong = [relay for relay, closed in {**known, **wanted}.items() if reported[relay] != closed]
        if wrong:
            told = ", ".join(f"relay {n} reads {'closed' if reported[n] else 'open'}" for n in wrong)
            hint = "is it this model, and is the board's power on?"
            raise DeviceRefused(self.resource, operation, f"{told} ({self._talk.address})", hint)
        return acked_s
