"""The commands as processes, with libspandsp and multimon-ng; workers, a kill in the middle, resuming."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offhook import dsp
from offhook.bench import cli
from offhook.bench.characterize import run
from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.findings import Findings
from offhook.bench.characterize.receivers import open_receiver
from offhook.bench.characterize.stimulus import Condition

SMALL = ["--only", "limits", "--harsh", "2", "--digits", "64", "--seed", "5"]


def offhook(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "offhook.bench.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("name", ["offhook", "offhook:NTT", "libspandsp", "libspandsp:filter", "multimon-ng"])
def test_every_receiver_hears_clean_digits(name: str) -> None:
    digits = "123A456B789C*0#D" * 10  # more than libspandsp's buffer holds
    audio = dsp.to_int16(dsp.encode(digits, on_s=0.07, off_s=0.07, lead_s=0.2))
    assert open_receiver(name).decode(audio) == digits


@pytest.mark.req("DTMF-RX.2")
def test_the_same_results_for_one_worker_for_three_and_after_a_kill(tmp_path: Path) -> None:
    assert offhook("characterize", "decoder", "--out", "one", "--workers", 1, *SMALL, cwd=tmp_path).returncode == 0
    assert offhook("characterize", "decoder", "--out", "three", "--workers", 3, *SMALL, cwd=tmp_path).returncode == 0
    killed = _killed_on_the_way(tmp_path)
    assert 0 < killed < _rows(tmp_path / "one")
    resumed = offhook("characterize", "decoder", "--out", "killed", "--workers", 2, *SMALL, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    for file in ("results.json", "results.csv", "report.html"):
        first = (tmp_path / "one" / file).read_bytes()
        assert (tmp_path / "three" / file).read_bytes() == first
        assert (tmp_path / "killed" / file).read_bytes() == first
    assert json.loads((tmp_path / "one" / "results.json").read_text())["brackets"]


def _killed_on_the_way(folder: Path) -> int:
    """Start a campaign and kill all its processes as soon as something is on disk; how many batches are kept."""
    command = [
        sys.executable,
        "-m",
        "offhook.bench.cli",
        "characterize",
        "decoder",
        "--out",
        "killed",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(
        [*command, *SMALL], cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    try:
        while _rows(folder / "killed") < 5 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return _rows(folder / "killed")


def _rows(folder: Path) -> int:
    file = folder / "results.sqlite"
    if not file.exists():
        return 0
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM done").fetchone()[0])
    except sqlite3.OperationalError:  # its table is not made yet
        return 0
    finally:
        connection.close()


@pytest.mark.req("DTMF-RX.1")
def test_a_user_s_function_is_put_under_test(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def hear(samples, rate):\n    return '5' * (len(samples) // rate)\n")
    told = offhook("characterize", "decoder", "mine:hear", "--out", "o", "--only", "conditions", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    clean = json.loads((tmp_path / "o" / "results.json").read_text())["conditions"]["clean, 50/50 ms"][0]
    assert clean["sent"] == 320
    assert clean["right"] < 100
    assert clean["substituted"] > 0


@pytest.mark.req("DTMF-RX.5")
def test_a_claim_that_fails_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text("def hear(samples, rate):\n    return ''\n")
    bad = offhook("characterize", "decoder", "deaf:hear", "--out", "bad", "--claim", "1e-3", cwd=tmp_path)
    assert bad.returncode == 1
    assert "failed" in bad.stdout
    good = offhook("characterize", "decoder", "--out", "good", "--claim", "1e-3", "--workers", 1, cwd=tmp_path)
    assert good.returncode == 0, good.stderr
    assert "proven; 0 errors in" in good.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decoder", "nobody", "--out", "o"], "module:function"),
        (["decoder", "--key", "X", "--out", "o"], "are not keys"),
        (["decoder", "--talk-off", ".", "--out", "o"], "no .wav files"),
        (["sender", "silence.wav", "--out", "o"], "no digit heard"),
        (
            ["sender", "text.wav", "--out", "o"],
            "offhook: text.wav: read WAV: not a WAV file (no RIFF/WAVE header) (try: ",
        ),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    if "sender" in arguments:
        dsp.wav.write(tmp_path / "silence.wav", dsp.to_int16([0.0] * 8000), 8000)
        (tmp_path / "text.wav").write_text("this is no audio")
    told = offhook("characterize", *arguments, cwd=tmp_path)
    assert told.returncode == 2
    assert words in told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


@pytest.mark.req("DTMF-MEAS.5")
def test_a_sender_s_recording_is_judged(tmp_path: Path) -> None:
    audio = dsp.encode("1234567890*#", 48000, level_low_dbm0=-11, level_high_dbm0=-8.5, edge_s=0.004, lead_s=0.1)
    dsp.wav.write(tmp_path / "keys.wav", dsp.to_int16(audio), 48000)
    told = offhook("characterize", "sender", "keys.wav", "--out", "o", cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "12 digits of 12 keys" in told.stdout
    assert told.stdout.startswith("PASS  every figure")
    audio[:] = dsp.encode("1234567890*#", 48000, level_low_dbm0=-8, level_high_dbm0=-11, edge_s=0.004, lead_s=0.1)
    dsp.wav.write(tmp_path / "keys.wav", dsp.to_int16(audio), 48000)
    assert offhook("characterize", "sender", "keys.wav", "--out", "o", cwd=tmp_path).returncode == 1


def test_a_worker_s_error_ends_the_campaign_and_leaves_no_process(tmp_path: Path) -> None:
    bad = Condition(line="fog:1")
    with Campaign(tmp_path, workers=2) as campaign, pytest.raises(ValueError, match="fog"):
        campaign.run([("offhook", bad)], 3)


def test_what_a_user_s_function_raises_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def hear(samples, rate):\n    return {}['x']\n")
    for workers in (1, 2):
        told = offhook(
            "characterize", "decoder", "bad:hear", "--out", f"o{workers}", "--workers", workers, *SMALL, cwd=tmp_path
        )
        assert told.returncode == 2
        assert "offhook: bad:hear: decode: KeyError: 'x'" in told.stderr
        assert "Traceback" not in told.stderr
    (tmp_path / "dead.py").write_text("import os\n\n\ndef hear(samples, rate):\n    os._exit(9)\n")
    told = offhook("characterize", "decoder", "dead:hear", "--out", "d", "--workers", 2, *SMALL, cwd=tmp_path)
    assert told.returncode == 2
    assert "a worker process died" in told.stderr


@pytest.mark.req("DTMF-RX.2")
def test_limits_of_each_key(tmp_path: Path) -> None:
    told = offhook(
        "characterize", "decoder", "--out", "o", "--key", "5D", "--each-key", "--workers", 1, *SMALL, cwd=tmp_path
    )
    assert told.returncode == 0, told.stderr
    for key in "5D":
        assert f"tone, shortest, key {key} (ms)" in told.stdout


def test_the_page_that_puts_receivers_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run.run

    def conditions_only(job: run.Job, *rest: Any) -> Findings:
        assert job.receivers == ("offhook", "libspandsp", "multimon-ng")
        return whole(replace(job, sections=("conditions",)), *rest)

    monkeypatch.setattr(run, "run", conditions_only)
    page = tmp_path / "comparison.md"
    arguments = f"characterize compare --work {tmp_path / 'w'} --page {page} --digits 64 --harsh 1 --workers 1"
    code = cli.execute(arguments.split())
    assert code == 0
    text = page.read_text("utf-8")
    assert re.search(r"- libspandsp: Debian libspandsp2 \S+", text)
    assert re.search(r"- multimon-ng: Debian multimon-ng \S+", text)
    clean = next(line for line in text.splitlines() if line.startswith("| clean"))
    assert clean == "| clean, 50/50 ms |" + " 100.0 (94.4 to 100.0) |" * 3
    assert "| harsh synthetic, 0.02 h |" in text
