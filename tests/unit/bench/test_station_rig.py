from pathlib import Path

import pytest
from rig_standin import StandInEnd

from offhook.bench.locks import hold
from offhook.bench.safety import SafeReport
from offhook.bench.station import Unreachable, open_rig
from offhook.drivers.errors import Busy, ConfigError, DeviceError, NotAllowed
from offhook.dsp import compiled


def test_every_wire_is_connected_and_named(small: Path, standin: StandInEnd) -> None:
    with open_rig(small, seed=7) as rig:
        assert list(rig.identities) == rig.resources
        assert "Numato" in rig.identities["relay.one"]
        assert rig.role == "R1"
        assert rig.dut.vendor == "v"
        assert standin.asked[0]["seed"] == 7
    assert standin.opened[0].closed


def test_no_kernels_are_compiled_while_a_bench_is_open(
    small: Path, standin: StandInEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After hours of audio they would be worth it, and hold up a bench for longer than its guardian waits."""
    monkeypatch.setattr(compiled._Choice, "heard", 0)
    with open_rig(small):
        assert not compiled.ready(2 * compiled.WORTH_SAMPLES)
    assert compiled.ready(2 * compiled.WORTH_SAMPLES)


def test_hooks_that_rest_on_a_closed_contact_are_put_on_hook(small: Path, standin: StandInEnd) -> None:
    with open_rig(small) as rig:
        rig.clock.sleep(0.1)

        assert standin.opened[0].boards["two"].closed[8]
        assert not rig.senses["arduino"].active(5)


def test_every_dead_wire_is_in_one_error(small: Path, standin: StandInEnd) -> None:
    standin.dead = {"one", "sense", "cti"}

    with pytest.raises(Unreachable) as caught, open_rig(small):
        pytest.fail("opened without three of its wires")

    assert set(caught.value.failures) == {"relay.one", "sense.arduino", "pbx"}
    text = str(caught.value)
    assert "3 of 7 wires do not answer" in text
    line = small.read_text().splitlines().index("[relay.one]") + 1
    assert f"small.toml:{line}  relay.one" in text
    assert standin.opened[0].closed


def test_check_can_open_a_station_with_dead_wires(small: Path, standin: StandInEnd) -> None:
    standin.dead = {"cti"}

    with open_rig(small, require_all=False) as rig:
        assert list(rig.failures) == ["pbx"]
        assert "relay.one" in rig.connected


@pytest.mark.parametrize("error", [ValueError("a mistake"), KeyboardInterrupt(), SystemExit(1)])
@pytest.mark.req("BENCH-RUN.3")
def test_it_is_safe_whatever_ends_it(small: Path, standin: StandInEnd, error: BaseException) -> None:
    def lift_and_end() -> None:
        with open_rig(small) as rig:
            rig.relays["one"].set(8, True)
            raise error

    with pytest.raises(type(error)) as caught:
        lift_and_end()

    assert not any(standin.opened[0].boards["one"].closed)
    assert any("safe state reached and read back" in note for note in caught.value.__notes__)


def test_an_unconfirmed_safe_state_does_not_end_quietly(small: Path, standin: StandInEnd) -> None:
    with pytest.raises(DeviceError, match="SAFE STATE NOT CONFIRMED"), open_rig(small):
        standin.opened[0].boards["one"].lost_answers = 1000


def test_the_report_of_the_safe_state_goes_to_the_recorder(small: Path, standin: StandInEnd) -> None:
    reports: list[SafeReport] = []

    with open_rig(small, on_safe=reports.append):
        pass

    assert [report.ok for report in reports] == [True]


@pytest.mark.usefixtures("standin")
def test_no_relay_closes_any_more_once_the_safe_state_was_read_back(small: Path) -> None:
    refused: list[str] = []

    def late(report: SafeReport) -> None:
        with pytest.raises(NotAllowed, match="safe state"):
            rig.relays["one"].set(4, True)
        refused.append(str(report))

    with open_rig(small, on_safe=late) as rig:
        pass

    assert len(refused) == 1


def test_faults_reach_the_far_end_after_those_of_the_file(small: Path, standin: StandInEnd) -> None:
    small.write_text(small.read_text().replace('end = "standin"', 'end = "standin"\nfaults = ["cut:cti"]'))

    with open_rig(small, faults=["slow-pbx:2"]):
        assert standin.asked[0]["station"]["world"]["faults"] == ["cut:cti", "slow-pbx:2"]


def test_real_wires_have_no_faults_to_switch(small: Path, standin: StandInEnd) -> None:
    text = small.read_text().replace('[world]\nend = "standin"\n', "").replace("end://cloud", "http://127.0.0.1:9")
    small.write_text(text.replace("end://", "tcp://127.0.0.1:1/").replace('"pw"', '"env:HOME"'))

    with pytest.raises(ConfigError, match="no faults to switch"), open_rig(small, faults=["cut:cti"]):
        pytest.fail("opened")


@pytest.mark.req("BENCH-RUN.4")
@pytest.mark.usefixtures("standin")
def test_a_real_time_station_is_used_by_one_run_only(small: Path) -> None:
    with open_rig(small, realtime=True, purpose="a long run"):
        with pytest.raises(Busy, match=r"station small: lock: held by pid .* for a long run"):
            with open_rig(small, realtime=True):
                pytest.fail("two runs on one station")
        with open_rig(small):
            pass  # a simulated world of its own


@pytest.mark.usefixtures("standin")
def test_a_busy_station_is_not_touched(small: Path, standin: StandInEnd) -> None:
    with hold(["station small"], "somebody else"), pytest.raises(Busy), open_rig(small, realtime=True):
        pytest.fail("opened")

    assert standin.opened == []


@pytest.mark.req("BENCH-RUN.8")
def test_a_refused_number_moves_no_relay(small: Path, standin: StandInEnd) -> None:
    moved: list[int] = []
    with open_rig(small) as rig:
        for board in rig.relays.values():
            board.on_switch(lambda relay, *_: moved.append(relay))
        for number in ("112", "0112", "05550199"):
            with pytest.raises(NotAllowed):
                rig.allow(number)
        rig.clock.sleep(1.0)
        assert rig.allow("0 555 0100") == "05550100"
        assert moved == []


def test_an_end_that_cannot_be_loaded_is_named(
    small: Path, standin: StandInEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ImportError("no module named baresip")

    monkeypatch.setattr(standin, "load", broken)

    with pytest.raises(ConfigError, match=r"far end standin: load: .*baresip"), open_rig(small):
        pytest.fail("opened")
