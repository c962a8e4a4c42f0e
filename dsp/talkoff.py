"""A harsh synthetic talk-off: sounds made to be mistaken for digits, none of which is one.

The well-known tapes of real calls cannot be had. This is harsher by the minute: sung vowels on held pitches whose
partials fall on DTMF pairs, vowels with moving resonances, chords of plucked and blown tones, and whistled pairs that
never stand still for 40 ms. Everything follows from the seed.
"""

from __future__ import annotations

import numpy as np

from offhook.dsp.tones import Float32, Float64, power_of

KINDS = ("vowel", "glide", "chord", "pair")
PIECE_S = 0.6


def harsh(duration_s: float, seed: int, rate: float = 8000, *, level_dbm0: float = -15.0) -> Float32:
    """Talk-off audio, float32 of full scale 1.0, at a mean level; pieces of 0.6 s of one kind each, 40 ms apart."""
    rng = np.random.default_rng(seed)
    size, gap = round(PIECE_S * rate), round(0.04 * rate)
    count = int(np.ceil(duration_s * rate / (size + gap)))
    total = np.zeros(count * (size + gap), dtype=np.float32)
    makers = {"vowel": _vowel, "glide": _glide, "chord": _chord, "pair": _pair}
    for piece in range(count):
        wave = makers[KINDS[int(rng.integers(len(KINDS)))]](size, rate, rng)
        wave *= np.sqrt(float(power_of(level_dbm0 + rng.uniform(-6, 6))) / max(float(np.mean(wave**2)), 1e-12))
        total[piece * (size + gap) : piece * (size + gap) + size] = wave
    return np.clip(total[: round(duration_s * rate)], -1.0, 1.0)


def _fade(size: int, rate: float) -> Float64:
    n = np.arange(size)
    return np.minimum(1.0, np.minimum(n, size - n) / (0.02 * rate))


def _voiced(pitch: Float64, formants: list[tuple[Float64, float]], rate: float, rng: np.random.Generator) -> Float64:
    """Partials of a moving pitch, weighted by moving resonances (centre track, bandwidth)."""
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    wave = np.zeros(len(pitch))
    for partial in range(1, 40):
        freq = partial * pitch
        if freq.min() > min(3600.0, 0.45 * rate):
            break
        gain = sum(1.0 / (1.0 + ((freq - centre) / (width / 2)) ** 2) for centre, width in formants)
        wave += gain * np.sin(partial * phase + rng.uniform(0, 2 * np.pi)) * (freq < 0.47 * rate)
    return wave


def _vowel(size: int, rate: float, rng: np.random.Generator) -> Float64:
    """A sung vowel: held pitch with slight vibrato, narrow resonances near the two DTMF groups."""
    t = np.arange(size) / rate
    vibrato = 1 + rng.uniform(0, 0.006) * np.sin(2 * np.pi * rng.uniform(4, 7) * t + rng.uniform(0, 6))
    pitch = rng.uniform(100, 480) * vibrato
    first = np.full(size, rng.uniform(660, 980))
    second = np.full(size, rng.uniform(1150, 1700))
    formants = [
        (first, rng.uniform(70, 160)),
        (second, rng.uniform(70, 160)),
        (np.full(size, rng.uniform(2200, 2900)), 250.0),
    ]
    return _voiced(pitch, formants, rate, rng) * _fade(size, rate)


def _glide(size: int, rate: float, rng: np.random.Generator) -> Float64:
    """A diphthong: pitch and both resonances move."""
    way = np.linspace(0, 1, size)
    pitch = rng.uniform(90, 350) * (1 + rng.uniform(-0.25, 0.25) * way)
    first = rng.uniform(500, 1000) + rng.uniform(-250, 250) * way
    second = rng.uniform(1100, 1750) + rng.uniform(-400, 400) * way
    formants = [(first, rng.uniform(60, 180)), (second, rng.uniform(60, 180)), (np.full(size, 2600.0), 300.0)]
    return _voiced(pitch, formants, rate, rng) * _fade(size, rate)


def _chord(size: int, rate: float, rng: np.random.Generator) -> Float64:
    """Notes of the tempered scale, a new chord every 60 to 200 ms, with a few harmonics and decay."""
    wave = np.zeros(size)
    at = 0
    while at < size:
        length = min(round(rng.uniform(0.06, 0.2) * rate), size - at)
        t = np.arange(length) / rate
        for _ in range(int(rng.integers(3, 5))):
            freq = 440.0 * 2 ** (rng.integers(-12, 25) / 12)
            for harmonic in range(1, int(rng.integers(3, 6))):
                if harmonic * freq < 0.45 * rate:
                    decay = np.exp(-t * rng.uniform(1, 12))
                    wave[at : at + length] += decay / harmonic**1.5 * np.sin(2 * np.pi * harmonic * freq * t)
        at += length
    return wave


def _pair(size: int, rate: float, rng: np.random.Generator) -> Float64:
    """Two whistles near a DTMF pair that tremble, and half of them pulse, faster than any digit may."""
    t = np.arange(size) / rate
    wave = np.zeros(size)
    for lowest, highest in ((680, 960), (1180, 1660)):
        reach, tremble = rng.uniform(60, 120), rng.uniform(9, 16)  # Hz, 1/s: 17 Hz of one place for 16 ms at most
        saw = 4.0 * np.abs((t * tremble + rng.uniform(0, 1)) % 1.0 - 0.5) - 1.0
        freq = rng.uniform(lowest, highest) + reach * saw
        wave += rng.uniform(0.4, 1.0) * np.sin(2 * np.pi * np.cumsum(freq) / rate)
    pulse = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(8, 22) * t + rng.uniform(0, 6))
    return wave * (pulse if rng.random() < 0.5 else 1.0) * _fade(size, rate)
