"""``offhook check``, ``offhook new station``, ``offhook stations`` and ``offhook schema``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from offhook.drivers.errors import ConfigError


@click.command()
@click.argument("station", default="simulated")
@click.option("--realtime", is_flag=True, help="Pace a simulated world by the wall clock, over real ports.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the world.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="A fault at the far end, such as cut:cti.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it to a page, too.")
def check(station: str, realtime: bool, seed: int, faults: tuple[str, ...], page: Path | None) -> int:
    """Try every wire of STATION, say what to try where one is not well, and draw the wiring.

    Boards, sensors, audio, instruments, CTI, its tap, the cloud; each phone's hook, ear and keys; then calls: ring
    sensors, outside lines and the taps of the voice service. Only numbers on the allow list are dialled.

    The exit code is 0 if every wire is well, 2 if one is not, 3 if nothing is known of one because it was not tried.
    """
    from offhook.bench import check_draw
    from offhook.bench.check import CheckLine, check_station
    from offhook.bench.station_file import find_station, load_station

    def tell(line: CheckLine) -> None:
        click.echo(str(line))

    lines = check_station(station, tell, seed=seed, realtime=realtime, faults=faults)
    model = load_station(find_station(station)).model
    click.echo("\n" + check_draw.draw(model, lines))
    if page is not None:
        try:
            page.write_text(check_draw.page(model, lines), "utf-8")
        except OSError as error:
            raise ConfigError(str(page), "write the page", error.strerror or str(error), "another place") from None
    untried = list(dict.fromkeys(line.resource for line in lines if line.ok and not line.tried))
    if untried:
        click.echo(f"\nnot proven, as it was not tried: {', '.join(untried)}")
    return 2 if not all(line.ok for line in lines) else 3 if untried else 0


@click.command()
def stations() -> None:
    """List the stations that are installed, with what each is."""
    from offhook.bench.station_file import find_station, load_station
    from offhook.bench.station_file import stations as installed
    from offhook.drivers.errors import OffhookError

    for name in installed():
        try:
            model = load_station(find_station(name)).model
            dut = f"{model.dut.vendor} {model.dut.model}"
            click.echo(f"{name:12} {model.role}  {len(model.phone)} phones  {dut}")
        except OffhookError as error:
            click.echo(f"{name:12} {error}")


@click.command()
@click.argument("kind", type=click.Choice(["station", "profile"]), default="station")
def schema(kind: str) -> None:
    """Print the JSON schema of station files (or of profiles), for editors."""
    from offhook.bench import profiles, station_file

    click.echo(profiles.schema() if kind == "profile" else station_file.schema())


@click.group()
def new() -> None:
    """Write a new file to start from."""


@new.command("station")
@click.argument("name", default="lab")
@click.option("-o", "--output", metavar="FILE", help="Where to write it; - for the terminal.  [default: NAME.toml]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def new_station(name: str, output: str | None, force: bool) -> None:
    """Write a commented station file NAME, with every section, option and driver; as it stands it is simulated."""
    from offhook.bench.station_new import station_text

    named = Path(name)
    if named.suffix == ".toml":  # the file was meant
        name = named.stem
    if not name.strip() or set(name) & set('"\\\n'):
        raise ConfigError(repr(name), "write station", "that is no name of a station", "letters, digits, - and _")
    file = Path(output) if output is not None else named if named.suffix == ".toml" else Path(f"{name}.toml")
    text = station_text(name, file.name if output != "-" else f"{name}.toml")
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8") as new_file:
            new_file.write(text)
    except FileExistsError:
        raise ConfigError(
            str(file), "write station", "there is such a file already", "another name, or --force"
        ) from None
    except OSError as error:
        raise ConfigError(str(file), "write station", error.strerror or str(error), "-o FILE") from None
    click.echo(f"{file}: simulated as it stands; next: offhook check {shlex.quote(str(file))}")
