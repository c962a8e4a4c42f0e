"""``offhook run`` and ``pytest --station`` as processes of their own, in a folder of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from broken import FAULTS

LIMIT_S = 800.0
OFFHOOK = str(Path(sys.executable).with_name("offhook"))


def send_while(process: subprocess.Popen[str], number: int, when: Callable[[], bool]) -> None:
    """Send a signal at an instant at which ``when()`` is true, or when ``LIMIT_S`` is over; nothing if it ended before.

    A bench faster than real time is past what was seen of it before the signal arrives. So it is held
    still, looked at once more, and sent the signal only if what was seen still holds.
    """
    deadline_s = time.monotonic() + LIMIT_S
    while process.poll() is None:
        if time.monotonic() > deadline_s:
            process.send_signal(number)
            return
        if when():
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            seen = when()
            if seen:
                process.send_signal(number)
            if number != signal.SIGSTOP or not seen:
                process.send_signal(signal.SIGCONT)
            if seen:
                return
        time.sleep(0.01)


@dataclass
class Ended:
    """A process that has ended; ``folder`` is where its run was to be."""

    code: int
    out: str
    err: str
    folder: Path


@dataclass
class Runner:
    """Starts runs in ``place``; nothing of the caller's environment reaches pytest."""

    place: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return kept | {"OFFHOOK_LOCKS": str(self.place / "locks"), "OPENBLAS_NUM_THREADS": "1"} | dict(extra or {})

    def run(self, *arguments: str, name: str = "run", environment: Mapping[str, str] | None = None) -> Ended:
        """``offhook run ARGUMENTS`` to its end."""
        folder = self.place / name
        faults = [word for fault in FAULTS for word in ("--fault", fault)]
        return self._to_the_end([OFFHOOK, "run", *arguments, *faults, "--out", str(folder)], folder, environment)

    def command(self, *arguments: str) -> Ended:
        """``offhook ARGUMENTS`` in the place, to its end."""
        return self._to_the_end([OFFHOOK, *arguments], self.place, None)

    def pytest(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
        """``pytest ARGUMENTS`` in the place, to its end; runs are made under ``runs``."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        ended = self._to_the_end(command, self.place, environment)
        made = sorted((self.place / "runs").glob("*"))
        ended.folder = made[-1] if made else self.place / "runs"
        return ended

    def stop(
        self, *arguments: str, with_signal: int, when: Callable[[Path], bool], command: str = "run", name: str = "run"
    ) -> Ended:
        """The same, sent a signal at an instant at which ``when(folder)`` is true."""
        folder = self.place / name
        process = subprocess.Popen(
            [OFFHOOK, command, *arguments, "--out", str(folder)],
            cwd=self.place,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            send_while(process, with_signal, lambda: when(folder))
            out, err = process.communicate(timeout=LIMIT_S)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()
        return Ended(process.returncode, out, err, folder)

    def _to_the_end(self, command: list[str], folder: Path, environment: Mapping[str, str] | None) -> Ended:
        done = subprocess.run(
            command,
            cwd=self.place,
            env=self.environment(environment),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr, folder)
