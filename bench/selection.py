"""What ``--only`` names: as ``pytest -k`` reads it, but a name that is nobody's is a mistake, not "none of them"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import pytest
from _pytest.mark.expression import Expression  # the parser of -k; pytest has no public one

from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import instead_of

OPERATORS = ("and", "or", "not")
EXAMPLES = "names such as wrong_code or desk-1"


def check_expression(only: str) -> None:
    """Raises ConfigError for what ``pytest -k`` would not understand, before there is a run folder."""
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
            meant = instead_of(name, sorted(_like(name, items)), EXAMPLES)
            return f"--only: no case, phone or suite here is called {name!r}; try: {meant}"
    return ""


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
