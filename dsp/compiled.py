"""When large jobs go through kernels that numba has compiled: the same digits, about twice as fast.

numba is optional (``pip install offhook[fast]``). Loading it and compiling cost seconds, so it is left alone until a
process has decoded more than two hours of one channel's audio; ``use(True)`` does not wait for that, ``use(False)``
keeps to numpy. Live receivers use them after ``use(True)`` alone, and nothing begins with them inside ``held_off``:
compiling would hold up whoever listens, and a bench with a relay closed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

WORTH_SAMPLES = 1 << 26
MOST_NULLS = 16  # nulled frequencies the kernels have room for


class _Choice:
    wanted: bool | None = None
    heard = 0  # samples decoded by this process


@cache
def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def use(wanted: bool | None) -> None:
    """Always (True), never (False), or once it is worth it (None, the default); ValueError when numba is missing."""
    if wanted and not available():
        raise ValueError("numba is not installed: expected it for compiled kernels; try: pip install 'offhook[fast]'")
    _Choice.wanted = wanted


@contextmanager
def held_off() -> Iterator[None]:
    """Meanwhile nothing is loaded or compiled because it would be worth it; what ``use`` has asked for stays."""
    before = _Choice.wanted
    _Choice.wanted = before or False
    try:
        yield
    finally:
        _Choice.wanted = before


def ready(samples: int) -> bool:
    """Whether a job of so many samples should be done by compiled kernels."""
    if _Choice.wanted is not None:
        return _Choice.wanted
    _Choice.heard += samples
    return _Choice.heard >= WORTH_SAMPLES and available()


def ready_live() -> bool:
    """Whether live receivers that are made now should use them."""
    return bool(_Choice.wanted)
