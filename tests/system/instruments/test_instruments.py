"""Instruments over a raw socket, HiSLIP and a serial line, at the line of a simulated phone in another process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from offhook.bench.station import Rig
from offhook.bench.station_model import ref
from offhook.drivers.errors import DeviceRefused, NotAllowed

RATE_HZ = 8000


def hook(rig: Rig, phone: str, lifted: bool) -> None:
    board, relay = ref(rig.model.phone[phone].hook.contact)
    rig.relays[board].set(relay, lifted)
    rig.clock.sleep(0.5)


@pytest.mark.req("DRV-VISA.1", "DRV-VISA.2")
def test_lifting_the_hook_changes_what_the_meter_reads(rig: Rig) -> None:
    """47 CFR 68 and the line's model: 48 V -3/+3 V on hook, 4 to 15 V and 18 to 42 mA off hook."""
    meter = rig.instruments["meter"]

    hook(rig, "desk-1", False)
    idle_v, idle_a = meter.voltage_dc(), meter.current_dc()
    hook(rig, "desk-1", True)
    try:
        busy_v, busy_a = meter.voltage_dc(), meter.current_dc()
    finally:
        hook(rig, "desk-1", False)

    assert -52 < idle_v.value < -44
    assert abs(idle_a.value) < 0.001
    assert -15 < busy_v.value < -4
    assert 0.018 <= busy_a.value <= 0.043
    assert (idle_v.unit, idle_a.unit) == ("V", "A")
    assert (idle_v.range, busy_v.range) == (100.0, 100.0 if busy_v.value < -12 else 10.0)
    assert meter.voltage_dc().value == pytest.approx(idle_v.value, abs=0.05)


@pytest.mark.req("DRV-VISA.2")
def test_ringing_is_seen_by_meter_and_scope(rig: Rig) -> None:
    meter, scope = rig.instruments["meter"], rig.instruments["scope"]
    pad = rig.relays["keys2"]
    pin = ref(str(rig.model.phone["desk-1"].ring))
    hook(rig, "desk-2", True)
    rig.clock.sleep(1.0)
    try:
        for row, column in ((0, 4), (3, 5), (3, 5), (0, 4)):  # 1 0 0 1
            for closed in (True, False):
                for relay in (row, column):
                    pad.set(relay, closed)
                rig.clock.sleep(0.12)
        assert rig.clock.wait_for(lambda: rig.senses[pin.board].active(pin.number), 15.0)
        ringing, freq = meter.voltage_ac(), meter.frequency()
        rig.clock.wait_for(lambda: not rig.senses[pin.board].active(pin.number), 10.0)
        rig.clock.sleep(0.2)
        pause = meter.voltage_ac()
        rig.clock.wait_for(lambda: rig.senses[pin.board].active(pin.number), 10.0)
        trace = scope.capture(1, 50.0, 0.5)
    finally:
        hook(rig, "desk-2", False)

    assert 70 < ringing.value < 95
    assert freq.value == pytest.approx(20.0, abs=0.1)
    assert freq.unit == "Hz"
    assert pause.value < 1.0
    alternating = trace.volts - trace.volts.mean()
    assert trace.volts.mean() == pytest.approx(-48, abs=5)
    assert np.sqrt(np.mean(alternating**2)) == pytest.approx(ringing.value, rel=0.05)
    spectrum = np.abs(np.fft.rfft(alternating))
    assert np.argmax(spectrum) / (alternating.size * trace.step_s) == pytest.approx(20.0, abs=1.0)


def test_the_generator_is_heard_in_the_handset_and_then_is_not(rig: Rig) -> None:
    generator, port = rig.instruments["generator"], rig.audio["rack"]
    hook(rig, "desk-1", True)
    try:
        generator.sine(1700.0, -12.0)
        rig.clock.sleep(1.0)
        now = port.now_frame()
        heard = _presence(port.take(now - 4000, now)[0], 1700.0)
        generator.safe()
        rig.clock.sleep(1.0)
        now = port.now_frame()
        after = _presence(port.take(now - 4000, now)[0], 1700.0)
    finally:
        hook(rig, "desk-1", False)

    assert heard > 50 * max(after, 1.0)


def _presence(samples: np.ndarray, freq_hz: float) -> float:
    phasor = np.exp(-2j * np.pi * freq_hz / RATE_HZ * np.arange(samples.size))
    return float(2 * abs(np.dot(samples, phasor)) / samples.size)


def test_a_generator_never_sends_more_than_its_station_file_says(rig: Rig) -> None:
    generator = rig.instruments["generator"]
    with pytest.raises(NotAllowed, match="-8 dBm into a line that may get -9 dBm"):
        generator.sine(1000.0, -8.0)


def driver(rig: Rig, name: str) -> Any:
    """What speaks to it, behind a generator's gate."""
    instrument = rig.instruments[name]
    return getattr(instrument, "inner", instrument)


@pytest.mark.parametrize("name", ["meter", "scope", "generator"])
def test_an_unknown_command_is_refused_with_the_words_of_the_instrument(rig: Rig, name: str) -> None:
    instrument = driver(rig, name)
    with pytest.raises(DeviceRefused, match=r'SENS:NONSENSE 1 at .* -113,"Undefined header'):
        instrument.command("SENS:NONSENSE 1")
    assert instrument.errors() == []


@pytest.mark.parametrize("name", ["meter", "scope", "generator"])
def test_an_unknown_query_is_refused_and_the_next_one_gets_its_own_answer(rig: Rig, name: str) -> None:
    instrument = driver(rig, name)
    with pytest.raises(DeviceRefused, match="Undefined header"):
        instrument.ask("FOO?")
    assert instrument.ask("*IDN?").startswith("Offhook,SIM-")
    assert instrument.ask("SYST:VERS?") == "1999.0"
