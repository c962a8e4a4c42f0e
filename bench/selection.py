"""What ``--only`` names: as ``pytest -k`` reads it, but a name that is nobody's is a mistake, not "none of them"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

import pytest
from _pytest.mark.expression import Expression  # the parser of -k; pytest has no public one

from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import nearest_ones, one_of

OPERATORS = ("and", "or", "not")
ALIKE = 0.7
"""Names less alike than this were not meant: any long word has some short one of a case in it."""


def check_expression(only: str) -> None:
    """Raises ConfigError for what ``pytest -k`` would not understand, before there is a run folder."""
    if only and not only.strip():
        raise ConfigError("--only", "read", f"{only!r} names nothing", "leave it out to run everything")
    try:
        Expression.compile(only)
    except SyntaxError as error:
        detail = f"{error.msg}, at column {error.offset}" if error.offset else str(error)
        raise ConfigError("--only", "read", f"{only!r}: {detail}", "a name, or 'keypad and not desk-2'") from None


def nobody(only: str, items: Collection[pytest.Item]) -> str:
    """Which name in ``only`` no case, phone, suite or mark holds, and what was probably meant; "" if all are known.

    One behind a ``not`` as well: ``not dekk-1`` would go on to work the very phone that was to be left alone.
    """
    held = {name.lower() for item in items for name in _names(item)}
    for name in re.findall(r"[\w:+\-.\[\]\\/]+", only):
        if name not in OPERATORS and not any(name.lower() in one for one in held):
            meant = [one for one in nearest_ones(name, sorted(_like(name, items))) if _alike(name, one) >= ALIKE]
            return f"--only: no case, phone or suite here is called {name!r}; try: {one_of(meant) or examples(items)}"
    return ""


def _alike(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other.casefold(), name.casefold()).ratio()


def examples(items: Collection[pytest.Item]) -> str:
    """Names that would select something: a suite, a phone, a case."""
    cases = [getattr(item, "originalname", item.name).removeprefix("test_") for item in items]
    params = [getattr(item, "callspec", None) for item in items]
    phones = [str(one.params["phone_name"]) for one in params if one is not None and one.params.get("phone_name")]
    suites = [item.path.stem.removeprefix("test_") for item in items]
    return "names such as " + ", ".join(dict.fromkeys([*suites[:1], *phones[:1], *cases[:1]]))


class Trial:
    """A plugin that has everything collected once, and says what is wrong with ``--only`` ("" if nothing is).

    That is known before a station is opened, and before each case is there ten thousand times.
    """

    def __init__(self, only: str) -> None:
        self._only = only
        self.wrong = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        """Before and after those are left out that it does not name."""
        everything = list(items)
        self.wrong = nobody(self._only, everything)
        yield
        if everything and not items and not self.wrong:
            self.wrong = f"no test matches {self._only!r}; try {examples(everything)}"


def _names(item: pytest.Item) -> Iterator[str]:
    """What ``pytest -k`` looks at."""
    yield from (node.name for node in item.listchain() if not isinstance(node, pytest.Session))
    yield from (mark.name for mark in item.iter_markers())


def _like(name: str, items: Collection[pytest.Item]) -> set[str]:
    """Names somebody may have meant: phones and variants, suites, and as many words of a case as were given."""
    found: set[str] = set()
    count = name.count("_") + 1
    for case in {getattr(item, "originalname", item.name).removeprefix("test_") for item in items}:
        words = case.split("_")
        found |= {"_".join(words[first : first + count]) for first in range(max(1, len(words) - count + 1))}
    for item in items:
        found.add(item.path.stem.removeprefix("test_"))
        callspec = getattr(item, "callspec", None)
        found |= {value for value in (callspec.params.values() if callspec else ()) if isinstance(value, str)}
    return found - {""}
