"""`make faults`: its denominator is the page and the code alike, and it calls a pair covered only if it is."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from bugs import BUGS, part
from unit.plant.plant_hands import station

from offhook.fixtures.defects import CloudDefect, PbxDefect
from offhook.fixtures.faults import BY_WIRE, KINDS, FaultBoard
from offhook.fixtures.stations import INSTRUMENTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
ROW = "| `cut:ivr` | nothing is heard | `cut:ivr` | `an_unlocked and desk-1` | FAIL: S31; IVR leg |"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("faults_tool", ROOT / "tools" / "faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_fault_at_every_wire_is_a_pair_and_no_other(tool: ModuleType) -> None:
    listed = {(pair.wire, pair.shape) for pair in tool.pairs(PAGE)}
    there = {(wire, ":".join((kind, *wanted))) for wire, kinds in BY_WIRE.items() for kind, wanted in kinds.items()}
    assert listed == there | {("own", "bug:NAME")}


def test_every_defect_is_a_pair(tool: ModuleType) -> None:
    listed = {pair.fault for pair in tool.pairs(PAGE)}
    defects = {f"wrong-cloud:{each}" for each in CloudDefect} | {f"wrong-pbx:{each}" for each in PbxDefect}
    assert defects - listed == set()
    assert {pair.removeprefix("bug:") for pair in listed if pair.startswith("bug:")} == set(BUGS)


@pytest.mark.parametrize("name", sorted(BUGS))
def test_every_bug_has_a_part_to_be_put_into(name: str) -> None:
    """One that is renamed takes its bug with it, and only `make faults` would notice."""
    owner, attribute, _ = part(name)

    assert attribute in vars(owner)


def test_every_pair_is_a_fault_of_the_shipped_station(tool: ModuleType) -> None:
    boards = {}
    for name, tables in (("simulated", station()), ("instruments", tomllib.loads(INSTRUMENTS.read_text("utf-8")))):
        extensions = [str(table["extension"]) for table in tables["phone"].values()]
        instruments = tables.get("instrument", ())
        boards[name] = FaultBoard(list(tables["phone"]), extensions, instruments=instruments, linesims=["tls"])
    for pair in [each for each in tool.pairs(PAGE) if each.wire != "own"]:
        boards[tool.STATIONS.get(pair.wire, "simulated")].add(pair.fault)
        assert pair.fault.startswith(next(kind for kind in KINDS if pair.shape.startswith(kind)))


def test_no_pair_is_listed_twice(tool: ModuleType) -> None:
    listed = [(pair.fault, pair.cases) for pair in tool.pairs(PAGE)]
    assert len(set(listed)) == len(listed)


def test_the_results_on_the_page_are_those_of_its_pairs(tool: ModuleType) -> None:
    """A row added by hand, or left over, would be a result that nobody has seen."""
    rows = re.findall(r"^\| [\w-]+ \| `([^`]+)` \| (\w+)", PAGE.split(tool.BEGIN)[1], flags=re.MULTILINE)
    assert rows == [(pair.fault, pair.verdict) for pair in tool.pairs(PAGE)]


def test_a_row_is_read(tool: ModuleType) -> None:
    (pair,) = tool.pairs(f"### `ivr` The IVR\n\n{ROW}\n{tool.BEGIN}\n{ROW}")
    assert pair == tool.Pair("ivr", "cut:ivr", "cut:ivr", "an_unlocked and desk-1", "FAIL", ("S31", "IVR leg"))


@pytest.mark.parametrize("broken", [ROW[:-20], ROW.replace("FAIL: ", "PASS: "), ROW.replace("S31; IVR leg", "")])
def test_a_row_that_cannot_be_read_is_an_error(tool: ModuleType, broken: str) -> None:
    with pytest.raises(ValueError, match="cut:ivr"):
        tool.pairs(broken)


@pytest.mark.parametrize(
    ("verdict", "text", "wrong"),
    [
        ("FAIL", "S31: nothing; wire: IVR leg", ""),
        ("PASS", "", "PASS, not FAIL"),
        ("INCONCLUSIVE", "S31 IVR leg", "INCONCLUSIVE, not FAIL"),
        ("FAIL", "S31: handset", "does not say 'IVR leg'"),
    ],
)
def test_only_the_right_verdict_and_the_right_words_cover_a_pair(
    tool: ModuleType, verdict: str, text: str, wrong: str
) -> None:
    (pair,) = tool.pairs(ROW)
    assert tool.wrong_with(pair, tool.Outcome("cut:ivr", verdict, text=text)) == wrong


def test_what_make_trace_reads(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "TRACE", tmp_path)
    (pair,) = tool.pairs(ROW)
    failures = (("bench/suites/test_a.py::test_x", "A-1"), ("bench/suites/test_a.py::test_y", "A-2"))
    tool.write_trace([(pair, tool.Outcome("cut:ivr", "FAIL", [nodeid], [req])) for nodeid, req in failures])
    failed, judged = (json.loads((tmp_path / name).read_text()) for name in ("faults.json", "faults-judged.json"))
    assert failed == {"cut:ivr": ["bench/suites/test_a.py::test_x", "bench/suites/test_a.py::test_y"]}
    assert judged == {"cut:ivr": ["A-1", "A-2"]}
