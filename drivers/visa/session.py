"""A conversation with one instrument over pyvisa, in which no reply is ever taken for that of another query.

A reply that comes after its limit would be read as the answer to the next question. So after a timeout the session is
not used before it has been brought in step: a number that nobody can have asked for is written to the event status
enable register and read back (``*ESE n;*ESE?``, IEEE 488.2, 10.11), and whatever is read before that number is a late
reply, thrown away and said. Where that does not come back either the resource is opened anew: ``close`` and ``open``
of the same object forget termination and timeout.
"""

from __future__ import annotations

import itertools
import re
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceError, DeviceGone, DeviceTimeout, Unavailable
from offhook.drivers.visa.names import HISLIP_PORT, is_serial, is_stream

T = TypeVar("T")
OPEN_S = 5.0
GRACE_S = 3.0
"""A call that is not back so long after its own limit is given up; its thread with it."""
MOST_LATE = 100


class VisaSession:
    """One instrument at one resource name. ``name`` is what errors call it ("instrument.meter")."""

    def __init__(self, name: str, resource: str, clock: Clock, timeout_s: float, baud: int | None = None) -> None:
        self.name = name
        self.resource = resource
        self.late: list[str] = []
        self._clock = clock
        self._timeout_s = timeout_s
        self._baud = baud
        self._open: Any = None
        self._in_step = True
        self._numbers = itertools.cycle(range(101, 251, 7))

    def open(self) -> None:
        """Open the resource anew. Raises Unavailable or DeviceGone."""
        self.close()
        manager = _manager(self.name)
        self._open = self._do("open", lambda: self._opened(manager), OPEN_S)
        self._in_step = True

    def close(self) -> None:
        """Let go of the resource."""
        held, self._open = self._open, None
        if held is not None:
            try:
                self._do("close", held.close, self._timeout_s)
            except DeviceError:
                pass  # it is gone already

    @property
    def is_open(self) -> bool:
        """Has it been opened, and is it in step?"""
        return self._open is not None and self._in_step

    def write(self, command: str) -> None:
        """Send one program message."""
        self._ready()
        self._do(f'write "{command}"', lambda: self._open.write(command))

    def query(self, command: str, limit_s: float | None = None) -> str:
        """Send a query, return its reply without the line end."""
        self._ready()
        return self._ask(command, lambda: self._read_after(command, limit_s), limit_s)

    def block(self, command: str) -> NDArray[np.int16]:
        """Send a query that is answered by a definite-length block (IEEE 488.2, 8.7.9) of big-endian 16-bit numbers."""
        self._ready()

        def ask() -> NDArray[np.int16]:
            values = self._open.query_binary_values(command, "h", is_big_endian=True, container=np.ndarray)
            return np.asarray(values, dtype=np.int16)

        return self._ask(command, ask, None)

    def in_step(self) -> bool:
        """Try to be in step again; False if the instrument still does not answer."""
        if self._in_step:
            return True
        for anew in (False, True):
            try:
                if anew or self._open is None:
                    self.open()
                self._in_step = False
                self._do("come in step", self._drain)
            except DeviceError:
                continue
            self._in_step = True
            return True
        return False

    def _ready(self) -> None:
        if self._open is None:
            self.open()
        if not self.in_step():
            detail = "it was asked again, and opened anew, and still does not answer"
            raise DeviceTimeout(self.name, f"reach {self.resource}", detail, "is it still busy? switch it off and on")

    def _ask(self, command: str, ask: Callable[[], T], limit_s: float | None) -> T:
        try:
            return self._do(f'query "{command}"', ask, limit_s)
        except DeviceError:
            self._in_step = False
            raise

    def _read_after(self, command: str, limit_s: float | None) -> str:
        held = self._open
        held.timeout = 1000 * (limit_s or self._timeout_s)
        try:
            return str(held.query(command)).strip("\r\n")
        finally:
            held.timeout = 1000 * self._timeout_s

    def _drain(self) -> None:
        if not is_stream(self.resource):
            _cleared(self._open)
        number = next(self._numbers)
        self._open.write(f"*ESE {number};*ESE?")
        for _ in range(MOST_LATE):
            line = str(self._open.read()).strip("\r\n")
            if line.strip().lstrip("+") == str(number):
                self._open.write("*ESE 0")
                return
            self.late.append(line)
        raise DeviceTimeout(self.name, "come in step", "it does not stop talking", "")

    def _opened(self, manager: Any) -> Any:
        options: dict[str, Any] = {"timeout": 1000 * self._timeout_s, "write_termination": "\n"}
        if is_stream(self.resource):
            options["read_termination"] = "\n"
        if is_serial(self.resource) and self._baud:
            options["baud_rate"] = self._baud
        _knock(self.resource)
        held = manager.open_resource(self.resource, **options)
        held.encoding = "latin-1"  # a late block of samples is read as a line, too
        return held

    def _do(self, operation: str, job: Callable[[], T], limit_s: float | None = None) -> T:
        """Run a call of pyvisa on a thread, while the clock goes on."""
        limit_s = limit_s or self._timeout_s
        found: list[T] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                found.append(job())
            except Exception as error:  # pyvisa-py raises whatever its sockets do, and plain Exceptions
                failed.append(error)
            self._clock.post(lambda: None)

        threading.Thread(target=run, name=f"visa {self.name}", daemon=True).start()
        self._clock.wait_for(lambda: bool(found or failed), limit_s + GRACE_S)
        if found:
            return found[0]
        where = f"{operation} at {self.resource}"
        if not failed:
            self._open, self._in_step = None, False
            raise DeviceTimeout(self.name, where, f"the call is not back after {limit_s + GRACE_S:g} s", "restart it")
        raise self._in_words(where, failed[0], limit_s) from failed[0]

    def _in_words(self, where: str, error: Exception, limit_s: float) -> DeviceError:
        if isinstance(error, DeviceError):
            return error
        if "VI_ERROR_TMO" in str(error) or isinstance(error, TimeoutError):
            return DeviceTimeout(self.name, where, f"no reply within {limit_s:g} s", "a longer timeout_s")
        if where.startswith("open"):
            hint = "is it switched on, is the address right, does somebody else use it?"
            return DeviceGone(self.name, where, str(error) or type(error).__name__, hint)
        self._in_step = False
        return DeviceGone(self.name, where, str(error) or type(error).__name__, "check its cable and its power")


def _knock(resource: str) -> None:
    """Raise OSError where nobody listens for HiSLIP: pyvisa-py says less, and leaves its socket open."""
    found = re.fullmatch(r"TCPIP\d*::([^:]+)::hislip\d+(?:,(\d+))?::INSTR", resource)
    if found:
        socket.create_connection((found[1], int(found[2] or HISLIP_PORT)), OPEN_S).close()


def _cleared(held: Any) -> None:
    try:
        held.clear()
    except Exception:  # not every backend has it, and what matters is read next
        pass


def _manager(name: str) -> Any:
    try:
        import pyvisa

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of interfaces that this machine has not
            return pyvisa.ResourceManager("@py")
    except (ImportError, ValueError, OSError) as error:  # ValueError: pyvisa without a backend
        raise Unavailable(name, "load VISA", str(error), "pip install PyVISA PyVISA-py") from error
