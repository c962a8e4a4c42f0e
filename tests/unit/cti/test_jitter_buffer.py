"""What comes out of the jitter buffer of a SIP call when packets are late, missing, or too many."""

import numpy as np
import pytest

from offhook import dsp
from offhook.fixtures.asterisk.jitter import BLOCK, QUIET_DBM0, JitterBuffer

AHEAD = 8
RATE_HZ = 8000


def blocks_of(samples):
    return samples[: samples.size // BLOCK * BLOCK].reshape(-1, BLOCK)


def digits(keys, gap_s=0.15):
    """Digits of 100 ms with noise of a line under them, int16."""
    tones = 32768 * dsp.encode(keys, RATE_HZ, on_s=0.1, off_s=gap_s)
    noise = np.random.default_rng(5).normal(0.0, 6.0, tones.size)
    return np.rint(tones + noise).astype(np.int16)


def heard(arrivals):
    """What is taken, a block at a time, where ``arrivals`` says how many packets come before each take."""
    buffer, out, came = JitterBuffer(AHEAD), [], 0
    for count, source in arrivals:
        for _ in range(count):
            buffer.put(source[came].tobytes())
            came += 1
        out.append(buffer.take())
    return buffer, np.concatenate(out)


def test_what_is_put_in_comes_out_whole_and_late_by_what_is_kept():
    source = blocks_of(digits("1234567890"))
    buffer, out = heard([(1, source)] * len(source))
    assert not out[: AHEAD * BLOCK].any()
    assert np.array_equal(out[AHEAD * BLOCK :], source[:-AHEAD].ravel())
    assert buffer.holes == 0


def test_pieces_of_any_length_are_put_together():
    source, buffer = np.random.default_rng(1).integers(-9000, 9000, 12 * BLOCK).astype(np.int16), JitterBuffer(1)
    data, out = source.astype("<i2").tobytes(), []
    for start in range(0, len(data), 333):
        buffer.put(data[start : start + 333])
    for _ in range(10):
        out.append(buffer.take())
    assert np.array_equal(np.concatenate(out), source[: 10 * BLOCK])


@pytest.mark.parametrize("late", range(1, AHEAD))
def test_late_packets_leave_no_hole_wherever_they_are_late(late):
    source = blocks_of(digits("5" * 6))
    for at in range(AHEAD + 2, len(source) - late):
        arrivals = [(1, source)] * len(source)
        arrivals[at : at + late + 1] = [(0, source)] * late + [(late + 1, source)]
        _, out = heard([*arrivals, *[(0, source)] * AHEAD])
        assert dsp.decode(out, RATE_HZ).text() == "5" * 6, at


def test_a_sender_that_leaves_out_a_frame_a_digit_does_not_use_it_up():
    """Asterisk does. Kept as it came, the buffer would be empty after eight digits, and tear the ninth."""
    keys = "1*2*3*" * 8
    silence = np.zeros(24 * BLOCK, np.int16)
    every = blocks_of(np.append(digits(keys, gap_s=0.14), silence))  # twelve blocks a digit; the last is not sent
    sent = np.array([block for at, block in enumerate(every) if at % 12 != 11])
    arrivals = [(0 if at % 12 == 11 else 1, sent) for at in range(len(every))]
    buffer, out = heard(arrivals)
    assert buffer.holes == 0
    assert dsp.decode(out, RATE_HZ).text() == keys


def test_what_piled_up_goes_where_nobody_speaks():
    source = blocks_of(digits("123456", gap_s=0.5))
    standstill = [(1, source)] * 12 + [(30, source)] + [(1, source)] * (len(source) - 42)
    buffer, out = heard(standstill)
    assert dsp.decode(out, RATE_HZ).text() == "123456"
    buffer.put(bytes(2 * BLOCK * 3))
    left = 0
    while buffer.take().any():
        left += 1
    assert left <= 2 * AHEAD


def test_nothing_is_made_longer_while_somebody_speaks():
    loud = np.full(BLOCK, 3000, np.int16)
    buffer = JitterBuffer(AHEAD)
    for _ in range(AHEAD + 1):
        buffer.put(loud.tobytes())
    assert all(np.array_equal(buffer.take(), loud) for _ in range(AHEAD + 1))
    assert not buffer.take().any()
    assert buffer.holes == 1


def test_when_nothing_more_comes_all_that_came_is_heard():
    source = blocks_of(np.concatenate([digits("12"), digits("3", gap_s=0.0)]))
    _, out = heard([(1, source)] * len(source) + [(0, source)] * (AHEAD + 2))
    assert dsp.decode(out, RATE_HZ).text() == "123"


def test_a_pause_of_the_network_is_one_hole():
    source = blocks_of(digits("12"))
    buffer, _ = heard([(1, source)] * 12 + [(0, source)] * 40)
    assert buffer.holes == 1


def test_quiet_is_under_speech_and_over_the_noise_of_lines():
    assert -60.0 < QUIET_DBM0 < -45.0  # lines: -62 dBm0 and less; a receiver must take tones of -45 dBm0
