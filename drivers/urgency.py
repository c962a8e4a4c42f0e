"""Real-time priority for what must happen on time: where the system allows it, and for as long as it takes.

A press of 100 ms on a machine whose cores are all busy is off by tens of milliseconds otherwise. Linux allows it to
root, and to users with a limit ("rtprio" in limits.conf, as sound groups have it). Elsewhere nothing happens, and the
times that were achieved say so: they are measured in any case.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from offhook.drivers.clock import Clock

PRIORITY = 5
"""Low among real-time priorities: sound servers have 10 and more."""


class _Depth(threading.local):
    """How many of :func:`urgent` this thread is inside of."""

    count = 0
    before: tuple[int, os.sched_param] | None = None


_depth = _Depth()


def hurry() -> bool:
    """Real-time priority for the calling thread, for good (one that only waits for bytes). False if not allowed."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:  # what it starts is not urgent
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def urgent(clock: Clock) -> AbstractContextManager[None]:
    """Real-time priority for the calling thread while inside, on a clock that does not wait (it has ``is_real``)."""
    return _urgent() if getattr(clock, "is_real", False) else nullcontext()


@contextmanager
def _urgent() -> Iterator[None]:
    if _depth.count == 0 and hasattr(os, "sched_setscheduler"):
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        _depth.before = before if hurry() else None
    _depth.count += 1
    try:
        yield
    finally:
        _depth.count -= 1
        if _depth.count == 0 and _depth.before is not None:
            os.sched_setscheduler(0, *_depth.before)
            _depth.before = None
