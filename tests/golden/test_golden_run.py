"""A run folder made by an earlier version is read, judged and reported as it was meant then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from offhook.reports import render

FOLDER = Path(__file__).parent / "run-v1"


@pytest.mark.req("REP-REPLAY.1")
def test_an_old_run_is_reported_without_its_hardware(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "run"))
    evidence = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    render(folder)
    found = json.loads((folder / "results.json").read_text("utf-8"))
    verdicts = {item["nodeid"].partition("::")[2]: item["outcome"] for item in found["attempts"]}
    assert verdicts == {"test_code[right]": "PASS", "test_code[doubled]": "FAIL"}
    assert found["verdict"] == "FAIL"
    assert found["remarks"] == []  # sealed, unaltered, and judged as it was then
    code = [item for attempt in found["attempts"] for item in attempt["judgements"] if item["kind"] == "digits"]
    assert [item["figure"] for item in code] == [0, 1]
    assert "47711" in code[1]["reason"]
    pdf = " ".join(page.extract_text() for page in PdfReader(folder / "report.pdf").pages)
    assert "2026-11-21_101208" in pdf
    assert "of 4 digits wrong" in pdf
    assert evidence == {path: path.read_bytes() for path in evidence}
