"""Late, dead, foreign and vanished instruments: what is said of them, and that no reply is taken for another one's."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from offhook.bench import cli
from offhook.bench.station import Unreachable, open_rig
from offhook.drivers.errors import DeviceError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import LabWires
from offhook.drivers.visa.dmm import ScpiMeter

Station = Callable[..., str]
LATE_S, PATIENCE_S = 0.9, 0.5


@pytest.mark.parametrize("wire", ["socket", "serial", "hislip"])
def test_a_late_reply_is_never_the_answer_to_the_next_query(station: Station, wire: str) -> None:
    changed = station(
        {'wire = "socket"': f'wire = "{wire}"', 'model  = "SIM-DMM"': f'model  = "SIM-DMM"\ntimeout_s = {PATIENCE_S}'},
        meter={"late_s": LATE_S, "late_query": "SYST:VERS?"},
    )
    with open_rig(changed, on_safe=lambda report: None) as rig:
        meter = rig.instruments["meter"]
        with pytest.raises(DeviceTimeout, match=r"instrument\.meter") as caught:
            meter.ask("SYST:VERS?")

        assert meter.ask("*IDN?").startswith("Offhook,SIM-DMM")
        assert meter.voltage_dc().value == pytest.approx(-48, abs=5)
        if wire != "hislip":  # a device clear (IVI-6.1) makes the instrument forget it
            assert meter.late_replies == ("1999.0",)
            assert '"1999.0" came later and was thrown away' in str(caught.value)


@pytest.mark.parametrize("wire", ["socket", "serial"])
def test_an_instrument_that_stays_busy_is_a_timeout_until_it_answers_again(station: Station, wire: str) -> None:
    changed = station(
        {'wire = "socket"': f'wire = "{wire}"', 'model  = "SIM-DMM"': 'model  = "SIM-DMM"\ntimeout_s = 0.3'},
        meter={"late_s": 4.0, "late_query": "SYST:VERS?"},
    )
    with open_rig(changed, on_safe=lambda report: None) as rig:
        meter = rig.instruments["meter"]
        start_s = rig.clock.now_s()
        with pytest.raises(DeviceTimeout):
            meter.ask("SYST:VERS?")
        with pytest.raises(DeviceTimeout, match="still does not answer"):
            meter.ask("*IDN?")
        rig.clock.wait_until(start_s + 4.5)

        assert meter.ask("*IDN?").startswith("Offhook,SIM-DMM")


@pytest.mark.req("DRV-VISA.1")
@pytest.mark.parametrize(
    ("key", "written", "real"),
    [("serial", "MY54500001", "SIM-meter"), ("model", "34465A", "SIM-DMM"), ("vendor", "Keysight", "Offhook")],
)
def test_another_instrument_than_the_station_file_names_is_refused(
    station: Station, key: str, written: str, real: str
) -> None:
    old = {"serial": 'serial = "SIM-meter"', "model": 'model  = "SIM-DMM"', "vendor": 'vendor = "Offhook"    '}[key]
    changed = station({old: f'{key} = "{written}"'})
    with pytest.raises(Unreachable) as caught, open_rig(changed, on_safe=lambda report: None):
        pass
    assert list(caught.value.failures) == ["instrument.meter"]
    error = caught.value.failures["instrument.meter"]
    assert isinstance(error, DeviceRefused)
    assert f'the station file says {key} "{written}"' in error.detail
    assert f'{key} = "{real}"' in error.hint


def test_check_says_what_to_try_with_a_dead_and_with_a_foreign_instrument(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = station(
        {'serial = "SIM-scope"': 'serial = "OTHER"', 'model  = "SIM-DMM"': 'model  = "SIM-DMM"\ntimeout_s = 0.5'},
        meter={"dead": True},
    )
    assert cli.execute(["check", changed]) == 2
    lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    failed = {line.split()[1]: (line, lines[at + 1]) for at, line in enumerate(lines) if line.endswith("FAIL")}
    assert set(failed) == {"instrument.meter", "instrument.scope"}
    assert 'query "*IDN?"' in failed["instrument.meter"][0]
    assert "no reply within 0.5 s" in failed["instrument.meter"][0]
    assert "is it switched on, and is that its address?" in failed["instrument.meter"][1]
    assert 'the right link, or serial = "SIM-scope"' in failed["instrument.scope"][1]


def test_check_says_where_the_leads_should_be(station: Station, capsys: pytest.CaptureFixture[str]) -> None:
    """Every instrument answers, and none is at the line that its section names."""
    off = {"leads_off": True}
    assert cli.execute(["check", station(meter=off, scope=off, generator=off)]) == 2
    lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    failed = {line.split()[1]: lines[at + 1].strip() for at, line in enumerate(lines) if line.endswith(" FAIL")}
    assert failed == {
        "instrument.meter": "no battery: are its leads at the line of desk-1, and is the line in service?",
        "instrument.scope": "is the probe of channel 1 at the line of desk-1, and its factor set?",
        "instrument.generator": "is its output at the line of desk-1?",
    }


def test_check_of_the_shipped_station_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "instruments"]) == 0
    out = capsys.readouterr().out
    assert "V on hook, " in out
    assert "its tone of -20 dBm is heard at rack/0" in out
    assert "not tried" not in out


@pytest.fixture
def wires() -> Iterator[LabWires]:
    wires = LabWires()
    yield wires
    wires.close()


@pytest.mark.parametrize("scheme", ["tcp", "hislip"])
def test_nobody_there_is_said_with_the_resource(wires: LabWires, scheme: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meter = ScpiMeter.open("m", {"link": f"{scheme}://127.0.0.1:{port}", "timeout_s": 0.5}, wires)
    with pytest.raises(DeviceError, match=r"instrument\.m: .*TCPIP::127\.0\.0\.1::.*try:"):
        meter.connect()
    meter.close()


def test_a_serial_port_that_is_not_there_is_gone(wires: LabWires) -> None:
    meter = ScpiMeter.open("m", {"link": "/dev/serial/by-id/none"}, wires)
    with pytest.raises(DeviceGone, match=r"instrument\.m: open at ASRL/dev/serial/by-id/none::INSTR"):
        meter.connect()


def test_an_instrument_that_hangs_up_is_opened_anew(wires: LabWires) -> None:
    """It answers one query a connection, and closes."""
    server = socket.create_server(("127.0.0.1", 0))
    connections: list[int] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            connections.append(1)
            with peer, peer.makefile("rb") as lines:
                for line in lines:
                    if line == b"*IDN?\n" and len(connections) == 1:
                        peer.sendall(b"A,B,1,1\n")
                        break
                    if line == b"*IDN?\n":
                        peer.sendall(b"A,B,1,1\n")
                    elif line.startswith(b"*ESE ") and line.endswith(b";*ESE?\n"):
                        peer.sendall(line.split()[1].split(b";")[0] + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        options = {"link": f"tcp://127.0.0.1:{server.getsockname()[1]}", "vendor": "A", "timeout_s": 0.4}
        meter = ScpiMeter.open("m", options, wires)
        assert meter.connect() == "A, B, 1, 1"
        time.sleep(0.1)
        with pytest.raises(DeviceError, match=r"instrument\.m"):
            meter.ask("*IDN?")
        assert meter.ask("*IDN?") == "A,B,1,1"
        meter.close()
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
    assert len(connections) == 2
