"""The AMI driver against a manager interface that answers as told, in simulated time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.cti.ami_peer import AmiPeer, channel

from offhook.drivers.cti import Capability, CtiEvent, EventKind, Response, Service
from offhook.drivers.cti.ami import AmiDriver
from offhook.drivers.cti.ami_wire import AmiError, AmiReader, pack
from offhook.drivers.links import PipeLink
from offhook.fixtures.simclock import SimClock


class Bench:
    def __init__(self, clock, **options):
        self.clock = clock
        self.near, self.far = PipeLink.pair(clock, "end://cti", latency_s=0.001)
        self.peer = AmiPeer(self.far)
        self.driver = AmiDriver(self.near, clock, {"user": "bench", "secret": "s3cret", **options})
        self.states: list[str] = []
        self.events: list[CtiEvent] = []
        self.traced: list[tuple[str, float, bytes]] = []
        self.driver.subscribe(self.events.append)
        self.driver.trace(lambda *message: self.traced.append(message))
        self.driver.start(lambda: self.states.append("up"), lambda reason: self.states.append(f"down: {reason}"))
        clock.sleep(0.1)

    def ask(self, service, within_s=20.0, **arguments) -> Response:
        answers: list[Response] = []
        self.driver.request(service, answers.append, **arguments)
        assert not answers, "answered from inside request()"
        self.clock.wait_for(lambda: answers, within_s)
        (answer,) = answers
        return answer

    def monitor(self, device):
        self.peer.answers["ExtensionState"] = {"Response": "Success", "Exten": device, "Status": "0"}
        return self.ask(Service.MONITOR_START, device=device).monitor_id


@pytest.fixture
def clock():
    return SimClock()


@pytest.fixture
def bench(clock):
    return Bench(clock)


def test_it_logs_in_without_sending_its_secret(bench):
    assert bench.states == ["up"]
    assert Capability.LOCK_NOTIFY in bench.driver.capabilities
    assert bench.peer.named("Login")[0]["Username"] == "bench"
    assert b"s3cret" not in bench.peer.received
    key = bench.peer.named("Login")[0]["Key"].encode()
    assert all(key not in data for _, _, data in bench.traced)


def test_a_refused_login_says_who_was_refused(clock):
    bench = Bench(clock, secret="wrong")

    assert bench.states == ["down: login as 'bench' refused: Authentication failed"]
    assert bench.driver.capabilities == frozenset()


def test_make_call_originates_and_names_the_call_itself(bench):
    answer = bench.ask(Service.MAKE_CALL, calling="1001", called="0033390677069*1234567#")

    (action,) = bench.peer.named("Originate")
    assert answer.ok
    assert action["Channel"] == "PJSIP/1001"
    assert (action["Exten"], action["Priority"], action["Async"]) == ("0033390677069*1234567#", "1", "true")
    assert action["ChannelId"] == answer.call_id
    assert bench.ask(Service.MAKE_CALL, calling="1001", called="05").call_id != answer.call_id


def test_two_sessions_never_choose_the_same_call_id(clock):
    ids = {Bench(clock).ask(Service.MAKE_CALL, calling="1001", called="05").call_id for _ in range(5)}
    assert len(ids) == 5


def test_a_monitor_asks_for_the_extension_and_fails_for_an_unknown_one(bench):
    assert bench.monitor("1001")
    assert bench.peer.named("ExtensionState")[0]["Exten"] == "1001"

    bench.peer.answers["ExtensionState"] = {"Response": "Success", "Exten": "77", "Status": "-1"}
    assert bench.ask(Service.MONITOR_START, device="77").error == "unknown_extension"


def ringing_call(call_id, device):
    phone = f"PJSIP/{device}-00000001"
    return [
        {"Event": "Newchannel", **channel(phone, call_id, call_id)},
        {"Event": "DialState", "DialStatus": "RINGING", "DestChannel": phone, "DestUniqueid": call_id},
    ]


def test_events_of_monitored_devices_only_and_of_each_monitor(clock, bench):
    first, second = bench.monitor("1001"), bench.monitor("1001")

    bench.peer.send(*ringing_call("9.1", "1001"), *ringing_call("9.2", "1002"))
    clock.sleep(0.1)

    told = [(event.kind, event.device, event.monitor_id) for event in bench.events]
    assert told == [
        (kind, "1001", monitor_id)
        for kind in (EventKind.SERVICE_INITIATED, EventKind.DELIVERED)
        for monitor_id in (first, second)
    ]


def test_a_stopped_monitor_is_silent(clock, bench):
    monitor_id = bench.monitor("1001")
    assert bench.ask(Service.MONITOR_STOP, monitor_id=monitor_id).ok

    bench.peer.send(*ringing_call("9.1", "1001"))
    clock.sleep(0.1)

    assert bench.events == []
    assert bench.ask(Service.MONITOR_STOP, monitor_id=monitor_id).error == "unknown_monitor"


@pytest.mark.parametrize(("service", "word", "event"), [("LOCK", "lock", "Locked"), ("UNLOCK", "unlock", "Unlocked")])
def test_a_lock_is_done_when_the_pbx_confirms_it_not_before(clock, bench, service, word, event):
    answers: list[Response] = []
    bench.driver.request(Service[service], answers.append, device="1001")
    clock.sleep(1.0)
    assert bench.peer.named("Originate")[0]["Channel"] == f"Local/{word}-1001@cti-lock/n"
    assert answers == []

    bench.peer.send({"Event": "UserEvent", "UserEvent": event, "Ext": "1002"})
    clock.sleep(0.1)
    assert answers == []

    bench.peer.send({"Event": "UserEvent", "UserEvent": event, "Ext": "1001"})
    clock.sleep(0.1)
    assert [(answer.error, answer.lock_state) for answer in answers] == [("", event.upper())]


def test_a_lock_nobody_confirms_fails(bench):
    assert bench.ask(Service.LOCK, device="1001").error == "timeout"


def test_a_lock_the_pbx_refuses_fails_at_once(clock, bench):
    bench.peer.answers["Originate"] = {"Response": "Error", "Message": "Permission denied"}
    start_s = clock.now_s()

    assert bench.ask(Service.LOCK, device="1001").error == "Permission denied"
    assert clock.now_s() - start_s < 0.1


def test_a_lock_by_prefix_is_not_offered(bench):
    answer = bench.ask(Service.LOCK, device="1001", variant="prefix", prefix="*66")
    assert answer.error == "not_supported"
    assert bench.peer.named("Originate") == []


def test_clear_hangs_up_the_devices_own_channel(clock, bench):
    bench.peer.send(*ringing_call("9.1", "1001"))
    clock.sleep(0.1)

    assert bench.ask(Service.CLEAR_CONNECTION, device="1001", call_id="9.1").ok
    assert bench.peer.named("Hangup")[0]["Channel"] == "PJSIP/1001-00000001"
    assert bench.ask(Service.CLEAR_CONNECTION, device="1001", call_id="9.9").error == "unknown_call"


def test_digits_are_keyed_on_the_devices_own_channel_one_after_the_other(clock, bench):
    """Sent out of the far channel, one in eight had no end (decision 0029)."""
    far = channel("PJSIP/ivr-00000002", "9.5", "9.1")
    bench.peer.send(*ringing_call("9.1", "1001"), {"Event": "Newchannel", **far})
    clock.sleep(0.1)

    assert bench.ask(Service.GENERATE_DIGITS, device="1001", call_id="9.1", digits="12#").ok

    played = [(each["Channel"], each["Digit"], each["Receive"]) for each in bench.peer.named("PlayDTMF")]
    assert played == [("PJSIP/1001-00000001", digit, "true") for digit in "12#"]


def test_no_digits_without_a_far_end_or_in_a_call_that_is_not_ours(clock, bench):
    bench.peer.send(*ringing_call("9.1", "1001"))
    clock.sleep(0.1)

    assert bench.ask(Service.GENERATE_DIGITS, device="1001", call_id="9.1", digits="1").error == "invalid_state"
    assert bench.ask(Service.GENERATE_DIGITS, device="1002", call_id="9.1", digits="1").error == "invalid_state"
    assert bench.peer.named("PlayDTMF") == []


def test_a_snapshot_lists_the_devices_calls_and_its_lock(bench):
    rows = [
        {"Event": "Status", **channel("PJSIP/1001-00000001", "9.1", "9.1", "Up"), "Exten": "0555*12#"},
        {"Event": "Status", **channel("PJSIP/1002-00000002", "9.3", "9.3", "Ringing")},
        {"Event": "StatusComplete"},
    ]
    bench.peer.answers["Status"] = [{"Response": "Success", "EventList": "start"}, *rows]
    bench.peer.answers["Getvar"] = {"Response": "Success", "Value": "1"}

    answer = bench.ask(Service.SNAPSHOT_DEVICE, device="1001")

    assert answer.lock_state == "LOCKED"
    assert answer.calls == ({"call_id": "9.1", "state": "connected", "calling": "1001", "called": "0555"},)


@pytest.mark.parametrize("service", [Service.ANSWER_CALL, Service.HOLD_CALL, Service.RETRIEVE_CALL])
def test_what_asterisk_cannot_do_is_said(bench, service):
    assert bench.ask(service, device="1001", call_id="9.1").error == "not_supported"


def test_a_request_that_nobody_answers_ends_after_five_seconds(clock, bench):
    bench.near.cut()
    start_s = clock.now_s()

    assert bench.ask(Service.MAKE_CALL, calling="1001", called="05").error == "timeout"
    assert clock.now_s() - start_s == pytest.approx(5.0, abs=0.01)


def test_a_lost_link_answers_what_was_asked_and_all_that_follows(clock, bench):
    answers: list[Response] = []
    bench.peer.silent.add("Originate")
    bench.driver.request(Service.MAKE_CALL, answers.append, calling="1001", called="05")
    bench.driver.request(Service.LOCK, answers.append, device="1001")
    clock.sleep(0.5)
    bench.far.close()
    clock.sleep(0.1)

    assert [answer.error for answer in answers] == ["link down", "link down"]
    assert bench.states == ["up", "down: the far end closed"]
    assert bench.ask(Service.MAKE_CALL, calling="1001", called="05").error == "link down"


@pytest.mark.parametrize("called", ["05\r\nAction: Command\r\nCommand: core stop now", "05\n\n", "0\r5"])
def test_a_number_cannot_smuggle_an_action(bench, called):
    answer = bench.ask(Service.MAKE_CALL, calling="1001", called=called)

    assert answer.error.startswith("invalid argument")
    assert bench.peer.named("Originate") == []
    assert bench.peer.named("Command") == []


def test_a_call_that_cannot_be_made_is_told_as_failed(clock, bench):
    bench.monitor("1001")
    call_id = bench.ask(Service.MAKE_CALL, calling="1001", called="05").call_id

    failure = {"Event": "OriginateResponse", "Response": "Failure", "Channel": "PJSIP/1001"}
    bench.peer.send({**failure, "Reason": "3", "Uniqueid": "<unknown>"})
    clock.sleep(0.1)

    assert [(event.kind, event.call_id, event.cause) for event in bench.events] == [
        (EventKind.FAILED, call_id, "noAnswer")
    ]


def test_a_heartbeat_finds_a_cut_wire(clock):
    bench = Bench(clock, heartbeat_s=10.0)
    clock.sleep(30.0)
    assert bench.states == ["up"]

    bench.near.cut()
    clock.sleep(20.0)

    assert bench.states == ["up", "down: no answer from the manager interface (timeout)"]


# ---- the wire ------------------------------------------------------------------------------------------------------


@given(st.data())
def test_messages_come_out_whole_however_the_stream_is_cut(data):
    messages = [{"Event": "A", "X": "1: 2"}, {"Response": "Success", "ActionID": "7"}, {"Event": "B"}]
    stream = b"Asterisk Call Manager/11.0.0\r\n" + b"".join(pack(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = AmiReader()

    got = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += reader.feed(stream[start:stop])

    assert [headers for headers, _ in got] == messages
    assert reader.greeting == "Asterisk Call Manager/11.0.0"


def test_an_endless_message_is_an_error():
    reader = AmiReader()
    reader.feed(b"x" * (1 << 20))
    with pytest.raises(AmiError, match="without end"):
        reader.feed(b"x")
