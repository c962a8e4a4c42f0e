"""The command line as processes: what it imports, how it ends, what a dead holder leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig_standin import STATION

from offhook.bench.record import judge

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
SLOW_TO_IMPORT = [
    "numpy",
    "scipy",
    "pydantic",
    "rich",
    "pytest",
    "matplotlib",
    "httpx",
    "fastapi",
    "serial",
    "greenlet",
]
LIMIT_S = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(HERE)]),
        "OFFHOOK_LOCKS": str(tmp_path / "locks"),
        "PYTEST_ADDOPTS": "",
    }


def test_help_imports_nothing_slow(environment: dict[str, str]) -> None:
    script = (
        "import sys; from offhook.bench import cli; code = cli.execute(['--help']);"
        f"found = [name for name in {SLOW_TO_IMPORT} if name in sys.modules];"
        "sys.exit(f'slow imports: {found}' if found else code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


@pytest.fixture
def held(environment: dict[str, str], tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test, ended with it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT_S)


def hold(
    held: list[subprocess.Popen[str]], environment: dict[str, str], file: Path, way: str, *before: str
) -> subprocess.Popen[str]:
    """Start ``standin_command.py`` and wait until the phone is lifted."""
    file.write_text(STATION)
    process = subprocess.Popen(
        [*before, sys.executable, str(HERE / "standin_command.py"), str(file), way],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=file.parent,
    )
    held.append(process)
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        if line.startswith("lifted"):
            return process
        said.append(line)
    pytest.fail(f"ended before the call: {''.join(said)}{process.communicate()[1]}")


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "told to end by SIGTERM"),
        (signal.SIGHUP, 129, "told to end by SIGHUP"),
    ],
)
def test_a_signal_in_mid_call_ends_in_the_safe_state(
    held: list[subprocess.Popen[str]],
    environment: dict[str, str],
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    words: str,
) -> None:
    process = hold(held, environment, tmp_path / "small.toml", "call")

    process.send_signal(number)
    out, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == code, errors
    assert "relays closed at the end: 0" in out
    assert f"offhook: {words}" in errors
    assert "safe state reached and read back" in errors
    assert "Traceback" not in errors


@pytest.mark.req("BENCH-RUN.3")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_inside_a_test_tears_down_and_runs_no_further_test(
    held: list[subprocess.Popen[str]], environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = hold(held, environment, tmp_path / "small.toml", "suite")

    process.send_signal(number)
    out, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == code, errors
    assert "session fixture torn down" in out
    assert "went on" not in out
    assert "relays closed at the end: 0" in out


def test_ctrl_c_reaches_a_bench_started_in_the_background_of_a_script(
    held: list[subprocess.Popen[str]], environment: dict[str, str], tmp_path: Path
) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = hold(held, environment, tmp_path / "small.toml", "call", sys.executable, "-c", ignoring)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 130
    assert "relays closed at the end: 0" in out


HOLDER = """
import sys, time
from pathlib import Path
from offhook.bench.locks import hold
with hold(["/dev/ttyX", "station lab"], "a long run", Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
TAKER = """
import sys
from pathlib import Path
from offhook.bench import cli, locks
from offhook.drivers.errors import OffhookError
try:
    with locks.hold(["station lab"], "another run", Path(sys.argv[1])):
        print("taken")
except OffhookError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.req("BENCH-RUN.4")
def test_a_lock_is_held_across_processes_and_dies_with_its_holder(
    held: list[subprocess.Popen[str]], environment: dict[str, str], tmp_path: Path
) -> None:
    locks = str(tmp_path / "locks")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, locks], env=environment, stdout=subprocess.PIPE, text=True)
    held.append(holder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    def take() -> subprocess.CompletedProcess[str]:
        taker = [sys.executable, "-c", TAKER, locks]
        return subprocess.run(taker, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    refused = take()
    assert refused.returncode == 2
    assert f"held by pid {holder.pid}" in refused.stdout
    assert "for a long run since" in refused.stdout

    holder.kill()
    holder.wait(LIMIT_S)

    assert take().stdout == "taken\n"


@pytest.mark.parametrize(
    "command", [["check"], ["--help"], ["run", "simulated", "--suite", "dtmf", "--only", "keypad"]]
)
def test_nobody_reading_any_more_is_not_a_fail(command: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    """``2>&1 | head -0``: the code of SIGPIPE, not that of a FAIL; a run ends in order, with its report."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "offhook.bench.cli", *command],
            env=environment,
            cwd=tmp_path,
            stdout=writing,
            stderr=writing if command[0] == "run" else subprocess.PIPE,
            timeout=LIMIT_S,
            check=False,
        )
    finally:
        os.close(writing)

    assert done.returncode == 141
    assert not done.stderr
    if command[0] == "run":
        [folder] = (tmp_path / "runs").iterdir()
        assert judge(folder).meta["ended"] == "terminated"
        assert (folder / "report.html").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["characterize", "decoder", "--out", "/proc/zz"],
        ["characterize", "compare", "--work", "/proc/zz", "--page", "page.html"],
        ["quarantine", "add", "simulated", "desk-1", "--runs", "/proc/zz"],
    ],
)
def test_a_place_that_cannot_be_written_is_one_message(
    command: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "offhook.bench.cli", *command],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("offhook: /proc/zz: ")
    assert "(try: " in done.stderr
    assert len(done.stderr.splitlines()) == 1
