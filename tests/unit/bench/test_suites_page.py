"""docs/suites.md says what the certification suites prove: every case, in its own words, with its requirement ids."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
SUITES = sorted((ROOT / "bench" / "suites").glob("test_*.py"))


def marked(test: ast.FunctionDef, helpers: dict[str, ast.FunctionDef]) -> Iterator[str]:
    """Ids of the ``req`` marks of a test, those of its parameters and of the function that makes them included."""
    todo: list[ast.AST] = list(test.decorator_list)
    while todo:
        for call in ast.walk(todo.pop()):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "req":
                yield from (str(each.value) for each in call.args if isinstance(each, ast.Constant))
            elif isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in helpers:
                todo.append(helpers[call.func.id])


def cases(suite: Path) -> list[tuple[str, str, str]]:
    """Name, first line and ids of every case of a suite."""
    functions = [node for node in ast.parse(suite.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
    helpers = {node.name: node for node in functions if not node.name.startswith("test_")}
    return [
        (
            node.name.removeprefix("test_"),
            (ast.get_docstring(node) or "").splitlines()[0],
            ", ".join(sorted(set(marked(node, helpers)))),
        )
        for node in functions
        if node.name.startswith("test_")
    ]


def test_the_page_has_every_case_as_it_is() -> None:
    page = (ROOT / "docs" / "suites.md").read_text("utf-8")
    for suite in SUITES:
        section = re.search(
            rf"^## {suite.stem.removeprefix('test_')}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
        )
        assert section, f"no section on {suite.name}"
        rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", section[1], re.MULTILINE)
        assert rows == cases(suite)
