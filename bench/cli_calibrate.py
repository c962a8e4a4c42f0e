"""``offhook calibrate``."""

from __future__ import annotations

import click


@click.command()
@click.argument("station", default="loopback")
@click.option(
    "--plug", "plugged", multiple=True, metavar="CHANNEL", help="A loop plug is on this channel (rack/0) now."
)
@click.option(
    "--meter",
    is_flag=True,
    help="Levels in dBm: read by the dmm that [loop.NAME] meter names, else asked for (AC volts across the wire).",
)
@click.option(
    "--ohms", type=click.FloatRange(50, 10_000), default=600, show_default=True, help="What terminates the wire."
)
@click.option(
    "--days", type=click.FloatRange(0.01, 3650), default=90, show_default=True, help="How long it is good for."
)
def calibrate(station: str, plugged: tuple[str, ...], meter: bool, ohms: float, days: float) -> int:
    """Measure every wire from an output of STATION to an input: time, level, response, noise, crosstalk; and store it.

    Wires are the [loop.NAME] sections and the channels given by --plug. Without --meter levels are known in dBFS only,
    and no run on real wires becomes HW-CERTIFIED. Nothing is stored if a wire is not as it must be.
    """
    from offhook.bench.calibrate import calibrate_station
    from offhook.bench.check import CheckLine

    def tell(line: CheckLine) -> None:
        click.echo(str(line))

    def read_meter(wire: str) -> float | None:
        text = f"AC volts across {ohms:g} ohm on {wire}, empty to leave it out"
        answer = click.prompt(text, default="", show_default=False).strip()
        return float(answer.replace(",", ".")) if answer else None

    read = read_meter if meter else None
    file = calibrate_station(station, tell, plugged=plugged, read_meter=read, ohms=ohms, days=days)
    click.echo("not stored: a wire is not as it must be" if file is None else f"stored in {file}")
    return 2 if file is None else 0
