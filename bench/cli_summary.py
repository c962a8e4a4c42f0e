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
    """
    from offhook.bench import morning

    nights = [morning.read(one) for one in morning.newest(folder)]
    click.echo("\n".join(morning.summary(night, morning.before(night)) for night in nights), nl=False)
    return 0
