"""report.html: what a reader must see, and what must never be in it."""

from __future__ import annotations

import base64
import re
import shutil
import sqlite3
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from unit.reports.synthetic_run import Script, call, keyed

from offhook import dsp
from offhook.bench.record import Verdict
from offhook.drivers.errors import ConfigError
from offhook.reports import budget, render


def page(folder: Path) -> str:
    render(folder)
    return (folder / "report.html").read_text("utf-8")


def words(html: str) -> str:
    """The text a reader sees, tags and drawings removed."""
    html = re.sub(r"<(style|svg|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def page_one(html: str) -> str:
    return words(html[html.index('<header class="page-one">') : html.index("</header>")])


def verdict(html: str) -> str:
    """The large word on page one."""
    found = re.search(r'<p class="word">([^<]+)</p>', html)
    assert found
    return found[1]


@pytest.mark.req("REP-VER.2")
def test_page_one_says_what_was_tested_on_what_and_how_it_ended(good: Path) -> None:
    text = page_one(page(good))
    for expected in (
        "PASS",
        "SIM-VERIFIED",
        "vendor Offhook",
        "model simulated PBX and desk phones",
        "firmware 1",
        "serial SIM-0001",
        "station simulated",
        "role R1",
        "calibration none",
        "Offhook 0.1.0",
        "relay keys1 numato, simulated",
        "The run was completed.",
        "PASS needs the figure plus its uncertainty",
        "Closest to their limits",
    ):
        assert expected in text
    assert "HW-CERTIFIED" not in text


@pytest.mark.req("REP-VER.2")
def test_hardware_without_a_calibration_is_never_certified(tmp_path: Path) -> None:
    script = Script(tmp_path, grade="HARDWARE")
    script.begin("test_association", "association", "assoc")
    call(script)
    script.end()
    script.record.seal()
    html = page(script.folder)
    assert "HW-CERTIFIED" not in html
    assert verdict(html) == "INCONCLUSIVE"
    assert "NOT VERIFIED" in page_one(html)


def test_loopback_is_called_loopback(tmp_path: Path) -> None:
    script = Script(tmp_path, grade="LOOPBACK")
    script.begin("test_association", "association", "assoc")
    call(script)
    script.end()
    script.record.seal()
    assert "LOOPBACK-VERIFIED" in page_one(page(script.folder))


def test_the_three_figures_closest_to_their_limits_come_in_order(good: Path) -> None:
    text = page_one(page(good))
    closest = text[text.index("Closest to their limits") : text.index("Decision rule")]
    # 0.8 of 2 s, 0.65 of 2 s, then 0.04 of 1 s before 0.11 of 3 s
    assert re.findall(r"[A-Z]+-S\d+\.\d", closest) == ["ASSOC-S15.1", "ASSOC-S10.1", "ASSOC-S11.1"]


def test_the_figure_past_its_limit_is_the_closest(bad: Path) -> None:
    text = page_one(page(bad))
    closest = text[text.index("Closest to their limits") : text.index("Decision rule")]
    assert re.search(r"limits ASSOC-S15\.1 S6 to first ring 2\.6000 ± 0\.0028 s limit ≤ 2 s", closest)


def test_a_failure_comes_first_with_its_four_lines(bad: Path) -> None:
    html = page(bad)
    first = words(html[html.index('<section id="failed">') : html.index('<figure class="ladder">')])
    assert "S27 ASSOC-S27.1 code keyed on desk-1 reaches the IVR once" in first
    assert "expected ivr-1-heard carries exactly '4711'" in first
    assert "heard expected" not in first
    assert re.search(r'heard 47711: "7" twice, \d+ ms apart', first)
    assert re.search(r"listen .*ivr-1-heard_\d+\.wav@\d+\.\d", first)
    assert "try a bouncing key" in first
    assert html.index("Where it failed") < html.index("Tested") < html.index('id="requirements"')


def test_the_clip_of_a_failure_holds_it_and_little_more(bad: Path) -> None:
    html = page(bad)
    told = html[html.index('<dl class="told">') : html.index("</dl>", html.index('<dl class="told">'))]
    data = re.search(r'src="data:audio/wav;base64,([^"]+)"', told)
    assert data
    samples = dsp.codec.ulaw_decode(base64.b64decode(data[1])[58:])
    assert dsp.decode(samples, rate=8000).text() == "47711"
    assert 2.0 < len(samples) / 8000 < 6.0


def test_an_attempt_that_broke_off_tells_the_step_and_the_wire(bad: Path) -> None:
    html = page(bad)
    start = html.index("association with the CTI link cut", html.index('<section id="failed">'))
    card = words(html[start : html.index("</article>", start)])
    assert "expected MonitorStart for 1001" in card
    assert "heard nothing in 5 s" in card
    assert "CTI link between cloud and PBX" in card
    assert "try is the cloud connected to the PBX?" in card


@pytest.mark.req("REP-TRC.1")
def test_every_judgement_links_to_its_requirement_and_to_evidence_that_exists(bad: Path) -> None:
    html = page(bad)
    rows = re.findall(r'<tr id="j\d+">.*?(?=<tr |</tbody>)', html, flags=re.DOTALL)
    assert len(rows) == 5 * 4 + 3 * 2
    for row in rows:
        req = re.search(r'href="#req-([^"]+)"', row)
        assert req
        assert f'id="req-{req[1]}"' in html
        places = re.findall(r'<a href="([^"#]+)', row[row.rindex("<td>") :])
        assert places
        assert all((bad / name).is_file() for name in places)


@pytest.mark.req("REP-VER.3")
def test_a_requirement_is_told_in_its_own_words(bad: Path) -> None:
    html = page(bad)
    rows = words(html[html.index('id="requirements"') :])
    assert "Given the prompt, when the code is typed on the phone's keypad, then digits reach the IVR as DTMF" in rows


def test_a_figure_nearer_to_its_limit_than_its_uncertainty_is_inconclusive(bad: Path) -> None:
    html = page(bad)
    start = html.index("association of desk-1 by alice, close", html.index('<section id="failed">'))
    card = html[start : html.index("</article>", start)]
    row = next(row for row in card.split("<tr ") if "ASSOC-S15.1" in row and "figure" not in row)
    assert '<span class="tag INCONCLUSIVE">' in row
    assert "1.9985 ± 0.0028 s" in row


def test_nothing_is_fetched_and_nothing_runs(bad: Path) -> None:
    html = page(bad)
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<iframe|\bon\w+=", re.sub(r'"data:[^"]*"', "", html))
    assert set(re.findall(r'\b(?:src|href)="(\w+:)', html)) == {"data:"}


@pytest.mark.req("REP-EV.1")
def test_inlined_audio_is_the_call(good: Path) -> None:
    html = page(good)
    clips = [base64.b64decode(data) for data in re.findall(r'src="data:audio/wav;base64,([^"]+)"', html)]
    heard = [dsp.decode(dsp.codec.ulaw_decode(wav[58:]), rate=8000).text() for wav in clips]
    assert "1234567#4711" in heard  # towards the IVR
    assert "8642#4711" in heard  # at the handset
    assert all(wav[:4] == b"RIFF" and wav[20:22] == b"\x07\0" for wav in clips)  # WAVE_FORMAT_MULAW
    assert all(int.from_bytes(wav[54:58], "little") == len(wav) - 58 for wav in clips)


def test_secrets_of_the_station_file_stay_in_the_folder(bad: Path) -> None:
    render(bad)
    for name in ("report.html", "results.json", "junit.xml"):
        text = (bad / name).read_text("utf-8")
        assert "alice-pw" not in text
        assert "hush-hush" not in text


def test_text_from_the_run_cannot_become_markup(tmp_path: Path) -> None:
    script = Script(tmp_path, dut={"vendor": "<script>alert(1)</script>", "model": "A & B"})
    script.begin("test_x", "<img src=x onerror=alert(1)>", "assoc")
    script.step("S1", "</title><b>", 0.5, "K", "cloud", "<i>kind</i>")
    script.record.judge("ASSOC-S1.1", '"><svg onload=x>', "note", verdict="FAIL", reason="</small><script>")
    script.end()
    script.record.seal()
    html = page(script.folder)
    for evil in ("<script", "<img", "<i>kind", "<svg onload", "</title><b>"):
        assert evil not in html
    assert "A &amp; B" in html


def test_the_same_folder_gives_the_same_bytes_wherever_it_lies(bad: Path, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in render(bad)}
    again = {path.name: path.read_bytes() for path in render(bad)}
    moved = shutil.copytree(bad, tmp_path / "elsewhere")
    for name in first:
        (moved / name).unlink()
    there = {path.name: path.read_bytes() for path in render(moved)}
    assert first == again == there
    assert set(first) == {"results.json", "junit.xml", "report.pdf", "report.html"}


@pytest.mark.req("REP-REPLAY.1")
def test_another_sound_in_a_recording_changes_the_verdict_and_says_so(good: Path) -> None:
    assert "SIM-VERIFIED" in page_one(page(good))
    with sqlite3.connect(good / "run.sqlite") as database:
        rows = database.execute("SELECT file FROM audio WHERE wire = 'ivr-1-heard' ORDER BY id").fetchall()
    database.close()
    path = good / rows[0][0]
    content = bytearray(path.read_bytes())
    samples = np.frombuffer(content, dtype="<i2", offset=44)
    samples[len(samples) // 2 :] = 0  # the code is gone
    path.write_bytes(content)
    html = page(good)
    text = page_one(html)
    assert verdict(html) == "INCONCLUSIVE"
    assert "NOT VERIFIED" in text
    assert "The evidence was altered after it was sealed" in text
    assert re.search(r"\d+ verdicts differ from those of the run when recomputed .*ASSOC-S27\.1", text)
    assert rows[0][0] in text


def test_a_file_slipped_in_afterwards_is_noticed(good: Path) -> None:
    (good / "audio" / "desk-9_0001.wav").write_bytes(b"RIFF")
    text = page_one(page(good))
    assert "added: audio/desk-9_0001.wav" in text
    assert "NOT VERIFIED" in text


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ("interrupted", "The run was interrupted"),
        ("terminated", "The run was terminated"),
        ("error: relay.keys1: gone", "The run broke off: relay.keys1: gone"),
    ],
)
def test_a_run_that_did_not_complete_says_so_in_large_type(tmp_path: Path, ended: str, said: str) -> None:
    script = Script(tmp_path)
    script.begin("test_association", "association", "assoc")
    call(script)
    script.end()
    script.record.note_meta(planned={"assoc": 3, "lock": 2})
    script.record.seal(ended)
    html = page(script.folder)
    alarm = "".join(re.findall(r'<p class="alarm">(.*?)</p>', html))
    assert said in alarm
    assert "4 of 5 planned attempts were never begun" in alarm
    assert verdict(html) == "INCOMPLETE"
    assert "NOT VERIFIED" in page_one(html)


def test_a_killed_run_is_read_as_it_lies(tmp_path: Path) -> None:
    script = Script(tmp_path / "live")
    script.begin("test_association", "association", "assoc")
    call(script)
    killed = tmp_path / "killed"
    shutil.copytree(script.folder, killed)  # with its write-ahead log, as a kill leaves it
    before = {path: path.read_bytes() for path in sorted(killed.rglob("*")) if path.is_file()}
    html = page(killed)
    assert "The run was killed" in "".join(re.findall(r'<p class="alarm">(.*?)</p>', html))
    assert verdict(html) == "INCOMPLETE"
    assert "the run ended while it was running" in words(html)
    assert before == {path: path.read_bytes() for path in before}  # reading changed nothing
    script.end()
    script.record.seal()


def test_a_station_without_an_instrument_still_passes(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_association", "association", "assoc")
    call(script)
    script.end()
    script.note("test_line_level", "line", "LINE-TONE.4", Verdict.NOT_RUN, "no instrument", required=False)
    script.record.seal()
    text = page_one(page(script.folder))
    assert "SIM-VERIFIED" in text
    assert "1 not run (no instrument)" in text


def test_a_folder_that_is_no_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.sqlite"):
        render(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_page_stays_below_25_mb_when_everything_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(tmp_path)
    for number in range(12):
        script.begin(f"test_association[{number}]", "association", "assoc")
        call(script, heard="47711")
        script.end()
    script.record.seal()
    full = page(script.folder)
    assert full.count('<figure class="ladder">') == 12
    assert "left out" not in full
    for name, room in (("AUDIO_BYTES", 600_000), ("PICTURE_BYTES", 100_000), ("TABLE_BYTES", 50_000)):
        monkeypatch.setattr(f"offhook.reports.budget.{name}", room)
    small = page(script.folder)
    assert 600_000 > sum(map(len, re.findall(r'"data:audio[^"]*"', small))) > 200_000
    assert 1 < small.count('<figure class="ladder">') < 12
    tables = small.count('<table class="judged">')
    assert 1 < tables < 12
    assert small.count("attempt ") >= small.count("were left out to keep the page small") == 12 - tables
    assert len(re.findall(r'<article class="case FAIL"', small)) == 12  # each says what is wrong, whatever else is left


def test_the_rooms_together_are_below_25_mb() -> None:
    assert budget.AUDIO_BYTES + budget.PICTURE_BYTES + budget.TABLE_BYTES < 24_000_000


def test_one_call_of_every_flow_comes_with_its_audio(tmp_path: Path) -> None:
    """The first of each test, unless the call of another test went through the same steps."""
    script = Script(tmp_path)
    for name, steps in (("test_a[1]", ""), ("test_a[2]", ""), ("test_b[1]", ""), ("test_c[1]", "S1 S2"),
                        ("test_d[1]", "S1 S2"), ("test_e[1]", "S1 S3")):  # fmt: skip
        script.begin(name, name, "assoc")
        for step in steps.split():
            script.record.step("flow", step, step, script.clock.time_s, 0.001, None, None)
        keyed(script, "4711", "4711")
        script.end()
    script.record.seal()
    html = page(script.folder)
    cases = re.split(r'<details class="case', html)[1:]
    assert ["<audio" in case for case in cases] == [True, False, False, True, False, True]
    assert all('class="ladder"' in case for case in cases)
