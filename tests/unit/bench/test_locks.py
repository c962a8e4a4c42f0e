import json
import os
from pathlib import Path

import pytest

from offhook.bench.locks import hold
from offhook.drivers.errors import Busy, ConfigError


def test_a_held_resource_is_refused_and_the_holder_named(tmp_path: Path) -> None:
    with hold(["/dev/ttyX"], "certification of lab 3", tmp_path), pytest.raises(Busy) as caught:
        with hold(["/dev/ttyX"], "another run", tmp_path):
            pytest.fail("two holders")

    message = str(caught.value)
    assert message.startswith("/dev/ttyX: lock: held by pid ")
    assert f"pid {os.getpid()} (" in message
    assert "for certification of lab 3 since 20" in message
    assert "try:" in message


def test_it_is_free_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(["/dev/ttyX"], "a run", tmp_path):
            pass


def test_everything_or_nothing(tmp_path: Path) -> None:
    with hold(["b"], "a run", tmp_path):
        with pytest.raises(Busy, match=r"^b:"), hold(["a", "b", "c"], "another", tmp_path):
            pytest.fail("two holders")
        with hold(["a", "c"], "a third", tmp_path):
            pass


def test_two_names_of_one_port_are_one_resource(tmp_path: Path) -> None:
    port, alias = tmp_path / "ttyACM0", tmp_path / "by-id-board"
    port.touch()
    alias.symlink_to(port)

    with hold([str(port)], "a run", tmp_path / "locks"):
        with pytest.raises(Busy), hold([str(alias)], "another", tmp_path / "locks"):
            pytest.fail("two holders of one port")


def test_names_that_look_alike_are_different_resources(tmp_path: Path) -> None:
    with hold(["station lab 3"], "a run", tmp_path), hold(["station lab-3"], "another", tmp_path):
        assert len(list(tmp_path.iterdir())) == 2


def test_text_left_by_a_dead_holder_locks_nothing(tmp_path: Path) -> None:
    with hold(["x"], "a run", tmp_path):
        (file,) = tmp_path.iterdir()
    file.write_text(json.dumps({"pid": 1, "user": "root", "purpose": "dead", "since": "ever"}) * 30)

    with hold(["x"], "a run", tmp_path):
        assert json.loads(file.read_text())["pid"] == os.getpid()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="OFFHOOK_LOCKS"), hold(["x"], "a run", tmp_path / "file" / "locks"):
        pytest.fail("no lock was made")
