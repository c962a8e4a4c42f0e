"""What a mistyped name was probably meant to be: the one place that says "try" after an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest_ones(name: str, known: Iterable[str]) -> list[str]:
    """The known names most like ``name``, whatever the case of their letters; none if none is much like it.

    There are several where they are alike: ``desk-9`` may have been meant for any of the desks there are.
    """
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    close = difflib.get_close_matches(name.casefold(), folded, max(len(folded), 1))
    likeness = [difflib.SequenceMatcher(None, each, name.casefold()).ratio() for each in close]
    return [folded[each] for each, share in zip(close, likeness, strict=True) if share == max(likeness)][::-1]


def nearest(name: str, known: Iterable[str]) -> str:
    """The same as text: ``lock``, or ``one of desk-1, desk-2``; "" for none."""
    return one_of(nearest_ones(name, known))


def one_of(names: Sequence[str]) -> str:
    """What to try, of some names: the name itself where there is only one."""
    return ", ".join(names) if len(names) < 2 else f"one of {', '.join(names)}"


def instead_of(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to try in place of an unknown name: the nearest known one, else ``otherwise``, else all that are known."""
    names = list(known)
    return nearest(name, names) or otherwise or f"one of {', '.join(names) or 'none'}"
