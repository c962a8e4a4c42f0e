"""``offhook check``, ``offhook stations`` and ``offhook schema``."""

from __future__ import annotations

import click


@click.command()
@click.argument("station", default="simulated")
@click.option("--realtime", is_flag=True, help="Pace a simulated world by the wall clock, over real ports.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the world.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="A fault at the far end, such as cut:cti.")
def check(station: str, realtime: bool, seed: int, faults: tuple[str, ...]) -> int:
    """Try every wire of STATION: boards, sensors, audio, CTI, cloud, and each phone's hook, ear and keys."""
    from offhook.bench.check import CheckLine, check_station

    def tell(line: CheckLine) -> None:
        click.echo(str(line))

    lines = check_station(station, tell, seed=seed, realtime=realtime, faults=faults)
    return 0 if all(line.ok for line in lines) else 2


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
