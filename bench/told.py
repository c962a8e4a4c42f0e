"""The stream a run's progress goes to: when nobody reads it any more (``2>&1 | head``), the run ends in order.

A BrokenPipeError in the middle of a test would be one more failed test, and a SystemExit out of the display an error of
the bench; so the closed pipe is taken as the signal it stands for, and ends the run as TERM does, with 141.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal

from offhook.bench import signals


class Told(io.TextIOWrapper):
    """A duplicate of a descriptor (stderr), made before pytest captures anything."""

    def __init__(self, descriptor: int = 2) -> None:
        try:
            own = os.dup(descriptor)
        except OSError:  # started without a stderr
            own = os.open(os.devnull, os.O_WRONLY)
        super().__init__(io.BufferedWriter(io.FileIO(own, "w")), encoding="utf-8", errors="replace")

    def write(self, text: str) -> int:
        """As any stream's; raises Terminated when nobody reads."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._unheard()
            return len(text)

    def flush(self) -> None:
        """As any stream's; raises Terminated when nobody reads."""
        try:
            super().flush()
        except BrokenPipeError:
            self._unheard()

    def _unheard(self) -> None:
        """Nothing that is still said on the way to the safe state may fail again."""
        gone = os.fstat(self.fileno())
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2, self.fileno()):
            with contextlib.suppress(OSError):  # closed
                found = os.fstat(descriptor)
                if (found.st_dev, found.st_ino) == (gone.st_dev, gone.st_ino):
                    os.dup2(nowhere, descriptor)
        os.close(nowhere)
        signals.current().handle(signal.SIGPIPE, None)


class Copied(io.TextIOWrapper):
    """A duplicate of stdout: a disk that is full there, or a pipe that is closed, does not disturb the run."""

    def __init__(self) -> None:
        super().__init__(io.BufferedWriter(io.FileIO(os.dup(1), "w")), encoding="utf-8", errors="replace")

    def write(self, text: str) -> int:
        """As any stream's; never fails."""
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """As any stream's; never fails."""
        with contextlib.suppress(OSError):
            super().flush()


def stdout_apart() -> Copied | None:
    """Stdout, if it goes into a file or pipe of its own; None if it is a terminal, closed, or where stderr goes."""
    try:
        apart = not os.isatty(1) and not os.path.samestat(os.fstat(1), os.fstat(2))
        return Copied() if apart else None
    except OSError:
        return None
