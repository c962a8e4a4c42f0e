"""The CSTA driver and the simulated PBX's CSTA server, over a wire in simulated time."""

import pytest
from unit.cti.cti_pbx_stub import PbxStub

from offhook.drivers.cti import Capability, CtiEvent, EventKind, Response, Service
from offhook.drivers.cti.csta import CstaDriver
from offhook.drivers.cti.csta_frames import Frame
from offhook.drivers.links import PipeLink
from offhook.fixtures.csta_server import CstaServer
from offhook.fixtures.simclock import SimClock


class Bench:
    """A driver, its link, and what came back."""

    def __init__(self, clock, server, options=None):
        self.clock = clock
        self.near, self.far = PipeLink.pair(clock, "end://cti", latency_s=0.001)
        server.connect(self.far)
        self.driver = CstaDriver(self.near, clock, options or {})
        self.states: list[str] = []
        self.events: list[CtiEvent] = []
        self.traced: list[tuple[str, float, bytes]] = []
        self.driver.subscribe(self.events.append)
        self.driver.trace(lambda *message: self.traced.append(message))
        self.driver.start(lambda: self.states.append("up"), lambda reason: self.states.append(f"down: {reason}"))

    def ask(self, service, within_s=10.0, **arguments) -> Response:
        answers: list[Response] = []
        self.driver.request(service, answers.append, **arguments)
        assert not answers, "answered from inside request()"
        self.clock.wait_for(lambda: answers, within_s)
        (answer,) = answers
        return answer


@pytest.fixture
def clock():
    return SimClock()


@pytest.fixture
def pbx():
    return PbxStub()


@pytest.fixture
def server(pbx, clock):
    return CstaServer(pbx, clock)


@pytest.fixture
def bench(clock, server):
    bench = Bench(clock, server)
    clock.sleep(0.1)
    return bench


def test_session_opens_and_says_what_the_pbx_can_do(clock, pbx):
    few = frozenset({Capability.MONITOR, Capability.LOCK_PREFIX})
    bench = Bench(clock, CstaServer(pbx, clock, few))
    assert not bench.driver.up
    assert bench.driver.capabilities == frozenset()

    clock.sleep(0.1)

    assert bench.states == ["up"]
    assert bench.driver.capabilities == few


@pytest.mark.req("DRV-CTI.1")
@pytest.mark.parametrize(
    ("service", "arguments", "asked"),
    [
        (Service.MAKE_CALL, {"calling": "1001", "called": "0555*12#"}, ("1001", "0555*12#")),
        (Service.ANSWER_CALL, {"device": "1001", "call_id": "42"}, ("1001", "42")),
        (Service.CLEAR_CONNECTION, {"device": "1001", "call_id": "42"}, ("1001", "42")),
        (Service.HOLD_CALL, {"device": "1001", "call_id": "42"}, ("1001", "42")),
        (Service.RETRIEVE_CALL, {"device": "1001", "call_id": "42"}, ("1001", "42")),
        (Service.GENERATE_DIGITS, {"device": "1001", "call_id": "42", "digits": "7#"}, ("1001", "42", "7#")),
        (Service.LOCK, {"device": "1001", "variant": "notify"}, ("1001", "notify", "")),
        (Service.UNLOCK, {"device": "1001"}, ("1001",)),
    ],
    ids=lambda value: str(value) if isinstance(value, Service) else "",
)
def test_each_service_reaches_the_pbx(bench, pbx, service, arguments, asked):
    answer = bench.ask(service, **arguments)

    assert answer.ok
    assert pbx.asked == [(str(service), *asked)]


def test_answers_carry_what_the_pbx_said(bench):
    assert bench.ask(Service.MAKE_CALL, calling="1001", called="0555").call_id == "42"
    snapshot = bench.ask(Service.SNAPSHOT_DEVICE, device="1001")
    assert snapshot.lock_state == "LOCKED"
    assert snapshot.calls == ({"call_id": "42", "state": "connected", "calling": "1001", "called": "0555"},)


def test_a_refusal_carries_its_reason(bench, pbx):
    pbx.refuse = "unknown_extension"
    assert bench.ask(Service.MONITOR_START, device="77").error == "unknown_extension"


@pytest.mark.req("DRV-CTI.1")
def test_a_session_hears_its_own_monitors_only(clock, server, pbx, bench):
    other = Bench(clock, server)
    clock.sleep(0.1)
    monitor_id = bench.ask(Service.MONITOR_START, device="1001").monitor_id
    other.ask(Service.MONITOR_START, device="1002")

    pbx.emit(CtiEvent(EventKind.DELIVERED, 0.0, "1001", "9", "1003", "1001", "newCall"))
    clock.sleep(0.1)

    assert [(event.kind, event.device, event.monitor_id) for event in bench.events] == [
        (EventKind.DELIVERED, "1001", monitor_id)
    ]
    assert other.events == []


def test_a_stopped_monitor_is_silent(clock, bench, pbx):
    monitor_id = bench.ask(Service.MONITOR_START, device="1001").monitor_id
    assert bench.ask(Service.MONITOR_STOP, monitor_id=monitor_id).ok

    pbx.emit(CtiEvent(EventKind.DELIVERED, 0.0, "1001"))
    clock.sleep(0.1)

    assert bench.events == []
    assert pbx.monitors == {}


