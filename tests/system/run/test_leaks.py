"""The fixture that fails a test which leaves something behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

from runs import Runner

TESTS = Path(__file__).parents[2]


def test_a_thread_a_child_process_or_a_port_left_behind_fails_the_test(runner: Runner) -> None:
    (runner.place / "tests").mkdir()
    for name in ("conftest.py", "broken.py", "bugs.py"):
        shutil.copy(TESTS / name, runner.place / "tests" / name)
    (runner.place / "tests" / "test_leaky.py").write_text(
        dedent(
            """
            import socket
            import subprocess
            import threading

            import pytest

            KEPT = []


            def test_thread():
                stop = threading.Event()
                KEPT.append(stop)
                threading.Thread(target=stop.wait, name="forgotten").start()


            def test_child():
                KEPT.append(subprocess.Popen(["sleep", "60"]))


            def test_port():
                KEPT.append(socket.create_server(("127.0.0.1", 0)))


            @pytest.fixture(scope="module")
            def server():
                with socket.create_server(("127.0.0.1", 0)) as listening:
                    yield listening


            def test_a_server_of_the_module_is_no_leak(server):
                pass


            def test_tidy():
                thread = threading.Thread(target=lambda: None)
                thread.start()
                subprocess.run(["true"], check=True)
                socket.create_server(("127.0.0.1", 0)).close()


            def test_end():
                KEPT[0].set()
                KEPT[1].kill()
                KEPT[1].wait()
                KEPT[2].close()
            """
        )
    )

    ended = runner.pytest("-q", "tests")

    assert "6 passed, 3 errors" in ended.out
    for words in ("left behind: thread forgotten", "left behind: child process", "left behind: listening port"):
        assert words in ended.out
