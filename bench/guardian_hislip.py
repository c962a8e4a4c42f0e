"""As much of HiSLIP 1.0 (IVI-6.1) as the guardian needs: a session, program messages out, responses in.

An instrument talks only once both its connections have been introduced to each other (section 6.1). Locks, device clear
and the status byte are left out: the session is new, and so are its buffers.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct

HEADER = struct.Struct("!2sBBIQ")
"""Prologue, message type, control code, parameter, length of the payload (section 2.6)."""
INITIALIZE, INITIALIZED, DATA, DATA_END, ASYNC_INITIALIZE, ASYNC_INITIALIZED = 0, 1, 6, 7, 17, 18
VERSION, VENDOR = 0x0100, int.from_bytes(b"OH", "big")
FIRST_ID, STEP = 0xFFFFFF00, 2
"""Message ids of the client (section 3.1.2)."""
OPEN_S, LISTEN_S = 1.0, 0.02
LARGEST = 1 << 20
"""Nothing that is longer can be the answer."""


class HislipPort:
    """One session with an instrument, at ``hislip://HOST:PORT/NAME``. Raises OSError for one that cannot be made."""

    def __init__(self, address: str) -> None:
        found = re.fullmatch(r"hislip://([^:/]+):(\d+)/(\w+)", address)
        if found is None:
            raise OSError(f"{address} is no hislip://HOST:PORT/NAME")
        where = found[1], int(found[2])
        self._heard = bytearray()
        self._number = FIRST_ID
        self._answered = 0
        self._channels: list[socket.socket] = []
        try:
            self._talk = self._channel(where)
            session = self._ask(self._talk, INITIALIZE, VERSION << 16 | VENDOR, found[3].encode("ascii"), INITIALIZED)
            beside = self._channel(where)
            self._ask(beside, ASYNC_INITIALIZE, session & 0xFFFF, b"", ASYNC_INITIALIZED)
        except OSError:
            self.close()
            raise
        self._talk.settimeout(LISTEN_S)

    def write(self, data: bytes) -> None:
        """Each line is a message of its own."""
        for line in data.splitlines(keepends=True):
            if line.strip():
                self._talk.sendall(_message(DATA_END, self._number, line, control=self._answered))
                self._number = (self._number + STEP) & 0xFFFFFFFF
                self._answered = 0

    def read(self) -> bytes:
        """What responses said since; b"" after a moment without anything. Raises OSError for what is no HiSLIP."""
        try:
            data = self._talk.recv(4096)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionError("it closed the connection")
        self._heard += data
        said = bytearray()
        while (found := self._taken()) is not None:
            kind, _, payload = found
            if kind in (DATA, DATA_END):
                said += payload
                if kind == DATA_END and not payload.endswith(b"\n"):
                    said += b"\n"  # the end of the message ends the line
                self._answered = int(kind == DATA_END)  # the next message says that the response has been read
        return bytes(said)

    def close(self) -> None:
        """Let go of both connections: the session ends with them."""
        for channel in self._channels:
            with contextlib.suppress(OSError):
                channel.close()

    def _channel(self, where: tuple[str, int]) -> socket.socket:
        channel = socket.create_connection(where, timeout=OPEN_S)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._channels.append(channel)
        return channel

    def _ask(self, channel: socket.socket, kind: int, parameter: int, payload: bytes, answer: int) -> int:
        """Send one message, return the parameter of its answer."""
        channel.sendall(_message(kind, parameter, payload))
        self._heard.clear()
        while (found := self._taken()) is None:
            data = channel.recv(4096)
            if not data:
                raise ConnectionError("it closed the connection")
            self._heard += data
        if found[0] != answer:
            raise ConnectionError(f"it answered with message {found[0]}, not {answer}: {found[2][:60]!r}")
        return found[1]

    def _taken(self) -> tuple[int, int, bytes] | None:
        """The next whole message: its type, parameter and payload."""
        if len(self._heard) < HEADER.size:
            return None
        prologue, kind, _, parameter, length = HEADER.unpack_from(self._heard)
        if prologue != b"HS" or length > LARGEST:
            raise ConnectionError("what answers there does not speak HiSLIP")
        end = HEADER.size + length
        if len(self._heard) < end:
            return None
        payload = bytes(self._heard[HEADER.size : end])
        del self._heard[:end]
        return kind, parameter, payload


def _message(kind: int, parameter: int, payload: bytes, control: int = 0) -> bytes:
    return HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload
