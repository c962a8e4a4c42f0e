"""Messages with the header of :mod:`offhook.drivers.audio.pipe`, read one by one from a pipe."""

from __future__ import annotations

from typing import IO

from offhook.drivers.audio.pipe import HEADER, LARGEST_PAYLOAD, Message

__all__ = ["Message", "read_message"]


def read_message(source: IO[bytes]) -> Message | None:
    """The next message; None at the end of the stream, or of what makes sense in it."""
    head = source.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    kind, first_frame, frames, channels, length = HEADER.unpack(head)
    if length > LARGEST_PAYLOAD:
        return None
    payload = source.read(length)
    return Message(kind.decode("latin-1"), first_frame, frames, channels, payload) if len(payload) == length else None
