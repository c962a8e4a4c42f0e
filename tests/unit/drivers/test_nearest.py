"""Mistyped names."""

from __future__ import annotations

import pytest

from offhook.drivers.nearest import instead_of, nearest


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("desk1", "desk-1"),
        ("DESK-2", "desk-2"),
        ("locl", "lock"),
        ("desk-7", "one of desk-1, desk-2"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_the_nearest_is_found_whatever_the_case_of_its_letters(typed: str, meant: str) -> None:
    assert nearest(typed, ["desk-1", "desk-2", "lock"]) == meant


def test_where_none_is_near_all_are_named_unless_there_is_something_better_to_try() -> None:
    assert instead_of("locl", ["lock", "matrix"]) == "lock"
    assert instead_of("xyzzy", ["lock", "matrix"]) == "one of lock, matrix"
    assert instead_of("xyzzy", ["lock", "matrix"], "a path") == "a path"
    assert instead_of("xyzzy", iter(())) == "one of none"
