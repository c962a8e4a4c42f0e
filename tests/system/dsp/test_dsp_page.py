"""docs/dsp.md and docs/examples: all runs and says what it promises, and nothing public is missing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from offhook import dsp
from offhook.dsp import impair, progress

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "dsp.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = sorted((DOCS / "examples").glob("*.py"))
ROOMS = (
    dsp.callerid,
    dsp.codec,
    dsp.impair,
    dsp.measure,
    dsp.profiles,
    dsp.progress,
    dsp.stats,
    dsp.tones,
    dsp.wav,
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"dsp\.\w+|\w+\.\w+\(", block)[-1])
def test_blocks_print_what_they_say(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    promised = re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
    assert promised
    exec(compile(block, "docs/dsp.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == promised


def run(name: str, *args: str, stdin: bytes = b"") -> list[str]:
    """The lines an example prints; it may print no warning."""
    command = [sys.executable, "-W", "error", str(DOCS / "examples" / name), *args]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode().splitlines()


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """Two digits, one of them too short."""
    path = tmp_path / "call.wav"
    dsp.wav.write(path, dsp.encode("15", on_s=[0.1, 0.02], lead_s=0.1, edge_s=0.001, off_s=0.2), 8000)
    return str(path)


def test_digits_of_file(recording: str) -> None:
    digit, rejected = run("digits_of_file.py", recording)
    assert re.fullmatch(r"0\.10\d s  1  \d+ ms  \+2\.0 dB", digit)
    assert re.match(r"0\.\d+ s  no 5: \d+ ms is shorter than", rejected)


def test_live_digits() -> None:
    audio = dsp.to_int16(dsp.encode("42", lead_s=0.1, off_s=0.2)).astype("<i2").tobytes()
    assert [line[:8] for line in run("live_digits.py", stdin=audio)] == ["4 begins", "4 lasted", "2 begins", "2 lasted"]


def test_errors_in_noise() -> None:
    lost = [float(line.split()[4]) for line in run("errors_in_noise.py")]
    assert len(lost) == 4
    assert lost[0] <= 0.005
    assert lost == sorted(lost)
    assert lost[-1] > 0.05


def test_meter(recording: str) -> None:
    first = run("meter.py", recording)[0]
    found = re.match(r"1  (\S+) \+- (\S+) Hz  (\S+) \+- (\S+) Hz  -11\.0\d/-9\.0\d dBm0  9\d\.\d+ ms", first)
    assert found
    assert float(found[1]) == pytest.approx(697, abs=0.2)
    assert float(found[3]) == pytest.approx(1209, abs=0.2)


def test_what_is_on_the_line(tmp_path: Path) -> None:
    dial = progress.tone("dial", "US", 2.0)
    line = np.concatenate((np.zeros(4000), dial, dsp.encode("9", lead_s=0.5, off_s=1.0)))
    dsp.wav.write(tmp_path / "call.wav", line, 8000)
    assert [text.split("s  ")[1] for text in run("what_is_on_the_line.py", str(tmp_path / "call.wav"), "US")] == [
        "dial",
        "digit 9",
    ]


def test_caller_id() -> None:
    assert run("caller_id.py") == ["5550100 LAB 3 11211012 checksum right"]


def test_every_example_is_on_the_page_and_run_here() -> None:
    here = Path(__file__).read_text("utf-8")
    for example in EXAMPLES:
        assert f"(examples/{example.name})" in PAGE
        assert f'run("{example.name}"' in here
        assert ast.get_docstring(ast.parse(example.read_text("utf-8")))
    assert len(EXAMPLES) >= 5


def public(room: ModuleType) -> set[str]:
    """Functions and classes a room defines or lists."""
    listed = getattr(room, "__all__", None)
    if listed is not None:
        return set(listed)
    return {
        name
        for name, value in vars(room).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == room.__name__
    }


def test_nothing_public_is_missing() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert set(dsp.__all__) <= words
    for room in ROOMS:
        assert public(room) <= words, room.__name__
    assert len(public(impair)) > 15
