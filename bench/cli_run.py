"""``offhook run`` and ``offhook report``."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

RESUME = "Go on with the run in this folder, which was stopped or killed; as it was begun, and nothing is done twice."

JOBS = "Phones worked side by side, in tests that allow it; the station's accounts, IVR ports and lines are the limit."
QUARANTINE = "Leave a phone alone after so many failures in a row on its own wires; 0: never."


@click.command()
@click.argument("station", default="simulated")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only this suite; may be given several times.")
@click.option("--only", default="", metavar="EXPR", help="Only tests whose names match, as pytest -k does.")
@click.option("--realtime", is_flag=True, help="Pace a simulated world by the wall clock, over real ports.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Run folder (default: runs/DATE_TIME).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the run.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="A fault at the far end, such as cut:cti.")
@click.option("--repeat", type=click.IntRange(1, 10_000), help="Run each test so often (default: 1).")
@click.option("--rates/--no-rates", default=None, help="With --repeat: claim rates and percentiles, or only show them.")
@click.option(
    "--profile", default="smoke", show_default=True, metavar="NAME", help="Limits: smoke, certification or a file."
)
@click.option("--quarantine", type=click.IntRange(0), default=3, show_default=True, help=QUARANTINE)
@click.option("--jobs", type=click.IntRange(1, 1000), default=1, show_default=True, help=JOBS)
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path, file_okay=False), help=RESUME)
@click.pass_context
def run(
    ctx: click.Context,
    station: str,
    suites: tuple[str, ...],
    only: str,
    realtime: bool,
    out: Path | None,
    seed: int,
    faults: tuple[str, ...],
    repeat: int | None,
    rates: bool | None,
    profile: str,
    quarantine: int,
    jobs: int,
    resume: Path | None,
) -> int:
    """Run the certification suites on STATION (a name from ``offhook stations``, or a file)."""
    if resume is not None:
        _check_alone(ctx)
        from offhook.bench.run import resume_run

        return resume_run(resume)
    from offhook.bench.run import run_station
    from offhook.drivers.errors import ConfigError

    if not only and ctx.get_parameter_source("only") is ParameterSource.COMMANDLINE:
        detail = "it is empty (a variable that is not set?), and would run everything"
        raise ConfigError("--only", "read", detail, "leave it out to run everything")
    options = {"suites": suites, "only": only, "realtime": realtime, "seed": seed, "faults": faults}
    options |= {"repeat": repeat, "rates": rates, "profile": profile, "quarantine": quarantine, "jobs": jobs}
    return run_station(station, out=out, **options)


def _check_alone(ctx: click.Context) -> None:
    """``--resume`` takes everything else from the run's own record."""
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    others = [name for name in given if name != "resume"]
    if others:
        raise click.UsageError(f"--resume goes on as the run was begun: leave out {', '.join(others)}")


@click.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
def report(run_folder: Path) -> int:
    """Render the report of the run folder RUN; verdicts are worked out anew from what is in it.

    The exit code is the run's: 0 all PASS, 1 a FAIL, 3 INCONCLUSIVE, NOT_RUN, killed or altered.
    """
    from contextlib import closing

    from offhook.bench.console import Console
    from offhook.reports import rendered

    pages, result = rendered(run_folder)
    for file in pages:
        click.echo(file)
    with closing(Console()) as console:
        for damage in result.damages:
            console.line("altered", str(damage), "bold red")
        console.summary(result, pages)
    return result.exit_code
