"""A person at the command line: a rig found, checked, run, calibrated, a receiver characterized, a report made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Ended, Runner


def done(ended: Ended) -> str:
    """What a command said; it must have gone well."""
    assert ended.code == 0, ended.out + ended.err
    return ended.out


@pytest.mark.timeout(300)
@pytest.mark.req("BENCH-RUN.9")
def test_every_job_has_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the list of stations to the report, without a line of Python; each leaves what it is for."""
    monkeypatch.setenv("OFFHOOK_CALIBRATIONS", str(tmp_path / "calibrations"))
    runner = Runner(tmp_path)

    stations = [line.split()[0] for line in done(runner.command("stations")).splitlines()]
    assert {"simulated", "loopback"} <= set(stations)

    done(runner.command("check", "simulated"))

    ended = runner.run("simulated", "--only", "an_unlocked_phone and desk-1")
    done(ended)
    page = ended.folder / "report.html"
    page.unlink()
    done(runner.command("report", str(ended.folder)))
    assert "ASSOC-S27.1" in page.read_text("utf-8")

    done(runner.command("calibrate", "loopback"))
    loops = json.loads((tmp_path / "calibrations" / "loopback.json").read_text("utf-8"))["loops"]
    assert set(loops) == {"a", "b"}

    wanted = ("--only", "limits", "--digits", "64", "--key", "5")
    done(runner.command("characterize", "decoder", *wanted, "--out", str(tmp_path / "rx")))
    assert json.loads((tmp_path / "rx" / "results.json").read_text("utf-8"))
    assert "frequency" in (tmp_path / "rx" / "report.html").read_text("utf-8")
