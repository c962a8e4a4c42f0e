"""The pages in docs/ are true: links lead somewhere, examples load, lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhook.bench.station_file import load_station
from offhook.fixtures.faults import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    dead = [link for link in links if not re.match(r"https?:", link) and not (page.parent / link).exists()]
    assert dead == []


def test_the_example_station_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "stations.md").read_text("utf-8"), flags=re.DOTALL)
    assert example
    for name in re.findall(r"env:(\w+)", example[1]):
        monkeypatch.setenv(name, "secret")
    (tmp_path / "lab3.toml").write_text(example[1], "utf-8")
    model = load_station(tmp_path / "lab3.toml").model
    assert model.phone["desk-1"].extension == "1001"
    assert model.world is None


def test_every_fault_is_described_with_its_arguments() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "faults.md").read_text("utf-8"), flags=re.MULTILINE)
    known = {":".join((kind, *arguments)) for kind, arguments in KINDS.items()}
    assert set(rows) == known | {"bug:NAME"}


def test_every_decision_is_in_the_list_and_follows_the_form() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert listed == records
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    for name in records:
        text = (folder / name).read_text("utf-8")
        assert text.startswith(f"# {name[:4]}: ")
        assert [part in text for part in ("**Situation.**", "**Decision.**", "**Costs.**")] == [True] * 3
