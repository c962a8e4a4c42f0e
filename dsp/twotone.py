"""Least squares of two real tones under one envelope: variable projection, Gauss-Newton, and the covariance.

Model: ``e(t) (a1 cos w1 t + b1 sin w1 t + a2 cos w2 t + b2 sin w2 t) + c`` in white noise. ``a``, ``b``, ``c`` are
linear and solved exactly at every step; frequencies and, if wanted, the envelope's edges are moved by Gauss-Newton. In
white noise this is maximum likelihood, so its errors reach the Cramer-Rao bound of two real tones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offhook.dsp.tones import Float64

LINEAR = 5  # cos, sin of the low tone, of the high tone, and a constant
STEPS = 30
SHORTEST_EDGE_S = 0.00025


@dataclass(frozen=True)
class Edges:
    """A raised-cosine envelope; ``start_s`` and ``end_s`` are where it has half its height, edges last 0 to 100 %."""

    start_s: float
    rise_s: float
    end_s: float
    fall_s: float

    def array(self) -> Float64:
        """The four numbers."""
        return np.array([self.start_s, self.rise_s, self.end_s, self.fall_s])

    def at(self, time_s: Float64) -> Float64:
        """The envelope at some times."""
        return ramp((time_s - self.start_s) / self.rise_s) * ramp((self.end_s - time_s) / self.fall_s)

    def slopes(self, time_s: Float64) -> Float64:
        """Its derivatives to the four numbers, (n, 4)."""
        up, down = (time_s - self.start_s) / self.rise_s, (self.end_s - time_s) / self.fall_s
        up_slope, down_slope = _slope(up) * ramp(down), _slope(down) * ramp(up)
        return np.stack(
            (
                -up_slope / self.rise_s,
                -up_slope * up / self.rise_s,
                down_slope / self.fall_s,
                -down_slope * down / self.fall_s,
            ),
            axis=1,
        )


def ramp(way: Float64) -> Float64:
    """0 to 1 as a raised cosine while ``way`` goes from -1/2 to 1/2."""
    return np.asarray(0.5 + 0.5 * np.sin(np.pi * np.clip(way, -0.5, 0.5)))


def _slope(way: Float64) -> Float64:
    return np.where(np.abs(way) < 0.5, 0.5 * np.pi * np.cos(np.pi * way), 0.0)


@dataclass(frozen=True)
class Fit:
    """What was found. ``covariance`` belongs to ``names``; amplitudes are peaks at full scale 1.0."""

    freqs_hz: Float64
    linear: Float64
    edges: Edges | None
    names: tuple[str, ...]
    covariance: Float64
    noise_power: float
    residual: Float64
    jacobian: Float64

    @property
    def amplitudes(self) -> Float64:
        """Peak of the low and the high tone."""
        return np.hypot(self.linear[[0, 2]], self.linear[[1, 3]])

    def variance(self, **weights: float) -> float:
        """Variance of a weighted sum of parameters."""
        vector = np.array([weights.get(name, 0.0) for name in self.names])
        return max(float(vector @ self.covariance @ vector), 0.0)


LINEAR_NAMES = ("low_cos", "low_sin", "high_cos", "high_sin", "dc")
EDGE_NAMES = ("start_s", "rise_s", "end_s", "fall_s")


class Model:
    """The data and the model's columns at some parameters."""

    def __init__(self, samples: Float64, rate: float, envelope: Float64 | None = None) -> None:
        self.samples = samples
        self.time_s = np.arange(len(samples)) / rate
        self.rate = rate
        self.envelope = envelope
        self.middle_s = 0.5 * (len(samples) - 1) / rate

    def waves(self, freqs_hz: Float64) -> Float64:
        """cos, sin of both tones, (n, 4); phases refer to the middle, where they vary least with frequency."""
        angle = 2.0 * np.pi * (self.time_s - self.middle_s)[:, None] * freqs_hz[None, :]
        return np.stack((np.cos(angle), np.sin(angle)), axis=2).reshape(len(angle), 4)

    def solve(self, freqs_hz: Float64, edges: Edges | None) -> tuple[Float64, Float64, Float64]:
        """The best linear parameters, the residual, and the columns."""
        shape = self.envelope if edges is None else edges.at(self.time_s)
        waves = self.waves(freqs_hz)
        columns = np.empty((len(waves), LINEAR))
        columns[:, :4] = waves if shape is None else waves * shape[:, None]
        columns[:, 4] = 1.0
        linear = solve(columns, self.samples)
        return linear, self.samples - columns @ linear, columns

    def jacobian(self, freqs_hz: Float64, edges: Edges | None, linear: Float64, columns: Float64) -> Float64:
        """Linear columns, then those of both frequencies, then those of the edges."""
        turned = columns[:, [1, 0, 3, 2]] * np.array([-1.0, 1.0, -1.0, 1.0]) * linear[:4]
        lever = 2.0 * np.pi * (self.time_s - self.middle_s)
        parts = [columns, np.stack((turned[:, :2].sum(axis=1), turned[:, 2:].sum(axis=1)), axis=1) * lever[:, None]]
        if edges is not None:
            bare = self.waves(freqs_hz) @ linear[:4]
            parts.append(bare[:, None] * edges.slopes(self.time_s))
        return np.concatenate(parts, axis=1)


