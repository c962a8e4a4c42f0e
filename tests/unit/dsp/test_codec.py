"""G.711 by the values of the Recommendation."""

from __future__ import annotations

import numpy as np
import pytest

from offhook import dsp
from offhook.dsp import codec

# ITU-T G.711 tables 1a and 2a: decoder output values of the largest code and of each segment's first (13 / 14 bits).
ULAW_FIRST = {
    0xFF: 0,
    0xFE: 2,
    0xEF: 33,
    0xDF: 99,
    0xCF: 231,
    0xBF: 495,
    0xAF: 1023,
    0x9F: 2079,
    0x8F: 4191,
    0x80: 8031,
}
ALAW_FIRST = {0x80: 1, 0x81: 3, 0x90: 33, 0xA0: 66, 0xB0: 132, 0xC0: 264, 0xD0: 528, 0xE0: 1056, 0xF0: 2112, 0xFF: 4032}


def test_ulaw_table_values() -> None:
    for code, value in ULAW_FIRST.items():
        assert codec.ulaw_decode(bytes([code]))[0] == value * 4
        assert codec.ulaw_decode(bytes([code & 0x7F]))[0] == -value * 4


def test_alaw_table_values() -> None:
    for code, value in ALAW_FIRST.items():
        sent = code ^ 0x55  # even bits are inverted on the line
        assert codec.alaw_decode(bytes([sent]))[0] == value * 8
        assert codec.alaw_decode(bytes([sent ^ 0x80]))[0] == -value * 8


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
def test_every_octet_survives_and_every_sample_goes_to_the_nearest(law: str) -> None:
    encode, decode = (codec.alaw_encode, codec.alaw_decode) if law == "alaw" else (codec.ulaw_encode, codec.ulaw_decode)
    octets = np.arange(256, dtype=np.uint8)
    values = decode(octets)
    again = encode(values)
    same = again == octets
    assert np.array_equal(values[~same], [0] * int((~same).sum()))  # mu-law has two zeros
    assert (~same).sum() == (1 if law == "ulaw" else 0)
    every = np.arange(-32768, 32768).astype(np.int16)
    error = np.abs(decode(encode(every)).astype(int) - every)
    nearest = np.abs(values.astype(int)[None, :] - every.astype(int)[:, None]).min(axis=1)
    assert np.array_equal(error, nearest)


def test_digital_milliwatt() -> None:
    """G.711 tables 5 and 6: these eight octets are 1 kHz at 0 dBm0."""
    ulaw = bytes([0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E])
    alaw = bytes([0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4])
    for samples, slack in ((codec.alaw_decode(alaw), 0.02), (codec.ulaw_decode(ulaw), 0.08)):
        x = dsp.to_float(samples).astype(np.float64)
        assert dsp.dbm0(np.mean(x**2)) == pytest.approx(0.0, abs=slack)


def test_full_scale_is_3_14_dbm0() -> None:
    x = np.sin(2 * np.pi * 1000.5 * np.arange(80000) / 8000)
    assert dsp.dbm0(np.mean(x**2)) == pytest.approx(3.14, abs=0.001)
    assert dsp.tones.peak(3.14) == pytest.approx(1.0)
    assert dsp.dbm0(0.0) == -np.inf


def test_shapes_and_bytes_and_names() -> None:
    x = np.zeros((2, 5), np.int16)
    assert codec.ulaw_encode(x).shape == (2, 5)
    assert codec.ulaw_encode(x).tobytes() == b"\xff" * 10
    assert codec.alaw_encode(x).tobytes() == b"\xd5" * 10
    assert np.array_equal(codec.through(x, "ulaw"), x)
    with pytest.raises(ValueError, match="expected 'alaw' or 'ulaw'"):
        codec.through(x, "g729")
