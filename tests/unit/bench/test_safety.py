from collections.abc import Iterator
from pathlib import Path

import pytest
from rig_standin import StandIn, StandInEnd

from offhook.bench.safety import LIMIT_S, make_safe
from offhook.bench.station import Rig, open_rig
from offhook.drivers.cti import Response, Service
from offhook.drivers.errors import NotAllowed


@pytest.fixture
def rig(small: Path, standin: StandInEnd) -> Iterator[Rig]:
    with open_rig(small, on_safe=lambda report: None) as opened:
        yield opened


@pytest.fixture
def far(rig: Rig) -> StandIn:
    assert isinstance(rig.wires, StandIn)
    return rig.wires


def monitor(rig: Rig, device: str) -> None:
    answers: list[Response] = []
    rig.cti.request(Service.MONITOR_START, answers.append, device=device)
    assert rig.clock.wait_for(lambda: bool(answers), 1.0)


@pytest.mark.req("BENCH-RUN.3")
def test_everything_is_made_safe_and_read_back(rig: Rig, far: StandIn) -> None:
    rig.relays["one"].set(8, True)
    rig.relays["one"].set(2, True)
    rig.relays["two"].set(8, False)
    monitor(rig, "1001")
    rig.clock.sleep(0.1)
    assert far.boards["one"].closed[8]

    report = make_safe(rig)

    assert report.ok, str(report)
    assert not any(far.boards["one"].closed)
    assert [relay for relay, closed in enumerate(far.boards["two"].closed) if closed] == [8]
    assert far.muted >= 1
    assert far.pbx.monitors == {}
    assert rig.monitors == {}
    assert report.took_s <= LIMIT_S
    assert {item.resource for item in report.items} == {
        "audio.rack",
        "relay.one",
        "relay.two",
        "pbx",
        "phone.desk",
        "phone.other",
    }
    assert all(item.commanded and item.read_back for item in report.items)


def test_a_contact_that_stays_closed_is_seen_by_the_hook_sensor(rig: Rig, far: StandIn) -> None:
    rig.relays["one"].set(8, True)
    rig.clock.sleep(0.1)
    far.boards["one"].stuck[8] = True

    report = make_safe(rig)

    (broken,) = [item for item in report.items if item.error]
    assert broken.resource == "phone.desk"
    assert "still off hook" in str(report)


def test_a_board_that_reports_another_state_is_named(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    board = rig.relays["one"].inner
    monkeypatch.setattr(board, "read_all", lambda: (False,) * 5 + (True,) + (False,) * 10)

    report = make_safe(rig)

    assert not report.ok
    assert "relay.one: read back: 5 reads closed" in str(report)


def test_a_dead_board_takes_bounded_time_and_keeps_nothing_else_from_being_safe(rig: Rig, far: StandIn) -> None:
    rig.relays["one"].set(8, True)
    rig.relays["two"].set(3, True)
    far.boards["one"].lost_answers = 1000

    report = make_safe(rig)

    assert [item.resource for item in report.items if item.error and item.resource.startswith("relay")] == ["relay.one"]
    assert not far.boards["two"].closed[3]
    assert report.took_s <= LIMIT_S + 0.5


def test_a_pbx_that_keeps_a_monitor_is_reported(rig: Rig, far: StandIn) -> None:
    monitor(rig, "1001")
    far.pbx.stubborn = True

    report = make_safe(rig)

    assert [item.resource for item in report.items if item.error] == ["pbx"]


def test_an_unexpected_error_is_an_item_not_an_exception(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a mistake in a driver")

    with monkeypatch.context() as patched:
        patched.setattr(rig.audio["rack"], "mute", broken)
        report = make_safe(rig)

    assert [item.error for item in report.items if item.error] == ["ZeroDivisionError: a mistake in a driver"]


def test_a_flow_that_still_runs_cannot_close_a_relay_meanwhile(rig: Rig, far: StandIn) -> None:
    refused: list[str] = []

    def stray() -> None:
        for _ in range(100):
            try:
                rig.relays["one"].set(4, True)
            except NotAllowed as error:
                refused.append(str(error))
            rig.clock.sleep(0.001)

    rig.clock.spawn(stray)
    report = make_safe(rig, stay_shut=True)
    rig.clock.sleep(0.5)

    assert report.ok, str(report)
    assert refused
    assert not any(far.boards["one"].closed)


def test_relays_work_again_after_a_safe_state_in_between(rig: Rig, far: StandIn) -> None:
    make_safe(rig)

    rig.relays["one"].set(4, True)
    rig.clock.sleep(0.1)

    assert far.boards["one"].closed[4]
