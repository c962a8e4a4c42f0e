"""The meter: what one DTMF digit measures, every figure with its uncertainty.

::

    for one in measure.digits(samples, rate=8000):
        print(one.key, one.low_hz.value, "+-", one.low_hz.u, "Hz")

Durations are between the points of half amplitude; rise and fall are 10 to 90 % of amplitude, of the raised cosine that
fits best; levels are those of the plateau, in dBm0 of a full scale of +3.14.

The intervals are those of white noise. Edges of another shape (exponential, say) move start and end by up to half a
millisecond, which no interval holds; frequencies and levels do not mind.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import edges, profiles, twotone
from offhook.dsp.decode import decode
from offhook.dsp.edges import Weighed
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import HIGH_HZ, INT16_SCALE, KEYS, LOW_HZ, Float64, checked, dbm0
from offhook.dsp.twotone import Edges, Fit

K95 = 1.96
TEN_TO_NINETY = float(2.0 * np.arcsin(0.8) / np.pi)  # share of a raised cosine between 10 and 90 %
MARGIN_S = 0.015
CLOCK_PPM = 50.0
FAINTEST = 1e-6  # of the residual: a tone that is not there
SNR_BAND_HZ = 4000.0
DB = 20.0 / np.log(10.0)


class Figure(NamedTuple):
    """A value; ``a``: half-width of its 95 % interval by the noise alone (type A); ``u``: expanded, clock included."""

    value: float
    a: float
    u: float


UNKNOWN = Figure(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Measured:
    """One digit. Times are seconds from the first sample. ``pause_s`` is the silence before it, None for the first.
    Where the audio begins or ends inside the tone, the times that hang on it are NaN.

    ``unwanted_dbm0`` is an upper bound (95 %) of the strongest single component but the two tones, found at
    ``unwanted_hz`` between 100 Hz and 3.9 kHz, at least two bins (2 / duration) away from both.
    """

    key: str
    low_hz: Figure
    high_hz: Figure
    low_dbm0: Figure
    high_dbm0: Figure
    twist_db: Figure
    start_s: Figure
    end_s: Figure
    duration_s: Figure
    rise_s: Figure
    fall_s: Figure
    snr_db: Figure
    unwanted_hz: float
    unwanted_dbm0: float
    pause_s: Figure | None = None

    def as_dict(self) -> dict[str, object]:
        """For JSON: figures as {"value", "a", "u"}, unknown ones None."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        known = {name: None if isinstance(v, Figure) and np.isnan(v.value) else v for name, v in found.items()}
        return {name: v._asdict() if isinstance(v, Figure) else v for name, v in known.items()}


def digits(
    samples: ArrayLike, rate: float = 8000, profile: Profile = profiles.ATT, *, clock_ppm: float = CLOCK_PPM
) -> list[Measured]:
    """Measure every digit that the receiver finds in a recording of one channel, shape (n,)."""
    value = _one_channel(samples, rate)
    found = list(decode(np.asarray(samples), rate, profile))
    result: list[Measured] = []
    for place, row in enumerate(found):
        before = (found[place - 1].end_s + row.start_s) / 2 if place else 0.0
        after = (found[place + 1].start_s + row.end_s) / 2 if place + 1 < len(found) else len(value) / rate
        first = max(round((row.start_s - MARGIN_S) * rate), round(before * rate), 0)
        last = min(round((row.end_s + MARGIN_S) * rate), round(after * rate), len(value))
        inner = slice(round(row.start_s * rate) - first, round(row.end_s * rate) - first)
        previous = result[-1] if result else None
        result.append(_measured(value[first:last], rate, inner, None, clock_ppm, first / rate, previous))
    return result


def digit(
    samples: ArrayLike, rate: float = 8000, *, envelope: ArrayLike | None = None, clock_ppm: float = CLOCK_PPM
) -> Measured:
    """Measure the one digit that a piece of audio, shape (n,), holds, from 10 ms on, accepted by a receiver or not.

    ``envelope`` (n,), if it is known, is taken instead of estimating edges: then duration, rise and fall are NaN.
    ``clock_ppm``: limit of the sample clock's error, taken as evenly likely within. ValueError for silence, for bad
    input, or fewer than 10 ms of audio.
    """
    value = _one_channel(samples, rate)
    if len(value) < 0.010 * rate:
        raise ValueError(f"{len(value)} samples at {rate} Hz: expected at least 10 ms")
    if envelope is not None:
        known = np.asarray(envelope, dtype=np.float64)
        if known.shape != value.shape:
            raise ValueError(f"envelope has shape {known.shape}: expected {value.shape}, that of the samples")
        return _measured(value, rate, slice(0, len(value)), known, clock_ppm, 0.0, None)
    inner = _loud(value, rate)
    first = max(inner.start - round(MARGIN_S * rate), 0)
    last = min(inner.stop + round(MARGIN_S * rate), len(value))
    inside = slice(inner.start - first, inner.stop - first)
    return _measured(value[first:last], rate, inside, None, clock_ppm, first / rate, None)


