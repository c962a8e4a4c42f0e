"""Audio on standard input: raw samples, and what tells a file of another kind before it is taken for noise."""

from __future__ import annotations

import os
import string
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from offhook.drivers.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READ_SIZE = 1 << 16
HEAD_SIZE = 12
"""So many bytes tell the kinds of files below."""
NOT_AUDIO = 1e4
"""Float samples beyond this (full scale is 1.0) are no hot recording: something else, or integers never scaled."""
RAW = "sox in.wav -t s16 -r 8000 -c 1 - | offhook dtmf decode -"
WIDTHS = {"s16": 2, "u8": 1, "alaw": 1, "ulaw": 1, "f32": 4}
"""Bytes of a sample of each raw format, all little endian."""
_MAGIC = {
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"FORM": "an AIFF file",
    b".snd": "an AU file",
    b"RIFX": "a big-endian WAV file",
    b"caff": "a CAF file",
    b"#!AMR": "an AMR file",
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"\x1f\x8b\x08": "a gzip file",
    b"PK\x03\x04": "a ZIP file",
    b"%PDF": "a PDF file",
    b"\x89PNG": "a PNG picture",
}
_TEXT = frozenset(string.printable.encode())


def read() -> bytes:
    """What standard input has now, b"" at its end. Raises ConfigError."""
    try:
        if sys.stdin is None:
            raise OSError(None, "it is closed")
        return os.read(sys.stdin.fileno(), READ_SIZE)
    except OSError as error:
        raise ConfigError("-", "read standard input", error.strerror or str(error), RAW) from None


def head() -> bytes:
    """The beginning of standard input. Raises ConfigError if it is empty, or of a kind that is known not to be read."""
    found = b""
    while len(found) < HEAD_SIZE and (data := read()):
        found += data
    if not found:
        raise ConfigError("-", "read standard input", "it is empty", RAW)
    _refuse_known(found)
    return found


def is_wav(found: bytes) -> bool:
    """Whether what begins so is a WAV file."""
    return found[:4] in (b"RIFF", b"RF64")


def samples(found: bytes, form: str, channels: int) -> Iterator[NDArray[Any]]:
    """Blocks (channels, n) of raw standard input, which began with ``found``. Raises ConfigError for no audio."""
    width = WIDTHS[form] * channels
    rest, data = b"", found
    while data:
        rest += data
        usable = len(rest) - len(rest) % width
        yield _block(rest[:usable], form).reshape(-1, channels).T
        rest, data = rest[usable:], read()
    if rest:
        detail = f"{len(rest)} bytes are left over at the end: a frame of {form} samples takes {width}"
        raise ConfigError("-", "decode raw samples", detail, RAW)


def _refuse_known(found: bytes) -> None:
    kind = next((name for magic, name in _MAGIC.items() if found.startswith(magic)), None)
    if found[4:8] == b"ftyp":
        kind = "an MP4 file"
    if len(found) >= HEAD_SIZE and _TEXT.issuperset(found):
        kind = "text"
    if kind:
        detail = f"it is {kind}: expected a WAV file, or raw samples"
        raise ConfigError("-", "read standard input", detail, RAW)


def _block(data: bytes, form: str) -> NDArray[Any]:
    import numpy as np

    from offhook.dsp import codec

    if form == "s16":
        return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)
    if form == "u8":
        return (np.frombuffer(data, dtype=np.uint8).astype(np.int16) - 128) * np.int16(256)
    if form != "f32":
        return codec.alaw_decode(data) if form == "alaw" else codec.ulaw_decode(data)
    value: NDArray[np.float32] = np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    good = np.abs(value) <= NOT_AUDIO  # false for NaN too
    if not good.all():
        wrong = value[int(np.argmin(good))]
        detail = f"not audio: a sample is {wrong:.3g}, expected -1..1"
        raise ConfigError("-", "decode raw samples", detail, "--format as recorded: s16, f32, ...")
    return value
