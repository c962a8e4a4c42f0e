"""Ctrl-C, TERM and a closed terminal end a run in order: an exception unwinds through every ``with`` to the safe state.

TERM raises :class:`Terminated`, a KeyboardInterrupt. It is one on purpose: pytest, asyncio and click let a
KeyboardInterrupt through and tear down, whereas a SystemExit out of a TERM handler becomes one more failed test and
the run goes on. What the signal was is kept, so that the exit code is 130 or 143 whoever caught the exception
(``pytest.main`` returns 2 for either).
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from offhook.drivers.clock import Clock

PATIENCE_S = 10.0
"""After a first signal others are passed over for that long: the way to the safe state is not interrupted."""

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """The process was told to end (TERM, or the terminal went away)."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(f"told to end by {signal.Signals(signum).name}")


class Ending:
    """What happened so far; ``signum`` is the first signal that came, None if none did."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._since_s = 0.0
        self._shields = 0
        self._waiting = False
        self._clock: Clock | None = None

    @property
    def exit_code(self) -> int | None:
        """130 after Ctrl-C, 143 after TERM; None if nobody ended the run."""
        return None if self.signum is None else 128 + self.signum

    def attach(self, clock: Clock | None) -> None:
        """Name the clock of the open station: a signal that finds it inside a job is raised in its next event."""
        self._clock = clock

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Nothing interrupts what is inside; a signal that came is raised at the end of it."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._waiting and not self._shields:
            self._waiting = False
            self._raise()

    def handle(self, signum: int, frame: FrameType | None) -> None:
        """The handler; runs on the main thread between two instructions, or inside a wait."""
        now_s = time.monotonic()
        if self.signum is not None and now_s - self._since_s < PATIENCE_S:
            return
        self.signum = self.signum or signum
        self._since_s = now_s
        if self._shields:
            self._waiting = True
        elif self._clock is not None and _inside_a_job():
            self._clock.post(self._raise)
        else:
            self._raise()

    def _raise(self) -> None:
        if self.signum in (None, signal.SIGINT):
            raise KeyboardInterrupt
        raise Terminated(self.signum)


_NONE = Ending()
_current = _NONE


def current() -> Ending:
    """The ending of the :func:`orderly_end` around us (one that never comes if there is none)."""
    return _current


@contextlib.contextmanager
def orderly_end() -> Iterator[Ending]:
    """Turn signals into exceptions while inside; the handlers found are put back. Inside another one, or off the main
    thread, it changes nothing.

    Ctrl-C is taken even where the shell that started us in the background set it to be ignored: a bench that cannot be
    stopped leaves relays closed.
    """
    global _current
    if _current is not _NONE or threading.current_thread() is not threading.main_thread():
        yield _current
        return
    _current = ending = Ending()
    found: dict[int, Any] = {}
    try:
        for caught in _CAUGHT:
            if caught != signal.SIGHUP or signal.getsignal(caught) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                found[caught] = signal.signal(caught, ending.handle)
        yield ending
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
        _current = _NONE


def _inside_a_job() -> bool:
    """True in a greenlet of a simulated clock, where an exception would end the job instead of the run."""
    greenlet = sys.modules.get("greenlet")
    return greenlet is not None and greenlet.getcurrent().parent is not None
