"""What every clock promises, on the wall clock and on the simulated one, and what only the wall clock does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from offhook.drivers.clock import Clock, Mutex, WallClock
from offhook.fixtures.simclock import SimClock

LONG_S = 60.0
SHORT_S = 0.02


@pytest.fixture(params=[WallClock, SimClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_waiting_reaches_its_deadline(clock: Clock) -> None:
    deadline_s = clock.now_s() + SHORT_S
    clock.wait_until(deadline_s)
    assert clock.now_s() >= deadline_s
    before_s = clock.now_s()
    clock.sleep(SHORT_S)
    assert clock.now_s() >= before_s + SHORT_S


def test_a_deadline_that_passed_does_not_wait(clock: Clock) -> None:
    clock.sleep(SHORT_S)
    ran: list[str] = []
    clock.call_at(clock.now_s() + SHORT_S, lambda: ran.append("later"))
    clock.wait_until(clock.now_s() - 1.0)
    assert ran == []


def test_actions_run_in_the_order_of_their_times(clock: Clock) -> None:
    ran: list[str] = []
    start_s = clock.now_s()
    for name, at_s in (("c", 0.03), ("a", 0.01), ("b", 0.02)):
        clock.call_at(start_s + at_s, lambda name=name: ran.append(name))  # type: ignore[misc]
    clock.call_at(start_s + LONG_S, lambda: ran.append("never"))
    clock.sleep(0.05)
    assert ran == ["a", "b", "c"]


def test_actions_run_on_the_waiting_thread(clock: Clock) -> None:
    ran: list[int] = []
    clock.call_at(clock.now_s() + SHORT_S, lambda: ran.append(threading.get_ident()))
    clock.post(lambda: ran.append(threading.get_ident()))
    clock.sleep(2 * SHORT_S)
    assert ran == [threading.get_ident()] * 2


def test_a_cancelled_action_never_runs(clock: Clock) -> None:
    ran: list[str] = []
    timer = clock.call_at(clock.now_s() + SHORT_S, lambda: ran.append("cancelled"))
    done = clock.call_at(clock.now_s() + SHORT_S, lambda: ran.append("kept"))
    timer.cancel()
    clock.sleep(2 * SHORT_S)
    done.cancel()
    assert ran == ["kept"]


def test_waiting_for_something_ends_when_it_happens(clock: Clock) -> None:
    happened: list[str] = []
    clock.call_at(clock.now_s() + SHORT_S, lambda: happened.append("it"))
    assert clock.wait_for(lambda: happened, LONG_S) == ["it"]
    assert clock.now_s() < LONG_S / 2


def test_waiting_for_something_that_is_there_runs_nothing(clock: Clock) -> None:
    ran: list[str] = []
    clock.call_at(clock.now_s() + SHORT_S, lambda: ran.append("it"))
    assert clock.wait_for(lambda: 5, LONG_S) == 5
    assert ran == []


def test_waiting_in_vain_returns_what_is_false(clock: Clock) -> None:
    before_s = clock.now_s()
    nothing: list[str] = []
    assert clock.wait_for(lambda: nothing, SHORT_S) is nothing
    assert clock.now_s() >= before_s + SHORT_S


def test_a_job_gives_its_value_or_its_exception(clock: Clock) -> None:
    def fail() -> int:
        clock.sleep(SHORT_S)
        raise LookupError("as told")

    def succeed() -> int:
        clock.sleep(SHORT_S)
        return 7

    bad, good = clock.spawn(fail), clock.spawn(succeed)
    assert not good.done
    assert good.join(LONG_S) == 7
    assert good.done
    with pytest.raises(LookupError, match="as told"):
        bad.join(LONG_S)


def test_joining_a_job_has_a_limit(clock: Clock) -> None:
    go: list[bool] = []
    job = clock.spawn(lambda: clock.wait_for(lambda: go, LONG_S))
    with pytest.raises(TimeoutError):
        job.join(SHORT_S)
    clock.post(lambda: go.append(True))
    assert job.join(LONG_S) == [True]


def test_jobs_change_places_only_where_they_wait(clock: Clock) -> None:
    inside: list[int] = []
    overlaps: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            inside.append(number)
            time.sleep(0.001)  # lets other threads in, were there no turn to hold
            overlaps.append(len(inside))
            inside.remove(number)
            clock.sleep(0.001)

    jobs = [clock.spawn(lambda n=n: work(n)) for n in range(4)]  # type: ignore[misc]
    for job in jobs:
        job.join(LONG_S)
    assert overlaps == [1] * 20


def test_a_job_can_wait_for_another(clock: Clock) -> None:
    inner = clock.spawn(lambda: clock.sleep(SHORT_S))
    outer = clock.spawn(lambda: (inner.join(LONG_S), inner.done)[1])
    assert outer.join(LONG_S)


def hold(clock: Clock, mutex: Mutex, log: list[str], name: str) -> Callable[[], None]:
    def job() -> None:
        with mutex:
            log.append(f"{name} in")
            clock.sleep(SHORT_S)
            log.append(f"{name} out")

    return job


def test_a_mutex_lets_one_in_at_a_time(clock: Clock) -> None:
    mutex, log = Mutex(clock), list[str]()
    jobs = [clock.spawn(hold(clock, mutex, log, name)) for name in "abc"]
    for job in jobs:
        job.join(LONG_S)
    assert [log[n][0] for n in range(0, 6, 2)] == [log[n][0] for n in range(1, 6, 2)]
    assert sorted(log) == ["a in", "a out", "b in", "b out", "c in", "c out"]


def test_a_mutex_is_free_again_after_an_exception(clock: Clock) -> None:
    mutex = Mutex(clock)
    with pytest.raises(LookupError), mutex:
        raise LookupError
    with mutex:
        pass


def test_a_mutex_that_is_not_let_go_is_a_timeout(clock: Clock) -> None:
    mutex = Mutex(clock, timeout_s=SHORT_S)
    with mutex, pytest.raises(TimeoutError, match="held"), mutex:
        pass
    with mutex:
        pass


def test_the_wall_clock_takes_work_from_any_thread() -> None:
    clock = WallClock()
    ran: list[int] = []
    thread = threading.Thread(target=lambda: clock.post(lambda: ran.append(threading.get_ident())))
    thread.start()
    assert clock.wait_for(lambda: ran, LONG_S) == [threading.get_ident()]
    thread.join()
