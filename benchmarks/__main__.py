"""What ``make bench`` runs: every quick benchmark in a process of its own, with the command that repeats it.

    python -m benchmarks [NAME ...]

A benchmark is a file in this folder with a ``main``; its figures are what it prints. Nothing here passes or fails on a
figure: speed depends on the machine. The exit code is 1 if a benchmark could not be run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
FIRST = ("station", "world", "associations")
SLOW = ("dsp_meter",)
"""Minutes long: run when named."""
ONE_CORE = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


def benchmarks() -> list[str]:
    """Their names, the whole system first."""
    found = [path.stem for path in sorted(HERE.glob("*.py")) if "\ndef main(" in path.read_text("utf-8")]
    names = [name for name in found if name != Path(__file__).stem]
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


def run(name: str) -> bool:
    """Run one and let it print; False if it failed."""
    print(f"\n{name}: OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/{name}.py", flush=True)
    start_s = time.perf_counter()
    code = subprocess.run([sys.executable, str(HERE / f"{name}.py")], env=ONE_CORE, check=False).returncode
    took_s = time.perf_counter() - start_s
    print(f"({took_s:.0f} s)" if code == 0 else f"{name} ended with {code} after {took_s:.0f} s", flush=True)
    return code == 0


def main() -> int:
    known = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; the quick ones if left out")
    names = parser.parse_args().names
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    broken = [name for name in names or known if (names or name not in SLOW) and not run(name)]
    if not names:
        print(f"\nleft out, minutes long: python -m benchmarks {' '.join(SLOW)}")
    if broken:
        print(f"\ncould not be run: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
