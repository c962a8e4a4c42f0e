"""Batches in worker processes, tallies in a file: the same results for any number of workers, or after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from offhook.bench.characterize import fingerprint
from offhook.bench.characterize.receivers import open_receiver
from offhook.bench.characterize.stimulus import Condition, make
from offhook.bench.characterize.tally import Tally, add, compare
from offhook.drivers.errors import ConfigError, DeviceError

DATABASE = "results.sqlite"
Task = tuple[str, Condition, int]
Progress = Callable[[int, int], None]


def run_batch(receiver: str, condition: Condition, campaign: int, batch: int) -> Tally:
    """One batch through one receiver; what a worker process does."""
    made = make(condition, campaign, batch)
    return compare(made.sent, open_receiver(receiver).decode(made.samples))


class Results:
    """Tallies by (receiver, its code, cell, batch) in SQLite; each is on disk before the next is asked for."""

    def __init__(self, folder: Path, campaign: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / DATABASE
        self.connection = sqlite3.connect(self.path)
        try:
            self.connection.execute("CREATE TABLE IF NOT EXISTS meta (campaign INTEGER NOT NULL)")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS tally (receiver TEXT, code TEXT, cell TEXT, batch INTEGER, "
                "counts TEXT NOT NULL, PRIMARY KEY (receiver, code, cell, batch)) WITHOUT ROWID"
            )
            known = self.connection.execute("SELECT campaign FROM meta").fetchone()
            if known is None:
                self.connection.execute("INSERT INTO meta VALUES (?)", (campaign,))
            elif known[0] != campaign:
                raise ConfigError(
                    str(folder), "resume", f"it holds campaign {known[0]}, not {campaign}", "use another folder"
                )
            self.connection.commit()
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise ConfigError(str(self.path), "open results", str(error), "use another folder") from None
        except ConfigError:
            self.connection.close()
            raise

    def get(self, task: Task) -> Tally | None:
        """What is known of a task."""
        receiver, condition, batch = task
        row = self.connection.execute(
            "SELECT counts FROM tally WHERE receiver = ? AND code = ? AND cell = ? AND batch = ?",
            (receiver, fingerprint.of(receiver), condition.cell, batch),
        ).fetchone()
        return Tally(**json.loads(row[0])) if row else None

    def put(self, task: Task, tally: Tally) -> None:
        """Keep it."""
        receiver, condition, batch = task
        counts = json.dumps(asdict(tally), sort_keys=True)
        self.connection.execute(
            "INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?, ?)",
            (receiver, fingerprint.of(receiver), condition.cell, batch, counts),
        )
        self.connection.commit()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


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
        tasks = list(
            dict.fromkeys((name, cell, batch) for name, cell in cells for batch in range(first, first + batches))
        )
        found = {task: tally for task in tasks if (tally := self.results.get(task)) is not None}
        missing = [task for task in tasks if task not in found]
        self._count(planned=len(missing))
        for task, tally in self._compute(missing):
            self.results.put(task, tally)
            found[task] = tally
            self._count(done=1)
        return [add(found[(name, cell, batch)] for batch in range(first, first + batches)) for name, cell in cells]

    def _count(self, planned: int = 0, done: int = 0) -> None:
        self.planned += planned
        self.done += done
        if self._progress is not None:
            self._progress(self.done, self.planned)

    def _compute(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Tally]]:
        if self._pool is None:
            for task in tasks:
                yield task, run_batch(task[0], task[1], self.seed, task[2])
            return
        running: dict[Future[Tally], Task] = {
            self._pool.submit(run_batch, task[0], task[1], self.seed, task[2]): task for task in tasks
        }
        waiting = set(running)
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running[future], _result(future, running[future][0])


def _result(future: Future[Tally], receiver: str) -> Tally:
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
