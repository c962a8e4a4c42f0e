"""One run by a profile of its own, on a station with long codes: what it says of its limits, and what it hides."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from runs import OFFHOOK, Ended, Runner

from offhook import dsp
from offhook.bench.record import judge
from offhook.bench.record.audio import read_wav
from offhook.bench.station_file import find_station
from offhook.drivers.errors import ConfigError
from offhook.reports.export import export

CODES = {"8642": "80246913", "7531": "70135824", "2468": "60357918"}
PASSWORDS = {"alice-pw": "correct-horse-7", "bob-pw": "battery-staple-8", "admin-token": "tr0ub4dor-token"}
PROFILE = """
schema_version = 1
name = "acme 2026"

[limits]
first_ring_s = 3.5
seizure_s = 1.5

[options]
suites = ["association"]
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    place = tmp_path_factory.mktemp("secret")
    text = find_station("simulated").read_text("utf-8")
    for old, new in {**CODES, **PASSWORDS}.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    (place / "lab.toml").write_text(text, "utf-8")
    (place / "acme.toml").write_text(PROFILE, "utf-8")
    ended = Runner(place).run(
        str(place / "lab.toml"), "--profile", str(place / "acme.toml"), "--only", "locked or swapped"
    )
    assert ended.code == 0, ended.out + ended.err
    return ended