def solve(columns: Float64, target: Float64) -> Float64:
    """Least squares by normal equations of unit columns; all-zero columns get 0."""
    size = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    size[size == 0] = np.inf
    unit = columns / size
    gram = unit.T @ unit
    gram[np.diag_indices_from(gram)] += 1e-12 + (size == np.inf)
    return np.asarray(np.linalg.solve(gram, unit.T @ target) / size)


def fit(samples: Float64, rate: float, freqs_hz: Float64, edges: Edges | None, envelope: Float64 | None = None) -> Fit:
    """Refine a first guess. With ``edges`` they are estimated too; else ``envelope`` (or 1) is taken as known."""
    model = Model(samples, rate, envelope)
    linear, residual, columns = model.solve(freqs_hz, edges)
    cost = float(residual @ residual)
    for _ in range(STEPS):
        jacobian = model.jacobian(freqs_hz, edges, linear, columns)
        step = solve(jacobian, residual)[LINEAR:]
        scale = 1.0
        for _ in range(8):
            moved = _moved(freqs_hz, edges, step * scale, rate)
            trial = model.solve(*moved)
            better = float(trial[1] @ trial[1])
            if better <= cost:
                break
            scale /= 2.0
        else:
            break
        gain = cost - better
        (freqs_hz, edges), (linear, residual, columns), cost = moved, trial, better
        if gain <= 1e-9 * cost:
            break
    jacobian = model.jacobian(freqs_hz, edges, linear, columns)
    return _result(freqs_hz, edges, linear, residual, jacobian)


def _moved(freqs_hz: Float64, edges: Edges | None, step: Float64, rate: float) -> tuple[Float64, Edges | None]:
    """Parameters after a step, kept where the model means something."""
    moved = freqs_hz + np.clip(step[:2], -10.0, 10.0)
    if edges is None:
        return moved, None
    shortest = max(SHORTEST_EDGE_S, 1.5 / rate)
    length = edges.end_s - edges.start_s
    reach = np.array([edges.rise_s, edges.rise_s, edges.fall_s, edges.fall_s]) * 0.5
    start, rise, end, fall = edges.array() + np.clip(step[2:], -reach, reach)
    end = max(end, start + 2 / rate)
    longest = max(length, 2 * shortest)
    return moved, Edges(
        float(start),
        float(np.clip(rise, shortest, longest)),
        float(end),
        float(np.clip(fall, shortest, longest)),
    )


def _result(freqs_hz: Float64, edges: Edges | None, linear: Float64, residual: Float64, jacobian: Float64) -> Fit:
    names = LINEAR_NAMES + ("low_hz", "high_hz") + (EDGE_NAMES if edges is not None else ())
    size = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
    known = size > 0
    size[~known] = 1.0
    unit = jacobian / size
    free = len(residual) - int(known.sum())
    noise = float(residual @ residual) / max(free, 1)
    covariance = noise * np.linalg.pinv(unit.T @ unit, rcond=1e-10, hermitian=True) / np.outer(size, size)
    return Fit(freqs_hz, linear, edges, names, covariance, noise, residual, jacobian)


def first_freqs(samples: Float64, rate: float) -> Float64:
    """The strongest frequency of each DTMF group, +-6 %, from a Hann-windowed spectrum, interpolated."""
    window = np.hanning(len(samples) + 2)[1:-1]
    size = 1 << int(np.ceil(np.log2(len(samples) * 8)))
    power = np.abs(np.fft.rfft((samples - samples.mean()) * window, size)) ** 2
    found = []
    for lowest, highest in ((655.0, 1000.0), (1136.0, 1732.0)):
        first, last = int(lowest * size / rate), int(np.ceil(highest * size / rate))
        place = first + int(np.argmax(power[first : last + 1]))
        left, middle, right = np.log(power[place - 1 : place + 2] + 1e-30)
        bend = left - 2 * middle + right
        found.append((place + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * rate / size)
    return np.array(found)


def first_edges(samples: Float64, rate: float, freqs_hz: Float64, inner: slice) -> Edges:
    """A first guess of the edges: the tones fitted to ``inner`` are extended over all samples and compared.

    Where the envelope passes one half is where the sum of ``s (2 x - s)`` begins to grow (``s``: the extended tones);
    of some edge lengths the best is taken.
    """
    model = Model(samples, rate)
    part = Model(samples[inner], rate)
    linear = part.solve(freqs_hz, None)[0]
    turn = 2.0 * np.pi * freqs_hz * (model.middle_s - part.middle_s - inner.start / rate)
    angles = 2.0 * np.pi * (model.time_s - model.middle_s)[:, None] * freqs_hz + turn
    bare = np.cos(angles) @ linear[[0, 2]] + np.sin(angles) @ linear[[1, 3]]
    ahead = samples - linear[4]
    profit = np.concatenate(([0.0], np.cumsum(bare * (2.0 * ahead - bare))))
    middle = (inner.start + inner.stop) // 2
    start = (int(np.argmin(profit[: middle + 1])) - 0.5) / rate
    end = (middle + int(np.argmax(profit[middle:])) - 0.5) / rate
    best, cost = Edges(start, 0.002, end, 0.002), np.inf
    for edge_s in (0.0005, 0.001, 0.002, 0.004, 0.008):
        if edge_s > (end - start):
            break
        trial = Edges(start, edge_s, end, edge_s)
        error = ahead - bare * trial.at(model.time_s)
        if float(error @ error) < cost:
            best, cost = trial, float(error @ error)
    return best
