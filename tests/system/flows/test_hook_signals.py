"""Hook flash and pulse dialling at a phone of the station: at its contact, on its line, and on record."""

from __future__ import annotations

import pytest
from lab import LabBuilder

from offhook.drivers.errors import NotAllowed

FLASH_S = 0.2
"""What this line takes for a flash: at least 80 ms, and less than its 350 ms for on hook."""


@pytest.mark.req("DRV-SER.2")
def test_a_flash_is_seen_by_the_line_as_one_and_is_on_record(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk = lab.station.phone("desk-2")
        desk.lift()
        assert desk.hears_dial_tone()
        line = lab.plant.room.phones["desk-2"]._line
        before = line.flashes  # type: ignore[attr-defined]
        done = desk.flash(FLASH_S)
        lab.station.clock.sleep(1.0)
        assert line.flashes == before + 1  # type: ignore[attr-defined]
        assert desk.off_hook
        (seen,) = lab.station.watch.all("hook-break", subject="desk-2")
        assert seen.data["length_s"] == pytest.approx(done.length_s)
        assert seen.data["asked_s"] == FLASH_S
        desk.hang_up()


@pytest.mark.req("DRV-SER.2")
def test_pulses_reach_the_hook_sensor_as_they_were_sent(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk = lab.station.phone("desk-2")
        desk.lift()
        since_s = lab.station.clock.now_s()
        trains = desk.pulse_dial("1003")
        lab.station.clock.sleep(0.1)
        assert [len(train.breaks) for train in trains] == [1, 10, 10, 3]
        opened = [seen.time_s for seen in lab.station.watch.all("hook", since_s, "desk-2", active=False)]
        asked = [one.opened_s for train in trains for one in train.breaks]
        assert opened == pytest.approx(asked, abs=0.012)
        desk.hang_up()


def test_numbers_that_are_not_allowed_are_not_pulsed_either(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk = lab.station.phone("desk-2")
        desk.lift()
        with pytest.raises(NotAllowed):
            desk.pulse_dial("112")
        assert not list(lab.station.watch.all("hook-break"))
        desk.hang_up()


def test_the_hook_sensor_is_what_was_observed_of_its_relay(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk = lab.station.phone("desk-1")
        desk.lift()
        state = lab.rig.relays["keys1"].states[8]
        assert (state.commanded, state.observed) == (True, True)
        assert state.agrees
        desk.hang_up()
