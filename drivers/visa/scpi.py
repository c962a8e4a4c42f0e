"""What SCPI instruments have in common (SCPI-99 volume 1, IEEE 488.2): identity, error queue, numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceRefused, DeviceTimeout, Unavailable
from offhook.drivers.links import Wires
from offhook.drivers.visa import VisaWires
from offhook.drivers.visa.names import resource_name
from offhook.drivers.visa.session import VisaSession

INFINITE, NOT_A_NUMBER = 9.9e37, 9.91e37
"""SCPI-99 volume 1, 7.2.1.4 and 7.2.1.5."""
MOST_ERRORS = 20
OF_THE_TIMEOUT = ("-410", "-420", "-430", "-440")
"""Query errors, which a reply that came too late or was given up leaves behind."""


class ScpiInstrument:
    """Base of the drivers: ``open(name, options, wires)``, ``connect``, ``command``, ``ask``.

    Options: ``link``; ``vendor``, ``model`` and ``serial`` as ``*IDN?`` says them (a vendor may be abbreviated);
    ``timeout_s`` (3 s), ``baud``.
    """

    def __init__(self, name: str, options: Mapping[str, Any], session: VisaSession, clock: Clock) -> None:
        self.name = name
        self.options = options
        self.session = session
        self.clock = clock

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> ScpiInstrument:
        """Find where it is; nothing is opened yet. Raises ConfigError, or Unavailable in simulated time."""
        resource = f"instrument.{name}"
        if "link" not in options:
            raise ConfigError(resource, "open", "no link is given", 'link = "tcp://10.0.3.20:5025"')
        if not isinstance(wires, VisaWires):
            detail = "VISA libraries wait on the wall clock, and this station runs in simulated time"
            raise Unavailable(resource, "open", detail, "--realtime")
        where = resource_name(wires.visa(str(options["link"])))
        session = VisaSession(resource, where, wires.clock, float(options.get("timeout_s", 3.0)), options.get("baud"))
        return cls(name, options, session, wires.clock)

    @property
    def late_replies(self) -> tuple[str, ...]:
        """Replies that came after their limit and were thrown away."""
        return tuple(self.session.late)

    def connect(self) -> str:
        """See :class:`offhook.drivers.visa.Instrument`."""
        self.session.open()
        try:
            identity = self.ask("*IDN?")
        except DeviceTimeout as error:
            if not self.session.in_step():
                hint = "is it switched on, and is that its address? a longer timeout_s"
                raise DeviceTimeout(error.resource, error.operation, error.detail, hint) from error
            identity = self.ask("*IDN?")  # a serial port had half a command in its buffer
        fields = self._compared(identity)
        self.session.write("*CLS")
        self.set_up()
        return ", ".join(field for field in fields if field)

    def check_identity(self) -> str:
        """See :class:`offhook.drivers.visa.Instrument`."""
        return ", ".join(field for field in self._compared(self.ask("*IDN?")) if field)

    def set_up(self) -> None:
        """What this kind of instrument needs at the start."""

    def safe(self) -> None:
        """Most put nothing on the line."""

    def close(self) -> None:
        """Let go of it."""
        self.session.close()

    def command(self, *commands: str) -> None:
        """Send commands and read the error queue. Raises DeviceRefused with what the instrument says."""
        for command in commands:
            self.session.write(command)
        errors = self.errors()
        if errors:
            raise self._refused("; ".join(commands), " ".join(errors), "does its programming guide know this command?")

    def ask(self, command: str, limit_s: float | None = None) -> str:
        """Send a query. Raises DeviceRefused where the error queue says why no reply came, DeviceTimeout elsewise."""
        try:
            return self.session.query(command, limit_s)
        except DeviceTimeout as error:
            self._why_no_reply(command, error)
            raise

    def number(self, command: str, limit_s: float | None = None) -> float:
        """A query for a number. Raises DeviceRefused for an overload or for text."""
        text = self.ask(command, limit_s)
        try:
            value = float(text)
        except ValueError:
            raise self._refused(command, f'"{text}" is no number', "") from None
        if not math.isfinite(value) or abs(value) >= NOT_A_NUMBER:
            raise self._refused(command, "there is nothing to measure", "is its input at the line?")
        if abs(value) >= INFINITE:
            raise self._refused(command, "overload", "a larger range, or is a lead off?")
        return value

    def errors(self) -> list[str]:
        """The error queue, read until it is empty (SCPI-99 volume 1, 21.8): ``-113,"Undefined header"``."""
        found: list[str] = []
        for _ in range(MOST_ERRORS):
            text = self.session.query("SYST:ERR?")
            if text.lstrip("+").split(",")[0].strip() == "0":
                break
            found.append(text)
        return found

    def _why_no_reply(self, command: str, timeout: DeviceTimeout) -> None:
        late = len(self.session.late)
        if not self.session.in_step():
            return
        if len(self.session.late) > late:
            detail = f'{timeout.detail}; "{self.session.late[-1]}" came later and was thrown away'
            raise DeviceTimeout(timeout.resource, timeout.operation, detail, timeout.hint) from timeout
        try:
            errors = [each for each in self.errors() if not each.startswith(OF_THE_TIMEOUT)]
        except DeviceError:
            return
        if errors:
            raise self._refused(command, " ".join(errors), "does its programming guide know this query?") from timeout

    def _compared(self, identity: str) -> list[str]:
        """The fields of an identity that is the one of the station file. Raises DeviceRefused for another."""
        fields = [field.strip() for field in identity.split(",")]
        if len(fields) < 3:
            raise self._refused("*IDN?", f'"{identity}" names no vendor, model and serial', "is it a SCPI instrument?")
        for key, value in zip(("vendor", "model", "serial"), fields, strict=False):
            wanted = str(self.options.get(key, ""))
            same = wanted.casefold() in value.casefold() if key == "vendor" else wanted.casefold() == value.casefold()
            if wanted and not same:
                detail = f'the station file says {key} "{wanted}", and "{identity}" answers'
                raise self._refused("check its identity", detail, f'the right link, or {key} = "{value}"')
        return fields

    def _refused(self, operation: str, detail: str, hint: str) -> DeviceRefused:
        return DeviceRefused(f"instrument.{self.name}", f"{operation} at {self.session.resource}", detail, hint)