def test_one_session_cannot_stop_anothers_monitor(clock, server, pbx, bench):
    other = Bench(clock, server)
    clock.sleep(0.1)
    monitor_id = bench.ask(Service.MONITOR_START, device="1001").monitor_id

    assert other.ask(Service.MONITOR_STOP, monitor_id=monitor_id).error == "unknown_monitor"
    assert pbx.monitors == {monitor_id: "1001"}


def test_monitors_end_with_their_link(clock, bench, pbx):
    bench.ask(Service.MONITOR_START, device="1001")

    bench.driver.close()
    clock.sleep(0.1)

    assert pbx.monitors == {}


def test_a_request_that_nobody_answers_ends_after_five_seconds(clock, bench):
    bench.near.cut()
    start_s = clock.now_s()

    answer = bench.ask(Service.MAKE_CALL, calling="1001", called="0555")

    assert answer.error == "timeout"
    assert clock.now_s() - start_s == pytest.approx(5.0, abs=0.01)


def test_an_answer_that_comes_too_late_is_not_given_twice(clock, bench, pbx):
    pbx.answer_delay_s = 7.0
    answers: list[Response] = []
    bench.driver.request(Service.MAKE_CALL, answers.append, calling="1001", called="0555")

    clock.sleep(20.0)

    assert [answer.error for answer in answers] == ["timeout"]


def test_a_slow_pbx_still_answers(clock, bench, pbx):
    pbx.answer_delay_s = 3.0
    start_s = clock.now_s()

    assert bench.ask(Service.MAKE_CALL, calling="1001", called="0555").ok
    assert clock.now_s() - start_s == pytest.approx(3.0, abs=0.01)


def test_a_lost_link_answers_what_was_asked_and_all_that_follows(clock, bench):
    answers: list[Response] = []
    bench.near.cut()
    bench.driver.request(Service.MAKE_CALL, answers.append, calling="1001", called="0555")
    bench.near.mend()
    bench.far.close()
    clock.sleep(0.1)

    assert [answer.error for answer in answers] == ["link down"]
    assert bench.states == ["up", "down: the far end closed"]
    assert not bench.driver.up
    assert bench.ask(Service.HOLD_CALL, device="1001", call_id="42").error == "link down"


def test_a_pbx_that_never_answers_the_opening_is_down(clock, pbx):
    near, _ = PipeLink.pair(clock, "end://cti")
    states: list[str] = []
    CstaDriver(near, clock, {}).start(lambda: states.append("up"), states.append)

    clock.sleep(6.0)

    assert states == ["no answer to RequestSystemStatus (timeout)"]


def test_garbage_from_the_pbx_ends_the_link(clock, bench):
    bench.far.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    clock.sleep(0.1)

    assert len(bench.states) == 2
    assert "bad CSTA header" in bench.states[1]


def test_garbage_from_a_client_closes_its_link_only(clock, server, bench):
    near, far = PipeLink.pair(clock, "end://cti")
    server.connect(far)
    lost: list[str] = []
    near.attach(lambda data: None, lost.append)

    near.send(b"GET / HTTP/1.1\r\n\r\n")
    clock.sleep(0.1)

    assert lost
    assert bench.ask(Service.MAKE_CALL, calling="1001", called="0555").ok


def test_a_request_the_server_does_not_know_is_refused(clock, server):
    near, far = PipeLink.pair(clock, "end://cti")
    server.connect(far)
    got: list[bytes] = []
    near.attach(got.append, lambda reason: None)

    near.send(Frame(17, b"<GetDoNotDisturb/>").to_bytes())
    clock.sleep(0.1)

    assert b"serviceNotSupported" in got[0]
    assert got[0][4:8] == b"0017"


def test_lock_by_prefix_is_done_when_the_pbx_reports_it(clock, bench, pbx):
    bench.ask(Service.MONITOR_START, device="1001")
    answers: list[Response] = []
    bench.driver.request(Service.LOCK, answers.append, device="1001", variant="prefix", prefix="*66")
    clock.sleep(0.5)
    assert answers == []
    assert pbx.asked[-1] == ("MakeCall", "1001", "*66")

    pbx.emit(CtiEvent(EventKind.LOCKED, 0.0, "1001"))
    clock.sleep(0.1)

    assert [(answer.error, answer.lock_state) for answer in answers] == [("", "LOCKED")]


def test_lock_by_prefix_fails_when_its_call_ends_without_a_lock(clock, bench, pbx):
    bench.ask(Service.MONITOR_START, device="1001")
    answers: list[Response] = []
    bench.driver.request(Service.LOCK, answers.append, device="1001", variant="prefix", prefix="*66")
    clock.sleep(0.1)

    pbx.emit(CtiEvent(EventKind.FAILED, 0.0, "1001", "42", cause="blocked"))
    clock.sleep(0.1)

    assert [answer.error for answer in answers] == ["blocked"]


def test_the_trace_has_every_frame_of_both_directions(bench):
    bench.ask(Service.MAKE_CALL, calling="1001", called="0555")

    assert [direction for direction, _, _ in bench.traced] == ["out", "in", "out", "in"]
    assert b"<MakeCall " in bench.traced[2][2]
    assert b"<MakeCallResponse " in bench.traced[3][2]


def test_a_heartbeat_finds_a_cut_wire(clock, server):
    bench = Bench(clock, server, {"heartbeat_s": 10.0})
    clock.sleep(30.0)
    assert bench.states == ["up"]

    bench.near.cut()
    clock.sleep(20.0)

    assert bench.states == ["up", "down: no answer to RequestSystemStatus (timeout)"]
