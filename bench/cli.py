"""The ``offhook`` command: commands are imported when they are called, so that ``--help`` answers at once.

Exit codes: 0 all passed; 1 a FAIL; 2 bad input or unreachable hardware; 3 INCONCLUSIVE or NOT_RUN where a verdict is
required; 130 after Ctrl-C; 141 when nobody reads any more (``| head``); 143 after TERM; 70 a mistake in Offhook itself
(with its traceback).
"""

from __future__ import annotations

import ast
import errno
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import Any, NoReturn

import click

from offhook.bench import signals
from offhook.drivers.errors import ConfigError, OffhookError
from offhook.drivers.nearest import nearest

COMMANDS = "offhook.commands"
BAD_INPUT, OUR_MISTAKE, UNHEARD = 2, 70, 128 + 13
PATH_HINT = "check the path, or choose one that can be written"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_OWN = {
    "run": ("offhook.bench.cli_run:run", "Run the certification suites on a station."),
    "check": ("offhook.bench.cli_station:check", "Try every wire of a station, and say what is wrong with it."),
    "calibrate": ("offhook.bench.cli_calibrate:calibrate", "Measure the bench's own wires: time, level, crosstalk."),
    "report": ("offhook.bench.cli_run:report", "Render the report of a run folder."),
    "compare": ("offhook.bench.cli_compare:compare", "Compare two runs: what got worse, what moved, what differs."),
    "summary": ("offhook.bench.cli_summary:summary", "What failed, since when, what changed since it was last good."),
    "quarantine": ("offhook.bench.cli_quarantine:quarantine", "Phones that runs pass over until they are released."),
    "export": ("offhook.bench.cli_export:export", "Copy a run for a vendor, without codes, numbers and names."),
    "new": ("offhook.bench.cli_station:new", "Write a new station file, commented, to start from."),
    "stations": ("offhook.bench.cli_station:stations", "List the stations that are installed."),
    "schema": ("offhook.bench.cli_station:schema", "Print the JSON schema of station files, for editors."),
    "characterize": ("offhook.bench.cli_characterize:characterize", "Find the limits of a DTMF receiver or sender."),
    "dtmf": ("offhook.bench.cli_dtmf:dtmf", "Decode DTMF digits from audio files, or make them."),
}


class Unheard(Exception):
    """Nobody reads what is written. Not a BrokenPipeError: click would end the process with 1, our code of a FAIL."""


@contextmanager
def _unheard() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise Unheard from None


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed; further ones come from entry points."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """As click's; ``--help`` may find nobody who reads it."""
        with _unheard():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's; a command may find nobody who reads what it says."""
        with _unheard():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; an unknown command is told with the one that was probably meant."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = nearest(name, self.list_commands(ctx))
            raise click.UsageError(f"No such command '{name}'." + f" Did you mean {near}?" * bool(near), ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own commands first, then those of other packages."""
        return [*_OWN, *sorted(_installed())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is none of that name."""
        target = _OWN[cmd_name][0] if cmd_name in _OWN else ""
        if not target:
            entry = _installed().get(cmd_name)
            target = entry.value if entry is not None else ""
        if not target:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, without importing any of them."""
        rows = [(name, short) for name, (_, short) in _OWN.items()]
        rows += [(name, _first_line(entry)) for name, entry in sorted(_installed().items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("offhook"), prog_name="offhook")
def offhook() -> None:
    """Hardware-in-the-loop test bench for telephones and PBXs."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """The console script."""
    sys.exit(execute(arguments))


def execute(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code. What went wrong is on stderr, in one message."""
    with signals.orderly_end() as ending:
        try:
            code = _call(arguments)
        except KeyboardInterrupt as error:
            terminated = isinstance(error, signals.Terminated)
            _say(f"offhook: {error if terminated else 'interrupted'}", error)
            code = 143 if terminated else 130
        return code if ending.exit_code is None else ending.exit_code


def _call(arguments: list[str] | None) -> int:
    try:
        result = offhook.main(arguments, prog_name="offhook", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.Abort as error:  # what click makes of a KeyboardInterrupt
        raise (error.__cause__ or KeyboardInterrupt()) from None
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except OffhookError as error:
        _say(f"offhook: {error}", error)
        return BAD_INPUT
    except (Unheard, BrokenPipeError):
        _close_stdout()
        return UNHEARD
    except Exception as error:
        full = _full(error)
        if full:
            _close_stdout()
            _say(f"offhook: {full}", error)
            return BAD_INPUT
        path = _path_of(error)
        if path:
            detail = getattr(error, "strerror", None) or str(error)
            _say(f"offhook: {ConfigError(path, 'open or write', detail, PATH_HINT)}", error)
            return BAD_INPUT
        traceback.print_exc()
        _say("offhook: this is a mistake in Offhook itself; please report it with the lines above")
        return OUR_MISTAKE


def _close_stdout() -> None:
    """What is still to be written there goes nowhere: the flush at exit must not fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _full(error: Exception) -> ConfigError | None:
    """What to say if a disk is full, or a quota used up; None if the error is of another kind.

    The system says so of a write, which has no name: the path is looked for where it was called.
    """
    database = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
    if not database and not (isinstance(error, OSError) and error.errno in FULL and not _path_of(error)):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    flushed = len(frames) == 1  # by ourselves, after the command
    told = flushed or any(frame.f_code is click.echo.__code__ for frame in frames)
    paths = [path for frame in frames if isinstance(path := frame.f_locals.get("self"), Path)]
    where = "standard output" if told else str(paths[-1]) if paths else "the disk"
    detail = "no space left on device" if database else str(getattr(error, "strerror", error))
    return ConfigError(where, "write", detail, "free some space, then do it again")


def _path_of(error: Exception) -> str:
    """The file or folder the system refused; "" if the error is of another kind."""
    if not isinstance(error, OSError):
        return ""
    name = error.filename2 or error.filename  # of a renaming: the name that was asked for
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""


def _say(text: str, error: BaseException | None = None) -> None:
    """One message on stderr, with the notes an exception picked up on its way (the safe state)."""
    click.echo("\n".join([text, *getattr(error, "__notes__", ())]), err=True)


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=COMMANDS) if entry.name not in _OWN}


def _first_line(entry: EntryPoint) -> str:
    """First line of the docstring of a command's module, read without importing it."""
    try:
        spec = importlib.util.find_spec(entry.module)
        source = spec.loader.get_source(entry.module) if spec and spec.loader else None  # type: ignore[attr-defined]
        docstring = ast.get_docstring(ast.parse(source or ""))
    except (ImportError, AttributeError, SyntaxError, OSError):
        docstring = None
    return (docstring or f"see offhook {entry.name} --help").splitlines()[0].replace("``", "")


if __name__ == "__main__":
    main()
