"""``offhook cloud serve`` as a process of its own."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from offhook.drivers.cloud.http import HttpCloud
from offhook.drivers.errors import DeviceRefused
from offhook.drivers.links import LabWires

ACCOUNTS = {"alice": "alice-pw", "bob": "bob-pw"}
COMMAND = [sys.executable, "-c", "from offhook.fixtures.cloud.command import cloud; cloud()", "serve"]


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running service: its URL and its process."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killer = threading.Timer(30.0, process.kill)
    killer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:"), line + process.communicate()[1]
        yield line.split()[1], process
    finally:
        killer.cancel()
        process.kill()
        process.communicate()


@contextmanager
def client(url: str) -> Iterator[HttpCloud]:
    wires = LabWires()
    api = HttpCloud(wires, url, ACCOUNTS, "admin-token")
    try:
        yield api
    finally:
        api.close()
        wires.close()


def wait_for_failure(api: HttpCloud, association: str) -> str:
    deadline_s = time.monotonic() + 20.0
    while api.association("alice", association).state != "FAILED" and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return api.association("alice", association).reason


def test_it_serves_the_api_with_codes_of_its_own_and_says_so_when_there_is_no_pbx() -> None:
    with serving() as (url, _), client(url) as api:
        assert api.connect().startswith("Offhook reference cloud")
        api.admin_policy({"link_limit_s": 0.1})
        association = api.request_association("alice", "1001").id
        assert len(api.code("alice", association)) == 4
        with pytest.raises(DeviceRefused, match="404 not_found"):
            api.next_codes(["4711"])
        api.complete("alice", association)
        assert wait_for_failure(api, association) == "cti_lost"
        assert api.audit()["valid"]


def test_it_calls_the_pbx_it_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20.0)
        port = listener.getsockname()[1]
        with serving("--cti", f"tcp://127.0.0.1:{port}"):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20.0)
                frame = connection.recv(4096)
    assert frame[:2] == b"\x00\x00"
    assert int.from_bytes(frame[2:4], "big") == len(frame)
    assert b"RequestSystemStatus" in frame


def test_two_services_draw_different_codes_and_tokens() -> None:
    drawn = []
    for _ in range(2):
        with serving() as (url, _), client(url) as api:
            codes = [api.code("alice", api.request_association("alice", "1001").id) for _ in range(8)]
            drawn.append((codes, api._tokens["alice"]))
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1] != drawn[1][1]


def test_a_file_keeps_inbox_and_trail_over_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "cloud.sqlite")
    with serving("--database", file) as (url, _), client(url) as api:
        association = api.request_association("alice", "1001").id
    with serving("--database", file) as (url, _), client(url) as api:
        assert api.association("alice", association).state == "EXPIRED"
        assert [message.association for message in api.inbox("alice")] == [association]
        assert api.audit()["valid"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_usual_code(number: signal.Signals, code: int) -> None:
    with serving() as (url, process):
        assert httpx.get(f"{url}/openapi.json", timeout=10.0, trust_env=False).status_code == 200
        process.send_signal(number)
        _, said = process.communicate(timeout=20.0)
    assert process.returncode == code
    assert said == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "not on loopback"),
        (["--port", "70000"], "--port"),
        (["nosuch.toml"], "shipped stations: asterisk"),
        (["--cti", "10.0.0.1"], "tcp://"),
    ],
)
def test_bad_input_is_one_message_and_code_2(options: list[str], words: str) -> None:
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_one_message_and_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}: listen" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("kind", ["folder", "missing-folder", "text", "foreign"])
def test_a_database_that_cannot_be_used_is_one_message_and_code_2(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "missing" / "x.sqlite" if kind == "missing-folder" else tmp_path / "x.sqlite"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("no database, but more than a header's worth of text\n" * 40, "utf-8")
    elif kind == "foreign":
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE account (something_else TEXT)")
            database.commit()
    ended = subprocess.run([*COMMAND, "--database", str(path)], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Error: --database {path}: open: ")
    assert ended.stderr.count("\n") == 1
    assert "(try: " in ended.stderr
    assert ended.stdout == ""


def test_a_pbx_that_is_not_there_is_told_once_by_name_and_the_service_runs() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # ours, and nobody listens
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with serving("--cti", address) as (url, process):
            assert httpx.get(f"{url}/openapi.json", timeout=10.0, trust_env=False).status_code == 200
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20.0)
    assert said.startswith(f"warning: --cti {address}: no PBX there yet")
    assert said.count("\n") == 1


def test_the_first_line_says_where_the_api_is_described() -> None:
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    named = re.search(r"http://\S+/openapi\.json", line)
    assert named
    assert named[0].startswith(line.split()[1])
