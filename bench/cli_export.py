"""``offhook export``: a run for somebody outside the lab."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--for", "profile", type=click.Choice(["vendor", "lab"]), default="vendor", show_default=True,
    help="vendor: without local codes, numbers and names; lab: without local codes.",
)  # fmt: skip
def export(run_folder: Path, out: Path, profile: str) -> int:
    """Write the documents and the evidence of RUN to a new FOLDER, without what should not leave the lab.

    Local codes are silenced in the audio, too. The digest of the run, which stays as it is, is in redaction.json.
    """
    from offhook.reports.export import export as exported

    files = exported(run_folder, out, profile)
    click.echo(f"{len(files)} files in {out}; what was taken out: {out / 'redaction.json'}")
    return 0
