"""Sensor inputs of an Arduino that runs StandardFirmata 2.x (Firmata protocol 2, MIDI-like framing).

======================  =======================================================================
``F9 major minor``      REPORT_VERSION
``F0 79 .. F7``         REPORT_FIRMWARE: major, minor, name of two 7-bit halves a character
``F4 pin mode``         SET_PIN_MODE: 00 input, 0B input with pull-up
``D0|port enable``      REPORT_DIGITAL: the board answers with the port's levels, then sends every change
``90|port lsb msb``     DIGITAL_MESSAGE: levels of pins 8*port .. 8*port+7, seven bits and one
======================  =======================================================================

Boards that reset when their port is opened need up to 2 s to boot, and say what they are when they are up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceTimeout
from offhook.drivers.links import Link, Wires
from offhook.drivers.sense import OnEdge
from offhook.drivers.sense.debounce import Debouncer

REPORT_VERSION, SET_PIN_MODE, START_SYSEX, END_SYSEX, REPORT_FIRMWARE = 0xF9, 0xF4, 0xF0, 0xF7, 0x79
DIGITAL_MESSAGE, REPORT_DIGITAL = 0x90, 0xD0
INPUT, INPUT_PULLUP = 0x00, 0x0B
PINS = tuple(range(2, 20))
BOOT_S = 5.0
ASK_AGAIN_S = 1.0
LONGEST_SYSEX = 256
HINT = "is StandardFirmata loaded, and the port right?"


@dataclass(frozen=True)
class Firmware:
    """What the board says it runs."""

    name: str
    major: int
    minor: int


@dataclass(frozen=True)
class PortLevels:
    """Levels of the eight pins of a port; bit 0 is pin ``8 * port``."""

    port: int
    levels: int


class FirmataProtocol:
    """Bytes in, messages out. Bytes that belong to no message are skipped."""

    def __init__(self) -> None:
        self._message = bytearray()

    def feed(self, data: bytes) -> list[Firmware | PortLevels]:
        """Take what arrived; return the messages it completed."""
        found: list[Firmware | PortLevels] = []
        for byte in data:
            if byte >= 0x80 and byte != END_SYSEX:
                self._message = bytearray([byte])
                continue
            if not self._message:
                continue
            self._message.append(byte)
            message = self._complete()
            if message is not None:
                found.append(message)
        return found

    def _complete(self) -> Firmware | PortLevels | None:
        message = self._message
        first = message[0]
        if first == START_SYSEX:
            if message[-1] != END_SYSEX:
                if len(message) > LONGEST_SYSEX:
                    self._message = bytearray()
                return None
            self._message = bytearray()
            return _firmware(message[1:-1])
        if first & 0xF0 == DIGITAL_MESSAGE:
            if len(message) < 3:
                return None
            self._message = bytearray()
            return PortLevels(first & 0x0F, (message[1] | message[2] << 7) & 0xFF)
        if len(message) >= 3:
            self._message = bytearray()
        return None


def _firmware(body: bytearray) -> Firmware | None:
    if len(body) < 3 or body[0] != REPORT_FIRMWARE:
        return None
    halves = body[3:]
    name = "".join(chr(low | high << 7) for low, high in zip(halves[::2], halves[1::2], strict=False))
    return Firmware(name, body[1], body[2])


class FirmataInputs:
    """One Arduino; see :class:`offhook.drivers.sense.SenseInputs`. A pin is active when high (see ``active_low``)."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        link: Link,
        pins: Sequence[int] = PINS,
        pull_up: bool = False,
        settle_s: float = 0.0,
        active_low: Sequence[int] = (),
    ) -> None:
        """``pins`` become inputs, all others are left alone; ``pull_up`` is for contacts to ground.
        Pins in ``active_low`` are active when they are low, as such contacts and opto-couplers make them.

        An edge counts once its level has held for ``settle_s``, and keeps the time at which it came.
        """
        self.resource = f"sense.{name}"
        if not pins or not all(0 <= pin < 128 for pin in pins):
            raise ConfigError(self.resource, f"pins = {list(pins)}", "pins are numbers from 0 to 127", "pins = [2, 3]")
        self._clock = clock
        self._link = link
        self._pins = frozenset(pins)
        self._mode = INPUT_PULLUP if pull_up else INPUT
        self._protocol = FirmataProtocol()
        self._firmware: Firmware | None = None
        self._ports: set[int] = set()
        self._settle_s = settle_s
        self._active_low = frozenset(active_low)
        self._inputs = {pin: Debouncer(clock, settle_s, partial(self._edge, pin)) for pin in pins}
        self._listeners: dict[int, list[OnEdge]] = {}
        self._lost = ""
        link.attach(self._take, self._lose)

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Take hold of the port; ``options``: ``link``, ``pins``, ``pull_up``, ``active_low``, ``debounce_ms``."""
        address = options.get("link") or options.get("port")
        if not address:
            raise ConfigError(f"sense.{name}", "open", "no port is named", 'port = "/dev/serial/by-id/..."')
        link = wires.link(str(address), baud=57600)
        pins, settle_s = tuple(options.get("pins", PINS)), options.get("debounce_ms", 0) / 1000
        pull_up, low = bool(options.get("pull_up", False)), tuple(options.get("active_low", ()))
        return cls(name, wires.clock, link, pins, pull_up, settle_s, low)

    def connect(self) -> str:
        """Wait for the firmware's name, make the pins inputs, switch reporting on and wait for the first levels."""
        operation = "ask what it runs"
        deadline_s = self._clock.now_s() + BOOT_S
        while self._firmware is None and self._clock.now_s() < deadline_s:
            self._send(bytes([START_SYSEX, REPORT_FIRMWARE, END_SYSEX]), operation)
            self._wait(lambda: self._firmware is not None, ASK_AGAIN_S, operation)
        if self._firmware is None:
            raise DeviceTimeout(self.resource, operation, f"no answer within {BOOT_S:g} s", HINT)
        ports = sorted({pin >> 3 for pin in self._pins})
        self._ports.clear()
        modes = b"".join(bytes([SET_PIN_MODE, pin, self._mode]) for pin in sorted(self._pins))
        self._send(modes + b"".join(bytes([REPORT_DIGITAL | port, 1]) for port in ports), "switch reporting on")
        if not self._wait(lambda: self._ports >= set(ports), ASK_AGAIN_S, "switch reporting on"):
            silent = ", ".join(str(port) for port in ports if port not in self._ports)
            detail = f"port {silent} did not report"
            raise DeviceTimeout(self.resource, "switch reporting on", detail, "does this board have the pins named?")
        found = self._firmware
        return f"{found.name} {found.major}.{found.minor}, {len(self._pins)} inputs"

    def active(self, pin: int) -> bool:
        """The last level that counts. Raises DeviceGone when the board has left."""
        self._check(pin)
        if self._lost:
            raise DeviceGone(self.resource, f"read pin {pin}", self._lost, HINT)
        return self._inputs[pin].level

    def subscribe(self, pin: int, on_edge: OnEdge) -> None:
        """Call ``on_edge(active, time_s)`` on every edge of that pin."""
        self._check(pin)
        self._listeners.setdefault(pin, []).append(on_edge)

    def close(self) -> None:
        """Let go of the port."""
        self._lost = self._lost or "closed by the bench"
        self._link.close()

    def _check(self, pin: int) -> None:
        if pin not in self._pins:
            inputs = ", ".join(str(each) for each in sorted(self._pins))
            raise ConfigError(self.resource, f"pin {pin}", f"not an input of this board (inputs: {inputs})", "pins")

    def _send(self, data: bytes, operation: str) -> None:
        try:
            self._link.send(data)
        except DeviceGone as error:
            raise DeviceGone(self.resource, operation, error.detail, HINT) from error

    def _wait(self, condition: Callable[[], bool], timeout_s: float, operation: str) -> bool:
        met = self._clock.wait_for(lambda: bool(self._lost) or condition(), timeout_s)
        if self._lost:
            raise DeviceGone(self.resource, operation, self._lost, HINT)
        return met

    def _take(self, data: bytes) -> None:
        now_s = self._clock.now_s()
        for message in self._protocol.feed(data):
            if isinstance(message, Firmware):
                self._firmware = message
            else:
                self._port_came(message, now_s)

    def _port_came(self, message: PortLevels, now_s: float) -> None:
        is_first = message.port not in self._ports
        self._ports.add(message.port)
        for bit in range(8):
            pin = 8 * message.port + bit
            if pin in self._inputs:
                active = bool(message.levels >> bit & 1) != (pin in self._active_low)
                if is_first:  # the first report is the state, not an edge
                    self._inputs[pin] = Debouncer(self._clock, self._settle_s, partial(self._edge, pin), active)
                else:
                    self._inputs[pin].feed(active, now_s)

    def _edge(self, pin: int, active: bool, time_s: float) -> None:
        for on_edge in list(self._listeners.get(pin, ())):
            on_edge(active, time_s)

    def _lose(self, reason: str) -> None:
        self._lost = reason
