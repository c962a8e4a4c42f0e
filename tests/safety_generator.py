"""A signal generator on a wire of the test's own, which outlives the bench, and the scenes in which one is left on."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from safety_room import SECRETS, addresses, bench, board, until
from safety_scenes import HUNG, Scene, Seen, kept, told, world

from offhook.fixtures.instruments import Desk, HislipEnd, LineProbe, SimGenerator, StreamEnd
from offhook.fixtures.pacing import Pacer
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.stations import INSTRUMENTS
from offhook.fixtures.streams import PtyLink, TcpFarLink

WIRES = {"socket": "tcp", "HiSLIP": "hislip", "serial": ""}
CLIENTS = {"socket": 1, "HiSLIP": 2}
"""A raw socket of many an instrument serves one client, and lets the next one wait; so does this one."""


class Watched(SimGenerator):
    """``moves`` has every change of its output, with the monotonic time; ``obeys`` is False for one that stays on."""

    def __init__(self, clock: SimClock, serial: str) -> None:
        self.moves: list[tuple[float, bool]] = []
        self.obeys = True
        super().__init__(clock, LineProbe(clock), serial)

    def _switch(self, on: bool) -> None:
        if on or self.obeys:
            super()._switch(on)
            self.moves.append((time.monotonic(), on))


class _Client(TcpFarLink):
    """A connection that says when it is over."""

    def __init__(self, pump: Callable[[], None], arrived: Callable[[TcpFarLink], None], over: Callable[[], None]):
        super().__init__("generator", pump, arrived)
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._over()


class Generator:
    """On a thread of the test; ``link`` is what the station file says."""

    def __init__(self, wire: str, serial: str = "SIM-generator") -> None:
        self._wire = wire
        self._serial = serial
        self._waiting: list[TcpFarLink] = []
        self._served = 0
        self._closers: list[Callable[[], None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"generator {wire}")
        self._thread.start()
        self.link: str = self._do(self._start)

    @property
    def is_on(self) -> bool:
        """Does it send?"""
        moves = list(self.device.moves)
        return bool(moves) and moves[-1][1]

    def turn_on(self) -> None:
        """As a bench without a guardian left it."""

        async def on() -> bytes:
            return self.device.answer("SOUR1:APPL:SIN 1004,-20,0")

        self._do(on)
        assert self.is_on

    def off_after(self, start_s: float) -> float:
        """Seconds from then until it went off."""
        return next(moved_s for moved_s, on in self.device.moves if not on and moved_s > start_s) - start_s

    def close(self) -> None:
        async def stop() -> str:
            for close in self._closers:
                close()
            return ""

        self._do(stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, what: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(10)

    async def _start(self) -> str:
        clock = SimClock()
        pacer = Pacer(self._loop, clock)
        self._closers.append(pacer.stop)
        self.device = Watched(clock, self._serial)
        desk = Desk(clock, self.device)
        serial = self._wire == "serial"
        self._end = HislipEnd(desk) if self._wire == "HiSLIP" else StreamEnd(desk, serial=serial)
        if serial:
            pty = PtyLink(self._loop, "generator", pacer.pump)
            self._closers.append(pty.close)
            self._end.connect(pty)
            return pty.path
        server = await self._loop.create_server(lambda: _Client(pacer.pump, self._arrived, self._over), "127.0.0.1", 0)
        self._closers.append(server.close)
        return f"{WIRES[self._wire]}://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _arrived(self, link: TcpFarLink) -> None:
        self._waiting.append(link)
        self._serve()

    def _over(self) -> None:
        self._served -= 1
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._served < CLIENTS[self._wire]:
            self._served += 1
            self._end.connect(self._waiting.pop(0))


@contextmanager
def generator(wire: str) -> Iterator[Generator]:
    made = Generator(wire)
    try:
        yield made
    finally:
        made.close()


def instruments_file(place: Path, where: dict[str, str], **changes: str) -> Path:
    """The shipped station of instruments on real wires, with its boards named as the script presses them."""
    text = INSTRUMENTS.read_text("utf-8")
    begin = text.index("[world]\n")
    text = text[:begin] + HUNG + text[text.index("[pbx]") :]
    for name, secret in SECRETS.items():
        text = text.replace(f'"{secret}"', f'"env:{name}"')
    text = text.replace("[relay.keys]", "[relay.keys1]").replace('"keys/', '"keys1/')
    for old, new in where.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = place / "instruments.toml"
    file.write_text(text, "utf-8")
    return file


def left_on(wire: str, how: int) -> Scene:
    """The bench is killed, or stopped, while the generator sends and every relay is in its safe position."""

    def scene(place: Path) -> Seen:
        with ExitStack() as stack:
            far = stack.enter_context(world(place, INSTRUMENTS))
            keys, other = (stack.enter_context(board(place / name)) for name in ("keys1", "keys2"))
            sending = stack.enter_context(generator(wire))
            own = {"end://keys": keys.address, "end://keys2": other.address, "end://generator": sending.link}
            station = instruments_file(place, addresses(far) | own)
            running = stack.enter_context(bench(station, place / "run", "send"))
            assert sending.is_on
            start_s = running.signal(how)
            assert running.ended() == -signal.SIGKILL
            until(lambda: not sending.is_on)
            (account,) = [one for one in running.account["boards"] if one["resource"] == "instrument.generator"]
            assert account["ok"], account
            assert account["read_back"] == "173;0\n", account
            said = "was killed. " if how == signal.SIGKILL else "hung: silent for 1."
            told(running.folder, f"Guardian: the bench {said}", "2 relay boards and 1 generator safe")
            did = "guardian switched it off and read it back"
            did = did if how == signal.SIGKILL else did.replace("guardian", "guardian ended it,")
            return Seen(did, sending.off_after(start_s), kept(running.folder, (0, 1, 0.0)))

    return scene
