"""Instrument drivers without an instrument: names, what is missing, and the simulated SCPI parser."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from offhook.bench.station_file import find_station
from offhook.drivers.clock import WallClock
from offhook.drivers.errors import ConfigError, NotAllowed, Unavailable
from offhook.drivers.visa.dmm import ScpiMeter
from offhook.drivers.visa.generator import ScpiGenerator
from offhook.drivers.visa.names import is_stream, resource_name, without_visa
from offhook.fixtures.instruments import LineProbe, SimGenerator, SimMeter, SimScope
from offhook.fixtures.simclock import SimClock


class Wires:
    def __init__(self) -> None:
        self.clock = WallClock()

    def visa(self, address: str) -> str:
        return address


@pytest.mark.parametrize(
    ("address", "resource", "stream"),
    [
        ("tcp://10.0.3.20:5025", "TCPIP::10.0.3.20::5025::SOCKET", True),
        ("hislip://10.0.3.20", "TCPIP::10.0.3.20::hislip0::INSTR", False),
        ("hislip://meter.lab:4881", "TCPIP::meter.lab::hislip0,4881::INSTR", False),
        ("/dev/ttyUSB0", "ASRL/dev/ttyUSB0::INSTR", True),
        ("COM3", "ASRL3::INSTR", True),
        ("USB0::0x2A8D::0x0101::MY54500001::INSTR", "USB0::0x2A8D::0x0101::MY54500001::INSTR", False),
        ("GPIB0::22::INSTR", "GPIB0::22::INSTR", False),
    ],
)
def test_addresses_become_visa_names(address: str, resource: str, stream: bool) -> None:
    assert resource_name(address) == resource
    assert is_stream(resource) is stream


@pytest.mark.parametrize(
    ("resource", "address"),
    [
        ("TCPIP::10.0.3.20::5025::SOCKET", "tcp://10.0.3.20:5025"),
        ("TCPIP0::10.0.3.20::hislip0::INSTR", "hislip://10.0.3.20:4880/hislip0"),
        ("TCPIP::g.lab::hislip1,4881::INSTR", "hislip://g.lab:4881/hislip1"),
        ("ASRL/dev/ttyUSB0::INSTR", "/dev/ttyUSB0"),
        ("ASRL3::INSTR", "COM3"),
        ("TCPIP::10.0.3.20::INSTR", None),
        ("USB0::0x2A8D::0x0101::MY54500001::INSTR", None),
        ("GPIB0::22::INSTR", None),
    ],
)
def test_where_a_process_without_visa_finds_it(resource: str, address: str | None) -> None:
    assert without_visa(resource) == address


@pytest.mark.parametrize("address", ["10.0.3.20", "tcp://10.0.3.20", "http://10.0.3.20", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="no VISA resource"):
        resource_name(address)


@pytest.mark.req("DRV-VISA.1")
def test_without_pyvisa_an_instrument_is_unavailable_and_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvisa", None)
    wires: Any = Wires()
    meter = ScpiMeter.open("m", {"link": "tcp://127.0.0.1:1"}, wires)
    with pytest.raises(Unavailable, match=r"instrument\.m: load VISA: .*pip install PyVISA"):
        meter.connect()


@pytest.mark.req("DRV-VISA.1")
def test_in_simulated_time_an_instrument_is_unavailable_and_not_broken() -> None:
    class Simulated:
        clock = SimClock()

    wires: Any = Simulated()
    with pytest.raises(Unavailable, match=r"instrument\.m: open: .*simulated time.*--realtime"):
        ScpiMeter.open("m", {"link": "end://m"}, wires)


@pytest.mark.req("DRV-VISA.1")
def test_a_station_whose_instruments_are_unavailable_opens_and_says_so(tmp_path: Any) -> None:
    from offhook.bench.check import check_station
    from offhook.bench.station import open_rig

    text = find_station("instruments").read_text("utf-8").replace("realtime    = true", "realtime    = false")
    file = tmp_path / "still.toml"
    file.write_text(text, "utf-8")
    with open_rig(str(file)) as rig:
        assert set(rig.left_out) == {"instrument.meter", "instrument.scope", "instrument.generator"}
        assert rig.failures == {}
    lines: list[Any] = []
    check_station(str(file), lines.append)
    told = [line for line in lines if line.resource.startswith("instrument.")]
    assert [line.found.split(":")[0] for line in told] == ["not tried"] * 3
    assert all(line.ok for line in lines)


def test_a_generator_refuses_before_it_is_opened() -> None:
    wires: Any = Wires()
    generator = ScpiGenerator.open("g", {"link": "tcp://127.0.0.1:1", "most_dbm": -10.0}, wires)
    for level_dbm in (-9.9, float("inf"), float("nan")):
        with pytest.raises(NotAllowed, match=r"may get -10 dBm"):
            generator.noise(level_dbm)


@pytest.fixture
def meter() -> SimMeter:
    clock = SimClock()
    return SimMeter(clock, LineProbe(clock))


@pytest.mark.parametrize("header", ["MEAS:VOLT:DC?", "meas:volt?", ":MEASure:VOLTage:DC?", "MEASURE:SCALAR:VOLTAGE?"])
def test_short_and_long_forms_are_one_command(meter: SimMeter, header: str) -> None:
    assert abs(float(meter.answer(header))) < 0.01
    assert meter.answer("SYST:ERR?") == b'+0,"No error"'


def test_a_header_in_a_message_goes_on_from_the_one_before(meter: SimMeter) -> None:
    """SCPI-99 volume 1, 6.2.4."""
    assert meter.answer("CONF:VOLT:DC 100;*OPC?") == b"1"
    assert float(meter.answer("SENS:VOLT:DC:NPLC 10;RANG?")) == 100.0
    assert meter.answer("SYST:ERR?;ERR?") == b'+0,"No error";+0,"No error"'


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("MEASU:VOLT?", '-113,"Undefined header'),
        ("NONSENSE", '-113,"Undefined header'),
        ("SAMP:COUN", '-109,"Missing parameter"'),
        ("SAMP:COUN 0", '-222,"Data out of range"'),
        ("SAMP:COUN many", '-104,"Data type error"'),
        ("*RST;FETC?", '-230,"Data corrupt or stale"'),
    ],
)
def test_errors_are_queued_and_nothing_is_answered(meter: SimMeter, message: str, error: str) -> None:
    assert meter.answer(message) == b""
    assert meter.answer("SYST:ERR?").decode().startswith(error)
    assert meter.answer("SYST:ERR?") == b'+0,"No error"'


def test_the_error_queue_overflows_as_the_standard_says(meter: SimMeter) -> None:
    for _ in range(30):
        meter.answer("NONSENSE")
    errors = [meter.answer("SYST:ERR?").decode() for _ in range(21)]
    assert errors[19] == '-350,"Queue overflow"'
    assert errors[20] == '+0,"No error"'


def test_the_frequency_of_nothing_is_not_a_number(meter: SimMeter) -> None:
    assert float(meter.answer("MEAS:FREQ?")) == 9.91e37


def test_a_fixed_range_overloads(meter: SimMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineProbe, "dc_v", property(lambda probe: -48.0))
    assert float(meter.answer("CONF:VOLT:DC 10;:READ?")) == 9.9e37
    assert float(meter.answer("CONF:VOLT:DC AUTO;:READ?")) == pytest.approx(-48, abs=0.1)


def test_a_scope_answers_with_a_block_of_what_it_recorded() -> None:
    clock = SimClock()
    scope = SimScope(clock, LineProbe(clock))
    assert scope.answer("WAV:DATA?") == b""
    scope.answer("SYST:ERR?")
    scope.answer(":CHAN1:SCAL 1;:TIM:SCAL 0.01;:SING")
    assert scope.took_s == pytest.approx(0.1)
    block = scope.answer(":WAV:DATA?")
    assert block[:10] == b"#800002000"
    assert len(block) == 10 + 2000
    fields = scope.answer(":WAV:PRE?").split(b",")
    assert float(fields[4]) == pytest.approx(0.1 / 1000)
    assert scope.answer(":CHAN9:SCAL 1") == b""
    assert b"-114" in scope.answer("SYST:ERR?")


def test_a_generator_is_off_until_told_and_after_reset() -> None:
    clock = SimClock()
    generator = SimGenerator(clock, LineProbe(clock))
    assert generator.answer("OUTP?") == b"0"
    generator.answer("APPL:SIN 1000,-12,0")
    assert generator.answer("OUTP1:STAT?") == b"1"
    generator.answer("*RST")
    assert generator.answer("OUTP1?") == b"0"
    generator.answer("APPL:SIN 1000,60,0")
    assert b"-222" in generator.answer("SYST:ERR?")
