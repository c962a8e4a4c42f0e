"""The wheel alone is the product: installed into an empty environment, away from the checkout, it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600
SECRETS = ("admin-token", "alice-pw", "bob-pw")
"""Of the simulated station; a lab takes its own from the environment."""
pytestmark = pytest.mark.timeout(900)


def run(*command: str | Path, cwd: Path, expect: int = 0) -> str:
    """Run a program away from the checkout; returns what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
    kept |= {f"LAB_{number}": secret for number, secret in enumerate(SECRETS)}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == expect, f"{command} ended with {done.returncode}:\n{said}"
    return said


def source_files() -> list[str]:
    """Every file that is, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that no left-over of a build gets into it."""
    copy = tmp_path_factory.mktemp("source")
    for name in source_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, copy, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with nothing but the wheel and what it asks for; returns its bin folder."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check"]
    run(*pip, "-c", ROOT / "constraints.txt", wheel, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel in it."""
    return environment(tmp_path_factory.mktemp("installed") / "env", wheel)


@pytest.fixture(scope="module")
def without_fixtures(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the folder ``fixtures`` deleted; only packages of the simulated world are gone."""
    env = tmp_path_factory.mktemp("bare") / "env"
    shutil.copytree(installed.parent, env, symlinks=True)
    (fixtures,) = env.glob("lib/python*/site-packages/offhook/fixtures")
    shutil.rmtree(fixtures)
    return env / "bin"


def offhook(bin_folder: Path) -> list[str | Path]:
    """The command; run as a module's function since a copied environment keeps the old path in its scripts."""
    return [bin_folder / "python", "-c", "import sys; from offhook.bench.cli import main; sys.exit(main())"]


def test_the_wheel_holds_templates_stations_and_suites(wheel: Path) -> None:
    names = run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent)
    for wanted in (
        "offhook/reports/templates/report.html",
        "offhook/reports/templates/report.css",
        "offhook/fixtures/stations/simulated.toml",
        "offhook/bench/suites/test_association.py",
        "offhook/dsp/py.typed",
    ):
        assert wanted in names
    assert not re.search(r"offhook/(tests|docs|build|runs)/", names)


def test_offhook_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    """One phone through some of every suite: whatever of the package they need is there."""
    cases = "unlocked_phone or call_is_made or comes_twice or keypad or bell or cannot_dial_out or locked_either_way"
    wanted = ("run", "simulated", "--only", f"desk-1 and ({cases})", "--out", tmp_path / "run")
    said = run(installed / "offhook", *wanted, cwd=tmp_path)
    assert "SIM-VERIFIED" in said
    results = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    passed = {each["suite"] for each in results["attempts"] if each["outcome"] == "PASS"}
    assert passed >= {"association", "control", "disturbances", "dtmf", "lamps", "lock", "matrix"}
    assert results["verdict"] == "PASS"
    assert results["level"] == "SIM-VERIFIED"
    assert "SIM-VERIFIED" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_the_package_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "python", "-c", "from offhook import dsp; print(dsp.__file__)", cwd=tmp_path)
    assert str(ROOT) not in said
    assert "site-packages" in said


def test_commands_work_without_the_fixtures(without_fixtures: Path, tmp_path: Path) -> None:
    command = offhook(without_fixtures)
    run(*command, "dtmf", "encode", "4711", "-o", tmp_path / "code.wav", cwd=tmp_path)
    assert "4711" in re.sub(r"\s", "", run(*command, "dtmf", "decode", tmp_path / "code.wav", cwd=tmp_path))
    assert "run" in run(*command, "--help", cwd=tmp_path)


@contextmanager
def far_end(workdir: Path) -> Iterator[dict[str, str]]:
    """A simulated world in a process of this checkout; yields the addresses of its wires."""
    station = tomllib.loads((ROOT / "fixtures" / "stations" / "simulated.toml").read_text("utf-8"))
    spec = {"plant": "simulated", "station": station, "seed": 1, "workdir": str(workdir)}
    command = [sys.executable, "-m", "offhook.fixtures.farend"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(spec) + "\n")
        process.stdin.flush()
        try:
            answer = json.loads(process.stdout.readline())
            assert "addresses" in answer, answer
            yield answer["addresses"]
        finally:
            process.stdin.close()
            process.wait(30)


def lab_station(addresses: dict[str, str]) -> str:
    """The simulated station as a lab would write it: the same wires by their addresses, and no ``[world]``."""
    text = (ROOT / "fixtures" / "stations" / "simulated.toml").read_text("utf-8")
    text = re.sub(r"\[world\]\n(?:[^\[\n].*\n|\n)*", "", text)
    for address in sorted(addresses, key=len, reverse=True):
        text = text.replace(f'"{address}"', f'"{addresses[address]}"')
    assert "end://" not in text
    for number, secret in enumerate(SECRETS):
        text = text.replace(f'"{secret}"', f'"env:LAB_{number}"')
    return text


def test_a_station_that_needs_no_fixtures_runs_without_them(without_fixtures: Path) -> None:
    # the path of a pty and of a TCP port is all the bench learns of the far end, and that is in another environment
    with tempfile.TemporaryDirectory() as name, far_end(Path(name)) as addresses:
        folder = Path(name)
        (folder / "lab.toml").write_text(lab_station(addresses), "utf-8")
        said = run(*offhook(without_fixtures), "check", "lab.toml", cwd=folder)
        assert "FAIL" not in said
        assert "desk-1" in said


def test_a_station_that_needs_the_fixtures_says_what_is_missing(without_fixtures: Path, tmp_path: Path) -> None:
    said = run(*offhook(without_fixtures), "check", "simulated", cwd=tmp_path, expect=2)
    assert "Traceback" not in said
    assert "fixtures" in said
