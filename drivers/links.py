"""Links carry the bytes; protocols never see what they run on.

=============  =====================================================================================
``Link``       what a protocol uses: ``send``, ``attach`` (bytes in, loss), ``close``
``PipeLink``   a pair of ends on one clock: the wire to a simulated device
``SerialLink`` pyserial, for any name ``serial_for_url`` takes (``/dev/ttyACM0``, ``COM3``, ``socket://``)
``TcpLink``    a TCP connection
``Wires``      opens links and HTTP by address; ``LabWires`` is the one for real wires
=============  =====================================================================================

Reader threads post to the clock, so ``on_bytes`` and ``on_lost`` always run on the bench's thread.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from offhook.drivers.clock import Clock, WallClock
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.nearest import instead_of
from offhook.drivers.urgency import hurry

if TYPE_CHECKING:
    import httpx

OnBytes = Callable[[bytes], None]
OnLost = Callable[[str], None]


class Grade(enum.IntEnum):
    """How real a wire is; a run is as good as its weakest wire."""

    SIMULATED = 0
    LOOPBACK = 1
    HARDWARE = 2


class Link(Protocol):
    """A wire with a far end."""

    @property
    def address(self) -> str:
        """What the station file calls it."""

    def attach(self, on_bytes: OnBytes, on_lost: OnLost) -> None:
        """Name who takes what arrives; bytes that came earlier are delivered at once."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises DeviceGone if the wire is gone."""

    def close(self) -> None:
        """Let go of the wire; nothing is delivered afterwards."""


class Wires(Protocol):
    """Opens every wire of a station; holds the clock they share."""

    @property
    def clock(self) -> Clock:
        """The clock of all of them."""

    @property
    def grade(self) -> Grade:
        """The weakest wire's grade."""

    @property
    def guarded(self) -> bool:
        """True if another process can open these wires once this one is gone: then a guardian watches over relays."""

    def link(self, address: str, baud: int = 9600) -> Link:
        """Open a byte link. Raises DeviceGone (nothing there) or ConfigError (address makes no sense)."""

    def http(self, address: str) -> tuple[str, httpx.BaseTransport | None]:
        """Base URL and transport (None: httpx's own) for an HTTP service."""

    def close(self) -> None:
        """Close every link and stop what was started for them."""


class PipeLink:
    """One end of an in-process wire; what one end sends arrives at the other ``latency_s`` later.

    ``cut()`` is the wire cutter of the fault tests: what is sent from then on is lost without a word.
    """

    def __init__(self, clock: Clock, address: str, latency_s: float = 0.0) -> None:
        self.address = address
        self._clock = clock
        self._latency_s = latency_s
        self._peer: PipeLink | None = None
        self._on_bytes: OnBytes | None = None
        self._on_lost: OnLost | None = None
        self._early = bytearray()
        self._open = True
        self._cut = False

    @classmethod
    def pair(cls, clock: Clock, address: str, latency_s: float = 0.0) -> tuple[PipeLink, PipeLink]:
        """Two ends of one wire: (bench side, far side)."""
        near, far = cls(clock, address, latency_s), cls(clock, address, latency_s)
        near._peer, far._peer = far, near
        return near, far

    def attach(self, on_bytes: OnBytes, on_lost: OnLost) -> None:
        """Name who takes what arrives."""
        self._on_bytes, self._on_lost = on_bytes, on_lost
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            on_bytes(early)

    def send(self, data: bytes) -> None:
        """Hand the bytes to the other end; on a cut wire they are lost."""
        peer = self._peer
        if not self._open or peer is None or not peer._open:
            raise DeviceGone(self.address, "send", "the far end is closed", "check the cable and the power")
        if self._cut or peer._cut:
            return
        if self._latency_s > 0:
            self._clock.call_at(self._clock.now_s() + self._latency_s, lambda: peer._take(data))
        else:
            self._clock.post(lambda: peer._take(data))

    def _take(self, data: bytes) -> None:
        if not self._open or self._cut:
            return
        if self._on_bytes is None:
            self._early += data
        else:
            self._on_bytes(data)

    def cut(self) -> None:
        """Cut the cable: both directions go silent, nobody is told."""
        self._cut = True

    def mend(self) -> None:
        """Undo :meth:`cut`."""
        self._cut = False

    def close(self) -> None:
        """Close this end; the other end learns of it as of an unplugged device."""
        if not self._open:
            return
        self._open = False
        peer = self._peer
        if peer is not None and not peer._cut and not self._cut:
            self._clock.post(peer._lose)

    def _lose(self) -> None:
        if self._open and self._on_lost is not None:
            self._on_lost("the far end closed")


