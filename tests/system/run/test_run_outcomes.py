"""``offhook run`` from start to end: what it leaves, what it says, what it returns."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from runs import Runner

from offhook.bench.record import Verdict, fingerprint, judge, open_run

EVIDENCE = {"run.sqlite", "cti.log", "relays.csv", "manifest.json", "audio"}
RENDERED = {"report.html", "report.pdf", "results.json", "junit.xml", "summary.txt"}


@pytest.mark.req("REP-EV.1", "REP-VER.2", "BENCH-RUN.1")
def test_a_good_run_leaves_its_evidence_and_says_so_in_a_few_lines(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "dtmf")

    assert ended.code == 0, ended.err
    assert {path.name for path in ended.folder.iterdir()} == EVIDENCE | RENDERED
    result = judge(ended.folder)
    assert (result.level, result.damages, result.meta["ended"]) == ("SIM-VERIFIED", (), "completed")
    passed, n = result.counts[Verdict.PASS], len(result.attempts)
    assert passed == n - result.counts[Verdict.NOT_APPLICABLE] > 0
    assert ended.out == ended.err, "a log of stdout alone has all of it"
    assert re.search(r"^station +simulated, role R1 \(.*\), seed 1$", ended.err, re.M)
    assert re.search(rf"^dtmf +{n}/{n} .* of phone time in .* s$", ended.err, re.M)
    assert re.search(rf"^SIM-VERIFIED   PASS {passed}   FAIL 0   INCONCLUSIVE 0   NOT RUN 0\b", ended.err, re.M)
    assert f"report    {ended.folder / 'report.html'}" in ended.err


@pytest.mark.req("BENCH-RUN.7")
def test_two_processes_with_one_seed_agree_and_another_seed_differs(runner: Runner) -> None:
    arguments = ("simulated", "--suite", "dtmf", "--suite", "lock", "--only", "desk-1 or desk-2")
    ended = [runner.run(*arguments, "--seed", seed, name=name) for seed, name in (("7", "a"), ("7", "b"), ("8", "c"))]

    prints = [fingerprint(one.folder) for one in ended]

    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


@pytest.mark.req("REP-VER.1")
def test_a_failure_says_what_was_expected_what_was_heard_and_where_to_listen(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "dtmf", "--fault", "swap-keys:desk-1:4:5")

    assert ended.code == 1
    block = ended.err[ended.err.index("FAIL  DTMF-DEC.1") :].splitlines()
    assert "expected 123456789*0#, heard 123546789*0#" in block[1]
    place = re.search(r"audio (\S+\.wav)@[\d.]+   relay log (\S+):\d+$", block[2])
    assert place
    assert all(Path(name).is_file() for name in place.groups())
    assert "SIM-VERIFIED   PASS" not in ended.err
    assert judge(ended.folder).level == "NOT VERIFIED"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("simulated", "--suite", "dmtf"), "dtmf"),
        (("simulated", "--fault", "cut:everything"), "cut:everything"),
        (("simulatd",), "simulated"),
        (("simulated", "--fault", "cut:cti"), "pbx"),
    ],
)
def test_bad_input_and_unreachable_wires_are_one_message_and_no_run(
    runner: Runner, arguments: tuple[str, ...], named: str
) -> None:
    ended = runner.run(*arguments)

    assert ended.code == 2
    assert named in ended.err
    assert "Traceback" not in ended.err
    assert not ended.folder.exists()


def test_a_run_is_never_written_over(runner: Runner) -> None:
    (runner.place / "run").mkdir()
    (runner.place / "run" / "notes.txt").write_text("mine")

    ended = runner.run("simulated", "--suite", "dtmf")

    assert ended.code == 2
    assert "never overwritten" in ended.err
    assert [path.name for path in (runner.place / "run").iterdir()] == ["notes.txt"]


def test_the_lab_around_it_cannot_decide_the_certificate(runner: Runner) -> None:
    """A conftest, an ini file, options and plugins of the environment that would each turn the verdict."""
    (runner.place / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True)\n"
        "def pytest_runtest_makereport():\n"
        "    report = yield\n"
        "    report.outcome = 'passed'\n"
        "    return report\n"
        "@pytest.fixture\n"
        "def station():\n"
        "    return None\n"
    )
    (runner.place / "pytest.ini").write_text("[pytest]\naddopts = -k nothing\npython_files = nothing_*.py\n")
    environment = {"PYTEST_ADDOPTS": "-k nothing", "PYTEST_PLUGINS": "conftest", "PYTHONPATH": str(runner.place)}

    ended = runner.run("simulated", "--suite", "dtmf", "--fault", "swap-keys:desk-1:4:5", environment=environment)

    assert ended.code == 1, ended.err
    result = judge(ended.folder)
    assert len(result.attempts) == sum(result.meta["planned"].values())
    assert [one.outcome for one in result.attempts].count(Verdict.FAIL) >= 1


@pytest.mark.req("BENCH-RUN.10")
def test_every_repetition_is_an_attempt_of_its_own(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "dtmf", "--repeat", "2")

    assert ended.code == 0, ended.err
    result = judge(ended.folder)
    nodeids = {one.attempt.nodeid for one in result.attempts}
    assert len(nodeids) == len(result.attempts) == sum(result.meta["planned"].values())
    assert len([name for name in nodeids if "[#1" in name]) == len([name for name in nodeids if "[#2" in name]) > 0


def test_the_run_says_what_it_was_run_on_without_its_secrets(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "dtmf", "--fault", "hidden-ddi")

    with open_run(ended.folder) as run:
        meta = run.meta()
    assert (meta["station"], meta["grade"], meta["role"], meta["seed"]) == ("simulated", "SIMULATED", "R1", 1)
    assert meta["faults"] == ["hidden-ddi"]
    assert meta["dut"]["serial"] == "SIM-0001"
    assert "[phone.desk-1]" in meta["station_toml"]
    for secret in ("8642", "7531", "2468", "alice-pw", "bob-pw", "admin-token"):
        assert secret not in meta["station_toml"]


def test_an_expression_that_cannot_be_read_is_refused_before_there_is_a_folder(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "dtmf", "--only", "((")

    assert ended.code == 2
    assert ended.err.startswith("offhook: --only: read: '((': ")
    assert not ended.folder.exists()


@pytest.mark.parametrize("more", [(), ("--repeat", "10000")])
def test_an_expression_that_selects_nothing_is_refused_before_there_is_a_folder(
    runner: Runner, more: tuple[str, ...]
) -> None:
    """At once, too, where every case would be there ten thousand times."""
    started_s = time.monotonic()
    ended = runner.run("simulated", "--suite", "dtmf", "--only", "desk-1 and desk-2", *more)

    assert ended.code == 2
    assert "no test matches 'desk-1 and desk-2'; try names such as dtmf, desk-1, " in ended.err
    assert not ended.folder.exists()
    assert time.monotonic() - started_s < 60


@pytest.mark.parametrize(
    ("only", "meant"),
    [
        ("keypad and dekk-1", "try: desk-1"),
        ("not desk1", "try: desk-1"),
        ("keypad_sent", "try: keypad_sends"),
        ("matchesnothing", "try: names such as dtmf, desk-1, "),
    ],
)
def test_a_name_that_is_nobodys_ends_the_run_and_says_what_was_meant(runner: Runner, only: str, meant: str) -> None:
    """Behind a "not" as well: the phone that was to be left alone must not be worked."""
    ended = runner.run("simulated", "--suite", "dtmf", "--only", only)

    assert ended.code == 2
    assert "no case, phone or suite here is called" in ended.err
    assert meant in ended.err
    assert not ended.folder.exists()


def test_what_a_station_cannot_show_is_one_line_for_each_reason(runner: Runner) -> None:
    ended = runner.run("simulated", "--suite", "disturbances", "--suite", "dtmf", "--only", "refused_lock or loop")

    shown = [" ".join(line.split()) for line in ended.err.splitlines() if line.startswith("n/a")]
    refusal = "there is no refusal to be seen"
    assert shown == [
        f"n/a LOCK-N01 3 cases: desk-1 takes a lock by notify: {refusal} (desk-3, desk-4 likewise)",
        f"n/a LOCK-N01 4 cases: desk-1 takes a lock by prefix: {refusal} (desk-2, desk-3, desk-4 likewise)",
        "n/a DTMF-DEC.1, DTMF-MEAS.1 1 case: station 'simulated' has no [loop]",
    ]
