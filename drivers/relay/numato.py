"""Numato USB relay boards (CDC ACM, 4 to 32 relays), after the vendor's command set.

A command is a line ended by CR. The board echoes it, sends LF CR, then an answer and LF CR if there is one, then the
prompt ``>``, which is the acknowledgement. Relays are numbered 0-9, then A-V. ``readall`` answers, and ``writeall``
takes, a hexadecimal number of one digit for four relays; bit 0 is relay 0.

An answer counts only if the echo before it is the very line that was sent: a board that swallowed half a command, or
had garbage in its line buffer, is heard as silent, never as obedient.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Self

from offhook.drivers.clock import Clock, Mutex
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import Link, Wires
from offhook.drivers.relay import OnSwitch, State
from offhook.drivers.relay.account import Account
from offhook.drivers.safe_action import SafeAction

LABELS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
PROMPT = b">"
LONGEST_ANSWER = 4096
HINT = "check the cable and the board's power"


class Answer(NamedTuple):
    """Everything between two prompts: the lines, echo first."""

    lines: tuple[str, ...]

    def to(self, command: str) -> tuple[str, ...] | None:
        """The lines after the echo of ``command``; None if this answers something else."""
        if not command:
            return () if not any(self.lines) else None
        if command not in self.lines:
            return None
        return tuple(line for line in self.lines[self.lines.index(command) + 1 :] if line)


class NumatoProtocol:
    """Bytes in, answers out; knows nothing of time."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """Take what arrived; return every answer that it completed."""
        self._pending += data
        *whole, rest = bytes(self._pending).split(PROMPT)
        self._pending = bytearray(rest[-LONGEST_ANSWER:])
        return [Answer(tuple(re.split(r"[\r\n]+", part.decode("ascii", "replace").strip(" ")))) for part in whole]

    @staticmethod
    def line(command: str) -> bytes:
        """The bytes of a command."""
        return command.encode("ascii") + b"\r"


class NumatoBoard:
    """One board; see :class:`offhook.drivers.relay.RelayBoard`."""

    def __init__(self, name: str, clock: Clock, link: Link, channels: int = 16, timeout_s: float = 1.0) -> None:
        """``name`` is the station file's; ``timeout_s`` is the limit for each answer."""
        self.resource = f"relay.{name}"
        if not 1 <= channels <= len(LABELS):
            raise ConfigError(self.resource, f"channels = {channels}", "a Numato board has 1 to 32 relays", "channels")
        self._clock = clock
        self._link = link
        self._channels = channels
        self._timeout_s = timeout_s
        self._digits = (channels + 3) // 4
        self._protocol = NumatoProtocol()
        self._turn = Mutex(clock)
        self._answers: list[tuple[float, Answer]] = []
        self._account = Account(channels)
        self._in_doubt = True
        self._lost = ""
        link.attach(self._take, self._lose)

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Take hold of the port; ``options`` are ``link`` (or ``port``), ``channels`` and ``timeout_s``."""
        address = options.get("link") or options.get("port")
        if not address:
            raise ConfigError(f"relay.{name}", "open", "no port is named", 'port = "/dev/serial/by-id/..."')
        link = wires.link(str(address), baud=int(options.get("baud", 115200)))  # CDC: the number means nothing
        return cls(name, wires.clock, link, int(options.get("channels", 16)), float(options.get("timeout_s", 1.0)))

    @property
    def channels(self) -> int:
        """How many relays the station file says it has."""
        return self._channels

    def connect(self) -> str:
        """Check that the board answers, open every relay, return its identity."""
        firmware = self._ask("ver", "ask for its version")[0]
        serial = self._ask("id get", "ask for its id")[0]
        self.open_all()
        closed = [LABELS[relay] for relay, is_closed in enumerate(self.read_all()) if is_closed]
        if closed:
            detail = f"relay {', '.join(closed)} still reads closed"
            raise DeviceRefused(self.resource, "open all relays", detail, "is the board defective?")
        return f"Numato, firmware {' '.join(firmware)}, id {' '.join(serial)}, {self._channels} relays"

    def set(self, relay: int, closed: bool) -> None:
        """Switch one relay and wait for the prompt."""
        if not 0 <= relay < self._channels:
            raise ConfigError(self.resource, f"set relay {relay}", f"the board has 0 to {self._channels - 1}", "")
        verb = "on" if closed else "off"
        operation = f"switch relay {relay} {verb}"
        self._account.in_doubt(relay)  # until it is acknowledged
        lines, sent_s, acked_s = self._ask(f"relay {verb} {LABELS[relay]}", operation)
        if lines:
            raise DeviceRefused(self.resource, operation, f'it answered "{" ".join(lines)}"', "is it this model?")
        self._account.acknowledged(relay, closed, sent_s, acked_s)

    def read_all(self) -> tuple[bool, ...]:
        """What the board reports, one value a relay."""
        operation = "read all relays"
        lines, _, _ = self._ask("relay readall", operation)
        text = "".join(lines)
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{self._digits}}}", text):
            detail = f'it answered "{text}", not {self._digits} hexadecimal digits'
            raise DeviceRefused(self.resource, operation, detail, "is channels right for this board?")
        bits = int(text, 16)
        states = tuple(bool(bits >> relay & 1) for relay in range(self._channels))
        self._account.reported(states)
        return states

    def open_all(self) -> None:
        """Every relay open, in one command."""
        operation = "open all relays"
        lines, sent_s, acked_s = self._ask(self._all_open, operation)
        if lines:
            raise DeviceRefused(self.resource, operation, f'it answered "{" ".join(lines)}"', "is it this model?")
        self._account.all_open(sent_s, acked_s)

    def safe_action(self, closed: Collection[int] = ()) -> SafeAction:
        """Every relay open but those in ``closed``, and read back; the first CR ends a line that was cut short."""
        digits = f"{sum(1 << relay for relay in closed):0{self._digits}x}"
        commands = ("", f"relay writeall {digits}", "relay readall")
        sent = b"".join(NumatoProtocol.line(command) for command in commands)
        return SafeAction(self._link.address, sent, f"\n\r{digits}\n\r".encode("ascii") + PROMPT)

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""
        self._account.on_switch(listener)

    @property
    def states(self) -> tuple[State, ...]:
        """Commanded, reported and observed, one a relay."""
        return self._account.states

    def observe(self, relay: int, closed: bool) -> None:
        """Somebody saw what the contact does."""
        self._account.observed(relay, closed)

    def close(self) -> None:
        """Let go of the port."""
        self._lost = self._lost or "closed by the bench"
        self._link.close()

    @property
    def _all_open(self) -> str:
        return f"relay writeall {'0' * self._digits}"

    def _ask(self, command: str, operation: str) -> tuple[tuple[str, ...], float, float]:
        """One conversation: (lines of the answer, when the command left, when the prompt came)."""
        with self._turn:
            if self._in_doubt:  # the first CR ends what may be in the board's line buffer, the second answers blank
                self._talk("\r", "", operation)
            self._in_doubt = True
            answer = self._talk(command, command, operation)
            self._in_doubt = False
            return answer

    def _talk(self, line: str, echo: str, operation: str) -> tuple[tuple[str, ...], float, float]:
        self._answers.clear()
        if self._lost:
            raise DeviceGone(self.resource, operation, self._where(self._lost), HINT)
        sent_s = self._clock.now_s()
        try:
            self._link.send(NumatoProtocol.line(line))
        except DeviceGone as error:
            raise DeviceGone(self.resource, operation, self._where(error.detail), HINT) from error
        found = self._clock.wait_for(lambda: self._lost or self._answer_to(echo), self._timeout_s)
        if isinstance(found, str):
            raise DeviceGone(self.resource, operation, self._where(self._lost), HINT)
        if found is None:
            detail = self._where(f"no acknowledgement within {self._timeout_s:g} s")
            raise DeviceTimeout(self.resource, operation, detail, HINT)
        lines, came_s = found
        return lines, sent_s, came_s

    def _where(self, detail: str) -> str:
        return f"{detail} ({self._link.address})"

    def _answer_to(self, echo: str) -> tuple[tuple[str, ...], float] | None:
        for came_s, answer in self._answers:
            lines = answer.to(echo)
            if lines is not None:
                return lines, came_s
        return None

    def _take(self, data: bytes) -> None:
        now_s = self._clock.now_s()
        self._answers += [(now_s, answer) for answer in self._protocol.feed(data)]

    def _lose(self, reason: str) -> None:
        self._lost = reason
