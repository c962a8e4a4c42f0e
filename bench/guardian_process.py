"""The guardian's own process: it outlives a bench that was killed, ends one that hangs, and makes what it left safe.

``python -m offhook.bench.guardian_process`` reads JSON lines from its standard input and answers each with a dot::

    {"arm": "relay.keys1", "address": "/dev/ttyACM0", "baud": 115200, "send": HEX, "expect": HEX, "length": 0,
     "before": [[HEX, HEX, 0.005]],    messages sent first: bytes, end of the answer, pause after it
     "locked": true}                   false where nobody can tell whether its port is held: it counts as held
    {"disarm": "relay.keys1"}          read back as safe by the bench itself
    {"folder": "/runs/x", "zero_s": 1}  where guardian.json goes; monotonic time at zero of the run's clock
    {"beat": 2.0, "at_rest": false}    the bench lives; the next beat comes within so many seconds
    {"finish": 3.0}                    an orderly end: try what is still armed for so long, and end

When the input ends without ``finish`` the bench is dead; when no beat comes it hangs. Then everything armed (relay
boards, generators) is opened (again and again, while the lock or the connection of the dead bench goes away or a cable
is put back), sent its safe bytes and read back. Nothing here waits on a clock, draws on the rest of the bench, or is
stopped by Ctrl-C or TERM.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.bench.guardian_board import Armed, Safed, is_held, make_safe

PATIENCE_S = 30.0
"""How long a thing is tried after the bench died: long enough to put a cable back."""
GRACE_S = 1.0
"""A bench that hangs and was asked to end shows life within this, or is killed."""
LOOK_S = 0.2
STARVED_S = 0.5
"""Woken that much later than asked, we stood still ourselves, and the silence says nothing about the bench."""
FILE = "guardian.json"


@dataclass
class Account:
    """What the guardian did, as it stands in ``guardian.json``; seconds are on the run's common clock."""

    reason: str
    noticed_utc: str
    noticed_s: float
    silent_s: float
    bench_pid: int
    asked_to_end: bool = False
    killed: bool = False
    ok: bool = False
    took_s: float = 0.0
    boards: list[Safed] = field(default_factory=list)
    schema_version: int = 1


