"""What a mistyped name was probably meant to be: the one place that says "try" after an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, whatever the case of its letters; "" if none is much like it."""
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    close = difflib.get_close_matches(name.casefold(), folded, 1)
    return folded[close[0]] if close else ""


def instead_of(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to try in place of an unknown name: the nearest known one, else ``otherwise``, else all that are known."""
    names = list(known)
    return nearest(name, names) or otherwise or f"one of {', '.join(names) or 'none'}"
