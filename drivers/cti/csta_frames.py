"""CSTA XML on TCP, without SOAP: the eight-byte header of ECMA-323 Annex J.2.

::

    bytes 0-1   00 00            CSTA XML without SOAP
    bytes 2-3   big-endian       length of the whole frame, header included
    bytes 4-7   four ASCII digits  invoke id; a response repeats the request's, event reports carry 9999
    bytes 8...                   the XML document

There is no way to find the next frame after a wrong length, so a bad header ends the link.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

EVENT_INVOKE_ID = 9999
"""Invoke id of event reports; requests use 0 to 9998."""

HEADER_BYTES = 8
MAX_FRAME_BYTES = 0xFFFF


class FrameError(ValueError):
    """The byte stream is not CSTA XML frames; the link cannot be used any more."""


@dataclass(frozen=True)
class Frame:
    """One frame: invoke id (0 to 9999) and the XML document."""

    invoke_id: int
    body: bytes

    def to_bytes(self) -> bytes:
        """The frame as it crosses the wire. Raises FrameError if it is too long or the id out of range."""
        length = HEADER_BYTES + len(self.body)
        if length > MAX_FRAME_BYTES:
            raise FrameError(f"a frame of {length} bytes is longer than its length field can say (65535)")
        if not 0 <= self.invoke_id <= EVENT_INVOKE_ID:
            raise FrameError(f"invoke id {self.invoke_id} is not in 0..9999")
        return struct.pack(">HH4s", 0, length, b"%04d" % self.invoke_id) + self.body


class FrameReader:
    """Cuts a byte stream into frames, however the stream was cut before."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames that are complete now.

        Raises FrameError on a header that cannot be one; nothing can be read after that.
        """
        self._pending += data
        frames = []
        while len(self._pending) >= HEADER_BYTES:
            kind, length, invoke = struct.unpack_from(">HH4s", self._pending)
            if kind != 0 or length < HEADER_BYTES or not invoke.isdigit():
                raise FrameError(f"bad CSTA header {bytes(self._pending[:HEADER_BYTES]).hex(' ')}")
            if len(self._pending) < length:
                break
            frames.append(Frame(int(invoke), bytes(self._pending[HEADER_BYTES:length])))
            del self._pending[:length]
        return frames
