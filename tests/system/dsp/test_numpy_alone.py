"""offhook.dsp needs numpy alone: nothing else is imported with it, and its rooms work without scipy where they can."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
for name in ("scipy", "matplotlib", "click", "rich"):
    sys.modules[name] = None
from offhook import dsp
from offhook.dsp import callerid, impair, measure, stats
audio = impair.Chain(impair.Noise(30.0), impair.ClockSkew(50.0), impair.G711("alaw")).apply(dsp.encode("5"), 8000, 1)
assert measure.digit(audio).key == "5"
assert callerid.decode(callerid.encode(callerid.CallerId("SDMF", number="1")))[0].number == "1"
assert stats.percentiles([1.0]).n == 1
third = {name.partition(".")[0] for name in sys.modules} & {"scipy", "matplotlib", "click", "rich"}
assert all(sys.modules[name] is None for name in third)
"""


def test_numpy_alone() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
