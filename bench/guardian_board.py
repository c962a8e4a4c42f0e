"""One relay board in the guardian's process: opened, sent its safe bytes, read back; again until it obeys.

pyserial and sockets only, without the clock, links and drivers of the bench: they may be what hangs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import serial

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


@dataclass(frozen=True)
class Armed:
    """A board that is not safe until it answers ``send`` with something that ends like ``expect``."""

    address: str
    baud: int
    send: bytes
    expect: bytes
    made: float | None

    @classmethod
    def of(cls, order: dict[str, Any]) -> Armed:
        """From the bench's order."""
        address = str(order["address"])
        send, expect = bytes.fromhex(order["send"]), bytes.fromhex(order["expect"])
        return cls(address, int(order["baud"]), send, expect, _made(address))

    @property
    def never_comes_back(self) -> bool:
        """A pseudo terminal that has gone: its name may soon be that of somebody's window."""
        return self.address.startswith(PTYS) and _made(self.address) != self.made


@dataclass
class Safed:
    """What became of one board; seconds are counted from the moment the bench's end was noticed."""

    resource: str
    address: str
    sent: str = ""
    read_back: str = ""
    ok: bool = False
    tries: int = 0
    opened_after_s: float | None = None
    safe_after_s: float | None = None
    error: str = ""


def make_safe(armed: Armed, done: Safed, start_s: float, patience_s: float) -> None:
    """Try until the board says that it is safe, or patience ends; ``done`` tells what happened so far."""
    done.sent = armed.send.decode("latin-1")
    while True:
        if armed.never_comes_back:
            done.error = f"{armed.address} is gone"
            return
        try:
            with _opened(armed) as port:
                done.opened_after_s = done.opened_after_s or time.monotonic() - start_s
                done.tries += 1
                done.read_back = _talk(armed, port)
        except Exception as error:  # pyserial raises OSError, SerialException, ValueError and termios.error
            done.error = str(error) or type(error).__name__
        else:
            done.ok = done.read_back.lower().endswith(armed.expect.decode("latin-1").lower())
            if done.ok:
                done.safe_after_s, done.error = time.monotonic() - start_s, ""
                return
            done.error = "it answered something else" if done.read_back else "no answer"
        if time.monotonic() - start_s > patience_s:
            return
        time.sleep(PAUSE_S)


def is_held(armed: Armed) -> bool:
    """True if another process holds its port; of a connection nobody can tell, so it counts as held."""
    if armed.address.startswith("tcp://"):
        return True
    try:
        with _opened(armed):
            return False
    except serial.SerialException as error:
        return "lock" in str(error).lower() or os.path.exists(armed.address)
    except Exception:  # gone: nothing to hold
        return False


def _talk(armed: Armed, port: Port) -> str:
    heard = bytearray()
    port.write(armed.send)
    until_s = time.monotonic() + ANSWER_S
    while time.monotonic() < until_s:
        heard += port.read()
        if bytes(heard).lower().endswith(armed.expect.lower()):
            break
    return bytes(heard).decode("latin-1")


@contextmanager
def _opened(armed: Armed) -> Iterator[Port]:
    if armed.address.startswith("tcp://"):
        host, _, number = armed.address.removeprefix("tcp://").rpartition(":")
        with socket.create_connection((host, int(number)), timeout=1.0) as connection:
            yield _Connection(connection)
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
