"""What pyproject says of the packages is what the tree holds."""

from __future__ import annotations

import ast
import fnmatch
import re
import tomllib
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("dsp", "drivers", "bench", "reports", "fixtures")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)")


@lru_cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def sources() -> list[Path]:
    """Every Python file of the rooms."""
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts]
    return sorted(found)


def packages() -> set[str]:
    """Every folder of the rooms with an ``__init__.py``, as an import name."""
    found = [path.parent.relative_to(ROOT) for path in sources() if path.name == "__init__.py"]
    return {".".join(("offhook", *folder.parts)) for folder in found}


def entry_points() -> list[tuple[str, str, str]]:
    project = pyproject()["project"]
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    return [(group, name, target) for group, entries in groups.items() for name, target in entries.items()]


def test_every_package_is_listed_once() -> None:
    listed = pyproject()["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(packages())


def test_every_room_is_mapped_to_its_folder() -> None:
    assert pyproject()["tool"]["setuptools"]["package-dir"] == {f"offhook.{room}": room for room in ROOMS}


def test_no_python_file_lies_outside_a_package() -> None:
    strays = [path.relative_to(ROOT) for path in sources() if not (path.parent / "__init__.py").is_file()]
    assert strays == []  # such a file would be missing from the wheel, and invisible to import-linter


def test_import_linter_sees_every_module() -> None:
    import grimp

    roots = pyproject()["tool"]["importlinter"]["root_packages"]
    assert set(roots) == {f"offhook.{room}" for room in ROOMS}
    seen = grimp.build_graph(*roots, cache_dir=None).modules
    there = set()
    for path in sources():
        parts = path.relative_to(ROOT).with_suffix("").parts
        there.add(".".join(("offhook", *(parts[:-1] if parts[-1] == "__init__" else parts))))
    assert there - seen == set()


def test_the_contracts_cover_every_room() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    layers = " ".join(next(item["layers"] for item in contracts if item["type"] == "layers"))
    named = set(re.findall(r"offhook\.(\w+)", layers))
    assert named == set(ROOMS) - {"fixtures"}
    forbidden = [item for item in contracts if item["type"] == "forbidden"]
    blind = next(item for item in forbidden if item["forbidden_modules"] == ["offhook.fixtures"])
    assert set(blind["source_modules"]) == {f"offhook.{room}" for room in ROOMS} - {"offhook.fixtures"}
    assert any(item["source_modules"] == ["offhook.fixtures"] for item in forbidden)


def test_every_file_that_is_not_python_goes_into_the_wheel() -> None:
    data = pyproject()["tool"]["setuptools"]["package-data"]
    names = packages()
    lost = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if not path.is_file() or path.suffix == ".py" or "__pycache__" in path.parts:
                continue
            owner = next(parent for parent in path.parents if (parent / "__init__.py").is_file())
            package = ".".join(("offhook", *owner.relative_to(ROOT).parts))
            inside = path.relative_to(owner).as_posix()
            if package not in names or not any(fnmatch.fnmatch(inside, glob) for glob in data.get(package, [])):
                lost.append(path.relative_to(ROOT).as_posix())
    assert lost == []


@pytest.mark.parametrize(("group", "name", "target"), entry_points(), ids=lambda value: str(value))
def test_every_entry_point_resolves(group: str, name: str, target: str) -> None:
    module, _, attribute = target.partition(":")
    found = import_module(module)
    assert not attribute or hasattr(found, attribute)


def test_constraints_pin_and_point_nowhere() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").split("\n")
    for line in filter(None, lines):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line


def test_every_dependency_is_pinned() -> None:
    project = pyproject()["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    pinned = {_plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text("utf-8").split()}
    names = {_plain(re.split(r"[<>=!~\[; ]", item)[0]) for item in wanted}
    assert names - {"offhook"} - pinned == set()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_names_say_something() -> None:
    folders = {path.parent for path in sources()}
    assert [path.name for path in (*sources(), *folders) if VAGUE.search(path.stem)] == []


def test_files_and_functions_fit_on_a_few_screens() -> None:
    long: list[str] = []
    for path in sources():
        text = path.read_text("utf-8")
        if text.count("\n") > LONGEST_FILE:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                lines = (node.end_lineno or first.lineno) - first.lineno + 1  # signature and docstring may take room
                if lines > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_every_module_says_what_it_is() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sources()}
    silent = [str(path.relative_to(ROOT)) for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []
