"""Where each key of a TOML document stands.

``tomllib`` gives values without positions, and a message without a line is half a message. :func:`key_lines` walks a
document that tomllib has accepted (so it needs no error handling of its own) and notes the line of every key, table
header and array element (TOML 1.0.0, https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import bisect
import tomllib

KeyPath = tuple[str | int, ...]
"""``("relay", "keys1", "channels")``; list elements by index."""

_BLANK = " \t\r"
_BREAKS = " \t\r\n"


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of every path of a valid TOML document: ``("relay", "keys1", "channels") -> 41``."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.lines: dict[KeyPath, int] = {(): 1}
        self._breaks = [at for at, char in enumerate(text) if char == "\n"]
        self._counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip(_BREAKS)
            if self.pos >= len(self.text):
                return
            if self.text[self.pos] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _note(self, path: KeyPath, start: int) -> None:
        for depth in range(1, len(path) + 1):
            self.lines.setdefault(path[:depth], bisect.bisect_left(self._breaks, start) + 1)

    def _skip(self, blanks: str) -> None:
        """Pass blanks and comments."""
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char == "#" and "\n" in blanks:
                end = self.text.find("\n", self.pos)
                self.pos = len(self.text) if end < 0 else end
            elif char in blanks:
                self.pos += 1
            else:
                return

    def _header(self) -> KeyPath:
        start = self.pos
        brackets = 2 if self.text.startswith("[[", self.pos) else 1
        self.pos += brackets
        path = self._in_arrays(self._dotted())
        self._skip(_BLANK)
        self.pos += brackets
        if brackets == 2:
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            path = (*path, index)
        self._note(path, start)
        return path

    def _in_arrays(self, keys: KeyPath) -> KeyPath:
        """Headers below an array of tables mean its last element."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return (*path, keys[-1])

    def _dotted(self) -> KeyPath:
        keys: list[str | int] = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key())
            self._skip(_BLANK)
            if not self.text.startswith(".", self.pos):
                return tuple(keys)
            self.pos += 1

    def _key(self) -> str:
        start = self.pos
        if self.text[start] in "\"'":
            self._string()
            return str(tomllib.loads("key = " + self.text[start : self.pos])["key"])
        while self.pos < len(self.text) and (self.text[self.pos].isalnum() or self.text[self.pos] in "-_"):
            self.pos += 1
        return self.text[start : self.pos]

    def _pair(self, table: KeyPath) -> None:
        start = self.pos
        path = table + self._dotted()
        self._note(path, start)
        self.pos += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        char = self.text[self.pos]
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline(path)
        else:
            while self.pos < len(self.text) and self.text[self.pos] not in ",]}\n#":
                self.pos += 1

    def _string(self) -> None:
        quote = self.text[self.pos]
        fence = quote * 3 if self.text.startswith(quote * 3, self.pos) else quote
        self.pos += len(fence)
        while not self.text.startswith(fence, self.pos):
            self.pos += 2 if quote == '"' and self.text[self.pos] == "\\" else 1
        self.pos += len(fence)
        while len(fence) == 3 and self.text.startswith(quote, self.pos):  # """"quoted"""" ends with the last one
            self.pos += 1

    def _array(self, path: KeyPath) -> None:
        self.pos += 1
        index = 0
        while True:
            self._skip(_BREAKS + ",")
            if self.text[self.pos] == "]":
                self.pos += 1
                return
            self._note((*path, index), self.pos)
            self._value((*path, index))
            index += 1

    def _inline(self, path: KeyPath) -> None:
        self.pos += 1
        while True:
            self._skip(_BREAKS + ",")
            if self.text[self.pos] == "}":
                self.pos += 1
                return
            self._pair(path)
