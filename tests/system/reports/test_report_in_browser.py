"""A real run's report in a real browser, with no network to lean on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from offhook.reports import render

pytestmark = pytest.mark.timeout(300)
LOCAL = ("data:", "#")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",  # whoever asks for anything is refused
]


def offhook(*arguments: str | Path, expect: int = 0) -> None:
    command = [sys.executable, "-m", "offhook.bench.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == expect, done.stdout + done.stderr


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite of decoder measurements on the simulated station: short, and with audio."""
    folder = tmp_path_factory.mktemp("runs") / "passed"
    offhook("run", "simulated", "--suite", "dtmf", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The associations with two keys of one phone swapped."""
    folder = tmp_path_factory.mktemp("runs") / "failed"
    offhook("run", "simulated", "--suite", "association", "--fault", "swap-keys:desk-1:1:2", "--out", folder, expect=1)
    return folder


class Page(HTMLParser):
    """What a browser made of the page: its text, where things point, and what failed to load."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: list[str] = []
        self._texts: list[str] = []
        self._silent = 0
        self.feed(source)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self._texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._silent += tag in ("style", "script")
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "data", "poster", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._texts.append(data)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[list[str]]:
    program = shutil.which("chromium")
    assert program, "chromium is not installed; try: make packages"
    with tempfile.TemporaryDirectory() as profile:
        yield [program, *FLAGS, f"--user-data-dir={profile}"]


def open_page(browser: list[str], page: Path, *options: str) -> str:
    done = subprocess.run([*browser, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_verdict_is_on_the_page_and_nothing_is_fetched(browser: list[str], passed: Path) -> None:
    page = Page(open_page(browser, passed / "report.html", "--dump-dom"))
    assert "SIM-VERIFIED" in page.text
    assert "PASS" in page.text
    assert "script" not in page.elements
    assert "audio" in page.elements
    for link in page.links:
        if not link.startswith(LOCAL):  # the rest are files of the run folder
            assert (passed / link.partition("#")[0]).is_file(), link


def fetched(browser: list[str], page: Path, log: Path) -> list[str]:
    """The addresses a page asked for, by the browser's own log; its housekeeping left out."""
    open_page(browser, page, "--dump-dom", f"--log-net-log={log}", "--net-log-capture-mode=Everything")
    asked = set(re.findall(r'"url":"((?:https?|wss?)://[^"]+)"', log.read_text("utf-8")))
    return sorted(url for url in asked if not re.search(r"//[^/]*(google|gvt1)", url))


def test_the_page_needs_nothing_but_itself(browser: list[str], passed: Path, tmp_path: Path) -> None:
    nosy = tmp_path / "nosy.html"
    nosy.write_text('<img src="http://127.0.0.1:9/seen.png">', "utf-8")
    assert fetched(browser, nosy, tmp_path / "nosy.json") == ["http://127.0.0.1:9/seen.png"]  # the log would show it
    alone = Path(shutil.copy(passed / "report.html", tmp_path))
    assert fetched(browser, alone, tmp_path / "alone.json") == []


def test_the_failing_step_is_on_the_first_screen(browser: list[str], failed: Path, tmp_path: Path) -> None:
    page = Page(open_page(browser, failed / "report.html", "--dump-dom"))
    results = json.loads((failed / "results.json").read_text("utf-8"))
    assert results["verdict"] == "FAIL"
    first = page.text[: page.text.index("Tested")]
    assert "FAIL" in first
    assert "Where it failed" in first
    assert re.search(r"\bS\d+\b", first)
    assert "desk-1" in first or "ivr" in first


def test_the_report_is_small_enough_to_mail(failed: Path) -> None:
    assert (failed / "report.html").stat().st_size < 25_000_000


def test_rendering_again_gives_the_same_bytes_in_another_process(passed: Path) -> None:
    names = ("report.html", "report.pdf", "results.json", "junit.xml")
    before = {name: (passed / name).read_bytes() for name in names}
    code = "import sys, pathlib; from offhook.reports import render; render(pathlib.Path(sys.argv[1]))"
    env = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(passed)], check=True, env=env, timeout=120)
    assert before == {name: (passed / name).read_bytes() for name in names}


def test_black_and_white_still_tells_pass_from_fail(browser: list[str], failed: Path, tmp_path: Path) -> None:
    page = (failed / "report.html").read_text("utf-8")
    tags = set(re.findall(r'<span class="tag (\w+)">([^<]+)</span>', page))
    assert len({word for _, word in tags}) == len({verdict for verdict, _ in tags})
    assert ("FAIL", "✗ FAIL") in tags
    assert ("PASS", "✓ PASS") in tags
    paper = tmp_path / "report.pdf"
    open_page(browser, failed / "report.html", f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF")


def test_a_wav_changed_by_hand_is_caught_on_page_one(passed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(passed, tmp_path / "altered"))
    wav = sorted((folder / "audio").glob("*.wav"))[0]
    content = bytearray(wav.read_bytes())
    content[44:] = bytes(len(content) - 44)
    wav.write_bytes(content)
    render(folder)
    page = Page((folder / "report.html").read_text("utf-8"))
    first = page.text[: page.text.index("Tested")]
    assert "NOT VERIFIED" in first
    assert f"changed: audio/{wav.name}" in first
