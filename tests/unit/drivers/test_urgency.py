"""Real-time priority: asked for once, given back, and not missed where it is not allowed."""

from __future__ import annotations

import os

import pytest

from offhook.drivers import urgency
from offhook.drivers.clock import WallClock
from offhook.fixtures.simclock import SimClock


class Kernel:
    """Stands for the scheduler of the calling thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: bool) -> None:
        self.allowed = allowed
        self.now: tuple[int, int] = (os.SCHED_OTHER, 0)
        self.asked: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "sched_getscheduler", lambda pid: self.now[0])
        monkeypatch.setattr(os, "sched_getparam", lambda pid: os.sched_param(self.now[1]))
        monkeypatch.setattr(os, "sched_setscheduler", self.set)

    def set(self, pid: int, policy: int, param: os.sched_param) -> None:
        assert pid == 0
        if not self.allowed:
            raise PermissionError(1, "Operation not permitted")
        self.now = policy, param.sched_priority
        self.asked.append(self.now)


CLOCK = WallClock()
URGENT = (os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, urgency.PRIORITY)
USUAL = (os.SCHED_OTHER, 0)


def test_it_is_asked_for_once_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, allowed=True)
    with urgency.urgent(CLOCK):
        with urgency.urgent(CLOCK):
            assert kernel.now == URGENT
        assert kernel.now == URGENT
    assert kernel.asked == [URGENT, USUAL]


def test_it_is_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, allowed=True)
    with pytest.raises(ValueError, match="broken"), urgency.urgent(CLOCK):
        raise ValueError("broken")
    assert kernel.now == USUAL


def test_on_a_clock_that_waits_nothing_is_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, allowed=True)
    with urgency.urgent(SimClock()):
        assert kernel.now == USUAL
    assert kernel.asked == []


def test_where_it_is_not_allowed_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, allowed=False)
    with urgency.urgent(CLOCK):
        assert kernel.now == USUAL
    assert not urgency.hurry()


def test_where_there_is_no_such_thing_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setscheduler")
    with urgency.urgent(CLOCK):
        assert not urgency.hurry()


def test_the_tests_themselves_run_as_usual() -> None:
    before = os.sched_getscheduler(0)
    with urgency.urgent(CLOCK):
        pass
    assert os.sched_getscheduler(0) == before
