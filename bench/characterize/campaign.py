"""Batches in worker processes, tallies in a file: the same results for any number of workers, or after a kill."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from offhook.bench.characterize.receivers import open_receiver
from offhook.bench.characterize.stimulus import Condition, make
from offhook.bench.characterize.store import Key, Results
from offhook.bench.characterize.tally import Tally, add, compare
from offhook.drivers.errors import DeviceError

Progress = Callable[[int, int], None]


def run_batch(receiver: str, condition: Condition, campaign: int, batch: int) -> dict[str, Any]:
    """One batch through one receiver, as the fields of a tally; what a worker process does."""
    made = make(condition, campaign, batch)
    return asdict(compare(made.sent, open_receiver(receiver).decode(made.samples)))


@dataclass(frozen=True)
class Unit:
    """One piece of work for a worker: its key in the results, and a function of a module with its arguments."""

    key: Key
    function: Callable[..., dict[str, Any]]
    arguments: tuple[Any, ...]


class Campaign:
    """Runs what is missing and adds up. Use as a context manager: it owns the worker processes and the results file."""

    def __init__(self, folder: Path, seed: int = 1, workers: int = 1, progress: Progress | None = None) -> None:
        self.seed = seed
        self.results = Results(folder, seed)
        self.done = self.planned = 0
        self._progress = progress
        self._pool = _pool(workers) if workers > 1 else None

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self.results.close()

    def run(self, cells: Sequence[tuple[str, Condition]], batches: int, first: int = 0) -> list[Tally]:
        """Tallies of (receiver, condition) cells over batches ``first`` to ``first + batches``, in the order given."""
        units = [
            Unit((name, cell.cell, batch), run_batch, (name, cell, self.seed, batch))
            for name, cell in cells
            for batch in range(first, first + batches)
        ]
        tallies = iter([Tally(**found) for found in self.compute(units)])
        return [add(next(tallies) for _ in range(batches)) for _ in cells]

    def compute(self, units: Sequence[Unit]) -> list[dict[str, Any]]:
        """What each unit finds, in their order; what the results hold already is not computed again."""
        wanted = {unit.key: unit for unit in units}
        known = {key: found for key in wanted if (found := self.results.get(key)) is not None}
        missing = [unit for key, unit in wanted.items() if key not in known]
        self._count(planned=len(missing))
        for unit, found in self._computed(missing):
            self.results.put(unit.key, found)
            known[unit.key] = found
            self._count(done=1)
        return [known[unit.key] for unit in units]

    def _count(self, planned: int = 0, done: int = 0) -> None:
        self.planned += planned
        self.done += done
        if self._progress is not None:
            self._progress(self.done, self.planned)

    def _computed(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, dict[str, Any]]]:
        if self._pool is None:
            for unit in units:
                yield unit, unit.function(*unit.arguments)
            return
        running = {self._pool.submit(unit.function, *unit.arguments): unit for unit in units}
        waiting = set(running)
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running[future], _result(future, running[future].key[0])


def _result(future: Future[dict[str, Any]], receiver: str) -> dict[str, Any]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise DeviceError(
            receiver, "decode", "a worker process died", "the same command again: what was done is kept"
        ) from None


def _pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes, one BLAS thread each: a fork of a process with threads is not safe."""
    with _one_thread():
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet)
        for _ in range(workers):
            pool.submit(os.getpid)  # starts them now, while the setting holds
    return pool


def _quiet() -> None:
    """Ctrl-C is the parent's business: it ends the workers in order."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before
