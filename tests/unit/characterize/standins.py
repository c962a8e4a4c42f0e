"""Receivers that fail in known ways, by ``module:function``."""

from __future__ import annotations

import numpy as np

from offhook import dsp
from offhook.dsp.tones import Int16


def to_1_percent(samples: Int16, rate: int) -> str:
    """Hears only digits whose tones are both within 1 % (by the meter of the receiver)."""
    found = dsp.decode(samples, rate)
    return "".join(d.key for d in found if max(_off(d)) <= 1.0)


def _off(digit: dsp.Digit) -> tuple[float, float]:
    low, high = dsp.tones.frequencies(digit.key)
    return abs(digit.low_hz / low - 1) * 100, abs(digit.high_hz / high - 1) * 100


def drops_every_tenth(samples: Int16, rate: int) -> str:
    """Loses one digit in ten."""
    return "".join(key for place, key in enumerate(dsp.decode(samples, rate).text()) if place % 10)


def deaf(samples: Int16, rate: int) -> str:
    """Hears nothing."""
    return ""


def loud_only(samples: Int16, rate: int) -> str:
    """Hears nothing unless the loudest sample is above -20 dBm0 of two tones."""
    limit = 32768 * 2 * 10 ** ((-20.0 - 3.14) / 20)
    return dsp.decode(samples, rate).text() if np.abs(samples.astype(int)).max() > limit else ""
