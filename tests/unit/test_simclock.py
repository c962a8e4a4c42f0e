"""What only the simulated clock does: exact time, cheap idling, a fixed order, and worlds that fail loudly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.fixtures.simclock import NS, SimClock


def test_time_is_exact_in_nanoseconds() -> None:
    clock = SimClock()
    for _ in range(1000):
        clock.sleep(0.001)
    assert clock.now_ns() == NS
    seen: list[int] = []
    clock.call_at_ns(NS + 125_000, lambda: seen.append(clock.now_ns()))
    clock.sleep(1.0)
    assert seen == [NS + 125_000]


@given(st.lists(st.integers(0, 50), max_size=30))
def test_events_run_by_time_then_by_the_order_they_were_made_in(times_ms: list[int]) -> None:
    clock = SimClock()
    ran: list[tuple[int, int]] = []
    for number, time_ms in enumerate(times_ms):
        clock.call_at(time_ms / 1000, lambda number=number, time_ms=time_ms: ran.append((time_ms, number)))  # type: ignore[misc]
    clock.sleep(0.051)
    assert ran == sorted((time_ms, number) for number, time_ms in enumerate(times_ms))


def test_the_past_means_now_and_time_never_goes_back() -> None:
    clock = SimClock()
    clock.sleep(5.0)
    seen: list[float] = []
    clock.call_at(1.0, lambda: seen.append(clock.now_s()))
    clock.sleep(1.0)
    assert seen == [5.0]


def test_a_posted_action_runs_before_time_moves() -> None:
    clock = SimClock()
    seen: list[tuple[str, float]] = []
    clock.call_in(1.0, lambda: clock.post(lambda: seen.append(("posted", clock.now_s()))))
    clock.call_in(1.0, lambda: seen.append(("second", clock.now_s())))
    clock.sleep(2.0)
    assert seen == [("posted", 1.0), ("second", 1.0)]


def test_an_idle_day_runs_no_event() -> None:
    clock = SimClock()
    clock.sleep(86_400.0)
    assert clock.now_s() == 86_400.0
    assert clock.next_event_ns() is None


def test_waiting_for_something_ends_at_its_very_instant() -> None:
    clock = SimClock()
    happened: list[int] = []
    clock.call_in(1.5, lambda: happened.append(1))
    clock.call_in(1.6, lambda: happened.append(2))
    assert clock.wait_for(lambda: happened, 10.0) == [1]
    assert clock.now_s() == 1.5


def test_waiting_in_vain_takes_exactly_its_limit() -> None:
    clock = SimClock()
    assert not clock.wait_for(lambda: False, 2.5)
    assert clock.now_s() == 2.5


@pytest.mark.parametrize("wait", ["sleep", "wait_until", "wait_for"])
def test_a_world_callback_must_not_wait(wait: str) -> None:
    clock = SimClock()
    waits = {
        "sleep": lambda: clock.sleep(1.0),
        "wait_until": lambda: clock.wait_until(9.0),
        "wait_for": lambda: clock.wait_for(lambda: False, 1.0),
    }
    clock.call_in(0.5, waits[wait])
    with pytest.raises(RuntimeError, match="must not wait"):
        clock.sleep(2.0)


def test_a_world_that_breaks_breaks_whoever_waits() -> None:
    clock = SimClock()

    def broken() -> None:
        raise LookupError("the plant is broken")

    clock.call_in(0.5, broken)
    with pytest.raises(LookupError, match="plant is broken"):
        clock.sleep(2.0)
    assert clock.now_s() == 0.5
    clock.sleep(1.0)
    assert clock.now_s() == 1.5


def test_a_world_that_breaks_while_a_job_waits_breaks_the_bench_too() -> None:
    clock = SimClock()
    clock.call_in(0.5, lambda: [][0])
    job = clock.spawn(lambda: clock.sleep(1.0))
    with pytest.raises(IndexError):
        job.join(5.0)


def test_jobs_interleave_the_same_way_every_time() -> None:
    def run() -> list[tuple[int, int]]:
        clock = SimClock()
        log: list[tuple[int, int]] = []

        def job(number: int) -> None:
            for step in range(3):
                clock.sleep(0.01 * (number % 2 + 1))
                log.append((number, step))

        for task in [clock.spawn(lambda n=n: job(n)) for n in range(4)]:  # type: ignore[misc]
            task.join()
        return log

    first = run()
    assert len(first) == 12
    assert run() == first


def test_advancing_from_outside_runs_what_is_due_and_no_more() -> None:
    clock = SimClock()
    ran: list[int] = []
    for at_ns in (10, 20, 30):
        clock.call_at_ns(at_ns, lambda at_ns=at_ns: ran.append(at_ns))  # type: ignore[misc]
    assert clock.next_event_ns() == 10
    clock.advance_to(20)
    assert (ran, clock.now_ns(), clock.next_event_ns()) == ([10, 20], 20, 30)
    clock.post(lambda: ran.append(99))
    assert clock.next_event_ns() == 20
    clock.advance_to(25)
    assert (ran, clock.now_ns()) == ([10, 20, 99], 25)


def test_advancing_runs_events_that_events_make() -> None:
    clock = SimClock()
    ran: list[float] = []

    def tick() -> None:
        ran.append(clock.now_s())
        clock.call_in(0.25, tick)

    clock.call_in(0.25, tick)
    clock.advance_to(NS)
    assert ran == [0.25, 0.5, 0.75, 1.0]
