"""Drivers on real wires to devices in another process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wires_bench import Bench

from offhook.drivers.clock import Clock


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def clock(bench: Bench) -> Clock:
    return bench.wires.clock
