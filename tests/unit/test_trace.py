"""What counts as proven; and that no test of this repository names a requirement that does not exist."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trace_tool", ROOT / "tools" / "trace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


KNOWN = {"A-1": "P0", "A-2": "P0", "A-3": "P1", "A-4": "P1", "A-5": "P2"}


def ran(nodeid: str, outcome: str, *reqs: str) -> dict[str, object]:
    return {"nodeid": nodeid, "outcome": outcome, "reqs": list(reqs)}


def test_an_id_is_proven_when_its_test_passed_and_was_seen_to_fail(tool: ModuleType) -> None:
    tests = [
        ran("t::faulted", "passed", "A-1", "A-2"),
        ran("t::never", "passed", "A-3"),
        ran("t::skipped", "skipped", "A-4"),
        ran("t::other", "failed", "A-2"),
        ran("t::typo", "passed", "B-9"),
    ]

    found = tool.trace(KNOWN, tests, {"cut:cti": ["t::faulted", "t::skipped"]}, {"cut:cti": ["A-1"]})

    assert found.proven == ["A-1"]
    assert found.failing == ["A-2"]
    assert found.never_failed == ["A-3"]
    assert found.not_proven == ["A-4", "A-5"]
    assert found.unknown == ["B-9"]
    text = "\n".join(tool.report(KNOWN, found))
    assert "A-1*" in text
    assert text.splitlines()[-4].split() == ["P0", "1", "0", "1", "0", "2"]


def test_parts_of_different_commits_are_pointed_out(tool: ModuleType, tmp_path: Path) -> None:
    for name, commit in (("unit", "aaaa"), ("system", "bbbb")):
        content = {"commit": commit, "tests": [ran("t::x", "passed", "A-1")]}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "faults.json").write_text(json.dumps({"cut:cti": ["t::x"]}))

    tests, faults, judged, warnings = tool.read(tmp_path)

    assert (len(tests), faults, judged) == (2, {"cut:cti": ["t::x"]}, {})
    assert [text for text in warnings if "not one run" in text]


def marked(path: Path) -> list[str]:
    """The ids in every ``pytest.mark.req("...")`` of a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req":
            found += [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return found


def test_every_id_on_a_test_is_a_requirement(tool: ModuleType) -> None:
    known = tool.priorities()
    assert len(known) == 359
    places = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    unknown = [f"{req} in {path.relative_to(ROOT)}" for path in places for req in marked(path) if req not in known]
    assert not unknown
