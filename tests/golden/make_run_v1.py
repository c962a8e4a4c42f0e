"""Makes ``run-v1``: a sealed run folder of schema 1, kept so that every later version can still read and judge it.

It was made once; running this again with a later version would defeat its purpose. One attempt keys 4711 and is heard
right, one is heard as 47711, both on one wire of the table of recordings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from unit.reports.synthetic_run import Script, keyed


def main(folder: Path) -> None:
    """Write the run folder ``folder / RUN_ID``."""
    script = Script(folder)
    for name, heard in (("right", "4711"), ("doubled", "47711")):
        script.begin(f"test_code[{name}]", f"the code is keyed, {name}", "assoc", "ASSOC-S27.1")
        keyed(script, "4711", heard)
        script.end()
    script.record.seal()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
