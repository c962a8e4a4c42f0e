"""Intervals keep their promise against sums of the distributions themselves; plans need what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhook.dsp import stats


def binomial(n: int, p: float) -> list[float]:
    """Probabilities of 0 .. n successes, by the definition."""
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


@pytest.mark.req("REP-STAT.1")
@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (1, 200), (57, 60)])
def test_clopper_pearson_bounds_are_where_the_tails_are(hits: int, n: int) -> None:
    found = stats.clopper_pearson(hits, n)
    assert found.value == hits / n
    if hits < n:
        assert sum(binomial(n, found.high)[: hits + 1]) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1.0
    if hits:
        assert sum(binomial(n, found.low)[hits:]) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0.0


@pytest.mark.req("REP-STAT.1")
def test_wilson_solves_its_equation_and_covers_on_average() -> None:
    found = stats.wilson(7, 50)
    for bound in (found.low, found.high):
        assert abs(0.14 - bound) / math.sqrt(bound * (1 - bound) / 50) == pytest.approx(1.95996, abs=1e-4)
    assert stats.wilson(0, 9).low == 0.0
    assert stats.wilson(9, 9).high == 1.0
    n, shares = 40, np.linspace(0.01, 0.99, 197)
    covered = []
    for p in shares:
        inside = [stats.wilson(k, n).low <= p <= stats.wilson(k, n).high for k in range(n + 1)]
        covered.append(np.dot(binomial(n, float(p)), inside))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)


@pytest.mark.req("REP-STAT.2")
def test_no_errors_in_n_is_shown_as_its_bound() -> None:
    assert (1 - stats.error_bound(0, 300)) ** 300 == pytest.approx(0.05)
    assert stats.claim(0, 300) == "0 errors in 300: at most 0.99 % (95 %)"
    assert stats.claim(1, 300).startswith("1 error in 300: at most 1.6 %")
    assert stats.claim(0, 0) == "0 trials: nothing can be said"
    assert stats.error_bound(0, 0) == 1.0


@pytest.mark.parametrize("count", [0, 1, 6, 40])
def test_poisson_bounds_are_where_the_tails_are(count: int) -> None:
    found = stats.poisson(count, exposure=2.0)

    def below(mean: float, last: int) -> float:
        return sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(last + 1))

    assert found.value == count / 2
    assert below(2 * found.high, count) == pytest.approx(0.025, rel=1e-6)
    assert (1 - below(2 * found.low, count - 1)) == pytest.approx(0.025, rel=1e-6) if count else found.low == 0
    assert below(2 * stats.poisson_bound(count, 2.0), count) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.req("REP-STAT.1")
def test_percentiles_are_values_that_were_seen_and_need_their_n() -> None:
    found = stats.percentiles(range(1, 101))
    assert (found.n, found.p50, found.p95, found.p99, found.largest) == (100, 50, 95, 99, 100)
    few = stats.percentiles([3.0, 1.0, 2.0])
    assert (few.p50, few.largest) == (2.0, 3.0)
    assert math.isnan(few.p95)
    assert str(few) == "p50 2, max 3, n = 3"
    assert stats.percentiles([]).n == 0


@pytest.mark.req("DTMF-RX.5")
def test_digits_needed_for_999_of_1000_associations() -> None:
    rate = stats.digit_rate(0.999, 11)
    assert (1 - rate) ** 11 == pytest.approx(0.999)
    assert rate == pytest.approx(9.1e-5, rel=1e-3)
    none, one = stats.trials_needed(rate, 0), stats.trials_needed(rate, 1)
    assert (1 - rate) ** none <= 0.05 < (1 - rate) ** (none - 1)

    def at_most_one(n: int) -> float:
        return (1 - rate) ** n + n * rate * (1 - rate) ** (n - 1)

    assert at_most_one(one) <= 0.05 < at_most_one(one - 1)
    assert (none, one) == (32_937, 52_157)
    # The requirement's figures are Poisson's with rounded quantiles: a few digits more, which prove the claim too.
    assert [round(quantile / rate) for quantile in (2.996, 4.744)] == [32_941, 52_160]
    assert math.exp(-2.996) == pytest.approx(0.05, abs=1e-4)
    assert math.exp(-4.744) * (1 + 4.744) == pytest.approx(0.05, abs=1e-4)
    assert stats.error_bound(0, 32_941) <= rate
    assert stats.error_bound(1, 52_160) <= rate


@pytest.mark.req("DTMF-RX.5")
def test_a_plan_stops_when_the_end_is_certain() -> None:
    plan = stats.Plan.of(0.01, most_errors=1)
    assert plan.sizes == (299, 473)
    assert plan.state(0, 298) == "open"
    assert plan.remaining(0, 200) == 99
    assert plan.state(0, 299) == "proven"
    assert plan.state(1, 299) == "open"
    assert plan.state(1, 473) == "proven"
    assert plan.state(2, 200) == "failed"  # more errors than the plan goes on with
    assert plan.state(1, 3) == "failed"  # 1 in 3 proves more than 1 %
    assert plan.remaining(2, 200) == 0


@pytest.mark.req("DTMF-RX.5")
def test_a_plan_lets_few_bad_receivers_pass_and_ends_early_on_them() -> None:
    rng = np.random.default_rng(4)
    plan = stats.Plan.of(0.02, most_errors=1)
    passed, used = 0, []
    for _ in range(400):
        wrong = np.cumsum(rng.random(plan.sizes[-1]) < 0.02)
        n = next(n for n in range(1, plan.sizes[-1] + 1) if plan.state(int(wrong[n - 1]), n) != "open")
        passed += plan.state(int(wrong[n - 1]), n) == "proven"
        used.append(n)
    assert passed / 400 < 0.10  # two looks of 5 % each at the very limit of the claim
    assert np.mean(used) < plan.sizes[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.clopper_pearson(5, 4),
        lambda: stats.wilson(1, 4, 1.0),
        lambda: stats.poisson(1, 0.0),
        lambda: stats.trials_needed(0.0),
        lambda: stats.percentiles([math.nan]),
        lambda: stats.digit_rate(1.0, 11),
    ],
)
def test_impossible_questions_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"expected|NaN"):
        call()
