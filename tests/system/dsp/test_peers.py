"""What we say of libspandsp 0.0.6 is so: how its receiver's parameters are bound, seen by what they do."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.characterize.receivers import Spandsp

KEEP = -1
DEFAULT_DBM0 = -99


def heard(samples: np.ndarray, low_over_high_db: int, high_over_low_db: int, least_dbm0: int) -> int:
    """Digits of 20 that are heard; dtmf_rx_parms(state, filter, twist, reverse twist, threshold) has the limits."""
    lib = Spandsp().lib
    state = lib.dtmf_rx_init(None, None, None)
    lib.dtmf_rx_parms(state, 0, low_over_high_db, high_over_low_db, least_dbm0)
    lib.dtmf_rx(state, samples.ctypes.data, len(samples))
    count = lib.dtmf_rx_get(state, ctypes.create_string_buffer(200), 128)
    lib.dtmf_rx_free(state)
    return int(count)


def sent(level_dbm0: float, high_over_low_db: float) -> np.ndarray:
    half = high_over_low_db / 2
    return dsp.encode_spans("159D0" * 4, level_low_dbm0=level_dbm0 - half, level_high_dbm0=level_dbm0 + half).int16()


@pytest.mark.parametrize(
    ("twist_db", "limits", "count"),
    [
        (6.0, (KEEP, KEEP), 0),
        (6.0, (KEEP, 9), 20),
        (6.0, (9, KEEP), 0),
        (-6.0, (KEEP, KEEP), 20),
        (-6.0, (4, KEEP), 0),
        (-6.0, (KEEP, 4), 20),
    ],
)
def test_twist_limits_are_whole_decibels_low_over_high_first(
    twist_db: float, limits: tuple[int, int], count: int
) -> None:
    assert heard(sent(-10, twist_db), *limits, DEFAULT_DBM0) == count


@pytest.mark.parametrize(
    ("level_dbm0", "least_dbm0", "count"), [(-25, -20, 0), (-25, -30, 20), (-25, DEFAULT_DBM0, 20)]
)
def test_the_threshold_is_a_level(level_dbm0: float, least_dbm0: int, count: int) -> None:
    assert heard(sent(level_dbm0, 0.0), KEEP, KEEP, least_dbm0) == count
