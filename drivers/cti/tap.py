"""A passive tap on somebody else's CTI link: what the cloud and the PBX said to each other, normalized over dialects.

On the tap's own link each piece that crossed the tapped one is a record: one byte of direction (``>`` cloud to PBX,
``<`` PBX to cloud), four bytes of length (big-endian), the bytes. The bytes of a direction are a raw stream; records
need not be whole messages; a record without bytes says that the link was opened anew, so that half a message of a link
that was lost is not read on into the next. A tap sends nothing, so silence proves nothing about it: ``check`` of the
station makes a request on the tapped link to see it here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from offhook.drivers.clock import Clock
from offhook.drivers.cti.ami_tap import AmiDialect
from offhook.drivers.cti.csta_tap import CstaDialect
from offhook.drivers.cti.trace import Dialect, TapError, TraceMessage
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.links import Link, Wires
from offhook.drivers.nearest import instead_of

__all__ = ["CtiTap", "TraceMessage", "pack_record"]

OnMessage = Callable[[TraceMessage], None]
DIALECTS: dict[str, Callable[[], Dialect]] = {"csta": CstaDialect, "ami": AmiDialect}
_HEADER = struct.Struct(">cI")
MAX_RECORD_BYTES = 1 << 20


def pack_record(direction: str, data: bytes) -> bytes:
    """One tap record. ``direction`` is ``>`` or ``<``."""
    return _HEADER.pack(direction.encode(), len(data)) + data


class CtiTap:
    """Decodes a tap. Raises ConfigError for a dialect it does not know."""

    def __init__(self, link: Link, clock: Clock, dialect: str) -> None:
        if dialect not in DIALECTS:
            raise ConfigError("tap", "choose dialect", f'no dialect "{dialect}"', instead_of(dialect, sorted(DIALECTS)))
        self._link = link
        self._clock = clock
        self._name = dialect
        self._dialect = DIALECTS[dialect]()
        self._pending = bytearray()
        self._listeners: list[OnMessage] = []
        self._lost = ""

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> CtiTap:
        """Open ``options["link"]`` with ``options["dialect"]`` for the resource ``name``. Raises DeviceGone."""
        return cls(wires.link(str(options["link"])), wires.clock, str(options["dialect"]))

    def connect(self) -> str:
        """Start listening; returns what it is. Raises DeviceGone if the tap is already lost."""
        self._link.attach(self._take, self._lose)
        if self._lost:
            raise DeviceGone(self._link.address, "connect the CTI tap", self._lost, "check the tap's cable")
        return f"tap on the cloud's CTI link, dialect {self._name}"

    def subscribe(self, on_message: OnMessage) -> None:
        """Deliver every message of both directions."""
        self._listeners.append(on_message)

    @property
    def lost(self) -> str:
        """Why the tap hears nothing any more; "" while it works."""
        return self._lost

    def close(self) -> None:
        """Let go of the wire."""
        self._link.close()

    def _take(self, data: bytes) -> None:
        self._pending += data
        while not self._lost and len(self._pending) >= _HEADER.size:
            direction, length = _HEADER.unpack_from(self._pending)
            if direction not in (b">", b"<") or length > MAX_RECORD_BYTES:
                self._lose("what arrives is not tap records")
                return
            end = _HEADER.size + length
            if len(self._pending) < end:
                return
            piece = bytes(self._pending[_HEADER.size : end])
            del self._pending[:end]
            if piece:
                self._decode(direction.decode(), piece)
            else:
                self._dialect = DIALECTS[self._name]()

    def _decode(self, direction: str, piece: bytes) -> None:
        try:
            messages = self._dialect.feed(direction, piece, self._clock.now_s())
        except TapError as error:
            self._lose(f"not {self._name}: {error}")
            return
        for message in messages:
            for on_message in list(self._listeners):
                on_message(message)

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or reason
