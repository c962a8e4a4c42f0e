"""`make safety`: the page lists what the tool plays, and nothing else; a row that does not hold is never said to."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from relay_room import BOARDS
from safety_rows import KILLED_S, LIMIT_S, ROWS, Row
from safety_scenes import Seen

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("safety_tool", ROOT / "tools" / "safety.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cells() -> list[list[str]]:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (?!fault )", line)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_page_lists_every_row_in_order() -> None:
    listed = [(row[0], row[1], float(row[4])) for row in cells()]
    assert listed == [(row.fault, row.wires, row.limit_s) for row in ROWS]


def test_every_row_of_the_page_holds_within_its_limit() -> None:
    assert "WRONG" not in PAGE
    assert [row[0] for row in cells() if not 0 <= float(row[3]) <= float(row[4])] == []


def test_every_fault_that_must_be_there_is() -> None:
    faults = [row.fault for row in ROWS]
    for kind in ("killed (-9)", "hung", "TERM", "Ctrl-C"):
        for moment in ("mid-press", "mid-call"):
            assert any(fault.startswith(kind) and fault.endswith(moment) for fault in faults)
    for word in (
        "unplugged",
        "disk full",
        "busy",
        "gone",
        "server killed",
        "server frozen",
        "reply of an instrument late",
        "while a generator sends, socket",
        "while a generator sends, HiSLIP",
        "while a generator sends, serial",
    ):
        assert any(word in fault for fault in faults)
    assert {BOARDS[fault.rpartition(" ")[2]]["driver"] for fault in faults if ", board " in fault} == {
        table["driver"] for table in BOARDS.values()
    }
    assert {row.limit_s for row in ROWS if "killed (-9)" in row.fault} == {KILLED_S}
    assert {row.limit_s for row in ROWS if "killed (-9)" not in row.fault} == {LIMIT_S}


def played(tool: ModuleType, tmp_path: Path, *came: float | str) -> tuple[str, int]:
    """A row whose scene takes so long, or fails with these words, time after time: what is wrong, and the rounds."""
    left = list(came)

    def scene(place: Path) -> Seen:
        one = left.pop(0)
        assert not isinstance(one, str), one
        return Seen("did", one, "kept")

    result = tool.run(Row("a fault", "a wire", 1.0, scene), lambda: tmp_path)
    assert ("WRONG" in tool.line_of(result)) == bool(result.wrong)
    return result.wrong, result.rounds


def test_a_slow_row_is_measured_again_and_a_wrong_one_is_not(tool: ModuleType, tmp_path: Path) -> None:
    assert played(tool, tmp_path, 0.4) == ("", 1)
    assert played(tool, tmp_path, 1.4, 1.2, 0.4) == ("", 3)
    assert played(tool, tmp_path, 1.4, 1.2, 1.1, 0.1) == ("took 1.10 s, not 1 s", 3)
    wrong, rounds = played(tool, tmp_path, "a relay stayed closed", 0.1)
    assert (rounds, "a relay stayed closed" in wrong) == (1, True)


def test_the_exit_code_tells(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for took_s, code in ((0.5, 0), (1.5, 1)):
        monkeypatch.setattr(
            tool, "ROWS", [Row("a fault", "a wire", 1.0, lambda place, s=took_s: Seen("did", s, "kept"))]
        )  # type: ignore[misc]
        assert tool.main([]) == code
    assert tool.main(["--only", "nothing"]) == 1


def test_rows_that_were_not_played_keep_what_the_page_says(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "safety.md"
    page.write_text(f"Before\n\n{tool.BEGIN}\n{tool.END}\nAfter\n", "utf-8")
    rows = [Row(name, "a wire", 1.0, lambda place: Seen("did", 0.1, "kept")) for name in ("one", "two")]
    monkeypatch.setattr(tool, "PAGE", page)
    monkeypatch.setattr(tool, "ROWS", rows)
    tool.main(["--write"])
    tool.write_page([tool.Result(rows[1], Seen("did otherwise", 0.2, "kept"))])
    text = page.read_text("utf-8")
    assert "| one | a wire | did | 0.10 | 1 | kept |" in text
    assert "| two | a wire | did otherwise | 0.20 | 1 | kept |" in text
    assert text.count("| two |") == 1
    assert text.startswith("Before\n")
    assert text.endswith("\nAfter\n")
