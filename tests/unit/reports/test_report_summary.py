"""What a run comes to: bounds, margins, order, quantities."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from unit.reports.synthetic_run import Script

from offhook.bench.record import Judgement, Verdict
from offhook.reports import folder
from offhook.reports.explain import Place, Told
from offhook.reports.quantity import figure_of, limits, number, quantity
from offhook.reports.steps import ACTS, LANES, source_of
from offhook.reports.summary import closest, how_it_ended, lower_bound, margin, natural


def timed(figure: float, low: float | None, high: float | None, u: float = 0.0, kind: str = "interval") -> Judgement:
    return Judgement(1, 1, "ASSOC-S15.1", "ring", kind, {}, "s", Verdict.PASS, "", figure, low, high, u, 1)


@pytest.mark.req("REP-STAT.1")
@given(n=st.integers(1, 60), data=st.data())
def test_the_bound_is_that_of_clopper_and_pearson(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    expected = stats.beta.ppf(0.05, passed, n - passed + 1) if passed else 0.0
    assert lower_bound(passed, n) == pytest.approx(expected, abs=1e-9)


@pytest.mark.req("REP-STAT.2")
def test_no_error_in_few_is_shown_as_its_bound() -> None:
    assert lower_bound(2, 2) == pytest.approx(math.sqrt(0.05))
    assert lower_bound(299, 299) > 0.99 > lower_bound(298, 298)  # the rule of three, to the digit


def test_margin_is_what_is_left_of_the_limit() -> None:
    assert margin(timed(0.5, None, 2.0)) == pytest.approx(0.75)
    assert margin(timed(0.5, None, 2.0, u=0.5)) == pytest.approx(0.5)
    assert margin(timed(2.6, None, 2.0)) == pytest.approx(-0.3)
    assert margin(timed(50.0, 40.0, 60.0, u=5.0)) == pytest.approx(0.25)
    assert margin(timed(0.3, 0.15, None)) == pytest.approx(1.0)
    assert margin(timed(-12.0, None, -9.0, u=0.6)) == pytest.approx(2.4 / 9)


def test_only_quantities_have_a_margin() -> None:
    assert margin(timed(0, None, 0.0)) is None
    assert margin(timed(3, None, 3, kind="count")) is None
    assert margin(timed(1.0, None, None)) is None


def test_ids_sort_by_their_numbers() -> None:
    ids = ["ASSOC-S10.1", "ASSOC-S2.1", "ASSOC-S2.10", "ASSOC-S2.9", "ASSOC-N01", ""]
    assert sorted(ids, key=natural) == ["", "ASSOC-N01", "ASSOC-S2.1", "ASSOC-S2.9", "ASSOC-S2.10", "ASSOC-S10.1"]


@pytest.mark.parametrize(
    ("ended", "whole"),
    [("completed", True), (None, False), ("interrupted", False), ("terminated", False), ("error: x", False)],
)
def test_only_a_completed_run_is_whole(ended: str | None, whole: bool) -> None:
    assert how_it_ended({"ended": ended})[1] is whole


def test_sources_name_step_and_claim() -> None:
    assert source_of("ASSOC-S6.2") == "S6, US 11,082,555 claim 1"
    assert source_of("LOCK-S25.1") == "S25, US 11,082,555 claim 12"
    assert source_of("DTMF-DEC.1") == ""


def test_the_steps_are_those_of_the_source() -> None:
    # S7, S12, S17-S20, S23, S26, S28-S30, S34 and S35 do not exist in it
    numbers = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 21, 22, 24, 25, 27, 31, 32, 33, 36]
    assert sorted(int(name[1:]) for name in ACTS) == numbers
    assert {actor for pair in ACTS.values() for actor in pair} == set(LANES)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.0, "3"), (0.412, "0.412"), (0.0412, "0.0412"), (12.345, "12.3"), (1234.5, "1234"), (2e-7, "2e-07")],
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_figure_has_the_decimals_of_its_uncertainty() -> None:
    assert quantity(0.41234, "s", 0.01) == "0.412 ± 0.010 s"
    assert quantity(2.6, "s", 0.00283) == "2.6000 ± 0.0028 s"
    assert quantity(52.6, "ms", 25.0) == "53 ± 25 ms"
    assert quantity(0.5, "s") == "0.500 s"
    assert quantity(None, "s") == ""


def test_limits_read_as_written() -> None:
    assert limits(timed(1, None, 2.0)) == "≤ 2 s"
    assert limits(timed(1, 0.0, 2.0)) == "≤ 2 s"
    assert limits(timed(1, 0.15, None)) == "≥ 0.15 s"
    assert limits(timed(1, 40.0, 60.0)) == "40 … 60 s"
    assert limits(timed(1, None, None)) == ""


def test_digit_errors_are_counted_out_of_digits() -> None:
    heard = Judgement(1, 1, "X", "code", "digits", {}, "", Verdict.FAIL, "", 1.0, None, 0.0, 0.0, 4)
    assert figure_of(heard) == "1 of 4 digits wrong"


def test_lines_without_content_are_left_out() -> None:
    told = Told("two rings", "one ring", (Place("audio/a.wav", 1.25),), "")
    assert told.lines() == ["expected  two rings", "heard     one ring", "listen    audio/a.wav@1.2"]


@pytest.mark.parametrize(("exact", "shown"), [(0.0003, ["ASSOC-S15.1"]), (0.0004, ["ASSOC-N05", "ASSOC-S15.1"])])
def test_a_count_that_keeps_its_place_is_not_close_to_its_limit(tmp_path: Path, exact: float, shown: list[str]) -> None:
    """Past its limit it is shown."""
    script = Script(tmp_path)
    script.begin("test_x", "x", "assoc")
    script.record.judge("ASSOC-N05", "chance of a guess", "figure", unit="of 1", value=exact, u=0.0, at_most=0.0003)
    script.record.judge("ASSOC-S15.1", "first ring", "figure", unit="s", value=1.0, u=0.01, at_most=2.0)
    script.end()
    script.record.seal()
    with folder.opened(script.folder) as run:
        assert [item.req for item, _ in closest(run)] == shown