class _ReaderLink:
    """What the serial and TCP links share: a reader thread that posts to the clock."""

    def __init__(self, clock: Clock, address: str) -> None:
        self.address = address
        self._clock = clock
        self._on_bytes: OnBytes | None = None
        self._on_lost: OnLost | None = None
        self._early: list[bytes] = []
        self._open = True
        self._thread = threading.Thread(target=self._read_on, name=f"read {address}", daemon=True)

    def _read(self) -> bytes:
        """Block for at most 0.2 s; b"" if nothing came. Raises OSError when the device is gone."""
        raise NotImplementedError

    def _read_on(self) -> None:
        hurry()  # it only waits, and what it brings has a time
        while self._open:
            try:
                data = self._read()
            except Exception as error:  # serial raises OSError, SerialException and termios.error for one cable
                if self._open:
                    reason = str(error) or type(error).__name__
                    self._clock.post(lambda reason=reason: self._lose(reason))  # type: ignore[misc]
                return
            if data:
                self._clock.post(lambda data=data: self._take(data))  # type: ignore[misc]

    def _take(self, data: bytes) -> None:
        if self._open:
            if self._on_bytes is None:
                self._early.append(data)
            else:
                self._on_bytes(data)

    def _lose(self, reason: str) -> None:
        if self._open and self._on_lost is not None:
            self._on_lost(reason)

    def attach(self, on_bytes: OnBytes, on_lost: OnLost) -> None:
        """Name who takes what arrives."""
        self._on_bytes, self._on_lost = on_bytes, on_lost
        early, self._early = self._early, []
        for data in early:
            on_bytes(data)

    def _join(self) -> None:
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)


class SerialLink(_ReaderLink):
    """pyserial behind the Link protocol, opened exclusively.

    Raises DeviceGone when the port cannot be opened.
    """

    def __init__(self, clock: Clock, address: str, baud: int = 9600) -> None:
        super().__init__(clock, address)
        import serial

        try:
            self._port = serial.serial_for_url(address, baudrate=baud, timeout=0.2, write_timeout=1.0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            raise DeviceGone(address, "open", str(error), "is it plugged in? ls /dev/serial/by-id") from error
        self._thread.start()

    def _read(self) -> bytes:
        return bytes(self._port.read(max(1, self._port.in_waiting)))

    def send(self, data: bytes) -> None:
        """Write all of it. Raises DeviceGone if the port is gone."""
        import serial

        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise DeviceGone(self.address, "send", str(error), "check the cable and the power") from error

    def close(self) -> None:
        """Close the port and end its reader."""
        if self._open:
            self._open = False
            self._join()
            with contextlib.suppress(Exception):  # an unplugged port raises termios.error, not an OSError
                self._port.close()


class TcpLink(_ReaderLink):
    """A TCP connection to ``tcp://host:port``. Raises DeviceGone if nobody answers within 5 s."""

    def __init__(self, clock: Clock, address: str) -> None:
        super().__init__(clock, address)
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        if not host or not port.isdigit():
            raise ConfigError(address, "open", "not tcp://host:port", "tcp://10.0.3.2:5038")
        try:
            self._socket = socket.create_connection((host, int(port)), timeout=5.0)
        except OSError as error:
            raise DeviceGone(address, "connect", str(error), "is the service running and the port right?") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(0.2)
        self._thread.start()

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionError("the far end closed")
        return data

    def send(self, data: bytes) -> None:
        """Send all of it. Raises DeviceGone if the connection is gone."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise DeviceGone(self.address, "send", str(error), "is the service still running?") from error

    def close(self) -> None:
        """Close the connection and end its reader."""
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._join()
            self._socket.close()


class LabWires:
    """Real wires on the wall clock: serial ports, TCP, HTTP.

    ``renamed`` maps addresses of a station file to where they really are (``end://keys`` to a pty of this machine).
    """

    guarded = True

    def __init__(self, grade: Grade = Grade.LOOPBACK, renamed: Mapping[str, str] | None = None) -> None:
        self.clock: Clock = WallClock()
        self.grade = grade
        self._renamed: dict[str, Any] = dict(renamed or {})
        self._links: list[Link] = []

    def _resolve(self, address: str) -> str:
        real = str(self._renamed.get(address, address))
        if real.startswith("end://"):
            known = ", ".join(sorted(self._renamed)) or "none"
            hint = instead_of(address, self._renamed, "check [world]")
            raise ConfigError(address, "open", f"no such end on this station (it has: {known})", hint)
        return real

    def link(self, address: str, baud: int = 9600) -> Link:
        """Open a serial port, TCP for ``tcp://``, a HID device for ``hid://`` and ``/dev/hidraw``."""
        link = self._open(self._resolve(address), baud)
        self._links.append(link)
        return link

    def _open(self, real: str, baud: int) -> Link:
        if real.startswith("tcp://"):
            return TcpLink(self.clock, real)
        if real.startswith(("hid://", "/dev/hidraw")):
            from offhook.drivers.hidraw import HidLink

            return HidLink(self.clock, real)
        return SerialLink(self.clock, real, baud)

    def http(self, address: str) -> tuple[str, httpx.BaseTransport | None]:
        """The address itself; httpx brings its own transport."""
        return self._resolve(address), None

    def visa(self, address: str) -> str:
        """Where an instrument is (:class:`offhook.drivers.visa.VisaWires`)."""
        return self._resolve(address)

    def close(self) -> None:
        """Close every link."""
        for link in self._links:
            link.close()
        self._links.clear()
