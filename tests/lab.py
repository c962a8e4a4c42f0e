"""Whole simulated stations, opened as a run opens them, with faults switched on at the far end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offhook.bench.devices import Station
from offhook.bench.record import RunRecord, RunResult, Verdict
from offhook.bench.station import Rig, open_rig
from offhook.fixtures.plant import SimulatedPlant


@dataclass
class Lab:
    """A station with its record, and the plant at the far end (which the bench does not know of)."""

    station: Station
    record: RunRecord
    rig: Rig
    plant: SimulatedPlant

    def judged(self) -> RunResult:
        """The verdicts as they stand."""
        return self.record.result()


class LabBuilder:
    """Opens simulated stations in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, faults: Sequence[str] = (), seed: int = 1) -> Iterator[Lab]:
        """A station ready for an attempt."""
        with open_rig("simulated", seed=seed, faults=faults, workdir=self._folder) as rig:
            record = RunRecord.create(self._folder / "runs", rig.clock, {"grade": "SIMULATED", "seed": seed})
            try:
                station = Station(rig, record)
                record.begin("test", "test", "test")
                station.begin()
                yield Lab(station, record, rig, rig.wires.plant)  # type: ignore[attr-defined]
                record.finish(Verdict.PASS)
            finally:
                record.close()
