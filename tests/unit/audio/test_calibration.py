"""Calibrations: what is measured on a wire, what is said of it, and which file is trusted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhook.bench import calibrate_store
from offhook.bench.calibrate_levels import dbm, levels_of
from offhook.bench.calibrate_measure import Wire, WireMeter
from offhook.bench.station_grade import grade_of, virtual
from offhook.bench.station_model import StationModel
from offhook.drivers.audio import Samples
from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.errors import ConfigError
from offhook.drivers.links import Grade, PipeLink
from offhook.drivers.visa import Reading
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.simclock import NS, SimClock

RATE_HZ, GRID, CHANNELS = 8000, 160, 3


class Cabled:
    """A sound card whose inputs hear its outputs through a mixing table, in simulated time."""

    def __init__(self, table: np.ndarray, noise: float = 0.0) -> None:
        self.clock = SimClock()
        near, far = PipeLink.pair(self.clock, "end://rack")
        self.queued = np.zeros((CHANNELS, 300 * RATE_HZ))
        self.table, self.noise = table, noise
        self.random = np.random.default_rng(7)
        self.end = AudioPipeEnd(self.clock, RATE_HZ, CHANNELS, self.play, self.mute, 0.0)
        self.end.connect(far)
        self.port = PipeAudio("rack", self.clock, near, RATE_HZ, CHANNELS)
        self._next(0)
        self.port.connect()

    def play(self, channel: int, frame: int, samples: Samples) -> None:
        self.queued[channel, frame : frame + len(samples)] += samples

    def mute(self) -> None:
        self.queued[:, self.clock.now_ns() * RATE_HZ // NS :] = 0

    def _next(self, first: int) -> None:
        self.clock.call_at_ns((first + GRID) * NS // RATE_HZ, lambda: self._render(first))

    def _render(self, first: int) -> None:
        heard = self.table @ self.queued[:, first : first + GRID]
        heard += self.noise * self.random.normal(size=heard.shape)
        self.end.block(first, np.clip(np.rint(heard), -32768, 32767).astype(np.int16))
        self._next(first + GRID)

    def meter(self) -> tuple[WireMeter, list[Wire]]:
        wires = [Wire(name, f"rack/{number}", f"rack/{number}") for number, name in enumerate("abc")]
        return WireMeter(self.clock, {"rack": self.port}, wires), wires


def test_a_wire_of_unity_is_measured_as_one() -> None:
    meter, (wire, *_) = Cabled(np.eye(3)).meter()
    found = meter.measure(wire)
    assert found.lag_ms == pytest.approx(0.0, abs=0.01)
    assert found.gain_db == pytest.approx(0.0, abs=0.01)
    assert found.linearity_db < 0.01
    assert all(abs(db) < 0.01 for db in found.response_db.values())
    assert found.noise_dbfs == -110.0
    assert found.crosstalk_db < -80
    assert found.polarity == 1


def test_gain_crosstalk_polarity_and_noise_are_those_of_the_wire() -> None:
    table = np.array([[-0.5, 0, 0], [0.005, 1, 0], [0, 0, 1]])
    meter, (wire, *_) = Cabled(table, noise=32768 * 10 ** (-70 / 20) / np.sqrt(2)).meter()
    found = meter.measure(wire)
    assert found.gain_db == pytest.approx(-6.02, abs=0.05)
    assert (found.crosstalk_on, found.polarity) == ("b", -1)
    assert found.crosstalk_db == pytest.approx(-40.0, abs=1.0)
    assert found.noise_dbfs == pytest.approx(-70.0, abs=0.5)


def test_a_wire_that_clips_is_not_linear() -> None:
    cabled = Cabled(np.eye(3) * 8)
    meter, (wire, *_) = cabled.meter()
    assert meter.measure(wire).linearity_db > 1.0


def test_swapped_wires_are_louder_elsewhere() -> None:
    meter, (wire, *_) = Cabled(np.eye(3)[[1, 0, 2]]).meter()
    found = meter.measure(wire)
    assert found.crosstalk_on == "b"
    assert found.crosstalk_db > 20


def test_volts_make_dbm() -> None:
    assert dbm(0.7746, 600) == pytest.approx(0.0, abs=0.001)
    assert dbm(0.9487, 900) == pytest.approx(0.0, abs=0.001)
    assert dbm(0.07746, 600) == pytest.approx(-20.0, abs=0.001)
    for volts in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError):
            dbm(volts, 600)


# ---- the file ------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def station(**changes: Any) -> StationModel:
    data: dict[str, Any] = {
        "schema_version": 1,
        "name": "lab 3",
        "role": "R5",
        "dut": {"vendor": "v", "model": "m", "firmware": "f", "serial": "s"},
        "audio": {"rack": {"driver": "sounddevice", "device": "USB", "rate_hz": 8000, "channels": 4}},
        "loop": {"a": {"play": "rack/0", "hear": "rack/1"}},
    }
    return StationModel.model_validate(data | changes)


MEASURED = {"cards": {}, "loops": {}, "channels": {"rack/0": {"play_dbm": 4.0}, "rack/1": {"hear_dbm": 6.0}}}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(tmp_path / "kept"))


def test_a_calibration_is_live_until_its_end() -> None:
    file = calibrate_store.store(station(), MEASURED, NOW, days=30)
    assert file.name == "lab_3.json"
    live = calibrate_store.load(station(), NOW + timedelta(days=29))
    assert live.live
    assert live.data["valid_until_utc"] == "2026-12-21T00:00:00Z"
    late = calibrate_store.load(station(), NOW + timedelta(days=31))
    assert not late.live
    assert "expired on 2026-12-21" in late.state
    assert "offhook calibrate" in late.state


def test_a_station_without_a_loop_is_not_sent_to_a_command_that_cannot_work() -> None:
    assert calibrate_store.load(station(), NOW).state == "none; make one: offhook calibrate lab 3"
    assert calibrate_store.load(station(loop={}), NOW).state == "none; the station has no [loop] to make one by"


def test_what_is_not_as_it_was_made_is_not_trusted() -> None:
    assert "none" in calibrate_store.load(station(), NOW).state
    file = calibrate_store.store(station(), MEASURED, NOW)
    text = file.read_text("utf-8")
    file.write_text(text.replace("4.0", "4.5"), "utf-8")
    assert "altered" in calibrate_store.load(station(), NOW).state
    file.write_text("{", "utf-8")
    assert "cannot be read" in calibrate_store.load(station(), NOW).state
    file.write_text(text, "utf-8")
    card = {"driver": "sounddevice", "device": "another card", "rate_hz": 8000, "channels": 4}
    moved = calibrate_store.load(station(audio={"rack": card}), NOW)
    assert not moved.live
    assert "other sound cards" in moved.state


@pytest.mark.req("DRV-AUD.2")
def test_each_channel_has_its_own_gain() -> None:
    """Full scale is +3.14 dBm0 whatever the card makes of it: 4 dBm out is turned down, 6 dBm in is turned up."""
    calibrate_store.store(station(), MEASURED, NOW)
    gains = calibrate_store.load(station(), NOW).gains("rack", 4)
    assert gains["play_gain_db"] == pytest.approx([-0.86, 0, 0, 0])
    assert gains["hear_gain_db"] == pytest.approx([0, 2.86, 0, 0])
    assert calibrate_store.load(station(), NOW).gains("other", 2) == {}


def test_a_calibration_that_lacks_a_channel_in_use_certifies_nothing() -> None:
    ivr = {"1": {"number": "123", "heard": "rack/2", "spoken": "rack/3"}}
    calibrate_store.store(station(), MEASURED, NOW)
    found = calibrate_store.load(station(ivr=ivr), NOW)
    assert found.lacking(station(ivr=ivr)) == ["rack/2", "rack/3"]
    assert found.on_record(station(ivr=ivr)) is None
    on_record = found.on_record(station())
    assert on_record is not None
    json.dumps(on_record)


# ---- how real the wires are ----------------------------------------------------------------------------------------


class Card:
    def __init__(self, physical: bool) -> None:
        self.physical = physical


@pytest.mark.req("REP-VER.2")
@pytest.mark.parametrize(
    ("changes", "physical", "grade"),
    [
        ({"role": "R4"}, True, Grade.HARDWARE),
        ({"role": "R2"}, True, Grade.HARDWARE),
        ({"role": "R4"}, False, Grade.LOOPBACK),
        ({"role": "R5"}, True, Grade.LOOPBACK),
        ({"role": "R1"}, True, Grade.LOOPBACK),
        ({"role": "R4", "pbx": {"driver": "csta", "link": "tcp://127.0.0.1:5000"}}, True, Grade.LOOPBACK),
        ({"role": "R4", "pbx": {"driver": "csta", "link": "tcp://10.0.0.2:5000"}}, True, Grade.HARDWARE),
        ({"role": "R4", "world": {"end": "simulated"}}, True, Grade.SIMULATED),
    ],
)
def test_only_wires_that_leave_the_machine_are_hardware(changes: dict[str, Any], physical: bool, grade: Grade) -> None:
    assert grade_of(station(**changes), Grade.SIMULATED, [Card(physical)]) is grade


def test_a_port_that_does_not_say_is_no_hardware() -> None:
    assert grade_of(station(role="R4"), Grade.LOOPBACK, [object()]) is Grade.LOOPBACK


@pytest.mark.parametrize("address", ["/dev/pts/3", "tcp://localhost:1", "http://127.0.0.1:80", "loop://"])
def test_addresses_of_this_machine(address: str) -> None:
    assert virtual(address)
    assert not virtual("/dev/serial/by-id/usb-relay")
    assert not virtual("tcp://10.0.3.2:5038")


# ---- by a meter of the station -------------------------------------------------------------------------------------


class Dmm:
    """Across the first wire: what it shows of full scale, and how it bends from -15 dBFS on."""

    def __init__(self, cabled: Cabled, full_scale_v: float, bend: float = 1.0, u: float = 1e-4) -> None:
        self.cabled, self.full_scale_v, self.bend, self.u = cabled, full_scale_v, bend, u

    def check_identity(self) -> str:
        return "a meter"

    def voltage_ac(self) -> Reading:
        now = self.cabled.clock.now_ns() * RATE_HZ // NS
        played = self.cabled.queued[0, now - 400 : now] / 32767
        rms = float(np.sqrt(2 * np.mean(played**2))) * self.full_scale_v
        loud = rms > self.full_scale_v * 10 ** (-15 / 20)
        return Reading(rms * (self.bend if loud else 1.0), "V", 1.0, self.u, 0.0)


@pytest.mark.req("BENCH-CLK.2", "DTMF-MEAS.4")
def test_a_meter_says_what_full_scale_is_at_both_ends() -> None:
    cabled = Cabled(np.diag([0.5, 1, 1]))
    meter, (wire, *_) = cabled.meter()
    found = levels_of(meter, wire, Dmm(cabled, 0.7746), 600)  # type: ignore[arg-type]
    assert found.play_dbm == pytest.approx(0.0, abs=found.u_db)
    assert found.hear_dbm == pytest.approx(6.02, abs=found.u_db)
    assert found.complaint("instrument.m") == ("", "")
    assert set(found.channels(wire, 600)) == {"rack/0"}
    assert {"play_dbm", "hear_dbm", "u_db", "by"} < set(found.channels(wire, 600)["rack/0"])


@pytest.mark.parametrize(("bend", "u", "well"), [(0.999, 1e-4, True), (0.98, 1e-4, False), (0.999, 1e-3, False)])
def test_an_output_that_bends_and_a_meter_too_coarse_are_complained_of(bend: float, u: float, well: bool) -> None:
    cabled = Cabled(np.eye(3))
    meter, (wire, *_) = cabled.meter()
    found = levels_of(meter, wire, Dmm(cabled, 0.7746, bend, u), 600)  # type: ignore[arg-type]
    assert (found.complaint("instrument.m") == ("", "")) is well