class Guardian:
    """Watches the process that started it. Everything is done from :meth:`run`."""

    def __init__(self) -> None:
        self._bench = os.getppid()
        self._armed: dict[str, Armed] = {}
        self._folder: Path | None = None
        self._zero_s = 0.0
        self._limit_s = float("inf")
        self._at_rest = True
        self._heard_s = time.monotonic()
        self._asked = 0.0
        self._early = bytearray()
        self._finish_s: float | None = None

    def run(self) -> int:
        """Watch until the bench is gone or done; 0 if everything it left armed was read back as safe."""
        self._answer()
        while True:
            word = self._listen(self._heard_s + self._limit_s if self._armed else float("inf"))
            if word == "over":
                return self._over()
            if word == "silent" and self._at_rest and _is_stopped(self._bench):
                self._heard_s = time.monotonic()  # Ctrl-Z with everything in its safe position harms nobody
            elif word == "silent":
                if self._ask_to_end() == "over":
                    return self._over()
                if time.monotonic() - self._heard_s > self._limit_s:
                    return self._end_bench()

    def _listen(self, until_s: float) -> str:
        """One line or more was heard ("heard"), the bench is gone ("over"), or neither until then ("silent")."""
        while True:
            asked_s = min(until_s, time.monotonic() + LOOK_S)
            ready, _, _ = select.select([0], [], [], max(0.0, asked_s - time.monotonic()))
            if ready:
                data = os.read(0, 65536)
                return "heard" if data and self._take(data) else "over"
            if os.getppid() != self._bench:
                return "over"
            now_s = time.monotonic()
            if now_s - asked_s > STARVED_S:
                until_s = max(until_s, now_s + GRACE_S)
                self._heard_s += now_s - asked_s
            elif now_s >= until_s:
                return "silent"

    def _take(self, data: bytes) -> bool:
        """Obey the lines; False once the bench has said that it is done."""
        self._heard_s = time.monotonic()
        *lines, rest = bytes(self._early + data).split(b"\n")
        self._early = bytearray(rest)
        for line in lines:
            self._obey(json.loads(line))
            self._answer()
        return self._finish_s is None

    def _obey(self, order: dict[str, Any]) -> None:
        if "beat" in order:
            self._limit_s, self._at_rest = float(order["beat"]), bool(order.get("at_rest"))
        elif "arm" in order:
            self._armed[order["arm"]] = Armed.of(order)
        elif "disarm" in order:
            self._armed.pop(order["disarm"], None)
        elif "folder" in order:
            self._folder, self._zero_s = Path(order["folder"]), float(order["zero_s"])
        elif "finish" in order:
            self._finish_s = float(order["finish"])

    @staticmethod
    def _answer() -> None:
        with contextlib.suppress(OSError):  # a dead bench reads no answers
            os.write(1, b".")

    # ---- what to do about it -----------------------------------------------------------------------------------

    def _over(self) -> int:
        """The bench has ended, in order or not."""
        patience_s = PATIENCE_S if self._finish_s is None else self._finish_s
        if self._asked:
            account = self._account(f"the bench hung: silent for {self._asked:.1f} s, then it ended when asked to")
            account.silent_s, account.asked_to_end = self._asked, True
        elif self._finish_s is None:
            account = self._account("the bench was killed")
        else:
            account = self._account("the bench could not read the safe state back")
        return self._make_safe(account, patience_s)

    def _ask_to_end(self) -> str:
        """TERM makes a bench that merely goes round in circles safe by itself. A stopped one cannot hear it."""
        if _is_stopped(self._bench):
            return "silent"
        self._asked = time.monotonic() - self._heard_s
        with contextlib.suppress(OSError):
            os.kill(self._bench, signal.SIGTERM)
        return self._listen(time.monotonic() + GRACE_S)

    def _end_bench(self) -> int:
        """It does not react. It is killed if it is still our parent and holds what we need."""
        account = self._account("")
        account.asked_to_end = bool(self._asked)
        if os.getppid() == self._bench and any(is_held(armed) for armed in self._armed.values()):
            with contextlib.suppress(OSError):
                os.kill(self._bench, signal.SIGKILL)
                account.killed = True
        done = "and was killed" if account.killed else "and held no port any more"
        account.reason = f"the bench hung: silent for {account.silent_s:.1f} s, {done}"
        return self._make_safe(account, PATIENCE_S)

    def _account(self, reason: str) -> Account:
        now_s = time.monotonic()
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Account(reason, utc, now_s - self._zero_s, now_s - self._heard_s, self._bench)

    def _make_safe(self, account: Account, patience_s: float) -> int:
        """All at once: one that is gone must not keep the others waiting."""
        if not self._armed and not self._asked:
            return 0
        start_s = time.monotonic()
        account.boards = [Safed(name, armed.address) for name, armed in sorted(self._armed.items())]
        threads = [
            threading.Thread(target=make_safe, args=(self._armed[one.resource], one, start_s, patience_s))
            for one in account.boards
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            busy = next(thread for thread in threads if thread.is_alive())
            busy.join(LOOK_S)
            self._write(account, start_s)
        self._write(account, start_s)
        return 0 if account.ok else 1

    def _write(self, account: Account, start_s: float) -> None:
        """Put the account into the run folder, as far as it goes. A full disk must not stop us."""
        account.ok = all(one.ok for one in account.boards)
        account.took_s = max((one.safe_after_s or time.monotonic() - start_s for one in account.boards), default=0.0)
        if self._folder is not None:
            part = self._folder / f"{FILE}.part"
            with contextlib.suppress(OSError):
                part.write_text(json.dumps(asdict(account), indent=1) + "\n", "utf-8")
                part.replace(self._folder / FILE)


def _is_stopped(pid: int) -> bool:
    """Stopped by a signal or a debugger; False where the system does not say."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in "Tt"


def main() -> int:
    """Watch over the process that started us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    return Guardian().run()


if __name__ == "__main__":
    sys.exit(main())
