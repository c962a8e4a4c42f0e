"""For every test: nothing may be left behind; and what each test proves is written down for `make trace`."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import broken
import bugs
import pytest

ROOT = Path(__file__).parent.parent
TRACE = ROOT / "build" / "trace"
WHOLE = {"unit", "system", "golden"}
PART = os.environ.pop("OFFHOOK_PART", "")  # not for the processes that tests start
GRACE_S = 2.0
_outcomes: dict[str, str] = {}
_reqs: dict[str, list[str]] = {}


# ---- wrong on purpose ----------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--fault`` is the plugin's."""
    help_text = "a bug to put into the bench itself (tests/bugs.py)"
    parser.addoption("--bug", action="append", default=[], metavar="NAME", help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported."""
    broken.FAULTS[:] = config.getoption("offhook_fault", [])
    for name in config.getoption("bug"):
        bugs.put_in(name)


# ---- leaks ---------------------------------------------------------------------------------------------------------


def leftovers() -> set[str]:
    """Threads, child processes and listening TCP ports of this process, in words."""
    threads = {f"thread {thread.name} ({thread.ident})" for thread in threading.enumerate()}
    return threads | _children() | _ports()


def _children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            pids = (task / "children").read_text().split()
        except OSError:  # the thread has just ended
            continue
        for pid in pids:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if "multiprocessing.resource_tracker" not in command:  # lives as long as its process, by design
                found.add(f"child process {pid} {command.strip() or '(ended, never waited for)'}")
    return found


def _ports() -> set[str]:
    mine = set()
    for entry in os.scandir("/proc/self/fd"):
        try:
            target = os.readlink(entry.path)
        except OSError:
            continue
        if target.startswith("socket:["):
            mine.add(target[8:-1])
    if not mine:
        return set()
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in mine:
                    found.add(f"listening port {int(fields[1].rpartition(':')[2], 16)}")
    return found


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or a listening port; they get a moment to end."""
    before = leftovers()
    yield
    deadline_s = time.monotonic() + GRACE_S
    while (left := leftovers() - before) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    if left:
        pytest.fail("left behind: " + "; ".join(sorted(left)), pytrace=False)


# ---- what was proven -----------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the requirement ids of every test."""
    for item in items:
        _reqs[item.nodeid] = [str(req) for mark in item.iter_markers("req") for req in mark.args]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the worst outcome over set-up, call and tear-down."""
    report = yield
    known = _outcomes.get(item.nodeid, "passed")
    _outcomes[item.nodeid] = "failed" if report.failed else "skipped" if report.skipped else known
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write build/trace/PART.json if a whole part of the tests was run, and nothing else was asked for.

    A part is a folder of tests/, or what the Makefile calls one by OFFHOOK_PART.
    """
    parts = [Path(argument).resolve() for argument in session.config.args]
    whole = bool(PART) or all(part.parent == ROOT / "tests" and part.name in WHOLE for part in parts)
    chosen = session.config.getoption("keyword") or session.config.getoption("markexpr")
    wrong = broken.FAULTS or session.config.getoption("bug")
    if not whole or not parts or chosen or wrong or session.config.getoption("collectonly"):
        return
    tests = [
        {"nodeid": nodeid, "reqs": reqs, "outcome": _outcomes.get(nodeid, "not run")} for nodeid, reqs in _reqs.items()
    ]
    TRACE.mkdir(parents=True, exist_ok=True)
    name = PART or "-".join(sorted(part.name for part in parts))
    content = {"commit": _commit(), "tests": tests}
    (TRACE / f"{name}.json").write_text(json.dumps(content, indent=1), "utf-8")


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
