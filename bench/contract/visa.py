"""The contracts of :mod:`offhook.drivers.visa`: what every instrument does, and what meter, scope and generator do."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import NotAllowed
from offhook.drivers.visa import Generator, Instrument, Meter, Scope

WINDOW_S = 0.2
TOO_LOUD_DBM = 20.0
"""More than any station file may allow."""


class InstrumentContract:
    """Fixtures to give: ``clock``, and ``instrument``, opened and not connected."""

    def test_connect_says_what_it_is(self, instrument: Instrument) -> None:
        assert instrument.connect()

    def test_connecting_again_finds_the_same(self, instrument: Instrument) -> None:
        assert instrument.connect() == instrument.connect()
        assert instrument.late_replies == ()

    def test_it_says_again_who_it_is(self, instrument: Instrument) -> None:
        assert instrument.connect() == instrument.check_identity()

    def test_it_may_be_closed_and_connected_again(self, instrument: Instrument) -> None:
        before = instrument.connect()
        instrument.close()
        instrument.close()
        assert instrument.connect() == before

    def test_safe_may_be_repeated(self, instrument: Instrument) -> None:
        instrument.connect()
        instrument.safe()
        instrument.safe()


class MeterContract(InstrumentContract):
    """Of a meter. Its ``instrument`` is one; what its leads are at stays as it is meanwhile."""

    def test_readings_carry_unit_range_uncertainty_and_time(self, instrument: Meter, clock: Clock) -> None:
        instrument.connect()
        before_s = clock.now_s()
        for read, unit in (
            (instrument.voltage_dc, "V"),
            (instrument.voltage_ac, "V"),
            (instrument.current_dc, "A"),
        ):
            reading = read()
            assert reading.unit == unit
            assert reading.range > 0
            assert 0 < reading.u <= 0.1 * reading.range
            assert before_s <= reading.time_s <= clock.now_s()

    def test_one_voltage_read_twice_is_the_same(self, instrument: Meter) -> None:
        instrument.connect()
        once, again = instrument.voltage_dc(), instrument.voltage_dc()
        assert abs(once.value - again.value) <= once.u + again.u


class ScopeContract(InstrumentContract):
    """Of a scope. Its ``instrument`` is one."""

    def test_a_record_is_as_long_as_asked_for(self, instrument: Scope) -> None:
        instrument.connect()
        trace = instrument.capture(1, 20.0, WINDOW_S)
        assert trace.volts.size * trace.step_s == pytest.approx(WINDOW_S, rel=0.02)
        assert np.all(np.isfinite(trace.volts))

    def test_what_no_scope_does_is_refused(self, instrument: Scope) -> None:
        instrument.connect()
        for channel, volts, window_s in ((0, 1.0, 0.1), (1, 0.0, 0.1), (1, 1.0, 0.0), (1, float("nan"), 0.1)):
            with pytest.raises(ValueError, match="no such record"):
                instrument.capture(channel, volts, window_s)


class GeneratorContract(InstrumentContract):
    """Of a generator. Its ``instrument`` is one. Nothing is put on the line."""

    def test_what_is_too_loud_is_refused_before_anything_is_sent(self, instrument: Generator) -> None:
        instrument.connect()
        for level_dbm in (TOO_LOUD_DBM, float("nan")):
            with pytest.raises(NotAllowed):
                instrument.sine(1000.0, level_dbm)
            with pytest.raises(NotAllowed):
                instrument.noise(level_dbm)
