"""What the plugin and the run are made of, without a station."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from record_standin import Bench

from offhook.bench import plugin, station_file
from offhook.bench.attempts import suite_of, title_of
from offhook.bench.console import Console
from offhook.bench.hardware import missing
from offhook.bench.measure import Measure
from offhook.bench.numbers import DialRule
from offhook.bench.record import Elapsed, Verdict, judge
from offhook.bench.run import SUITES, find_suites
from offhook.bench.session import blanked, verdict_of
from offhook.bench.station_file import find_station, load_station
from offhook.bench.told import stdout_apart
from offhook.drivers.errors import ConfigError, NotAllowed


def documented() -> None:
    """A locked phone dials nobody.

    More about it.
    """


def bare() -> None:
    pass


@pytest.mark.parametrize(
    ("function", "name", "title"),
    [
        (documented, "test_lock", "A locked phone dials nobody."),
        (documented, "test_lock[desk-1]", "A locked phone dials nobody [desk-1]"),
        (bare, "test_lock[desk-1]", "test_lock[desk-1]"),
    ],
)
def test_a_test_is_titled_by_its_docstring(function: object, name: str, title: str) -> None:
    item = SimpleNamespace(function=function, name=name, path=Path("/suites/test_lock.py"))
    assert title_of(item) == title  # type: ignore[arg-type]
    assert suite_of(item) == "lock"  # type: ignore[arg-type]


def test_suites_are_found_by_name() -> None:
    everything = find_suites(())
    assert {path.parent for path in everything} == {SUITES}
    assert {"association", "lock", "dtmf"} <= {path.stem.removeprefix("test_") for path in everything}
    assert find_suites(("lock", "dtmf", "lock")) == [SUITES / "test_lock.py", SUITES / "test_dtmf.py"]
    with pytest.raises(ConfigError, match="lock"):
        find_suites(("lok",))


@pytest.mark.req("BENCH-RUN.2")
@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (("relay.keys1",), "relay.keys1 of station 'simulated' is simulated"),
        (("pbx",), "pbx of station 'simulated' is simulated"),
        (("relay.keys9",), "has no [relay.keys9]"),
        (("visa.scope",), "has no [visa.scope]"),
        ((), "is simulated"),
    ],
)
def test_a_simulated_or_absent_wire_is_missing_hardware(resources: tuple[str, ...], words: str) -> None:
    assert words in missing("simulated", resources)


def test_an_unplugged_port_is_missing_hardware_and_a_plugged_one_is_not(tmp_path: Path) -> None:
    text = find_station("simulated").read_text("utf-8")
    text = text.replace("end://keys1", "/dev/no-such-port").replace("end://keys2", "/dev/null")
    station = tmp_path / "lab.toml"
    station.write_text(text)
    assert missing(station, ["relay.keys1"]) == "relay.keys1: /dev/no-such-port is not there"
    assert missing(station, ["relay.keys2"]) == ""


def test_a_number_that_the_bench_refuses_is_no_failure_of_the_phone() -> None:
    with pytest.raises(NotAllowed) as caught:
        DialRule("lab", ["1001"]).check("05550100")
    assert verdict_of(caught.value) is Verdict.NOT_RUN


def test_no_secret_of_a_station_gets_into_the_record() -> None:
    loaded = load_station(find_station("simulated"))
    text = blanked(SimpleNamespace(model=loaded.model, loaded=loaded))  # type: ignore[arg-type]
    secrets = {phone.local_code for phone in loaded.model.phone.values()} | set(loaded.model.cloud.accounts.values())
    assert len(secrets) == 6
    assert not [secret for secret in {*secrets, loaded.model.cloud.admin} if secret and secret in text]
    assert text.count('"***"') == 7
    assert 'extension   = "1001"' in text


def test_seconds_between_observations_are_judged_from_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    measure = Measure(bench.record)
    with bench.attempt():
        start, stop = bench.see("cti", 1.0, 0.03), bench.see("ring", 2.5, 0.04)
        measure("S6 to first ring", Elapsed(1.5, start, stop), at_most_s=2.0, req="ASSOC-S15.1")
        measure("loss", 2.5, at_most=3.0, at_least=2.0, unit="dB", u=0.1)
    bench.record.seal()

    timed, level = judge(bench.record.folder)
    assert (timed.kind, timed.unit, timed.req, timed.verdict) == ("interval", "s", "ASSOC-S15.1", Verdict.PASS)
    assert timed.u == pytest.approx(0.05)
    assert (level.kind, level.limit_low, level.limit_high, level.u) == ("figure", 2.0, 3.0, 0.1)


@pytest.mark.parametrize("limits", [{}, {"at_most_s": 1.0, "at_most": 1.0}, {"at_most_s": 1.0, "unit": "dB"}])
def test_a_measurement_needs_one_kind_of_limit(tmp_path: Path, limits: dict[str, float]) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(ValueError, match="loss"):
        Measure(bench.record)("loss", 1.0, **limits)  # type: ignore[arg-type]
    bench.record.close()


class KeptText(io.StringIO):
    """A file whose text outlives it."""

    text = ""

    def close(self) -> None:
        self.text = self.getvalue()
        super().close()


def test_a_failure_is_told_in_the_order_a_tired_engineer_needs(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    screen = KeptText()
    console = Console(screen)
    with bench.attempt():
        bench.record.relay("keys1", 2, True, 1.0, 1.1)
        bench.key("47711", 1.2)
        bench.record.judge(
            "ASSOC-S27.1", "code keyed", "digits", wire="ear", expected="4711", hint="settle_ms on relay keys/6"
        )
        attempt = bench.record.current
    assert attempt is not None
    made = bench.record.attempt_made(attempt.id)
    console.suite("assoc", 4, 0.0)
    console.attempt(bench.record.folder, made, bench.record.judgements(made.id), 90.0)
    console.suite_over(90.0)
    console.close()
    console.close()
    bench.record.seal()

    lines = screen.text.splitlines()
    assert lines[0] == "FAIL  ASSOC-S27.1  code keyed"
    assert lines[1].startswith('      expected 4711, heard 47711: "7" twice, ')
    folder = bench.record.folder
    assert lines[2] == f"      audio {folder}/audio/ear_0001.wav@0.0   relay log {folder}/relays.csv:2"
    assert lines[3] == "      try: settle_ms on relay keys/6"
    assert lines[4].startswith("assoc          1/4    ━━━━━━━━────")
    assert "2 min of phone time in" in lines[4]


def test_what_a_run_shows_goes_into_a_log_of_stdout_too() -> None:
    screen, log = KeptText(), KeptText()
    console = Console(screen, log)
    console.line("station", "simulated")
    console.suite("dtmf", 4, 0.0)
    console.suite_over(60.0)
    console.close()
    assert screen.text == log.text != ""


def test_a_log_that_takes_no_more_does_not_disturb_the_run(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    kept = os.dup(1)
    os.dup2(writing, 1)
    try:
        copy = stdout_apart()
    finally:
        os.dup2(kept, 1)
        for descriptor in (kept, writing, reading):
            os.close(descriptor)
    assert copy is not None
    console = Console(KeptText(), copy)
    console.line("station", "simulated")
    console.close()


def test_the_station_file_is_read_once_whatever_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test that runs for every phone asks; read each time, a run took long to begin."""
    read: list[Path] = []

    def reading(file: Path) -> station_file.Loaded:
        read.append(file)
        return load_station(file)

    monkeypatch.setattr(station_file, "load_station", reading)
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[plugin.WANTED] = SimpleNamespace(station="simulated")
    models = [plugin._model(config) for _ in range(3)]  # type: ignore[arg-type]
    assert "desk-1" in models[0].phone
    assert models[0] is models[1] is models[2]
    assert len(read) == 1
