"""Whole simulated stations, opened as a run opens them, with faults switched on at the far end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broken import FAULTS

from offhook.bench.devices import Station
from offhook.bench.record import RunRecord, RunResult, Verdict
from offhook.bench.session import Wanted, opened
from offhook.bench.station import Rig
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
        with opened(Wanted(seed=seed, faults=[*faults, *FAULTS], runs=self._folder / "runs")) as session:
            session.record.begin("test", "test", "test")
            session.station.begin()
            plant = session.rig.wires.plant  # type: ignore[attr-defined]
            yield Lab(session.station, session.record, session.rig, plant)
            session.record.finish(Verdict.PASS)
