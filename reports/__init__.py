"""Turns a run folder into ``results.json``, ``junit.xml``, ``report.pdf`` and ``report.html``.

The folder is the only source: verdicts are recomputed from its tables and WAV files, files are checked against its
manifest, and the same folder gives the same files, byte for byte.

====================  ===============================================================
:func:`render`        writes the four files and returns their paths
``folder``            reads a run folder (sealed, or left behind by a killed run)
``summary``           counts, requirement lines, figures closest to their limits
``explain``           expected, heard, where to listen, what to try
``ladder``, ``wave``  the call as a picture on one time axis
====================  ===============================================================
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offhook.bench.record import RunResult

__all__ = ["render", "rendered"]


def render(run_dir: Path) -> list[Path]:
    """The same, for who only wants the paths. Raises ConfigError if the folder is not a run that can be read."""
    return rendered(run_dir)[0]


def rendered(run_dir: Path) -> tuple[list[Path], RunResult]:
    """Write ``results.json``, ``junit.xml``, ``report.pdf`` and ``report.html`` into a run folder.

    Returns their paths, and the run as it was judged for them.

    Raises ConfigError if the folder is not a run folder that can be read, and Busy if the run is being recorded now.
    """
    from offhook.bench.record.claim import at_rest
    from offhook.reports import folder, html, junit, pdf, results, summary

    run_dir = Path(run_dir)
    with at_rest(run_dir), folder.opened(run_dir) as run:
        result = run.result
        digest = summary.summarize(run)
        made: dict[str, Callable[[], bytes]] = {
            "results.json": lambda: _utf8(results.text(run, digest)),
            "junit.xml": lambda: _utf8(junit.text(run, digest)),
            "report.html": lambda: _utf8(html.text(run, digest)),
            "report.pdf": lambda: pdf.document(run, digest),
        }
        written = [_write(run_dir / name, make()) for name, make in made.items()]
    return written, result


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _write(path: Path, content: bytes) -> Path:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")  # a reader never sees half a report, nor of two writers
    partial.write_bytes(content)
    partial.replace(path)
    return path