def texts(folder: Path) -> dict[str, str]:
    """Every file of a run but its recordings, by name: databases by cell, documents by page, the rest as it is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".wav":
            found[path.name] = path.read_bytes().decode("latin-1")
    with sqlite3.connect(folder / "run.sqlite") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = database.execute(f"SELECT * FROM {table}").fetchall()
            found[f"run.sqlite: {table}"] = "\n".join(str(value) for row in rows for value in row)
    database.close()
    pdf = PdfReader(BytesIO((folder / "report.pdf").read_bytes()))
    found["report.pdf: text"] = "\n".join(page.extract_text() for page in pdf.pages)
    return found


@pytest.mark.req("ASSOC-SEC.5")
def test_no_file_of_a_run_spells_out_a_code_or_a_password(done: Ended) -> None:
    found = texts(done.folder)
    assert {"run.sqlite", "cti.log", "relays.csv", "results.json", "junit.xml", "report.html", "report.pdf"} <= set(
        found
    )
    for secret in (*CODES.values(), *PASSWORDS.values()):
        assert [name for name, text in found.items() if secret in text] == []
    assert '{"secret": "local code of desk-1"}' in found["run.sqlite: judgement"]


def test_the_codes_were_keyed_and_judged_and_are_judged_again(done: Ended) -> None:
    """Else there would have been nothing to hide."""
    with sqlite3.connect(done.folder / "run.sqlite") as database:
        keyed = database.execute("SELECT count(*) FROM observation WHERE kind = 'local-code-keyed'").fetchone()[0]
        heard = "".join(
            json.loads(data)["key"]
            for (data,) in database.execute(
                "SELECT data FROM observation WHERE kind = 'digit' AND wire = 'desk-1' ORDER BY time_s"
            )
        )
    database.close()
    assert keyed > 0
    assert CODES["8642"] in heard  # key by key, as the audio has it
    assert judge(done.folder).exit_code == 0


@pytest.mark.req("REP-PROF.1")
def test_deviations_are_in_the_console_and_in_every_document(done: Ended) -> None:
    loosened = "loosened TH-04 S6 to the first ring of the phone: 3.5 s, built-in 2 s"
    assert loosened in done.err
    results = json.loads((done.folder / "results.json").read_text("utf-8"))
    effects = {one["key"]: one["effect"] for one in results["deviations"]}
    assert effects == {"first_ring_s": "loosened", "seizure_s": "tightened", "suites": "changed"}
    assert results["document"].endswith("with deviations")
    properties = ET.parse(done.folder / "junit.xml").iter("property")  # our own file
    assert loosened in [item.get("value") for item in properties if item.get("name") == "deviation"]
    page = (done.folder / "report.html").read_text("utf-8")
    assert page.index("Not judged by the built-in limits") < page.index('class="verdict')
    assert "WITH DEVIATIONS" in re.sub(r"\s+", " ", texts(done.folder)["report.pdf: text"])


def test_the_flows_were_judged_by_the_profile(done: Ended) -> None:
    limits = {one.limit_high for one in judge(done.folder) if one.req == "ASSOC-S15.1" and one.kind == "interval"}
    assert limits == {3.5}


@pytest.fixture(scope="module")
def exported(done: Ended) -> Path:
    out = done.folder.parent / "for-the-vendor"
    command = [OFFHOOK, "export", str(done.folder), str(out)]
    before = {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
    subprocess.run(command, check=True, timeout=120, env=Runner(out.parent).environment(), capture_output=True)
    assert before == {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
    return out


def heard(audio: Path) -> dict[str, str]:
    """The digits of every recording, wire by wire."""
    found: dict[str, str] = {}
    for path in sorted(audio.glob("*.wav")):
        samples, rate_hz = read_wav(path)
        keys = "".join(digit.key for digit in dsp.decode(samples, rate=rate_hz))
        wire = path.stem.rpartition("_")[0]
        found[wire] = found.get(wire, "") + keys
    return found


@pytest.mark.req("REP-SEC.1")
def test_what_is_exported_holds_no_code_number_or_name_as_text(done: Ended, exported: Path) -> None:
    hidden = [*CODES.values(), *PASSWORDS.values()]
    hidden += ["33390671001", "33390671002", "33390677069", "alice", "Alice", "Martin", "Conference room"]
    pdf = PdfReader(BytesIO((exported / "report.pdf").read_bytes()))
    page = re.sub(r"data:audio/wav;base64,[A-Za-z0-9+/=]+", "", (exported / "report.html").read_text("utf-8"))
    found = {"report.pdf": "\n".join(sheet.extract_text() for sheet in pdf.pages), "report.html": page}
    for name in ("results.json", "junit.xml", "cti.log", "relays.csv", "redaction.json", "manifest.json"):
        found[name] = (exported / name).read_text("utf-8")
    for secret in hidden:
        assert [name for name, text in found.items() if secret in text] == [], secret
    assert not re.search(r"deviceObject>100[1-4]<", found["cti.log"])
    assert "<deviceObject>extension-1</deviceObject>" in found["cti.log"].replace('\\"', '"')
    assert not list(exported.glob("run.sqlite*"))
    with sqlite3.connect(done.folder / "run.sqlite") as database:
        (noted,) = database.execute("SELECT value FROM meta WHERE key = 'secrets'").fetchone()
    database.close()
    salted = [json.loads(noted)["salt"], *(known["hash"] for known in json.loads(noted)["known"].values())]
    assert len(salted) > 3
    for piece in salted:  # a hash of a few digits is as good as the digits
        assert [name for name, text in found.items() if piece in text] == []


@pytest.mark.req("REP-SEC.1")
def test_what_is_exported_has_the_local_codes_taken_out_of_its_audio(done: Ended, exported: Path) -> None:
    before, after = heard(done.folder / "audio"), heard(exported / "audio")
    keyed_at = {"desk-1": CODES["8642"], "desk-2": CODES["7531"], "desk-3": CODES["2468"]}
    for wire, code in keyed_at.items():
        assert code in before[wire]
        assert code not in after[wire]
    assert not [code for code in CODES.values() if any(code in digits for digits in after.values())]
    assert any(after[wire] for wire in keyed_at)  # other codes are still there to be heard
    note = json.loads((exported / "redaction.json").read_text("utf-8"))
    assert note["audio_silenced_s"] > 1.0
    assert note["relay_commands_hidden"] > 0


def test_what_is_exported_has_the_verdicts_and_the_digest_of_the_run(done: Ended, exported: Path) -> None:
    original, copy = (json.loads((folder / "results.json").read_text("utf-8")) for folder in (done.folder, exported))
    assert copy["verdict"] == original["verdict"]
    assert [one["outcome"] for one in copy["attempts"]] == [one["outcome"] for one in original["attempts"]]
    note = json.loads((exported / "redaction.json").read_text("utf-8"))
    assert note["digest_of_the_run"] == hashlib.sha256((done.folder / "manifest.json").read_bytes()).hexdigest()
    sealed = json.loads((exported / "manifest.json").read_text("utf-8"))["files"]
    assert all(hashlib.sha256((exported / name).read_bytes()).hexdigest() == digest for name, digest in sealed.items())


def test_an_altered_run_is_not_exported(done: Ended, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(done.folder, tmp_path / "copy"))
    with (copy / "cti.log").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(ConfigError, match="not what was sealed"):
        export(copy, tmp_path / "out")
    with pytest.raises(ConfigError, match="something in it"):
        export(done.folder, copy)
