"""``offhook compare``: what got better or worse between two runs."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)


@click.command()
@click.argument("before", type=_FOLDER)
@click.argument("after", type=_FOLDER)
@click.option("--html", "page", type=_FILE, help="Write the comparison as a page to this file.")
@click.option("--json", "data", type=_FILE, help="Write it as JSON to this file.")
def compare(before: Path, after: Path, page: Path | None, data: Path | None) -> int:
    """Compare two run folders: verdicts that changed, figures that moved, and what was different about the runs.

    The exit code is 0 if there is no regression, 1 if there is one, 2 if a folder cannot be read, 3 if nothing was
    compared, as no case came to a verdict in both runs.
    """
    from offhook.drivers.errors import ConfigError
    from offhook.reports import compare_text
    from offhook.reports.compare import as_json
    from offhook.reports.compare import compare as compared

    found = compared(before, after)
    for text in compare_text.lines(found):
        click.echo(text)
    for file, content in ((page, compare_text.page), (data, as_json)):
        if file is not None:
            try:
                file.write_text(content(found), "utf-8")
            except OSError as error:
                raise ConfigError(str(file), "write", error.strerror or str(error), "name another file") from None
            click.echo(file)
    return found.exit_code
