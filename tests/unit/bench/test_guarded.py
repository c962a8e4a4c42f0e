"""What page one says of the guardian's account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offhook.bench.guardian_process import FILE
from offhook.bench.record.guarded import GUARDIAN, guarded


def account(folder: Path, *boards: dict[str, Any]) -> Path:
    content = {"reason": "the bench was killed", "took_s": 0.0421, "boards": boards}
    (folder / FILE).write_text(json.dumps(content), "utf-8")
    return folder


def test_writer_and_reader_mean_the_same_file() -> None:
    assert FILE == GUARDIAN


def test_a_run_that_needed_no_guardian_has_no_account(tmp_path: Path) -> None:
    assert guarded(tmp_path) is None


def test_what_was_read_back_is_counted(tmp_path: Path) -> None:
    told = guarded(account(tmp_path, {"resource": "relay.a", "ok": True, "error": ""}))

    assert told is not None
    assert told.ok
    text = "Guardian: the bench was killed. It made 1 relay board safe and read back 0.04 s after it noticed."
    assert str(told) == text


def test_generators_are_counted_beside_the_boards(tmp_path: Path) -> None:
    left = [{"resource": name, "ok": True, "error": ""} for name in ("instrument.g", "relay.a", "relay.b")]
    text = "It made 2 relay boards and 1 generator safe and read back 0.04 s after it noticed."
    assert text in str(guarded(account(tmp_path, *left)))
    assert "It made 1 generator safe and read back" in str(guarded(account(tmp_path, left[0])))


def test_one_board_that_is_not_safe_is_named_and_nothing_is_well(tmp_path: Path) -> None:
    boards = [
        {"resource": "relay.a", "ok": True, "error": ""},
        {"resource": "relay.b", "ok": False, "error": "/dev/ttyACM1: no such file"},
        {"resource": "relay.c", "ok": False, "error": ""},
    ]

    told = guarded(account(tmp_path, *boards))

    assert told is not None
    assert not told.ok
    assert "made 1 relay board safe and read back." in str(told)
    assert "NOT read back as safe, go and look: relay.b (/dev/ttyACM1: no such file); relay.c (no answer yet)" in str(
        told
    )


def test_a_board_that_cannot_be_read_is_not_called_read_back(tmp_path: Path) -> None:
    boards = [
        {"resource": "relay.a", "ok": True, "error": "", "can_be_read": True},
        {"resource": "relay.b", "ok": True, "error": "", "can_be_read": False},
    ]

    told = str(guarded(account(tmp_path, *boards)))

    assert "made 1 relay board safe and read back" in told
    assert "Told to open every relay, but not read back, as these boards cannot be: relay.b." in told


@pytest.mark.parametrize("text", ["", "{", "[]", '{"reason": "x", "boards": [{}], "took_s": 1}'])
def test_an_account_that_cannot_be_read_is_not_taken_for_safe(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")

    told = guarded(tmp_path)

    assert told is not None
    assert not told.ok
