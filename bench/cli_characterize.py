"""``offhook characterize``: the limits of a DTMF receiver, or the figures of a sender."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

SECTIONS = ("conditions", "limits", "curves", "maps", "battery")
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
RECORDINGS = click.Path(exists=True, file_okay=False, path_type=Path)
PEERS = ("offhook", "libspandsp", "multimon-ng")
Progress = Callable[[int, int], None]


@click.group()
def characterize() -> None:
    """Find the limits of a DTMF receiver, or measure a sender."""


def _workers(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes; results do not depend on it."
    )(command)


@characterize.command()
@click.argument("receivers", nargs=-1, metavar="[RECEIVER]...")
@click.option("--out", type=FOLDER, required=True, help="Folder of the results; a campaign in it goes on where it was.")
@click.option("--only", type=click.Choice(SECTIONS), multiple=True, help="Only these parts; may be given again.")
@click.option("--digits", type=click.IntRange(64), default=320, show_default=True, help="Digits at each value.")
@click.option("--key", "keys", default="", help="Only these keys, e.g. 5 or 147*.")
@click.option("--each-key", is_flag=True, help="Limits of each key by itself.")
@click.option("--talk-off", "folders", type=RECORDINGS, multiple=True, help="Folder of recordings without digits.")
@click.option("--harsh", type=click.IntRange(0), default=0, help="Minutes of synthetic talk-off.")
@click.option(
    "--claim", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Test: at most this error rate."
)
@click.option("--most-errors", type=click.IntRange(0), default=1, show_default=True, help="... with so many errors.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the campaign.")
@_workers
def decoder(
    receivers: tuple[str, ...],
    out: Path,
    only: tuple[str, ...],
    digits: int,
    keys: str,
    each_key: bool,
    folders: tuple[Path, ...],
    harsh: int,
    claim: float | None,
    most_errors: int,
    seed: int,
    workers: int,
) -> None:
    """Sweep levels, twist, frequency, times, noise and impairments on one or more receivers.

    RECEIVER is offhook (default), offhook:PROFILE, libspandsp, libspandsp:filter, multimon-ng, or module:function,
    which is called with (samples, rate) and returns the digits. Writes report.html, results.csv and results.json.
    """
    from offhook.bench.characterize import page, run

    extras = folders or harsh or claim is not None
    sections = only or (() if extras else SECTIONS)
    with _bar() as progress:
        job = run.Job(
            receivers=tuple(dict.fromkeys(receivers)) or ("offhook",),
            sections=tuple(sections),
            digits=digits,
            keys=keys,
            each_key=each_key,
            folders=folders,
            harsh_minutes=harsh,
            claim=claim,
            most_errors=most_errors,
            seed=seed,
        )
        found = run.run(job, out, workers, progress)
    (out / "results.json").write_text(found.json(), "utf-8")
    (out / "results.csv").write_text(found.csv(), "utf-8")
    (out / "report.html").write_text(page.html(found), "utf-8")
    for line in run.summary(found):
        click.echo(line)
    click.echo(f"report  {out / 'report.html'}")
    if any(one.verdict != "proven" for one in found.claims):
        sys.exit(1)


@characterize.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="WAV...")
@click.option("--out", type=FOLDER, required=True, help="Folder of the results.")
@click.option("--clock-ppm", type=click.FloatRange(0), default=50.0, show_default=True, help="Recorder's clock, limit.")
def sender(files: tuple[Path, ...], out: Path, clock_ppm: float) -> None:
    """Measure every digit in recordings of pressed keys, and judge each key against the sender profile.

    PASS needs every press inside the limits with its uncertainty. Exit code 1 on a FAIL, 3 if something stays in doubt.
    """
    import json
    from dataclasses import asdict

    from offhook.bench.characterize import page
    from offhook.bench.characterize import sender as one_sender
    from offhook.drivers.errors import ConfigError

    digits = one_sender.listen(files, clock_ppm)
    if not digits:
        raise ConfigError(str(files[0]), "measure digits", "no digit heard", "offhook dtmf decode --explain")
    rows = one_sender.summarize(digits)
    out.mkdir(parents=True, exist_ok=True)
    told = {"digits": [digit.as_dict() for digit in digits], "keys": [asdict(row) for row in rows]}
    (out / "results.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    (out / "results.csv").write_text(one_sender.csv(rows), "utf-8")
    (out / "report.html").write_text(page.sender_html(rows), "utf-8")
    verdict = one_sender.overall(rows)
    for line in one_sender.shortfalls(rows):
        click.echo(line)
    if verdict == "PASS":
        click.echo("PASS  every figure of every key is within its limits")
    click.echo(f"{len(digits)} digits of {len(one_sender.presses(digits))} keys   report  {out / 'report.html'}")
    if verdict != "PASS":
        sys.exit(1 if verdict == "FAIL" else 3)


@characterize.command()
@click.option("--work", type=FOLDER, required=True, help="Folder of the results.")
@click.option("--page", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Page to write.")
@click.option("--digits", type=click.IntRange(64), default=320, show_default=True, help="Digits at each value.")
@click.option("--harsh", type=click.IntRange(0), default=20, show_default=True, help="Minutes of synthetic talk-off.")
@click.option("--talk-off", "folders", type=RECORDINGS, multiple=True, help="Folder of recordings without digits.")
@_workers
def compare(work: Path, target: Path, digits: int, harsh: int, folders: tuple[Path, ...], workers: int) -> None:
    """Write the page that puts ours, libspandsp and multimon-ng side by side."""
    from offhook.bench.characterize import comparison, run

    with _bar() as progress:
        job = run.Job(
            receivers=PEERS,
            sections=("conditions", "limits", "battery"),
            digits=digits,
            harsh_minutes=harsh,
            folders=folders,
        )
        found = run.run(job, work, workers, progress)
    target.write_text(comparison.markdown(found), "utf-8")
    click.echo(f"page  {target}")


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("batches", total=None)
        yield lambda done, planned: bar.update(task, completed=done, total=planned)
