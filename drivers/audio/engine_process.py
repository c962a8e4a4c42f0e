"""The bench's end of a sound card's process: started, heard on a thread of its own, and ended within a limit."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from offhook.drivers.audio.framing import Message, read_message
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone

LEAVE_S = 1.0
"""An engine that has not ended by itself after this is killed: PortAudio's stop can hang for ever."""
NOISE = (
    "ALSA lib",
    "Cannot connect to server",
    "jack server is not running",
    "JackShm",
    "connect(2) call",
    "attempt to",
    "Expression '",  # where in its source PortAudio was; the error says what
)
"""What host APIs and PortAudio print about themselves."""


class EngineProcess:
    """One engine. ``on_message`` is called on the bench's thread; ``on_end`` once, when it says no more."""

    def __init__(
        self,
        clock: Clock,
        options: Mapping[str, Any],
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._on_message = on_message
        self._on_end = on_end
        self._words: deque[str] = deque(maxlen=20)
        self._open = True
        environment = {"JACK_NO_START_SERVER": "1", **os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "offhook.drivers.audio.engine", json.dumps(dict(options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=environment,
            cwd="/",
        )
        self._orders: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        jobs = (self._hear, self._overhear, self._speak)
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True while the process is there."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line of its error output that is not a host API talking to itself."""
        lines = [line for line in self._words if not line.startswith(NOISE)]
        return lines[-1] if lines else ""

    def tell(self, message: Message) -> None:
        """Send it a message; never waits, however stuck it is. Raises DeviceGone if nobody is there."""
        if not self._open or not self.running:
            raise DeviceGone("audio engine", "tell", "its process has ended")
        self._orders.put(message.encode())

    def end(self, *, at_once: bool = False) -> None:
        """Let it stop the stream and go, or kill it; it is gone when this returns."""
        self._open = False
        if at_once:
            self._process.kill()
        self._orders.put(None)
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(LEAVE_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None and not any(thread.is_alive() for thread in self._threads):
                stream.close()

    def _speak(self) -> None:
        stdin = self._process.stdin
        with contextlib.suppress(OSError):  # it has ended; the end of its output tells
            while stdin is not None and (order := self._orders.get()) is not None:
                stdin.write(order)
                stdin.flush()
        with contextlib.suppress(OSError):
            if stdin is not None:
                stdin.close()

    def _hear(self) -> None:
        stdout = self._process.stdout
        while stdout is not None:
            message = read_message(stdout)
            if message is None:
                break
            self._clock.post(lambda message=message: self._deliver(message))  # type: ignore[misc]
        self._clock.post(self._ended)

    def _overhear(self) -> None:
        for line in self._process.stderr or ():
            self._words.append(line.decode(errors="replace").strip())

    def _deliver(self, message: Message) -> None:
        if self._open:
            self._on_message(message)

    def _ended(self) -> None:
        if self._open:
            self._on_end()
