"""The one clock everything waits on.

``Clock`` is the protocol; ``WallClock`` is the one for real wires. The simulated clock (an event queue in integer
nanoseconds) lives with the simulated world and honours the same protocol.

Threads never run side by side on a clock: whoever runs holds the *turn* and gives it up only while waiting, so bench
and driver code needs no locks. Reader threads hand work over with :meth:`Clock.post`.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    """A pending action; ``cancel`` is harmless after it ran."""

    def cancel(self) -> None:
        """Forget the action."""


class Task(Protocol[T]):  # type: ignore[misc]
    """A job started by :meth:`Clock.spawn`."""

    @property
    def done(self) -> bool:
        """True once the job returned or raised."""

    def join(self, timeout_s: float | None = None) -> T:
        """Wait for the job; return its value, re-raise its exception, TimeoutError past the limit."""


class Clock(Protocol):
    """Seconds since the clock started, and every way of waiting."""

    def now_s(self) -> float:
        """Monotonic seconds since the clock started."""

    def sleep(self, duration_s: float) -> None:
        """Let the world go on for a while."""

    def wait_until(self, deadline_s: float) -> None:
        """Sleep to an absolute time; returns at once if it has passed."""

    def wait_for(self, condition: Callable[[], T], timeout_s: float) -> T:
        """Wait until ``condition()`` is true (checked after every event); return its last value, falsy on timeout."""

    def skip(self, duration_s: float) -> None:
        """Let time pass at once, before anything is connected: a run that is gone on with counts on."""

    def call_at(self, deadline_s: float, action: Callable[[], None]) -> Timer:
        """Run ``action`` at a time, on the bench's thread, while somebody waits. It must not wait itself."""

    def post(self, action: Callable[[], None]) -> None:
        """Run ``action`` soon on the bench's thread; callable from any thread."""

    def spawn(self, job: Callable[[], T]) -> Task[T]:
        """Run ``job`` beside the caller; jobs change places only where they wait."""


class Mutex:
    """A lock that waits on a clock: one conversation at a time on a shared wire.

    Raises TimeoutError if the holder does not let go within ``timeout_s``.
    """

    def __init__(self, clock: Clock, timeout_s: float = 30.0) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._held = False

    def __enter__(self) -> None:
        if self._held and not self._clock.wait_for(lambda: not self._held, self._timeout_s):
            raise TimeoutError(f"a wire was held for more than {self._timeout_s} s")
        self._held = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._held = False
        self._clock.post(lambda: None)  # wakes those who wait for it


class _WallTimer:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class _WallTask(Generic[T]):
    def __init__(self, clock: WallClock, job: Callable[[], T]) -> None:
        self._clock = clock
        self._job = job
        self._value: list[T] = []
        self._error: BaseException | None = None
        self.done = False
        self._thread = threading.Thread(target=self._run, name="bench-task", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._clock._turn:
            try:
                self._value.append(self._job())
            except BaseException as error:  # handed to whoever joins
                self._error = error
            self.done = True
        self._clock.post(lambda: None)

    def join(self, timeout_s: float | None = None) -> T:
        limit = 1e9 if timeout_s is None else timeout_s
        if not self._clock.wait_for(lambda: self.done, limit):
            raise TimeoutError(f"the job did not end within {timeout_s} s")
        if self._error is not None:
            raise self._error
        return self._value[0]


class WallClock:
    """Real time. The thread that makes it holds the turn."""

    is_real = True
    """It does not wait for anybody; see drivers/urgency.py."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._turn = threading.RLock()
        self._turn.acquire()
        self._wake = threading.Condition()
        self._inbox: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, _WallTimer]] = []
        self._order = itertools.count()
        self._version = 0

    def now_s(self) -> float:
        """Monotonic seconds since the clock was made."""
        return time.monotonic() - self._start

    def sleep(self, duration_s: float) -> None:
        """Let other jobs, timers and readers run for a while."""
        self.wait_until(self.now_s() + duration_s)

    def wait_until(self, deadline_s: float) -> None:
        """Sleep to an absolute time."""
        while self.now_s() < deadline_s:
            self._run_due()
            self._pause(deadline_s)

    def skip(self, duration_s: float) -> None:
        """Count on from later."""
        self._start -= duration_s

    def wait_for(self, condition: Callable[[], T], timeout_s: float) -> T:
        """Wait until the condition holds; it is checked after every posted action and timer."""
        deadline_s = self.now_s() + timeout_s
        while True:
            self._run_due()
            value = condition()
            if value or self.now_s() >= deadline_s:
                return value
            self._pause(deadline_s)

    def call_at(self, deadline_s: float, action: Callable[[], None]) -> Timer:
        """Run the action at a time, while somebody waits."""
        timer = _WallTimer(action)
        heapq.heappush(self._timers, (deadline_s, next(self._order), timer))
        return timer

    def post(self, action: Callable[[], None]) -> None:
        """Queue an action from any thread."""
        self._inbox.append(action)
        with self._wake:
            self._version += 1
            self._wake.notify_all()

    def spawn(self, job: Callable[[], T]) -> Task[T]:
        """Run the job on a thread of its own, which runs only while others wait."""
        return _WallTask(self, job)

    def _run_due(self) -> None:
        while self._inbox:
            self._inbox.popleft()()
        while self._timers and self._timers[0][0] <= self.now_s():
            action = heapq.heappop(self._timers)[2].action
            if action is not None:
                action()

    def _pause(self, deadline_s: float) -> None:
        seen = self._version
        if self._inbox:
            return
        until_s = min(deadline_s, self._timers[0][0]) if self._timers else deadline_s
        self._turn.release()
        try:
            with self._wake:
                if self._version == seen:
                    self._wake.wait(max(0.0, min(until_s - self.now_s(), 3600.0)))
        finally:
            self._turn.acquire()
