"""Devices in another process, and drivers on real wires to them."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from offhook.drivers.links import LabWires


class Bench:
    """Wires to the devices' process, and a hand on that process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("wires_devices.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addresses: dict[str, str] = self._answer()
        self.wires = LabWires()

    def tell(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(
            json.dumps({key.replace("_", " "): value for key, value in command.items()}).encode() + b"\n"
        )
        self.process.stdin.flush()
        self._answer()

    def unplug(self) -> None:
        """As a cable pulled: the ports disappear."""
        self.process.kill()
        self.process.wait(30)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self.wires.close()
        self.process.send_signal(signal.SIGCONT)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()

    def _answer(self) -> dict[str, str]:
        assert self.process.stdout is not None
        answer: dict[str, str] = json.loads(self.process.stdout.readline())
        return answer
