"""The example and the figures of docs/characterize.md are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhook.bench.characterize.run import Job
from offhook.dsp import stats

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "characterize.md").read_text("utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"```python\n(from.*?)```", PAGE, flags=re.DOTALL)
    assert len(example) == 1
    exec(compile(example[0], "docs/characterize.md", "exec"), {})
    keys = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert keys == ["1", "4", "7", "*"]


def test_the_numbers_of_trials_are_right() -> None:
    rate = stats.digit_rate(0.999, 11)
    for errors in (0, 1):
        assert f"{stats.trials_needed(rate, errors):,}" in PAGE


def test_every_part_is_described() -> None:
    parts = re.findall(r"^\| (\w+) \|", PAGE, flags=re.MULTILINE)[1:]
    assert parts == ["conditions", "limits", "curves", "maps", "battery"]
    assert Job(("offhook",)).most_errors == 1
