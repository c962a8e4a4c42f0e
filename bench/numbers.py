"""Which numbers a bench may dial: those on the station's list, and never an emergency number (BENCH-RUN.8)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from offhook.drivers.errors import NotAllowed

EMERGENCY = frozenset(
    "000 15 17 18 110 111 112 113 115 117 118 119 120 122 133 144 190 192 193 911 933 988 995 997 998 999".split()
)
"""Emergency numbers of many countries; a bench has no business with any of them, wherever it stands."""

_SEPARATORS = re.compile(r"[\s().,/-]+")


def plain(number: str) -> str:
    """A number without what only helps the eye: ``"0 555-0100" -> "05550100"``."""
    return _SEPARATORS.sub("", number)


def emergency_in(pattern: str, outside_prefix: str = "") -> str:
    """An emergency number the pattern takes in, alone or behind the outside prefix; "" if none."""
    allowed = _compiled(pattern)
    for number in sorted(EMERGENCY):
        for dialled in (number, outside_prefix + number, "+" + number):
            if allowed.fullmatch(dialled):
                return dialled
    return ""


class DialRule:
    """The allow list of a station. Patterns: digits, ``*``, ``#``, a leading ``+``, ``x`` for any one digit."""

    def __init__(self, station: str, allow: Iterable[str], outside_prefix: str = "") -> None:
        self._station = station
        self._allow = [(pattern, _compiled(pattern)) for pattern in allow]
        self._prefix = outside_prefix

    def check(self, number: str) -> str:
        """The number to dial, without separators. Raises NotAllowed, before anything moves."""
        dialled = plain(number)
        resource = f"station {self._station}"
        bare = dialled.removeprefix("+").rstrip("#")
        if bare in EMERGENCY or (self._prefix and bare.removeprefix(self._prefix) in EMERGENCY):
            raise NotAllowed(
                resource, f"dial {number}", "an emergency number", "another number; this one is never dialled"
            )
        if not any(pattern.fullmatch(dialled) for _, pattern in self._allow):
            listed = ", ".join(text for text, _ in self._allow) or "nothing"
            raise NotAllowed(
                resource, f"dial {number}", f"not on the allow list, which has {listed}", "add it to allow in [dial]"
            )
        return dialled


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = ("[0-9]" if char in "xX" else re.escape(char) for char in plain(pattern))
    return re.compile("".join(parts))
