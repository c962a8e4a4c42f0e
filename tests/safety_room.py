"""Real wires to things that outlive the bench: relay boards on ptys of the test's own, a world in another process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from offhook.fixtures.ends import FarEndWires
from offhook.fixtures.pacing import Pacer
from offhook.fixtures.relayboards import board_for
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.stations import SIMULATED
from offhook.fixtures.streams import PtyLink, TcpFarLink

BENCH = Path(__file__).with_name("safety_bench.py")
ONE_BOARD = Path(__file__).with_name("guarded_board.py")
LIMIT_S = 60.0
SECRETS = {"SAFETY_ADMIN": "admin-token", "SAFETY_ALICE": "alice-pw", "SAFETY_BOB": "bob-pw"}


class Board:
    """A board on a pty, on a thread of the test; ``path`` is a link to it, as under /dev/serial/by-id.

    ``table`` is its section of a station file (a Numato with 16 relays if left out). ``moves`` has every contact that
    moved, with the monotonic time at which it did.
    """

    def __init__(self, path: Path, table: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.table = {"driver": "numato", "channels": 16, **(table or {})}
        self.address = str(path)
        self.moves: list[tuple[float, int, bool]] = []
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"board {path.name}")
        self._thread.start()
        self._do(self._start)

    @property
    def closed(self) -> set[int]:
        """The contacts that are closed now."""
        state: dict[int, bool] = {}
        for _, relay, closed in list(self.moves):
            state[relay] = closed
        return {relay for relay, closed in state.items() if closed}

    def opened_after(self, start_s: float) -> float:
        """Seconds from then until the last contact opened."""
        return max(moved_s for moved_s, _, closed in self.moves if not closed) - start_s

    def unplug(self) -> None:
        self._do(lambda: self._link.close())
        self.path.unlink()

    def plug_in(self) -> None:
        self._do(self._plug_in)

    def close(self) -> None:
        if self._server is not None:
            self._do(self._server.close)
        self._do(self._pacer.stop)
        self._do(lambda: self._link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _start(self) -> None:
        clock = SimClock()
        self._pacer = Pacer(self._loop, clock)
        moved = lambda relay, closed: self.moves.append((time.monotonic(), relay, closed))  # noqa: E731
        self._end = board_for(clock, self.path.name, self.table, moved)
        self._plug_in()

    def _plug_in(self) -> None:
        self._link = PtyLink(self._loop, self.path.name, self._pacer.pump)
        self._end.connect(self._link)
        self.path.symlink_to(self._link.path)

    def listen(self) -> None:
        """Be reached at a TCP port instead."""

        async def start() -> asyncio.Server:
            return await self._loop.create_server(
                lambda: TcpFarLink(self.path.name, self._pacer.pump, self._end.connect), "127.0.0.1", 0
            )

        self._server = asyncio.run_coroutine_threadsafe(start(), self._loop).result(10)
        self.address = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _do(self, what: Callable[[], None]) -> None:
        async def done() -> None:
            what()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)


@contextmanager
def board(path: Path, table: Mapping[str, Any] | None = None) -> Iterator[Board]:
    made = Board(path, table)
    try:
        yield made
    finally:
        made.close()


def station_file(place: Path, addresses: dict[str, str], **more: str) -> Path:
    """The shipped station on real wires: every ``end://`` address replaced, and ``more`` lines in place of others."""
    text = re.sub(r"\[world\]\n(?:.+\n)+", "", SIMULATED.read_text("utf-8"))
    for old, new in addresses.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    for name, secret in SECRETS.items():
        text = text.replace(f'"{secret}"', f'"env:{name}"')
    for old, new in more.items():
        assert old in text
        text = text.replace(old, new)
    file = place / "lab.toml"
    file.write_text(text, "utf-8")
    return file


def addresses(world: FarEndWires) -> dict[str, str]:
    return {name: str(address) for name, address in world._renamed.items()}


@dataclass
class Bench:
    """The bench's process and its guardian's."""

    process: subprocess.Popen[str]
    folder: Path
    guardian: int
    children: list[int] = field(default_factory=list)

    def signal(self, number: int) -> float:
        """Send it; returns when."""
        self.process.send_signal(number)
        return time.monotonic()

    def ended(self) -> int:
        """Wait for both."""
        code = self.process.wait(LIMIT_S)
        until(lambda: gone(self.guardian))
        return code

    @property
    def account(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "guardian.json").read_text("utf-8"))
        return content


@contextmanager
def bench(station: Path, folder: Path, way: str = "wait") -> Iterator[Bench]:
    """Start it and wait until it holds its key."""
    process = subprocess.Popen(
        [sys.executable, str(BENCH), str(station), str(folder), way],
        env=os.environ | SECRETS | {"OFFHOOK_LOCKS": str(folder.parent / "locks"), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    guardian = 0
    try:
        guardian = said(process, "ready")
        yield Bench(process, folder, guardian)
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)
        if guardian:
            try:
                until(lambda: gone(guardian))
            finally:
                if not gone(guardian):
                    os.kill(guardian, signal.SIGKILL)


def killed(table: dict[str, Any], folder: Path, keys: Board) -> float:
    """Start a bench on it, kill it, wait for its guardian to end; when it was killed."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(ONE_BOARD), json.dumps({**table, "link": keys.address}), str(folder)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        guardian = said(process, "ready")
        until(lambda: keys.closed == {0, table["channels"] - 1})
        running = Bench(process, folder, guardian)
        at_s = running.signal(signal.SIGKILL)
        assert running.ended() == -signal.SIGKILL
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert gone(guardian)
    return at_s


def said(process: subprocess.Popen[str], word: str) -> int:
    """The number after a word on its output."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(word):
        process.kill()
        pytest.fail(f"the bench ended: {line}{process.communicate()[1]}")
    return int(line.split()[1])


def until(condition: Callable[[], bool]) -> None:
    """Wait for it; fails after a minute."""
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.005)


def gone(pid: int) -> bool:
    """Ended; one that its parent has not fetched yet counts."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
