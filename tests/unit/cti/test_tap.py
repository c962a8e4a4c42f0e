"""The passive tap: records back to messages, in the same words for CSTA and AMI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.cti.cti_pbx_stub import PbxStub

from offhook.drivers.cti import CtiEvent, EventKind, Service
from offhook.drivers.cti.csta import CstaDriver
from offhook.drivers.cti.tap import CtiTap, TraceMessage, pack_record
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.links import PipeLink
from offhook.fixtures.csta_server import CstaServer
from offhook.fixtures.simclock import SimClock


class Tapped:
    """A tap and what it decodes; ``hear`` puts bytes of one direction on the tapped link."""

    def __init__(self, dialect):
        self.clock = SimClock()
        near, self.far = PipeLink.pair(self.clock, "end://cti-tap")
        self.tap = CtiTap(near, self.clock, dialect)
        self.told: list[TraceMessage] = []
        self.tap.subscribe(self.told.append)
        self.tap.connect()

    def hear(self, direction, data):
        self.far.send(pack_record(direction, data))
        self.clock.sleep(0.001)

    def names(self):
        return [(message.direction, message.name) for message in self.told]


def csta_conversation():
    """A real conversation of driver and server, as (direction, bytes)."""
    clock, pbx = SimClock(), PbxStub()
    near, far = PipeLink.pair(clock, "end://cti")
    CstaServer(pbx, clock).connect(far)
    driver = CstaDriver(near, clock, {})
    said: list[tuple[str, bytes]] = []
    driver.trace(lambda direction, time_s, data: said.append(({"out": ">", "in": "<"}[direction], data)))
    driver.start(lambda: None, lambda reason: None)
    clock.sleep(0.1)
    for service, arguments in [
        (Service.MONITOR_START, {"device": "1001"}),
        (Service.LOCK, {"device": "1001", "variant": "notify"}),
        (Service.MAKE_CALL, {"calling": "1001", "called": "0555*12#"}),
    ]:
        driver.request(service, lambda response: None, **arguments)
        clock.sleep(0.1)
    pbx.emit(CtiEvent(EventKind.LOCKED, 0.0, "1001"))
    pbx.emit(CtiEvent(EventKind.ESTABLISHED, 0.0, "0555", "42", "1001", "0555"))
    clock.sleep(0.1)
    pbx.refuse = "busy"
    driver.request(Service.UNLOCK, lambda response: None, device="1001")
    clock.sleep(0.1)
    return said


def test_csta_is_named_by_what_it_asks_for():
    tapped = Tapped("csta")
    for direction, data in csta_conversation():
        tapped.hear(direction, data)

    assert tapped.names() == [
        (">", "RequestSystemStatus"),
        ("<", "RequestSystemStatusResponse"),
        (">", "MonitorStart"),
        ("<", "MonitorStartResponse"),
        (">", "Lock"),
        ("<", "LockResponse"),
        (">", "MakeCall"),
        ("<", "MakeCallResponse"),
        ("<", "Locked"),
        ("<", "Established"),
        (">", "Unlock"),
        ("<", "Error"),
    ]
    by_name = {message.name: dict(message.fields) for message in tapped.told}
    assert by_name["MakeCall"] == {"device": "1001", "calling": "1001", "called": "0555*12#"}
    assert by_name["MakeCallResponse"]["call_id"] == "42"
    assert by_name["Lock"]["device"] == "1001"
    assert by_name["Locked"]["device"] == "1001"
    assert by_name["Established"]["called"] == "0555"
    assert by_name["Error"] == {"device": "1001", "service": "Unlock", "reason": "busy"}


@given(st.integers(1, 200))
def test_records_need_not_be_whole_messages(piece):
    whole, cut = Tapped("csta"), Tapped("csta")
    for direction, data in csta_conversation():
        whole.hear(direction, data)
        for start in range(0, len(data), piece):
            cut.hear(direction, data[start : start + piece])

    assert cut.names() == whole.names()
    assert [message.raw for message in cut.told] == [message.raw for message in whole.told]


def test_the_raw_bytes_are_those_on_the_wire():
    tapped = Tapped("csta")
    said = csta_conversation()
    for direction, data in said:
        tapped.hear(direction, data)

    assert b"".join(message.raw for message in tapped.told) == b"".join(data for _, data in said)


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n", b">\xff\xff\xff\xff", b"<\x00\x00\x00\x08notcsta!"])
def test_what_is_no_tap_stream_marks_the_tap_lost(noise):
    tapped = Tapped("csta")
    tapped.far.send(noise)
    tapped.clock.sleep(0.001)

    assert tapped.tap.lost
    assert tapped.told == []


def test_half_a_message_of_a_lost_link_is_not_read_on_into_the_next():
    tapped = Tapped("csta")
    said = csta_conversation()
    tapped.hear(">", said[0][1][:20])
    tapped.hear(">", b"")  # opened anew
    for direction, data in said:
        tapped.hear(direction, data)

    assert not tapped.tap.lost
    assert tapped.names()[0] == (">", "RequestSystemStatus")
    assert len(tapped.told) == len(said)


def test_a_lost_tap_says_so():
    tapped = Tapped("csta")
    tapped.far.close()
    tapped.clock.sleep(0.001)

    assert tapped.tap.lost == "the far end closed"
    with pytest.raises(DeviceGone, match="the far end closed"):
        tapped.tap.connect()


def test_an_unknown_dialect_is_a_config_error_that_lists_the_known_ones():
    near, _ = PipeLink.pair(SimClock(), "end://cti-tap")
    with pytest.raises(ConfigError, match="ami, csta"):
        CtiTap(near, SimClock(), "tapi")
