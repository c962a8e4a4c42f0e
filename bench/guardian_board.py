"""One board or generator in the guardian's process: opened, sent its safe bytes, read back; again until it obeys.

pyserial, sockets and the system's calls for HID only, without the clock, links and drivers of the bench: they may be
what hangs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import serial

from offhook.bench.guardian_hislip import HislipPort
from offhook.drivers import hidraw

ANSWER_S = 0.5
"""A board answers within this, or is sent its bytes again."""
PAUSE_S = 0.02
PTYS = "/dev/pts/"


class Port(Protocol):
    """What of a serial port or connection is needed."""

    def write(self, data: bytes) -> None:
        """Send all of it."""

    def read(self) -> bytes:
        """What has come; b"" after a moment without anything."""


class Step(NamedTuple):
    """One message: how its answer ends (b"" for none), how long it has at least, how long to wait after it."""

    send: bytes
    expect: bytes
    length: int
    pause_s: float

    def is_met_by(self, heard: bytes) -> bool:
        """Has all of the right answer come? Text may be in either case, as hexadecimal digits are."""
        if not self.expect or len(heard) < self.length:
            return False
        if b"\r" not in self.expect and self.expect.endswith(b"\n"):  # IEEE 488.2 leaves a carriage return free
            heard = heard.replace(b"\r\n", b"\n")
        if self.expect.isascii() and all(byte >= 0x20 or byte in b"\r\n" for byte in self.expect):
            return heard.lower().endswith(self.expect.lower())
        return heard.endswith(self.expect)


@dataclass(frozen=True)
class Armed:
    """What is not safe until it gave every one of ``steps`` its answer; the last of them reads it back."""

    address: str
    baud: int
    steps: tuple[Step, ...]
    made: float | None
    locked: bool = True

    @classmethod
    def of(cls, order: dict[str, Any]) -> Armed:
        """From the bench's order."""
        address = str(order["address"])
        sent, expected = bytes.fromhex(order["send"]), bytes.fromhex(order["expect"])
        last = Step(sent, expected, int(order.get("length", 0)), 0.0 if expected else PAUSE_S)
        before = tuple(
            Step(bytes.fromhex(send), bytes.fromhex(expect), len(expect) // 2, float(pause_s))
            for send, expect, pause_s in order.get("before", ())
        )
        return cls(address, int(order["baud"]), (*before, last), _made(address), bool(order.get("locked", True)))

    @property
    def can_be_read(self) -> bool:
        """False for a board that is only told: nobody knows whether it obeyed."""
        return bool(self.steps[-1].expect)

    @property
    def never_comes_back(self) -> bool:
        """A pseudo terminal that has gone: its name may soon be that of somebody's window."""
        return self.address.startswith(PTYS) and _made(self.address) != self.made


@dataclass
class Safed:
    """What became of one board or generator; seconds are counted from the moment the bench's end was noticed."""

    resource: str
    address: str
    sent: str = ""
    read_back: str = ""
    ok: bool = False
    can_be_read: bool = True
    tries: int = 0
    opened_after_s: float | None = None
    safe_after_s: float | None = None
    error: str = ""


def make_safe(armed: Armed, done: Safed, start_s: float, patience_s: float) -> None:
    """Try until the board says that it is safe, or patience ends; ``done`` tells what happened so far.

    Of a board that cannot be read nobody knows more than that it was told.
    """
    done.sent = _shown(b"".join(step.send for step in armed.steps))
    done.can_be_read = armed.can_be_read
    while True:
        if armed.never_comes_back:
            done.error = f"{armed.address} is gone"
            return
        try:
            with _opened(armed) as port:
                done.opened_after_s = done.opened_after_s or time.monotonic() - start_s
                done.tries += 1
                done.ok = _talk(armed, port, done)
        except Exception as error:  # pyserial raises OSError, SerialException, ValueError and termios.error
            done.error = str(error) or type(error).__name__
        else:
            if done.ok:
                done.safe_after_s, done.error = time.monotonic() - start_s, ""
                return
            done.error = "it answered something else" if done.read_back else "no answer"
        if time.monotonic() - start_s > patience_s:
            return
        time.sleep(PAUSE_S)


def is_held(armed: Armed) -> bool:
    """True if another process holds its port; a connection, and a port without a lock, count as held."""
    if armed.address.startswith(("tcp://", "hislip://")) or not armed.locked:
        return True
    try:
        with _opened(armed):
            return False
    except serial.SerialException as error:
        return "lock" in str(error).lower() or os.path.exists(armed.address)
    except Exception:  # gone: nothing to hold
        return False


def _talk(armed: Armed, port: Port, done: Safed) -> bool:
    """One message after the other; True if each had its answer. A board that cannot be read is told twice."""
    for step in armed.steps * (1 if armed.can_be_read else 2):
        heard = _answer(step, port)
        done.read_back = _shown(heard)
        if step.expect and not step.is_met_by(heard):
            return False
        time.sleep(step.pause_s)
    return True


def _shown(data: bytes) -> str:
    """Text as it is, anything else in hexadecimal digits."""
    is_text = all(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in data)
    return data.decode("ascii") if is_text else data.hex(" ").upper()


def _answer(step: Step, port: Port) -> bytes:
    heard = bytearray()
    port.write(step.send)
    until_s = time.monotonic() + (ANSWER_S if step.expect else 0.0)
    while time.monotonic() < until_s and not step.is_met_by(bytes(heard)):
        heard += port.read()
    return bytes(heard)


@contextmanager
def _opened(armed: Armed) -> Iterator[Port]:
    if armed.address.startswith("tcp://"):
        host, _, number = armed.address.removeprefix("tcp://").rpartition(":")
        with socket.create_connection((host, int(number)), timeout=1.0) as connection:
            yield _Connection(connection)
    elif armed.address.startswith("hislip://"):
        instrument = HislipPort(armed.address)
        try:
            yield instrument
        finally:
            instrument.close()
    elif hidraw.is_hid(armed.address):
        device = hidraw.open_hid(armed.address)
        try:
            yield _Hid(device)
        finally:
            device.close()
    else:
        port = serial.serial_for_url(
            armed.address, baudrate=armed.baud, timeout=0.02, write_timeout=ANSWER_S, exclusive=True
        )
        try:
            yield _Serial(port)
        finally:
            with contextlib.suppress(Exception):  # unplugged meanwhile: termios.error
                port.close()


class _Serial:
    def __init__(self, port: Any) -> None:
        self._port = port

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self) -> bytes:
        return bytes(self._port.read(max(1, self._port.in_waiting)))


class _Hid:
    def __init__(self, device: hidraw.HidDevice) -> None:
        self._device = device
        self._reports = bytearray()

    def write(self, data: bytes) -> None:
        self._reports += self._device.send(data)

    def read(self) -> bytes:
        reports = bytes(self._reports)
        self._reports.clear()
        return reports


class _Connection:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def read(self) -> bytes:
        self._connection.settimeout(0.02)
        try:
            data = self._connection.recv(4096)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionError("it closed the connection")
        return data


def _made(address: str) -> float | None:
    """When the device's name was made; None if there is none."""
    try:
        return os.stat(address).st_ctime
    except OSError:
        return None
