"""The Asterisk Manager Interface on the wire: lines ``Name: value``, an empty line ends a message.

The server greets with one line of its own (``Asterisk Call Manager/11.0.0``). A client's message starts with
``Action``, the server's with ``Response`` or ``Event``. Source: Asterisk's AMI v2 specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

EOL = b"\r\n"
MAX_MESSAGE_BYTES = 1 << 20


class AmiError(ValueError):
    """The byte stream is not AMI."""


def pack(headers: Mapping[str, str]) -> bytes:
    """One message. Raises AmiError for a value with a line break in it: it would forge further headers."""
    lines = []
    for name, value in headers.items():
        if any(mark in name + value for mark in ("\r", "\n")):
            raise AmiError(f"header {name!r} holds a line break")
        lines.append(f"{name}: {value}".encode())
    return EOL.join(lines) + EOL + EOL


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Headers of one message; of a header that comes twice the last counts, a line without colon is skipped."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers


class AmiReader:
    """Cuts a byte stream into messages; each comes with its bytes."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.greeting = ""

    def feed(self, data: bytes) -> list[tuple[dict[str, str], bytes]]:
        """Take bytes; return the messages that are complete now. Raises AmiError on an endless message."""
        self._pending += data
        messages = []
        if self._pending.startswith(b"Asterisk Call Manager"):
            end = self._pending.find(EOL)
            if end < 0:
                return []
            self.greeting = self._pending[:end].decode(errors="replace")
            del self._pending[: end + len(EOL)]
        while (end := self._pending.find(EOL + EOL)) >= 0:
            raw = bytes(self._pending[: end + 4])
            del self._pending[: end + 4]
            messages.append((parse(raw.decode(errors="replace").split("\r\n")), raw))
        if len(self._pending) > MAX_MESSAGE_BYTES:
            raise AmiError("a message without end")
        return messages
