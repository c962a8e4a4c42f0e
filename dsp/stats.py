"""Rates, counts and percentiles with their intervals, and how many trials a claim needs.

scipy is imported when a function is called, not before. Confidence is two-sided for intervals, one-sided for bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A figure between two bounds."""

    low: float
    value: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def clopper_pearson(hits: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """A share and its exact interval (Clopper and Pearson 1934): never covers less than promised. n = 0: 0 to 1."""
    _check(hits, n, confidence)
    if n == 0:
        return Interval(0.0, math.nan, 1.0)
    tail = (1.0 - confidence) / 2.0
    return Interval(_lower(hits, n, tail), hits / n, _upper(hits, n, tail))


def wilson(hits: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """A share and Wilson's (1927) interval: covers as promised on average, and is narrower."""
    from scipy.special import ndtri

    _check(hits, n, confidence)
    if n == 0:
        return Interval(0.0, math.nan, 1.0)
    z = float(ndtri(0.5 + confidence / 2.0))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if hits == 0 else max(middle - reach, 0.0)
    return Interval(low, share, 1.0 if hits == n else min(middle + reach, 1.0))


def error_bound(errors: int, n: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of an error rate: what "0 errors in n" allows one to say. n = 0: 1."""
    _check(errors, n, confidence)
    return 1.0 if n == 0 else _upper(errors, n, 1.0 - confidence)


def claim(errors: int, n: int, confidence: float = CONFIDENCE) -> str:
    """The bound in words: "0 errors in 300: at most 0.99 % (95 %)"."""
    if n == 0:
        return "0 trials: nothing can be said"
    plural = "error" if errors == 1 else "errors"
    bound = 100.0 * error_bound(errors, n, confidence)
    return f"{errors} {plural} in {n:,}: at most {bound:.2g} % ({100 * confidence:g} %)"


def poisson(count: int, exposure: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
    """Events per unit of exposure (hours, calls) and their exact interval (Garwood 1936)."""
    from scipy.special import gammaincinv

    if count < 0 or not exposure > 0:
        raise ValueError(f"count {count} and exposure {exposure}: expected not negative, and positive")
    tail = (1.0 - confidence) / 2.0
    low = float(gammaincinv(count, tail)) if count else 0.0
    high = float(gammaincinv(count + 1, 1.0 - tail))
    return Interval(low / exposure, count / exposure, high / exposure)


def poisson_bound(count: int, exposure: float = 1.0, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of a rate of events: 0 in one hour is at most 3.0 an hour."""
    from scipy.special import gammaincinv

    if count < 0 or not exposure > 0:
        raise ValueError(f"count {count} and exposure {exposure}: expected not negative, and positive")
    return float(gammaincinv(count + 1, confidence)) / exposure


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of a sample with its size; one that n cannot show (a p99 of 50) is NaN."""

    n: int
    p50: float
    p95: float
    p99: float
    largest: float

    def __str__(self) -> str:
        named = (("p50", self.p50), ("p95", self.p95), ("p99", self.p99), ("max", self.largest))
        return ", ".join(f"{name} {value:.4g}" for name, value in named if not math.isnan(value)) + f", n = {self.n}"


def percentiles(values: ArrayLike) -> Percentiles:
    """Nearest-rank percentiles: each is a value that was seen. p95 needs n >= 20, p99 n >= 100."""
    array = np.sort(np.asarray(values, dtype=np.float64).ravel())
    n = len(array)
    if not np.isfinite(array).all():
        raise ValueError("values hold NaN or infinity")

    def rank(share: float, least: int) -> float:
        return float(array[math.ceil(share * n - 1e-9) - 1]) if n >= least else math.nan

    return Percentiles(n, rank(0.50, 1), rank(0.95, 20), rank(0.99, 100), float(array[-1]) if n else math.nan)


def trials_needed(rate: float, errors: int = 0, confidence: float = CONFIDENCE) -> int:
    """Fewest trials with which this many errors still prove a rate of at most ``rate``: exact, by the binomial.

    Tables often give Poisson's answer, 2.996 / rate for no error and 4.744 / rate for one, which asks for a few more:
    32,941 and 52,160 for ``digit_rate(0.999, 11)``, where 32,937 and 52,157 do.
    """
    if not 0 < rate < 1 or errors < 0 or not 0 < confidence < 1:
        raise ValueError(f"rate {rate}, errors {errors}, confidence {confidence}: expected 0 < rate < 1, errors >= 0")
    if errors == 0:
        return math.ceil(math.log(1.0 - confidence) / math.log1p(-rate) - 1e-12)
    low, high = errors, errors + 1
    while error_bound(errors, high, confidence) > rate:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if error_bound(errors, middle, confidence) <= rate:
            high = middle
        else:
            low = middle
    return high


def digit_rate(success: float, digits: int) -> float:
    """The digit error rate at which calls of so many digits succeed with probability ``success``."""
    if not 0 < success < 1 or digits < 1:
        raise ValueError(f"success {success} and digits {digits}: expected 0 < success < 1 and at least one digit")
    return -math.expm1(math.log(success) / digits)


@dataclass(frozen=True)
class Plan:
    """A test of the claim "the rate is at most ``rate``": stop as soon as the end is certain.

    ``sizes[k]`` trials with ``k`` errors prove the claim. More than ``len(sizes) - 1`` errors, or so many that the rate
    is proven to be above, end it at once.
    """

    rate: float
    confidence: float
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, rate: float, most_errors: int = 1, confidence: float = CONFIDENCE) -> Plan:
        """The plan that goes on after up to ``most_errors`` errors."""
        return cls(rate, confidence, tuple(trials_needed(rate, k, confidence) for k in range(most_errors + 1)))

    def state(self, errors: int, n: int) -> str:
        """How it stands: "proven", "failed" (no trial can help, or the rate is shown to be higher), or "open"."""
        if errors >= len(self.sizes):
            return "failed"
        if n >= self.sizes[errors]:
            return "proven"
        return "failed" if errors and _lower(errors, n, 1.0 - self.confidence) > self.rate else "open"

    def remaining(self, errors: int, n: int) -> int:
        """Trials still needed if none fails; 0 when the end is certain."""
        return self.sizes[errors] - n if self.state(errors, n) == "open" else 0


def _check(hits: int, n: int, confidence: float) -> None:
    if not 0 <= hits <= n or not 0 < confidence < 1:
        raise ValueError(f"{hits} of {n} at confidence {confidence}: expected 0 <= hits <= n and 0 < confidence < 1")


def _upper(hits: int, n: int, tail: float) -> float:
    if hits == n:
        return 1.0
    if hits == 0:  # (1 - share)^n = tail
        return -math.expm1(math.log(tail) / n)
    from scipy.special import betaincinv

    return float(betaincinv(hits + 1, n - hits, 1.0 - tail))


def _lower(hits: int, n: int, tail: float) -> float:
    if hits == 0:
        return 0.0
    if hits == n:  # share^n = tail
        return math.exp(math.log(tail) / n)
    from scipy.special import betaincinv

    return float(betaincinv(hits, n - hits + 1, tail))
