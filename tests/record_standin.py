"""A clock that is set by hand, a sound card that is fed by hand, and a run recorded with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from offhook import dsp
from offhook.bench.record import Judgement, RunRecord, Verdict

RATE_HZ = 8000
BLOCK = 160


class HandClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the record must not wait: {name}")


class HandPort:
    """An audio port whose blocks are pushed in."""

    rate_hz = RATE_HZ

    def __init__(self, channels: int = 2) -> None:
        self.channels = channels
        self.listeners: list[Callable[[int, np.ndarray], None]] = []

    def subscribe(self, on_block: Callable[[int, np.ndarray], None]) -> Callable[[], None]:
        self.listeners.append(on_block)
        return lambda: self.listeners.remove(on_block)

    def time_of_s(self, frame: int) -> float:
        return frame / self.rate_hz

    def push(self, start_s: float, samples: np.ndarray, channel: int = 0) -> float:
        """Play samples (n,) on one channel in 20 ms blocks; returns when they end."""
        first = round(start_s * self.rate_hz)
        padded = np.zeros(-(-len(samples) // BLOCK) * BLOCK, np.int16)
        padded[: len(samples)] = samples
        for offset in range(0, len(padded), BLOCK):
            block = np.zeros((self.channels, BLOCK), np.int16)
            block[channel] = padded[offset : offset + BLOCK]
            for listener in list(self.listeners):
                listener(first + offset, block)
        return start_s + len(padded) / self.rate_hz

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the recorder must not use {name}")


class Bench:
    """A run being recorded: ``record``, ``clock``, ``port`` (wires "ear" and "ivr")."""

    def __init__(self, runs: Path, meta: dict[str, Any] | None = None) -> None:
        self.clock = HandClock()
        self.port = HandPort()
        self.record = RunRecord.create(runs, self.clock, {"grade": "SIMULATED", "region": "US"} | (meta or {}))  # type: ignore[arg-type]
        self.record.record_audio(self.port, {0: "ear", 1: "ivr"})  # type: ignore[arg-type]

    @contextmanager
    def attempt(self, nodeid: str = "test_x.py::test_x", until_s: float = 100.0) -> Iterator[RunRecord]:
        with self.record.attempt(nodeid, "a test", "x", ["ASSOC-S1.1"]):
            yield self.record
            self.clock.time_s = until_s

    def key(self, digits: str, start_s: float, channel: int = 0) -> float:
        return self.port.push(start_s, digits_audio(digits), channel)

    def judge(self, kind: str, **spec: Any) -> Judgement:
        return self.record.judge("ASSOC-S1.1", "a rule", kind, **spec)

    def see(self, kind: str, time_s: float, u_s: float = 0.0, subject: str = "desk-1", **data: Any) -> int:
        return self.record.observe("C", "cti", kind, subject, time_s, u_s, **data)


def digits_audio(digits: str) -> np.ndarray:
    return dsp.to_int16(dsp.encode(digits, RATE_HZ))


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def is_pass(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.PASS