def _one_channel(samples: ArrayLike, rate: float) -> Float64:
    value = checked(samples, rate, most_dims=1)
    return value / INT16_SCALE if value.dtype == np.int16 else value.astype(np.float64)


def _loud(value: Float64, rate: float) -> slice:
    """The stretch around the loudest 5 ms whose 5 ms power stays above a third of it."""
    size = round(0.005 * rate)
    power = np.convolve(value**2, np.ones(size) / size, mode="same")
    top = int(np.argmax(power))
    if power[top] <= 1e-12:
        raise ValueError("the audio is silent: there is no digit to measure")
    weak = np.flatnonzero(power < power[top] / 3.0)
    before, after = weak[weak < top], weak[weak > top]
    gap = round(0.012 * rate)  # shorter dips are beats or noise, not the end
    return slice(_outermost(before[::-1], gap, 0), _outermost(after, gap, len(value)))


def _outermost(weak: NDArray[np.integer], gap: int, end: int) -> int:
    """Walking outwards, the first sample of a weak run of ``gap`` / 2 samples (or to the audio's end), or that end."""
    breaks = np.flatnonzero(np.abs(np.diff(weak)) > 1)
    starts = np.concatenate(([0], breaks + 1)) if len(weak) else np.zeros(0, np.int64)
    ends = np.append(breaks + 1, len(weak)) if len(weak) else starts
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        if b - a >= gap // 2 or b == len(weak):
            return int(weak[a])
    return end


def _measured(
    value: Float64,
    rate: float,
    inner: slice,
    envelope: Float64 | None,
    clock_ppm: float,
    offset_s: float,
    previous: Measured | None,
) -> Measured:
    """Fit and turn into figures."""
    if envelope is None:
        cut = (inner.stop - inner.start) // 10
        core = slice(max(inner.start + cut, 0), min(inner.stop - cut, len(value)))
        if core.stop - core.start < 0.005 * rate:
            raise ValueError("the tone is shorter than 6 ms: too short to measure")
        freqs = twotone.fit(value[core], rate, twotone.first_freqs(value[core], rate), None).freqs_hz
        first = twotone.fit(value, rate, freqs, twotone.first_edges(value, rate, freqs, core))
        weighed = edges.weigh(value, rate, first)
        shape = weighed.edges.at(np.arange(len(value)) / rate)
        found = twotone.fit(value, rate, first.freqs_hz, None, shape) if weighed.weighed else first
    else:
        freqs = twotone.first_freqs(value * envelope, rate)
        found, weighed = twotone.fit(value, rate, freqs, None, envelope), None
    clock = clock_ppm * 1e-6 / float(np.sqrt(3.0))
    return _figures(found, weighed, rate, clock, offset_s, previous, envelope)


def _figures(
    found: Fit,
    weighed: Weighed | None,
    rate: float,
    clock: float,
    offset_s: float,
    previous: Measured | None,
    envelope: Float64 | None,
) -> Measured:
    def figure(number: float, variance: float, clock_share: float = 0.0) -> Figure:
        return _figure(number, variance, clock_share * clock)

    low, high = (float(f) for f in found.freqs_hz)
    peaks = found.amplitudes
    if not np.isfinite(peaks).all() or peaks.min() < FAINTEST * np.sqrt(np.mean(found.residual**2)) or peaks.min() <= 0:
        raise ValueError("the audio does not hold two tones of a DTMF pair")
    weights = _level_weights(found)
    start, end, duration, rise, fall = _times(weighed, clock, offset_s, len(found.residual), rate)
    levels = dbm0(peaks**2 / 2.0)
    twist = {name: w * (1 if name.startswith("high") else -1) for side in weights for name, w in side.items()}
    noise = found.noise_power * SNR_BAND_HZ / (rate / 2.0)
    free = max(len(found.residual) - len(found.names), 1)
    snr_db = 10.0 * float(np.log10(max(float(peaks @ peaks) / 2.0 / max(noise, 1e-18), 1e-9)))
    unwanted_hz, unwanted = worst_unwanted(found, rate, weighed.edges if weighed else None, envelope)
    pause = None
    if previous is not None:
        variance = (start.a / K95) ** 2 + (previous.end_s.a / K95) ** 2
        gap = start.value - previous.end_s.value
        pause = figure(gap, variance, gap)
    return Measured(
        key=key_near(low, high),
        low_hz=figure(low, found.variance(low_hz=1.0), low),
        high_hz=figure(high, found.variance(high_hz=1.0), high),
        low_dbm0=figure(float(levels[0]), found.variance(**weights[0])),
        high_dbm0=figure(float(levels[1]), found.variance(**weights[1])),
        twist_db=figure(float(levels[1] - levels[0]), found.variance(**twist)),
        start_s=start,
        end_s=end,
        duration_s=duration,
        rise_s=rise,
        fall_s=fall,
        snr_db=figure(snr_db, (10.0 / np.log(10.0)) ** 2 * 2.0 / free),
        unwanted_hz=unwanted_hz,
        unwanted_dbm0=unwanted,
        pause_s=pause,
    )


