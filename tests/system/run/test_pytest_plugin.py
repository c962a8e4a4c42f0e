"""A lab's own tests: plain pytest with ``--station``."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from runs import Runner

from offhook.bench.record import Verdict, judge, open_run


def write(runner: Runner, text: str) -> None:
    (runner.place / "test_lab.py").write_text(dedent(text))


def test_a_test_that_uses_no_station_pays_nothing(runner: Runner) -> None:
    write(
        runner,
        """
        import sys


        def test_quiet():
            loaded = {name for name in sys.modules if name.startswith("offhook.")}
            light = ("bench", "bench.plugin", "drivers", "drivers.errors")
            assert loaded <= {f"offhook.{name}" for name in light}, loaded
            assert "numpy" not in sys.modules
        """,
    )

    ended = runner.pytest("-q")

    assert ended.code == 0, ended.out
    assert not (runner.place / "runs").exists()
    assert "offhook" not in ended.out


@pytest.mark.req("BENCH-RUN.1", "BENCH-RUN.3")
def test_a_lab_test_runs_on_the_simulated_station_and_is_recorded(runner: Runner) -> None:
    write(
        runner,
        '''
        import pytest


        @pytest.mark.req("LINE-TONE.1")
        def test_dial_tone(station, measure, record):
            """Lift, and hear dial tone."""
            desk = station.phone("desk-1")
            lifted = desk.lift()
            assert desk.hears_dial_tone()
            measure("time since lifting", station.clock.now_s() - lifted.time_s, at_most_s=3.0, req="LINE-TONE.1")


        def test_each(station, phone_name):
            assert station.phone(phone_name).lift()
        ''',
    )

    ended = runner.pytest("-q", "--seed", "5")

    assert ended.code == 0, ended.out
    assert f"offhook: report {ended.folder / 'report.html'}" in ended.out
    result = judge(ended.folder)
    assert [one.attempt.title for one in result.attempts[:1]] == ["Lift, and hear dial tone."]
    assert len(result.attempts) == 1 + 4  # one, and one for each phone of the station
    assert {one.outcome for one in result.attempts} == {Verdict.PASS}
    [measured] = result.attempts[0].judgements
    assert (measured.req, measured.unit, measured.limit_high, measured.verdict) == ("LINE-TONE.1", "s", 3.0, "PASS")
    assert result.attempts[0].attempt.reqs == ("LINE-TONE.1",)
    assert (result.meta["seed"], result.meta["ended"], result.sealed) == (5, "completed", True)
    with open_run(ended.folder) as run:
        assert any(seen.kind == "safe" and seen.data["ok"] for seen in run.observations())


def test_a_test_that_leaves_nothing_on_record_is_untested_and_earns_no_level(runner: Runner) -> None:
    """One with plain assertions on what it saw is a PASS."""
    write(
        runner,
        """
        def test_nothing(station):
            pass


        def test_plain(station):
            assert station.phone("desk-1").lift()
        """,
    )

    alone, both = runner.pytest("-q", "-k", "nothing"), runner.pytest("-q")

    assert (alone.code, both.code) == (0, 0), "pytest itself has nothing against it"
    assert "test_nothing is untested: nothing judged" in alone.out
    empty, result = judge(alone.folder), judge(both.folder)
    assert [(one.outcome, one.attempt.required) for one in empty.attempts] == [(Verdict.NOT_RUN, False)]
    assert (empty.exit_code, empty.level, empty.tested) == (3, "NOT VERIFIED", False)
    assert [one.outcome for one in result.attempts] == [Verdict.NOT_RUN, Verdict.PASS]
    assert (result.exit_code, result.level) == (0, "SIM-VERIFIED")


def test_a_figure_beyond_its_limit_fails_the_test_after_all_were_taken(runner: Runner) -> None:
    write(
        runner,
        """
        def test_figures(measure):
            measure("loss", 4.0, at_most=3.0, unit="dB")
            measure("noise", -60.0, at_most=-50.0, unit="dBm0")


        def test_too_near(measure):
            measure("loss", 2.9, at_most=3.0, unit="dB", u=0.2)
        """,
    )

    ended = runner.pytest("-q")

    assert ended.code == 1
    assert re.search(r"FAIL .*loss", ended.out)
    assert re.search(r"INCONCLUSIVE .*loss", ended.out)
    result = judge(ended.folder)
    assert [one.outcome for one in result.attempts] == [Verdict.FAIL, Verdict.INCONCLUSIVE]
    assert [made.verdict for made in result.attempts[0].judgements] == [Verdict.FAIL, Verdict.PASS]


@pytest.mark.req("BENCH-RUN.2")
def test_a_test_for_hardware_is_skipped_and_names_the_missing_port(runner: Runner) -> None:
    write(
        runner,
        """
        import pytest


        @pytest.mark.hardware("relay.keys1")
        def test_click(station):
            raise AssertionError("this ran without hardware")


        @pytest.mark.hardware("visa.scope")
        def test_scope(station):
            raise AssertionError("this ran without hardware")


        @pytest.mark.hardware
        def test_all(station):
            raise AssertionError("this ran without hardware")


        def test_plain(station):
            pass
        """,
    )

    ended = runner.pytest("-rs")

    assert ended.code == 0, ended.out
    assert "relay.keys1 of station 'simulated' is simulated (end://keys1)" in ended.out
    assert "station 'simulated' has no [visa.scope]" in ended.out
    assert "1 passed, 3 skipped" in ended.out


def test_an_exception_fails_and_a_wire_that_misbehaves_leaves_it_open(runner: Runner) -> None:
    write(
        runner,
        """
        import pytest

        from offhook.drivers.errors import DeviceTimeout


        @pytest.fixture
        def broken():
            yield
            raise RuntimeError("the tear-down broke")


        def test_mistake(station):
            raise ZeroDivisionError


        def test_dead_wire(station):
            raise DeviceTimeout("relay.keys1", "close 3", "no answer")


        def test_skipped(station):
            pytest.skip("not today")


        def test_broke_afterwards(station, broken):
            pass
        """,
    )

    ended = runner.pytest("-q")

    assert ended.code == 1
    result = judge(ended.folder)
    outcomes = [one.outcome for one in result.attempts]
    assert outcomes == [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.FAIL]
    assert "the tear-down broke" in result.attempts[3].attempt.message


@pytest.mark.parametrize("fixture", ["station", "phone_name"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "lab9.toml: read station: no such file"),
        ("nme = 1\n", "lab9.toml:1  nme: unknown key (try: name)"),
    ],
)
def test_a_station_that_cannot_be_used_is_one_message(
    runner: Runner, fixture: str, text: str | None, words: str
) -> None:
    write(runner, f"def test_x({fixture}):\n    pass\n\n\ndef test_y({fixture}):\n    pass\n")
    if text is not None:
        (runner.place / "lab9.toml").write_text(text)

    ended = runner.pytest("-q", "--station", "lab9.toml")

    assert ended.code in (2, 4)
    assert (ended.out + ended.err).count(words) == 1
    assert "Traceback" not in ended.out + ended.err
    assert "def " not in ended.out, "source of the framework is nobody's business here"
    assert not (runner.place / "runs").exists()
