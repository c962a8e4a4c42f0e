"""``offhook quarantine``: phones that are set aside until somebody releases them."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from offhook.drivers.errors import ConfigError
from offhook.drivers.nearest import instead_of

RUNS = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="The folder the list is kept in.",
)


@click.group()
def quarantine() -> None:
    """Phones that every run passes over until they are released: list, add, release.

    The list is kept in the folder runs: it holds for every run started from the same working folder, wherever its --out
    is, and for every run that is kept in that folder.
    """


@quarantine.command("list")
@RUNS
def list_(runs: Path) -> None:
    """The phones that are set aside, since when, and why."""
    from offhook.bench.quarantine import everything

    if not any(everything(runs).values()):
        click.echo(f"none (in {runs})")
    for station, phones in sorted(everything(runs).items()):
        for phone, about in sorted(phones.items()):
            click.echo(f"{station}  {phone}  since {about['since_utc']}  {about['reason']}")


@quarantine.command()
@click.argument("station")
@click.argument("phone")
@click.option("--reason", default="by hand", help="Why; every report will say it.")
@RUNS
def add(station: str, phone: str, reason: str, runs: Path) -> None:
    """Set PHONE of STATION (its name, or its file) aside: its tests are NOT_RUN until it is released."""
    from offhook.bench import quarantine as shelf
    from offhook.bench.station_file import find_station, load_station

    model = load_station(find_station(station)).model
    if phone not in model.phone:
        hint = instead_of(phone, model.phone)
        raise ConfigError(phone, "set aside", f"station {model.name} has no such phone", hint)
    shelf.add(runs, model.name, phone, reason)
    where = "" if runs == Path("runs") else f" --runs {shlex.quote(str(runs))}"
    click.echo(f"{model.name} {phone} is set aside: {reason}")
    click.echo(f"to let it be tested again: offhook quarantine release {shlex.quote(model.name)} {phone}{where}")


@quarantine.command()
@click.argument("station")
@click.argument("phone")
@RUNS
def release(station: str, phone: str, runs: Path) -> None:
    """Let PHONE of STATION (its name, as listed) be tested again."""
    from offhook.bench import quarantine as shelf

    shelf.release(runs, station, phone)
    click.echo(f"{station} {phone} is tested again")
