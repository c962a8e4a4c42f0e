"""report.pdf: what an auditor must find in it, and what a run's text must never do to it."""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from pypdf import PdfReader
from unit.reports.synthetic_run import Script, keyed

from offhook.bench.record import Verdict
from offhook.reports import render
from offhook.reports.shortfall import MOST_FAILURES, ranges

HOSTILE = '#panic("no") *bold* $x/0$ "] \\ `raw` <label> @ref // gone /* #include "/etc/passwd" */ #let x'
DEVIATION = {"id": "TH-04", "what": "S6 to first ring", "unit": "s", "built_in": 2.0, "used": 3.5, "effect": "loosened"}


def pages(folder: Path) -> list[str]:
    """The text of every page, white space folded."""
    render(folder)
    return read((folder / "report.pdf").read_bytes())


def read(content: bytes) -> list[str]:
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(content)).pages]


def small_run(runs: Path, **meta: object) -> Script:
    script = Script(runs, **meta)
    script.begin("test_code", "the code is keyed", "assoc", "ASSOC-S27.1")
    keyed(script, "4711", "4711")
    script.end()
    return script


@pytest.mark.req("REP-VER.2")
def test_page_one_says_what_was_tested_how_far_it_goes_and_by_which_rule(good: Path) -> None:
    first = pages(good)[0]
    for expected in (
        "VERIFICATION REPORT, SIMULATED DEVICES",
        "PASS",
        "SIM-VERIFIED",
        "says nothing about a physical product",
        "vendor Offhook",
        "firmware 1",
        "serial SIM-0001",
        "role R1",
        "calibration none",
        "PASS needs the figure plus its uncertainty (k = 2) within the limit",
        "Every file is as it was when the run was sealed",
    ):
        assert expected in first, expected
    assert "HW-CERTIFIED" not in " ".join(pages(good))


def test_every_page_names_the_run_its_number_and_its_digest(bad: Path) -> None:
    found = pages(bad)
    for number, text in enumerate(found, 1):
        assert "run 2026-11-21_101208" in text
        assert f"page {number} of {len(found)}" in text
        assert re.search(r"digest [0-9a-f]{64}", text)


@pytest.mark.req("REP-FMT.1")
def test_it_has_every_requirement_attempt_and_file_of_the_run(bad: Path) -> None:
    text = " ".join(pages(bad))
    squeezed = re.sub(r"[\s\u200b]", "", text)
    with sqlite3.connect(bad / "run.sqlite") as database:
        reqs = {req for (req,) in database.execute("SELECT req FROM judgement")}
        names = [nodeid.rpartition("::")[2] for (nodeid,) in database.execute("SELECT nodeid FROM attempt")]
    database.close()
    assert len(names) == 6
    for name in [*reqs, *names, *(path.name for path in (bad / "audio").iterdir())]:
        assert name in squeezed, name
    assert "thendigitsreachtheIVRasDTMF" in squeezed, "ASSOC-S27.1 in its own words"


def test_what_failed_is_told_with_what_was_expected_heard_and_where_to_listen(bad: Path) -> None:
    text = " ".join(pages(bad))
    told = text[text.rindex("What did not pass") :]
    assert "✗ FAIL" in told
    assert "4711" in told
    assert "47711" in told
    assert "audio/ivr-1-heard_0003.wav@" in told
    assert "is the cloud connected to the PBX?" in told


def test_what_was_not_run_has_its_reason(good: Path) -> None:
    text = " ".join(pages(good))
    missing = text[text.rindex("What was not run, and why") :]
    assert "no instrument on this station" in missing
    assert "LINE-TONE.4" in missing
    assert "no display" in missing


@pytest.mark.req("REP-FMT.1")
def test_the_same_folder_gives_the_same_pdf_dated_as_the_run(good: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(good, tmp_path / "elsewhere"))
    render(good)
    render(moved)
    content = (good / "report.pdf").read_bytes()
    assert content == (moved / "report.pdf").read_bytes()
    assert PdfReader(io.BytesIO(content)).metadata["/CreationDate"].startswith("D:20261121101208")  # type: ignore[index]


def test_its_fonts_are_in_it(good: Path) -> None:
    render(good)
    embedded = 0
    for page in PdfReader(good / "report.pdf").pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descendant["/FontDescriptor"].get_object())
            embedded += 1
    assert embedded > 1


