"""What far ends are made of: an application called in place, the CTI tap, wire cutters, plugging in."""

from __future__ import annotations

import struct
import threading
from typing import Any

import httpx
import numpy as np
import pytest

from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.links import PipeLink
from offhook.fixtures.asgi import AsgiTransport
from offhook.fixtures.ctitap import TapEnd, TappedLink
from offhook.fixtures.faults import FaultBoard
from offhook.fixtures.faulty.boards import take_wire_faults
from offhook.fixtures.relayboards import NumatoEnd
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.wiring import Cutters, end_name, plug_in, relay_wires, unknown_end


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked."""
    event = await receive()
    headers = [
        (b"x-thread", str(threading.get_ident()).encode()),
        (b"x-seen", dict(scope["headers"]).get(b"x-say", b"")),
    ]
    await send({"type": "http.response.start", "status": 207, "headers": headers})
    text = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} ".encode()
    await send({"type": "http.response.body", "body": text, "more_body": True})
    await send({"type": "http.response.body", "body": event["body"]})


class Closing:
    def __init__(self, transport: AsgiTransport) -> None:
        self.transport = transport
        self.client = httpx.Client(base_url="http://cloud.sim", transport=transport, trust_env=False)

    def __enter__(self) -> httpx.Client:
        return self.client

    def __exit__(self, *ignored: object) -> None:
        self.client.close()
        self.transport.shut()


def test_a_request_reaches_the_application_whole_on_the_calling_thread() -> None:
    with Closing(AsgiTransport(echo)) as client:
        answer = client.post("/v1/a b", params={"name": "é"}, content=b"body", headers={"X-Say": "hello"})
    assert answer.status_code == 207
    assert answer.text == "POST /v1/a b?name=%C3%A9 body"
    assert answer.headers["x-seen"] == "hello"
    assert answer.headers["x-thread"] == str(threading.get_ident())


def test_a_bug_of_the_application_is_not_hidden() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("a bug")

    with Closing(AsgiTransport(broken)) as client, pytest.raises(LookupError, match="a bug"):
        client.get("/")


def test_clients_may_come_and_go() -> None:
    transport = AsgiTransport(echo)
    for _ in range(2):
        with httpx.Client(transport=transport) as client:
            assert client.get("http://cloud.sim/").status_code == 207
    transport.shut()
    transport.shut()


class Tapped:
    def __init__(self) -> None:
        self.clock = SimClock()
        near, self.pbx = PipeLink.pair(self.clock, "cti-cloud")
        self.tap = TapEnd()
        self.cloud = TappedLink(near, self.tap)
        self.at_cloud, self.at_pbx = bytearray(), bytearray()
        self.lost: list[str] = []
        self.cloud.attach(self.at_cloud.extend, self.lost.append)
        self.pbx.attach(self.at_pbx.extend, lambda reason: None)

    def listen(self) -> tuple[PipeLink, bytearray]:
        near, far = PipeLink.pair(self.clock, "end://cti-tap")
        heard = bytearray()
        near.attach(heard.extend, lambda reason: None)
        self.tap.connect(far)
        return near, heard


def record(direction: bytes, data: bytes) -> bytes:
    return direction + struct.pack(">I", len(data)) + data


def test_the_tap_records_both_directions_and_changes_nothing() -> None:
    rig = Tapped()
    _, heard = rig.listen()
    rig.cloud.send(b"question")
    rig.clock.sleep(0.01)
    rig.pbx.send(b"answer")
    rig.clock.sleep(0.01)
    assert (bytes(rig.at_pbx), bytes(rig.at_cloud)) == (b"question", b"answer")
    assert bytes(heard) == record(b">", b"question") + record(b"<", b"answer")


def test_what_crossed_before_anyone_listened_comes_first() -> None:
    rig = Tapped()
    rig.cloud.send(b"early")
    rig.clock.sleep(0.01)
    _, heard = rig.listen()
    _, second = rig.listen()
    rig.cloud.send(b"late")
    rig.clock.sleep(0.01)
    assert bytes(heard) == record(b">", b"early") + record(b">", b"late")
    assert bytes(second) == record(b">", b"late")


def test_the_tap_is_passive() -> None:
    rig = Tapped()
    near, _ = rig.listen()
    near.send(b"nobody takes this")
    near.close()
    rig.cloud.send(b"x")
    rig.clock.sleep(0.01)
    assert bytes(rig.at_pbx) == b"x"
    rig.pbx.close()
    rig.clock.sleep(0.01)
    assert rig.lost
    with pytest.raises(DeviceGone):
        rig.cloud.send(b"y")


def test_a_wire_that_is_cut_stays_cut_for_links_opened_later() -> None:
    clock, cutters = SimClock(), Cutters()
    heard: dict[str, bytearray] = {}

    def plug(name: str, wire: str) -> PipeLink:
        near, far = PipeLink.pair(clock, name)
        heard[name] = bytearray()
        far.attach(heard[name].extend, lambda reason: None)
        cutters.add(wire, far)
        return near

    early, other = plug("early", "cti"), plug("other", "rack")
    cutters.set(["cti"], True)
    late = plug("late", "cti")
    for link in (early, late, other):
        link.send(b"1")
    clock.sleep(0.01)
    assert (heard["early"], heard["late"], heard["other"]) == (b"", b"", b"1")
    assert cutters.is_cut("cti")
    cutters.set(["cti"], False)
    early.send(b"2")
    late.send(b"2")
    clock.sleep(0.01)
    assert (heard["early"], heard["late"]) == (b"2", b"2")
    assert not cutters.is_cut("cti")


STATION: dict[str, Any] = {
    "relay": {
        "a": {"link": "end://board-a", "channels": 8},
        "b": {"link": "end://board-b", "channels": 16},
        "real": {"link": "/dev/ttyACM0", "channels": 16},
    },
    "sense": {"arduino": {"link": "end://sense"}},
    "audio": {"rack": {"link": "end://rack", "rate_hz": 8000, "channels": 2}},
    "phone": {
        "matrix": {"hook": {"contact": "b/8"}, "keypad": {"rows": ["a/0"], "columns": ["a/4"]}},
        "single": {"hook": {"contact": "b/9"}, "keypad": {"keys": {"1": "b/1"}}},
    },
}


class StandInPlant:
    def __init__(self) -> None:
        self.clock = SimClock()
        self.ends: dict[str, Any] = {}
        self.contacts: list[tuple[str, bool]] = []
        self.sensors: list[Any] = []
        self.racks: list[Any] = []
        self.injected: list[tuple[int, int]] = []
        self.muted = 0

    def contact(self, address: str, closed: bool) -> None:
        self.contacts.append((address, closed))

    def on_sensor(self, listener: Any) -> None:
        self.sensors.append(listener)

    def on_rack(self, listener: Any) -> None:
        self.racks.append(listener)

    def inject(self, channel: int, frame: int, samples: Any) -> None:
        self.injected.append((channel, frame))

    def mute(self) -> None:
        self.muted += 1


def test_ends_are_plugged_in_where_the_station_file_says() -> None:
    plant = StandInPlant()
    plant.ends["sense"] = own = object()
    plug_in(plant, STATION, seed=1)
    assert set(plant.ends) == {"board-a", "board-b", "sense", "rack"}
    assert plant.ends["sense"] is own
    board = plant.ends["board-a"]
    assert isinstance(board, NumatoEnd)
    assert board.channels == 8
    near, far = PipeLink.pair(plant.clock, "x")
    board.connect(far)
    near.attach(lambda data: None, lambda reason: None)
    near.send(b"relay on 3\r")
    plant.clock.sleep(0.1)
    assert plant.contacts == [("a/3", True)]  # by the name of the board in the station file, not of its wire


def test_what_the_bench_plays_reaches_the_plant() -> None:
    plant = StandInPlant()
    plug_in(plant, STATION, seed=1)
    near, far = PipeLink.pair(plant.clock, "end://rack")
    plant.ends["rack"].connect(far)
    port = PipeAudio("rack", plant.clock, near, 8000, 2)
    port.connect()
    port.play_at(4000, 1, np.ones(10, dtype=np.int16))
    port.mute()
    plant.clock.sleep(0.01)
    assert plant.injected == [(1, 4000)]
    assert plant.muted == 1


def test_wires_of_a_phone() -> None:
    assert relay_wires(STATION, "matrix") == ["board-a", "board-b"]
    assert relay_wires(STATION, "single") == ["board-b"]
    with pytest.raises(ConfigError, match=r"desk-9.*matrix, single"):
        relay_wires(STATION, "desk-9")


@pytest.mark.parametrize(
    ("fault", "wires"),
    [
        ("cut:cti", {"cti", "cti-cloud"}),
        ("cut:http", {"cloud"}),
        ("cut:relay:single", {"board-b"}),
        ("cut:ivr", set()),
        ("slow-pbx:1", set()),
    ],
)
def test_faults_that_cut_wires(fault: str, wires: set[str]) -> None:
    cutters, faults = Cutters(), FaultBoard(STATION["phone"])
    every = ("cti", "cti-cloud", "cloud", "board-a", "board-b", "rack")
    take_wire_faults(SimClock(), cutters, STATION, faults)
    faults.add(fault)
    assert {wire for wire in every if cutters.is_cut(wire)} == wires
    faults.remove(fault)
    assert not any(cutters.is_cut(wire) for wire in every)


def test_names_of_ends() -> None:
    assert [end_name(each) for each in ("end://keys1", "/dev/ttyACM0", "tcp://h:1", None, "")] == [
        "keys1",
        "",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize("address", ["/dev/ttyUSB0", "tcp://10.0.0.5:4001", "http://10.0.0.5", "https://cloud.example"])
def test_a_real_wire_in_simulated_time_is_told_as_what_it_is(address: str) -> None:
    said = str(unknown_end(address, ["keys1", "cti"]))
    assert said.startswith(f"{address}: open: it is a real wire, and real and simulated wires cannot be mixed")
    assert "simulated time" in said
    assert "--realtime" in said
    assert "cti, keys1" in said


def test_an_address_of_no_known_kind_is_not_called_real() -> None:
    said = str(unknown_end("foo://x", ["keys1"]))
    assert 'no wire begins with "foo://" (try: end://, tcp://' in said
    assert "real wire" not in said


def test_an_end_that_is_not_there_is_told_with_those_that_are() -> None:
    said = str(unknown_end("end://keys9", ["keys1", "cti"]))
    assert "no such end in this world (it has: cti, keys1)" in said
    assert "real" not in said
