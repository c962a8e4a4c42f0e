"""The decision rule: figure, uncertainty, limit, and the worst of several verdicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.bench.record import Verdict, within, worst

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.req("REP-VER.3")
@pytest.mark.parametrize(
    ("figure", "u", "low", "high", "verdict"),
    [
        (1.9, 0.1, None, 2.0, PASS),
        (1.95, 0.1, None, 2.0, INCONCLUSIVE),
        (2.05, 0.1, None, 2.0, INCONCLUSIVE),
        (2.11, 0.1, None, 2.0, FAIL),
        (0.75, 0.25, 0.5, None, PASS),
        (0.25, 0.1, 0.2, None, INCONCLUSIVE),
        (0.05, 0.1, 0.2, None, FAIL),
        (1.0, 0.5, 0.6, 3.0, INCONCLUSIVE),
        (5.0, 0.5, 0.6, 3.0, FAIL),
        (0.0, 0.0, None, 0.0, PASS),
        (math.nan, 0.0, None, 1.0, INCONCLUSIVE),
    ],
)
def test_pass_needs_figure_and_uncertainty_within_the_limit(
    figure: float, u: float, low: float | None, high: float | None, verdict: Verdict
) -> None:
    assert within(figure, u, low, high) is verdict


def test_without_a_limit_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="at_least or at_most"):
        within(1.0, 0.0, None, None)


@pytest.mark.req("REP-VER.3")
@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3), st.floats(-1e6, 1e6))
def test_a_less_certain_figure_never_passes_where_a_more_certain_one_does_not(
    figure: float, u: float, more: float, limit: float
) -> None:
    if within(figure, u, None, limit) is not PASS:
        assert within(figure, u + more, None, limit) is not PASS


def test_the_worst_counts_and_what_does_not_apply_hides_nothing() -> None:
    assert worst([PASS, FAIL, INCONCLUSIVE]) is FAIL
    assert worst([PASS, Verdict.NOT_RUN]) is Verdict.NOT_RUN
    assert worst([PASS, Verdict.NOT_APPLICABLE]) is PASS
    assert worst([Verdict.NOT_APPLICABLE]) is Verdict.NOT_APPLICABLE