def test_text_of_a_run_is_text_whatever_it_looks_like(tmp_path: Path) -> None:
    dut = {"vendor": HOSTILE, "model": "x\x00y\x1b[31m", "firmware": "#sys.inputs"}
    script = small_run(tmp_path, dut=dut, only=HOSTILE)
    script.begin("test_odd[a]", f"title {HOSTILE}", "odd # suite", "ASSOC-X")
    script.end(Verdict.FAIL, f"Boom: {HOSTILE}")
    script.record.seal()
    text = " ".join(pages(script.folder))
    assert 'Boom: #panic("no") *bold* $x/0$ "] \\ `raw` <label> @ref // gone /* #include "/etc/passwd"' in text
    assert "root:" not in text
    assert "firmware #sys.inputs" in text


@pytest.mark.req("REP-PROF.1")
def test_a_loosened_limit_is_said_at_the_top_and_costs_the_title(tmp_path: Path) -> None:
    plain, loose, tight = (
        small_run(tmp_path / name, deviations=[{**DEVIATION, **change}] if change is not None else [])
        for name, change in (("plain", None), ("loose", {}), ("tight", {"used": 1.0, "effect": "tightened"}))
    )
    first = {}
    for script in (plain, loose, tight):
        script.record.seal()
        first[script] = pages(script.folder)[0]
    assert "DEVIATIONS" not in first[plain]
    assert "VERIFICATION REPORT, SIMULATED DEVICES, WITH DEVIATIONS" in first[loose]
    assert first[loose].index("Not judged by the built-in limits") < first[loose].index("SIM-VERIFIED")
    assert "TH-04 S6 to first ring 2 s 3.5 s loosened" in first[loose]
    assert "WITH DEVIATIONS" not in first[tight]
    assert "TH-04 S6 to first ring 2 s 1 s tightened" in first[tight]


def test_a_note_of_deviations_that_cannot_be_read_counts_as_loosened(tmp_path: Path) -> None:
    script = small_run(tmp_path, deviations="none, honestly")
    script.record.seal()
    assert "WITH DEVIATIONS" in pages(script.folder)[0]


def test_an_altered_folder_has_no_level(good: Path) -> None:
    with (good / "relays.csv").open("a", encoding="utf-8") as file:
        file.write("1,1,keys1,0,open\n")
    first = pages(good)[0]
    assert "NOT VERIFIED" in first
    assert "TEST REPORT" in first
    assert "changed: relays.csv" in first


def test_a_long_run_tells_like_failures_once(tmp_path: Path) -> None:
    script = Script(tmp_path)
    for number in range(3 * MOST_FAILURES):
        script.begin(f"test_same[#{number + 1}-desk-1]", f"the same [#{number + 1}-desk-1]", "assoc", "ASSOC-S10.1")
        script.clock.time_s += 1.0
        script.end(Verdict.FAIL, "Boom: as ever")
    script.record.seal()
    text = " ".join(pages(script.folder))
    told = text[text.rindex("What did not pass") : text.rindex("Every attempt")]
    assert told.count("as ever") == 1
    assert f"attempts 1–{3 * MOST_FAILURES}" in told
    assert f"0 / {3 * MOST_FAILURES}" in told
    assert "#1-desk-1" not in told  # the repetition is no variant of the case


def test_numbers_are_taken_together() -> None:
    assert ranges([3, 1, 2, 7, 9, 10, 10]) == "1–3, 7, 9–10"
    assert ranges([]) == ""


def test_letters_that_no_font_has_are_spelt_out_and_do_not_cost_the_report(tmp_path: Path) -> None:
    script = small_run(tmp_path, dut={"vendor": "华为", "model": "Größe Ωλ ✓", "serial": "🫠\ud800"})
    script.record.seal()
    first = pages(script.folder)[0]
    assert r"vendor \u{534e}\u{4e3a}" in first
    assert r"\u{1fae0}\u{d800}" in first
    assert "Größe Ωλ" in first
    assert "Letters that the fonts of this document lack" in first


def test_a_run_in_ordinary_letters_says_nothing_of_fonts(good: Path) -> None:
    text = " ".join(pages(good))
    assert "Letters that the fonts" not in text
    assert r"\u{" not in text


def test_a_run_that_never_came_to_an_attempt_has_its_document(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.record.seal("error: the station went away")
    text = " ".join(pages(script.folder))
    assert "NOT VERIFIED" in text
    assert "The run broke off: the station went away" in text


def test_a_run_that_was_killed_says_that_nothing_vouches_for_it(tmp_path: Path) -> None:
    script = small_run(tmp_path)
    script.record.close()
    text = " ".join(pages(script.folder))
    assert "The run was killed" in text
    assert "digest none: the run was never sealed" in text
    assert "INCOMPLETE" in text