def _level_weights(found: Fit) -> tuple[dict[str, float], dict[str, float]]:
    """Derivatives of both levels in dB to the linear parameters."""
    low, high = DB * found.linear[:4].reshape(2, 2) / (found.amplitudes**2)[:, None]
    return (
        {"low_cos": float(low[0]), "low_sin": float(low[1])},
        {"high_cos": float(high[0]), "high_sin": float(high[1])},
    )


def _figure(number: float, variance: float, clock: float = 0.0) -> Figure:
    return Figure(number, K95 * float(np.sqrt(variance)), K95 * float(np.sqrt(variance + clock**2)))


def _times(
    weighed: Weighed | None, clock: float, offset_s: float, count: int, rate: float
) -> tuple[Figure, Figure, Figure, Figure, Figure]:
    """Start, end, duration, rise and fall; NaN if the envelope was given, or the audio begins or ends in the tone."""
    if weighed is None:
        return (UNKNOWN,) * 5
    start, rise, end, fall = weighed.edges.array().tolist()
    v_start, v_rise, v_end, v_fall = weighed.variance.tolist()
    share = TEN_TO_NINETY
    no_start, no_end = start < 1.0 / rate, end > (count - 2) / rate
    told = (
        _figure(start + offset_s, v_start, (start + offset_s) * clock),
        _figure(end + offset_s, v_end, (end + offset_s) * clock),
        _figure(end - start, v_start + v_end, (end - start) * clock),
        _figure(rise * share, v_rise * share**2),
        _figure(fall * share, v_fall * share**2),
    )
    unseen = (no_start, no_end, no_start or no_end, no_start, no_end)
    a, b, c, d, e = (UNKNOWN if hidden else figure for hidden, figure in zip(unseen, told, strict=True))
    return a, b, c, d, e


def key_near(low_hz: float, high_hz: float) -> str:
    """The key whose two frequencies are nearest, in proportion."""
    row = int(np.argmin(np.abs(np.log(np.asarray(LOW_HZ) / low_hz))))
    col = int(np.argmin(np.abs(np.log(np.asarray(HIGH_HZ) / high_hz))))
    return KEYS[row * 4 + col]


def worst_unwanted(
    found: Fit, rate: float, edges: Edges | None, envelope: Float64 | None = None
) -> tuple[float, float]:
    """Frequency of the strongest component in the residual of the plateau, and an upper bound of its level in dBm0.

    The component is sought in a Hann-windowed spectrum and then fitted together with the two tones, so that what they
    had taken of it comes back. The bound is that (or the spectrum's own figure) plus 1.645 standard deviations.
    """
    time_s = np.arange(len(found.residual)) / rate
    if edges is None:
        flat = np.ones(len(time_s), bool) if envelope is None else envelope > 0.98
    else:
        flat = _plateau(edges, time_s)
    residual, jacobian = found.residual[flat], found.jacobian[flat]
    count = len(residual)
    if count < 8:
        raise ValueError("the audio does not hold a tone that stands: too short to measure")
    window = np.hanning(count + 2)[1:-1]
    size = 1 << int(np.ceil(np.log2(count * 4)))
    spectrum = 2.0 * np.abs(np.fft.rfft(residual * window, size)) / window.sum()
    freq = np.fft.rfftfreq(size, 1.0 / rate)
    allowed = (freq >= 100.0) & (freq <= min(3900.0, 0.49 * rate))
    for tone in found.freqs_hz:
        allowed &= np.abs(freq - tone) >= 2.0 * rate / count
    place = int(np.argmax(np.where(allowed, spectrum, -1.0)))
    angle = 2.0 * np.pi * freq[place] * time_s[flat]
    pair = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    linear = twotone.solve(np.concatenate((pair, jacobian), axis=1), residual)
    left = pair - jacobian @ np.stack([twotone.solve(jacobian, one) for one in pair.T], axis=1)
    spread = np.sqrt(found.noise_power / max(float((left**2).sum()) / 2.0, 1e-12))
    strongest = max(float(np.hypot(*linear[:2])), float(spectrum[place]))
    return float(freq[place]), float(dbm0((strongest + 1.645 * spread) ** 2 / 2.0))


def _plateau(edges: Edges, time_s: Float64) -> NDArray[np.bool_]:
    """Samples where the envelope is at its full height; all where it never is."""
    inside = (time_s >= edges.start_s + edges.rise_s / 2) & (time_s <= edges.end_s - edges.fall_s / 2)
    return np.asarray(inside if inside.sum() > 40 else edges.at(time_s) > 0.5)
