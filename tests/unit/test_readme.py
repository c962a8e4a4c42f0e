"""What the README says of the command and of the decoder is so."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from offhook.bench.cli import offhook

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
COMMANDS = README.partition("## Commands")[2].partition("\n## ")[0]


def test_every_command_is_listed_and_every_listed_command_exists() -> None:
    listed = set(re.findall(r"`offhook ([a-z]+)", COMMANDS))
    assert listed == set(offhook.list_commands(click.Context(offhook)))


def test_every_option_of_a_run_is_listed() -> None:
    run = offhook.get_command(click.Context(offhook), "run")
    assert run is not None
    options = {name for one in run.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}
    rows = "".join(line for line in COMMANDS.splitlines() if line.startswith(("| `offhook run", "| `...")))
    assert set(re.findall(r"--[a-z-]+", rows)) == options


def test_the_decoder_example_prints_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    section = README.partition("## The decoder alone")[2]
    example = re.search(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert example
    exec(compile(example[1], "README.md", "exec"), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "5", "9", "#"]
