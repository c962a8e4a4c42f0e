"""``offhook quarantine``: phones that are set aside until somebody releases them."""

from __future__ import annotations

from pathlib import Path

import click

RUNS = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="The folder the runs are kept in.",
)


@click.group()
def quarantine() -> None:
    """Phones that every run passes over until they are released: list, add, release."""


@quarantine.command("list")
@RUNS
def list_(runs: Path) -> None:
    """The phones that are set aside, since when, and why."""
    from offhook.bench.quarantine import everything

    for station, phones in sorted(everything(runs).items()):
        for phone, about in sorted(phones.items()):
            click.echo(f"{station}  {phone}  since {about['since_utc']}  {about['reason']}")


@quarantine.command()
@click.argument("station")
@click.argument("phone")
@click.option("--reason", default="by hand", help="Why; every report will say it.")
@RUNS
def add(station: str, phone: str, reason: str, runs: Path) -> None:
    """Set PHONE of STATION (its name, not its file) aside: its tests are NOT_RUN until it is released."""
    from offhook.bench import quarantine as shelf

    shelf.add(runs, station, phone, reason)


@quarantine.command()
@click.argument("station")
@click.argument("phone")
@RUNS
def release(station: str, phone: str, runs: Path) -> None:
    """Let PHONE of STATION be tested again."""
    from offhook.bench import quarantine as shelf

    shelf.release(runs, station, phone)
