"""Devices in a process of their own: a Numato board and an Arduino on ptys, an audio loopback on TCP.

The board's relay 0 is wired to the Arduino's pin 2, as on a loopback rig. Prints one JSON line with the addresses,
then obeys JSON lines: ``{"lose": 1}``, ``{"garbage": "ff00"}``, ``{"say": "3e"}``, ``{"reset": true}``,
``{"hang up": true}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np

from offhook.drivers.audio import Samples
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.pacing import Pacer
from offhook.fixtures.relayboards import NumatoEnd
from offhook.fixtures.sensors import FirmataEnd
from offhook.fixtures.simclock import NS, SimClock
from offhook.fixtures.streams import PtyLink, TcpFarLink

RATE_HZ, GRID, CHANNELS, RING = 8000, 160, 2, 1 << 20


class Devices:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.clock = SimClock()
        self.pacer = Pacer(loop, self.clock)
        self.arduino = FirmataEnd()
        self.board = NumatoEnd(self.clock, "keys", 16, self.contact)
        self.played = np.zeros((CHANNELS, RING), dtype=np.int16)
        self.rack = AudioPipeEnd(self.clock, RATE_HZ, CHANNELS, self.play, self.mute, 0.06)
        self.connections: list[TcpFarLink] = []

    def contact(self, relay: int, closed: bool) -> None:
        if relay == 0:
            self.arduino.level(2, closed)

    def play(self, channel: int, frame: int, samples: Samples) -> None:
        self.played[channel, (frame + np.arange(len(samples))) % RING] += samples

    def mute(self) -> None:
        self.played[:] = 0

    def render(self, first: int) -> None:
        at = (first + np.arange(GRID)) % RING
        self.rack.block(first, self.played[:, at])
        self.played[:, at] = 0
        self.clock.call_at_ns((first + 2 * GRID) * NS // RATE_HZ, lambda: self.render(first + GRID))

    def accept(self, link: TcpFarLink) -> None:
        self.connections.append(link)
        self.rack.connect(link)

    async def start(self) -> dict[str, str]:
        keys, sense = (PtyLink(self.loop, name, self.pacer.pump) for name in ("keys", "sense"))
        self.board.connect(keys)
        self.arduino.connect(sense)
        server = await self.loop.create_server(lambda: TcpFarLink("rack", self.pacer.pump, self.accept), "127.0.0.1", 0)
        self.server = server
        self.render(0)
        self.pacer.pump()
        port = server.sockets[0].getsockname()[1]
        return {"keys": keys.path, "sense": sense.path, "rack": f"tcp://127.0.0.1:{port}"}

    def obey(self, command: dict[str, Any]) -> None:
        self.board.lost_answers += command.get("lose", 0)
        self.board.garbage += bytes.fromhex(command.get("garbage", ""))
        self.board.say(bytes.fromhex(command.get("say", "")))
        if command.get("reset"):
            self.board.reset()
        if command.get("hang up"):
            for link in self.connections:
                link.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    devices = Devices(loop)
    print(json.dumps(await devices.start()), flush=True)
    while line := await reader.readline():
        devices.pacer.pump()
        devices.obey(json.loads(line))
        devices.pacer.pump()
        print("{}", flush=True)
    devices.pacer.stop()


if __name__ == "__main__":
    asyncio.run(main())
