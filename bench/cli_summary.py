"""``offhook summary``: what failed, since when, and what changed since it was last good."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path, exists=True, file_okay=False), default="runs"
)
def summary(folder: Path) -> int:
    """Sum up the run in DIR, or the newest run of each station if DIR (default: runs) is a folder of runs.

    Earlier runs of the same station that lie beside it say since when something fails and what has changed.

    The exit code is 0 for a good night, 1 for a FAIL, 2 if a run broke off or could not begin, 3 if anything was left
    open, was altered or cannot be read.
    """
    from datetime import UTC, datetime

    from offhook.bench import nights

    text, code = nights.told(folder, datetime.now(UTC))
    click.echo(text, nl=False)
    return code
