"""A plant with a real Asterisk, driven by its contacts, heard at its rack; one scenario a plant."""

import asyncio
import contextlib
import os
import time
import tomllib
from collections.abc import Callable

import numpy as np

from offhook import dsp
from offhook.fixtures.asterisk.plant import build_asterisk
from offhook.fixtures.farend import GOES_FIRST
from offhook.fixtures.pacing import Pacer
from offhook.fixtures.stations import ASTERISK

WAIT_LIMIT_S = 40.0
"""What is waited for comes within a few seconds; a machine that is busy takes its time."""
STANDSTILL_S, TRIES = 0.1, 3
"""A machine that stood still for as long as a digit lasts has no say in how a PBX sends digits."""
KEYS = {key: (row, column) for row, keys in enumerate(("123", "456", "789", "*0#")) for column, key in enumerate(keys)}


def station(**changes):
    """The asterisk station as a table; ``changes`` replace whole sections."""
    return {**tomllib.loads(ASTERISK.read_text("utf-8")), **changes}


class Room:
    """Hands, ears and eyes in front of a plant. Times are the world's, in seconds."""

    def __init__(self, plant):
        self.plant = plant
        self.pacer = Pacer(asyncio.get_running_loop(), plant.clock)
        plant.pump = self.pacer.pump
        self.sensors: list[tuple[float, str, bool]] = []
        self.tapped = bytearray()
        self.late_s = 0.0
        """By how much the machine overslept at worst, of all that was slept here."""
        self._rack: dict[int, list[tuple[int, np.ndarray]]] = {}
        plant.on_sensor(lambda address, active: self.sensors.append((plant.clock.now_s(), address, active)))
        plant.on_rack(self._block)
        plant.ends["cti-tap"].connect(_TapReader(self.tapped))

    def _block(self, first, block):
        for channel in range(block.shape[0]):
            self._rack.setdefault(channel, []).append((first, block[channel].copy()))

    def now_s(self):
        self.pacer.pump()
        return self.plant.clock.now_s()

    async def sleep(self, duration_s):
        self.pacer.pump()
        due_s = time.monotonic() + duration_s
        await asyncio.sleep(duration_s)
        self.late_s = max(self.late_s, time.monotonic() - due_s)
        self.pacer.pump()

    async def wait(self, what: str, condition: Callable[[], object], limit_s=WAIT_LIMIT_S):
        """Wait for something; AssertionError naming it when it does not come."""
        end_s = time.monotonic() + limit_s
        while not (value := condition()):
            assert time.monotonic() < end_s, f"no {what} within {limit_s} s"
            await self.sleep(0.02)
        return value

    def account(self):
        """What was heard so far, and how steady the machine was: why something did not come."""
        heard = {channel: self.digits(channel) for channel in sorted(self._rack)}
        return f"heard {heard}, seized at {self.seized()}, overslept by {self.late_s:.3f} s at worst"

    def lift(self, board, up=True):
        self.pacer.pump()
        self.plant.contact(f"{board}/8", up)
        self.pacer.pump()

    async def key(self, board, digits, on_s=0.1, off_s=0.12):
        """Press keys by their row and column contacts."""
        for digit in digits:
            row, column = KEYS[digit]
            for closed in (True, False):
                self.pacer.pump()
                self.plant.contact(f"{board}/{row}", closed)
                self.plant.contact(f"{board}/{4 + column}", closed)
                await self.sleep(on_s if closed else off_s)

    def edges(self, address):
        return [(time_s, active) for time_s, where, active in self.sensors if where == address]

    def active(self, address):
        edges = self.edges(address)
        return bool(edges and edges[-1][1])

    def seized(self):
        """When outside lines were seized."""
        return [
            time_s
            for time_s, where, active in self.sensors
            if where in ("arduino/8", "arduino/9", "arduino/10") and active
        ]

    def heard(self, channel, from_s=0.0):
        """Audio of a rack channel from a time on, skipped parts left out."""
        blocks = [block for first, block in self._rack.get(channel, []) if first >= from_s * 8000]
        return np.concatenate([np.zeros(160, np.int16), *blocks])

    def digits(self, channel, from_s=0.0):
        return dsp.decode(self.heard(channel, from_s), 8000).text()

    def tones(self, channel, from_s=0.0):
        """Call-progress tones of the last 1.2 s (a stutter dial tone ends in dial tone)."""
        from_s = max(from_s, self.plant.clock.now_s() - 1.2)
        return {segment.name for segment in dsp.progress.classify(self.heard(channel, from_s), 8000, "US")}


class _TapReader:
    """A link that keeps what it is sent."""

    address = "end://cti-tap"

    def __init__(self, into):
        self._into = into

    def attach(self, on_bytes, on_lost):
        pass

    def send(self, data):
        self._into += data

    def close(self):
        pass


@contextlib.asynccontextmanager
async def asterisk_room(workdir, **changes):
    """A started plant of the asterisk station, stopped at the end; its log must be free of complaints."""
    plant = build_asterisk(station(**changes), workdir)
    await plant.start()
    room = Room(plant)
    try:
        yield room
        assert plant.server.complaints() == []
    finally:
        room.pacer.stop()
        await plant.stop()


def on_asterisk(workdir, scenario, **changes):
    """Play ``scenario(room)``; once more from the start if it failed and the machine had stood still meanwhile."""

    async def played(number):
        async with asterisk_room(workdir / str(number), **changes) as room:
            try:
                await scenario(room)
            except AssertionError as error:
                error.add_note(f"try {number} of {TRIES}; {room.account()}")
                if number == TRIES or room.late_s < STANDSTILL_S:
                    raise
                return False
        return True

    with going_first():
        for number in range(1, TRIES + 1):
            if asyncio.run(played(number)):
                return


@contextlib.contextmanager
def going_first():
    """As the far-end process does, which this is here."""
    before = os.nice(0)
    with contextlib.suppress(OSError):
        os.nice(GOES_FIRST)
    try:
        yield
    finally:
        os.nice(before - os.nice(0))
