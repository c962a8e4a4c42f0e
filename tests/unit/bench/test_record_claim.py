"""A run folder is written to by the run alone while it is recorded, and by reports only once it is at rest."""

from __future__ import annotations

import fcntl
import os
from contextlib import closing
from pathlib import Path

import pytest
from record_standin import Bench

from offhook.bench.console import Console
from offhook.bench.record import judge, writer
from offhook.bench.record.claim import at_rest, being_recorded, claimed
from offhook.drivers.errors import Busy, ConfigError
from offhook.reports import render


@pytest.mark.req("REP-EV.1")
def test_a_run_that_is_being_recorded_is_not_reported_on_and_stays_as_it_was(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.attempt():
        bench.see("ring", 1.0)
    folder = bench.record.folder

    with pytest.raises(Busy, match="being recorded now"):
        render(folder)

    assert not (folder / "report.html").exists()
    bench.record.seal()
    assert [path.name for path in render(folder)] == ["results.json", "junit.xml", "report.html", "report.pdf"]
    assert judge(folder).damages == ()


def test_nothing_that_is_made_of_a_run_is_sealed_with_it(tmp_path: Path) -> None:
    """Were there a report in it by whatever way, the next report would not be damage."""
    bench = Bench(tmp_path)
    for name in ("report.html", "summary.txt", "report.pdf.77.part"):
        (bench.record.folder / name).write_text("of the first half")
    bench.record.seal()
    (bench.record.folder / "report.html").write_text("of all of it")
    assert judge(bench.record.folder).damages == ()


def test_the_claim_is_held_until_the_manifest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    held: list[bool] = []
    monkeypatch.setattr(writer, "write_manifest", lambda folder, _: held.append(being_recorded(folder)))
    bench.record.seal()
    assert held == [True]
    assert not being_recorded(bench.record.folder)


def test_reports_keep_a_run_from_being_gone_on_with_and_not_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.bench.record.claim.LOOK_S", 0.05)
    with at_rest(tmp_path), at_rest(tmp_path):
        assert not being_recorded(tmp_path)
        with pytest.raises(Busy, match="its reports are being written"):
            claimed(tmp_path)
    os.close(claimed(tmp_path))


def test_a_look_at_a_run_does_not_keep_it_from_being_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks has a share of the claim for a moment; the recorder waits for that."""
    looking = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("offhook.bench.record.claim.time.sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
    claim = claimed(tmp_path)
    assert being_recorded(tmp_path)
    os.close(claim)
    os.close(looking)


def test_a_run_that_is_being_recorded_is_not_called_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path, {"plan": {"station": "simulated"}})
    with bench.attempt():
        bench.see("ring", 1.0)

    result = judge(bench.record.folder)
    with closing(Console()) as console:
        console.summary(result, [])

    said = capfd.readouterr().err
    assert "being recorded now" in said
    assert "killed" not in said
    assert "--resume" not in said
    bench.record.close()
    assert "killed" in judge(bench.record.folder).doubts[0]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name a folder"), at_rest(tmp_path / "none"):
        pass
