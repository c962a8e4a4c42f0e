"""WAV files (RIFF): PCM 8 to 32 bits, IEEE float 32 and 64, A-law, mu-law, and their EXTENSIBLE forms.

Source: the RIFF "WAVE" format as published by IBM and Microsoft (1991) and Microsoft's WAVEFORMATEXTENSIBLE. A file
that is empty, cut short, not audio or full of NaN is a ``WavError`` (a ValueError) that names it and says what to try.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import codec
from offhook.dsp.tones import Float32, Int16, to_int16

PCM, FLOAT, ALAW, ULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_KNOWN = {(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64), (ALAW, 8), (ULAW, 8)}
_CONVERT = "convert it with: sox FILE -b 16 out.wav"


class WavError(ValueError):
    """A file that cannot be read as WAV audio; ``path``, ``detail`` and ``hint`` (what to try)."""

    def __init__(self, path: str, detail: str, hint: str) -> None:
        self.path = path
        self.detail = detail
        self.hint = hint
        super().__init__(f"{path}: {detail} (try: {hint})")


@dataclass(frozen=True)
class Audio:
    """A WAV file's content: ``samples`` (channels, frames), int16 where the file is 16-bit or G.711, else float32."""

    samples: Int16 | Float32
    rate: int
    encoding: str

    @property
    def duration_s(self) -> float:
        """Seconds of audio."""
        return int(self.samples.shape[1]) / self.rate


def read(path: str | os.PathLike[str]) -> Audio:
    """A whole WAV file. Raises WavError; OSError where the file cannot be opened."""
    return parse(Path(path).read_bytes(), os.fspath(path))


def parse(data: bytes, path: str = "<bytes>") -> Audio:
    """The same from bytes; ``path`` is only for messages."""
    if not data:
        raise WavError(path, "the file is empty", "record it again")
    if len(data) < 12 or data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise WavError(path, "not a WAV file (no RIFF/WAVE header)", "convert it with: sox FILE out.wav")
    chunks = _chunks(data, path)
    if "fmt " not in chunks:
        raise WavError(path, "no 'fmt ' chunk: the file is damaged or cut short", "record it again")
    if "data" not in chunks:
        raise WavError(path, "no 'data' chunk: the file is cut short", "record it again")
    tag, channels, rate, bits, block = _format(chunks["fmt "][1], path)
    declared, body = chunks["data"]
    if declared not in (0, 0xFFFFFFFF, 0x7FFFF000) and declared > len(body):
        raise WavError(
            path,
            f"truncated: the header promises {declared} bytes of audio, the file holds {len(body)}",
            "copy the file again, or repair it with: sox --ignore-length FILE out.wav",
        )
    frames = len(body) // block
    if frames == 0:
        raise WavError(path, "holds no audio (0 frames)", "record it again")
    samples = _samples(body[: frames * block], tag, bits)
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise WavError(
            path, f"{bad} of {samples.size} samples are NaN or infinite", "export it again from the tool that made it"
        )
    names = {PCM: f"PCM {bits}-bit", FLOAT: f"float {bits}-bit", ALAW: "A-law", ULAW: "mu-law"}
    return Audio(np.ascontiguousarray(samples.reshape(frames, channels).T), rate, names[tag])


def _chunks(data: bytes, path: str) -> dict[str, tuple[int, bytes]]:
    """First chunk of each name: (declared size, bytes that are there)."""
    found: dict[str, tuple[int, bytes]] = {}
    place = 12
    while place + 8 <= len(data):
        name = data[place : place + 4].decode("latin-1")
        (size,) = struct.unpack_from("<I", data, place + 4)
        unknown = name == "data" and size in (0, 0xFFFFFFFF, 0x7FFFF000)  # a stream whose length was never filled in
        stop = len(data) if unknown else place + 8 + size
        found.setdefault(name, (size, data[place + 8 : stop]))
        place = stop + (size & 1)
    return found


def _format(fmt: bytes, path: str) -> tuple[int, int, int, int, int]:
    if len(fmt) < 16:
        raise WavError(path, f"'fmt ' chunk of {len(fmt)} bytes: expected at least 16", "record it again")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == EXTENSIBLE and len(fmt) >= 40:
        (tag,) = struct.unpack_from("<H", fmt, 24)
        if fmt[26:40] != _GUID_TAIL:
            raise WavError(path, "WAVE_FORMAT_EXTENSIBLE with a sub-format that is not standard", _CONVERT)
    if (tag, bits) not in _KNOWN:
        raise WavError(path, f"encoding {tag} with {bits} bits is not supported", _CONVERT)
    if channels < 1 or block != channels * bits // 8:
        raise WavError(path, f"{channels} channels in blocks of {block} bytes make no sense", _CONVERT)
    if not 1000 <= rate <= 768000:
        raise WavError(path, f"sample rate {rate} Hz makes no sense", "record it again at 8000 Hz or more")
    return tag, channels, rate, bits, block


def _samples(body: bytes, tag: int, bits: int) -> NDArray[Any]:
    if tag == ALAW:
        return codec.alaw_decode(body)
    if tag == ULAW:
        return codec.ulaw_decode(body)
    if tag == FLOAT:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.frombuffer(body, dtype=f"<f{bits // 8}").astype(np.float32)
    if bits == 8:
        return (np.frombuffer(body, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
    if bits == 16:
        return np.frombuffer(body, dtype="<i2").astype(np.int16, copy=False)
    if bits == 24:
        triples = np.frombuffer(body, dtype=np.uint8).reshape(-1, 3)
        wide = np.zeros((len(triples), 4), dtype=np.uint8)
        wide[:, 1:] = triples
        return (wide.view("<i4")[:, 0] / 2147483648.0).astype(np.float32)
    return (np.frombuffer(body, dtype="<i4") / 2147483648.0).astype(np.float32)


def encoded(samples: ArrayLike, rate: int) -> bytes:
    """A 16-bit PCM WAV file as bytes, from int16 or float samples of shape (n,) or (channels, n)."""
    value = to_int16(samples)
    value = value[None, :] if value.ndim == 1 else value
    body = np.ascontiguousarray(value.T).astype("<i2").tobytes()
    channels = value.shape[0]
    fmt = struct.pack("<HHIIHH", PCM, channels, rate, rate * channels * 2, channels * 2, 16)
    head = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(body))
    return b"RIFF" + struct.pack("<I", len(head) + len(body)) + head + body


def write(path: str | os.PathLike[str], samples: ArrayLike, rate: int) -> None:
    """Write a 16-bit PCM WAV file, whole or not at all: it gets its name once it is complete.

    A symbolic link is followed and stays. What is there and is no regular file (a device, a FIFO) is written into: it
    cannot be made anew, and says itself when it is full.
    """
    target = Path(os.path.realpath(path))  # renaming to the link would put a file in its place
    content = encoded(samples, rate)
    if target.is_symlink() or (target.exists() and not target.is_file()):  # a link to itself is the system's to refuse
        target.write_bytes(content)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
