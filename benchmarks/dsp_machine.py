"""What this machine allows: its name, and how fast one core multiplies, reads and writes."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COLUMNS = 16  # eight frequencies, sine and cosine: 32 flops a sample
RANK = 4  # of the generator's product: two frequencies, sine and cosine


def seconds(job: Callable[[], object]) -> float:
    """CPU seconds of this process: waiting for a core that others use does not count."""
    began = time.process_time()
    job()
    return time.process_time() - began


def alternating(jobs: dict[str, Callable[[], object]], runs: int = 5) -> dict[str, float]:
    """Median seconds of each job, run in turns so that whatever else happens hits them alike."""
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            spent[name].append(seconds(job))
    return {name: statistics.median(each) for name, each in spent.items()}


def cpu_model() -> str:
    """From the kernel; platform.processor() is empty on many systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


@dataclass(frozen=True)
class Limits:
    """Of one core: flops a second of a large float32 product, bytes a second read and written in order."""

    flops: float
    read: float
    write: float

    @classmethod
    def measured(cls) -> Limits:
        square = np.ones((2048, 2048), np.float32)
        product = np.empty_like(square)
        sgemm_s = min(seconds(lambda: np.matmul(square, square, out=product)) for _ in range(5))
        wide = np.ones(1 << 26, np.int16)
        read_s = min(seconds(wide.max) for _ in range(5))
        write_s = min(seconds(lambda: wide.fill(0)) for _ in range(5))
        return cls(2 * 2048**3 / sgemm_s, wide.nbytes / read_s, wide.nbytes / write_s)

    def __str__(self) -> str:
        return (
            f"sgemm {self.flops / 1e9:.0f} GFLOP/s (a bank of eight frequencies over every sample: "
            f"{self.flops / 2 / COLUMNS / 1e6:.0f} Msamples/s), "
            f"reads {self.read / 1e9:.1f} GB/s ({self.read / 2 / 1e6:.0f} Msamples/s of int16), "
            f"writes {self.write / 1e9:.1f} GB/s"
        )

    def receiver_share(self, samples_a_second: float) -> str:
        """Speed as a share of the limit that binds whoever looks at every sample."""
        return _share(samples_a_second, {"sgemm": self.flops / 2 / COLUMNS, "read": self.read / 2})

    def generator_share(self, samples_a_second: float, tone: float) -> str:
        """As above, for int16 audio of which a share is tone."""
        return _share(samples_a_second, {"sgemm": self.flops / 2 / RANK / tone, "write": self.write / 2})


def _share(rate: float, limits: dict[str, float]) -> str:
    name = min(limits, key=lambda each: limits[each])
    return f"{100 * rate / limits[name]:.0f} % of the {name} limit"


def headline() -> Limits:
    """Print the machine, and what it allows."""
    limits = Limits.measured()
    print(f"{cpu_model()}, one core, numpy {np.__version__}")
    print(f"limits: {limits}")
    return limits
