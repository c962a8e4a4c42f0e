"""A small world behind the real drivers: two boards, sensors, audio without a phone, CTI and a cloud that says yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from offhook.drivers.cti import Response, Service
from offhook.drivers.links import Grade, PipeLink
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.csta_server import CstaServer
from offhook.fixtures.ctitap import TapEnd
from offhook.fixtures.relayboards import NumatoEnd
from offhook.fixtures.sensors import FirmataEnd
from offhook.fixtures.simclock import SimClock

STATION = """\
schema_version = 1
name = "small"
role = "R1"

[dut]
vendor = "v"
model = "m"
firmware = "1"
serial = "s"

[world]
end = "standin"

[pbx]
driver = "csta"
link = "end://cti"
outside_prefix = "0"

[tap]
dialect = "csta"
link = "end://cti-tap"

[cloud]
driver = "http"
url = "end://cloud"
accounts = { alice = "pw" }

[audio.rack]
driver = "pipe"
link = "end://rack"
rate_hz = 8000
channels = 2

[relay.one]
driver = "numato"
link = "end://one"
channels = 16

[relay.two]
driver = "numato"
link = "end://two"
channels = 16

[sense.arduino]
driver = "firmata"
link = "end://sense"

[phone.desk]
extension = "1001"
kind = "ip"
handset = "rack/0"
hook = { contact = "one/8", closed = "off-hook", safe = "open" }
keypad = { rows = ["one/0", "one/1", "one/2", "one/3"], columns = ["one/4", "one/5", "one/6"] }
hook_sense = "arduino/3"

[phone.other]
extension = "1002"
kind = "analog"
handset = "rack/1"
hook = { contact = "two/8", closed = "on-hook", safe = "closed" }
keypad = { rows = ["two/0", "two/1", "two/2", "two/3"], columns = ["two/4", "two/5", "two/6"] }
hook_sense = "arduino/5"

[dial]
allow = ["10xx", "05550100"]
"""


class YesPbx:
    """Grants what the tests ask for; refuses to stop a monitor while ``stubborn``."""

    answer_delay_s = 0.0

    def __init__(self) -> None:
        self.monitors: dict[str, str] = {}
        self.stubborn = False

    def listen(self, listener: Any) -> Any:
        return lambda: None

    def monitor_start(self, device: str) -> Response:
        self.monitors[f"m-{device}"] = device
        return Response(Service.MONITOR_START, monitor_id=f"m-{device}")

    def monitor_stop(self, monitor_id: str) -> Response:
        if self.stubborn:
            return Response(Service.MONITOR_STOP, error="busy")
        self.monitors.pop(monitor_id)
        return Response(Service.MONITOR_STOP)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: Response(Service.MAKE_CALL, error="not_supported")

    def snapshot(self, device: str) -> Response:
        return Response(Service.SNAPSHOT_DEVICE, lock_state="UNLOCKED")


class StandIn:
    """The wires of the station above; names in ``dead`` are plugged into nothing."""

    grade = Grade.SIMULATED
    guarded = False

    def __init__(self, dead: set[str]) -> None:
        self.clock = SimClock()
        self.closed = False
        self.pbx = YesPbx()
        self.sensors = FirmataEnd()
        self.muted = 0
        self.boards = {
            "one": NumatoEnd(self.clock, "one", 16, self._moved(8, 3, off_hook_when=True)),
            "two": NumatoEnd(self.clock, "two", 16, self._moved(8, 5, off_hook_when=False)),
        }
        self.sensors.level(5, True)  # its contact is open, so the handset is off
        rack = AudioPipeEnd(self.clock, 8000, 2, lambda *_: None, self._mute)
        ends = {"cti": CstaServer(self.pbx, self.clock), "cti-tap": TapEnd(), "rack": rack, "sense": self.sensors}
        self._ends: dict[str, Any] = {**ends, **self.boards}
        for name in dead:
            self._ends[name] = _Nothing()

    def _moved(self, hook: int, pin: int, *, off_hook_when: bool) -> Any:
        def contact(relay: int, closed: bool, *_: Any) -> None:
            if relay == hook:
                self.sensors.level(pin, closed == off_hook_when)

        return contact

    def _mute(self) -> None:
        self.muted += 1

    def link(self, address: str, baud: int = 9600) -> PipeLink:
        near, far = PipeLink.pair(self.clock, address, 0.0002)
        self._ends[address.removeprefix("end://")].connect(far)
        return near

    def http(self, address: str) -> tuple[str, httpx.BaseTransport]:
        def answer(request: httpx.Request) -> httpx.Response:
            info = {"title": "cloud", "version": "1"}
            return httpx.Response(200, text=json.dumps({"token": "t", "account": "a", "info": info}))

        return "http://cloud", httpx.MockTransport(answer)

    def close(self) -> None:
        self.closed = True


class _Nothing:
    def connect(self, link: PipeLink) -> None:
        link.attach(lambda data: None, lambda reason: None)


class StandInEnd:
    """What the entry point of the far end would be; ``opened`` are the wires it made."""

    name = "standin"
    value = "rig_standin:open"

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.opened: list[StandIn] = []
        self.asked: list[dict[str, Any]] = []

    def load(self) -> Any:
        def open_end(station: dict[str, Any], *, seed: int, realtime: bool, workdir: Path) -> StandIn:
            self.asked.append({"station": station, "seed": seed, "realtime": realtime, "workdir": workdir})
            self.opened.append(StandIn(self.dead))
            return self.opened[-1]

        return open_end
