"""What Asterisk 22 really says during a locked CTI call, as recorded, told as CSTA events and seen by the tap.

``asterisk22_locked_call.txt``: messages after ``>`` (client) or ``<`` (Asterisk), headers that say nothing here left
out. The call: monitor, lock, MakeCall 1001 to 0033390677069*1234567#, right local code, IVR answers, call cleared.
"""

from pathlib import Path

from offhook.drivers.cti import EventKind
from offhook.drivers.cti.ami_calls import AmiCalls
from offhook.drivers.cti.tap import CtiTap, TraceMessage, pack_record
from offhook.drivers.links import PipeLink
from offhook.fixtures.simclock import SimClock

RECORDING = (Path(__file__).parent / "asterisk22_locked_call.txt").read_text("utf-8")
CALLED = "0033390677069"


def recorded():
    """(direction, headers as lines) of every message."""
    for block in RECORDING.strip().split("\n\n"):
        direction, *lines = block.split("\n")
        yield direction, lines


def events_of_the_call():
    calls = AmiCalls()
    told = []
    for direction, lines in recorded():
        headers = dict(line.partition(": ")[::2] for line in lines)
        if headers.get("Action") == "Originate" and "ChannelId" in headers:
            calls.expect(headers["ChannelId"], "1001", headers["Exten"])
        if direction == "<":
            told += calls.feed(headers, 1.0)
    return told


def test_the_events_of_the_call_in_order():
    told = [(event.kind, event.device) for event in events_of_the_call()]

    assert told == [
        (EventKind.LOCKED, "1001"),
        (EventKind.SERVICE_INITIATED, "1001"),
        (EventKind.DELIVERED, "1001"),  # the phone rings
        (EventKind.ORIGINATED, "1001"),  # it was lifted
        (EventKind.UNLOCKED, "1001"),  # the local code was right
        (EventKind.DELIVERED, CALLED),
        (EventKind.ESTABLISHED, CALLED),
        (EventKind.CONNECTION_CLEARED, "1001"),
    ]


def test_every_event_of_the_call_names_it_and_its_parties():
    of_call = [event for event in events_of_the_call() if event.kind is not EventKind.LOCKED]

    assert len({event.call_id for event in of_call}) == 1
    assert {event.calling for event in of_call} == {"1001"}
    assert {event.called for event in of_call} == {CALLED}


def tapped():
    clock = SimClock()
    near, far = PipeLink.pair(clock, "end://cti-tap")
    tap, told = CtiTap(near, clock, "ami"), []
    tap.subscribe(told.append)
    tap.connect()
    for direction, lines in recorded():
        far.send(pack_record(direction, "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"))
    clock.sleep(0.001)
    assert not tap.lost
    return told


def test_the_tap_names_the_steps_of_the_flow():
    told = tapped()

    def first(name: str) -> TraceMessage:
        return next(message for message in told if message.name == name)

    steps = ["MonitorStart", "MonitorStartResponse", "Lock", "Locked", "MakeCall", "MakeCallResponse", "Unlocked"]
    places = [told.index(first(name)) for name in steps]
    assert places == sorted(places)
    assert {first(name).fields["device"] for name in steps} == {"1001"}
    assert first("MakeCall").fields["called"] == f"{CALLED}*1234567#"
    assert first("MakeCallResponse").fields["call_id"] == first("MakeCall").fields["call_id"]


def test_a_refused_monitor_is_an_error_at_the_tap():
    errors = [message for message in tapped() if message.name == "Error"]
    assert [(error.fields["service"], error.fields["device"]) for error in errors] == [("MonitorStart", "7777")]


def test_the_tap_leaves_nothing_out():
    assert sum(bool(message.raw) for message in tapped()) == len(list(recorded()))


def test_nothing_of_a_device_is_told_before_it_is_monitored():
    told = tapped()
    started = next(index for index, message in enumerate(told) if message.name == "MonitorStartResponse")
    kinds = {str(kind) for kind in EventKind}
    assert not [message for message in told[:started] if message.name in kinds]
