"""Where a tone begins and ends, when noise makes the answer doubtful: the mean and spread over all likely edges.

Least squares gives one best edge and a spread that is right while the edge is well seen. In noise, or when the beat of
the two tones has a null there, it is not: many places and lengths of the edge then fit almost as well. So all are
weighed by their likelihood, on a grid that narrows until it shows the peak, with every length (in proportion) taken as
equally likely before. The mean has the least mean square error, and the spread holds its intervals' promise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from offhook.dsp.tones import Float64
from offhook.dsp.twotone import Edges, Fit, Model, ramp

SHORTEST_S, LONGEST_S = 0.0002, 0.012
PLACES, LENGTHS = 25, 13
ROUNDS = 7
WORST = 9.0  # log likelihood under the best that is still looked at
CLEANEST = 1e-10  # noise to signal: under it sums of squares say nothing any more
SURE_SHARE = 0.01  # a spread this small against the edge's length needs no weighing


@dataclass(frozen=True)
class Weighed:
    """Edges and the variances of their four numbers, in s^2."""

    edges: Edges
    variance: Float64
    weighed: bool


def weigh(samples: Float64, rate: float, found: Fit) -> Weighed:
    """Replace the edges of a fit, and their variances, where they are not certain."""
    edges = found.edges
    if edges is None:
        raise ValueError("the fit has no edges")
    variance = np.array([found.variance(**{name: 1.0}) for name in ("start_s", "rise_s", "end_s", "fall_s")])
    model = Model(samples, rate)
    bare = model.waves(found.freqs_hz) @ found.linear[:4]
    heard = samples - found.linear[4]
    time_s, middle = model.time_s, 0.5 * (edges.start_s + edges.end_s)
    noise = max(found.noise_power, CLEANEST * float(np.mean(heard**2)))
    done = False
    for first, sign in ((0, 1.0), (2, -1.0)):
        place, length = edges.array()[first : first + 2]
        if _certain(variance[first : first + 2], length, rate):
            continue
        done = True
        reach = LONGEST_S + 0.004
        near = np.abs(time_s - place) < reach
        near &= (time_s < middle) if sign > 0 else (time_s > middle)
        longest = min(LONGEST_S, edges.end_s - edges.start_s)
        edge = _Edge(sign * (time_s[near] - place), heard[near], bare[near], noise, longest)
        mean, spread = edge.posterior(max(2.0 / rate, 0.003))
        moved = (float(place + sign * mean[0]), float(mean[1]))
        names = ("start_s", "rise_s") if first == 0 else ("end_s", "fall_s")
        edges = replace(edges, **dict(zip(names, moved, strict=True)))
        variance[first : first + 2] = spread
        if mean[1] < 2.0 / rate:  # an edge between two samples: nothing shows where
            variance[first] += 1.0 / rate**2 / 12.0
    return Weighed(edges, variance, done)


def _certain(variance: Float64, length: float, rate: float) -> bool:
    spread = np.sqrt(variance)
    return bool(spread[0] < SURE_SHARE * length and spread[1] < 5 * SURE_SHARE * length and length > 6 / rate)


@dataclass(frozen=True)
class _Edge:
    """One edge, as if it were a start: time from the first guess, what was heard, the tones at full height."""

    time_s: Float64
    heard: Float64
    bare: Float64
    noise: float
    longest_s: float

    def posterior(self, reach_s: float) -> tuple[Float64, Float64]:
        """Mean and variance of place and length."""
        places = np.linspace(-reach_s, reach_s, PLACES)
        lengths = np.geomspace(SHORTEST_S, max(self.longest_s, 2 * SHORTEST_S), LENGTHS)
        for _ in range(ROUNDS):
            fit = self._fit(places, lengths)
            likely = fit >= fit.max() - WORST
            rows, cols = np.flatnonzero(likely.any(axis=1)), np.flatnonzero(likely.any(axis=0))
            narrow = rows[-1] - rows[0] < PLACES // 2, cols[-1] - cols[0] < LENGTHS // 2 and len(lengths) > 1
            if not any(narrow):
                break
            if narrow[0]:
                places = np.linspace(places[max(rows[0] - 1, 0)], places[min(rows[-1] + 1, PLACES - 1)], PLACES)
            if narrow[1]:
                lengths = np.geomspace(lengths[max(cols[0] - 1, 0)], lengths[min(cols[-1] + 1, LENGTHS - 1)], LENGTHS)
        fit = self._fit(places, lengths)
        weight = np.exp(fit - fit.max())
        weight /= weight.sum()
        place, length = weight.sum(axis=1), weight.sum(axis=0)
        mean = np.array([place @ places, length @ lengths])
        step = np.array([places[1] - places[0], 0.0])
        return mean, np.array([place @ places**2, length @ lengths**2]) - mean**2 + step**2 / 12.0

    def _fit(self, places: Float64, lengths: Float64) -> Float64:
        """Log likelihood of every place and length, (places, lengths), but for a constant."""
        height = ramp((self.time_s - places[:, None, None]) / lengths[None, :, None])
        return np.asarray(height @ (self.bare * self.heard) - 0.5 * (height**2 @ self.bare**2)) / self.noise
