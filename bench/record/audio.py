"""WAV files that are whole at every moment, and the recorder that fills them from an audio port.

A file is opened at the first block that is not digital silence and closed after two seconds of it, or after an hour.
Frames a port skipped were silent. Header and table are brought up to date after every second of audio, so that a killed
run loses at most that.
"""

from __future__ import annotations

import json
import os
import struct
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.bench.record.schema import AUDIO
from offhook.bench.record.store import Store
from offhook.drivers.audio import AudioPort, Samples

SILENCE_S = 2.0
TAIL_S = 0.2
LONGEST_S = 3600.0
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def read_wav(path: Path, start: int = 0, stop: int | None = None) -> tuple[NDArray[np.int16], int]:
    """Frames ``start`` to ``stop`` of a mono 16-bit file and its rate. Raises OSError or ValueError with the reason."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise ValueError(f"{path.name} is not a mono 16-bit WAV")
            total = file.getnframes()
            first = min(max(start, 0), total)
            last = total if stop is None else min(max(stop, first), total)
            file.setpos(first)
            return np.frombuffer(file.readframes(last - first), dtype="<i2").astype(np.int16), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path.name} cannot be read as WAV: {error}") from None


class WavWriter:
    """A mono 16-bit WAV whose header says at any time (after :meth:`settle`) what is in it."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._file = path.open("xb")
        self._rate_hz = rate_hz
        self.frames = 0
        self._file.write(self._header())

    def _header(self) -> bytes:
        size, rate = 2 * self.frames, self._rate_hz
        return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size)

    def write(self, samples: Samples) -> None:
        """Append frames."""
        self._file.write(np.ascontiguousarray(samples, dtype="<i2").data)
        self.frames += len(samples)

    def settle(self) -> None:
        """Make the header true and hand everything to the system."""
        self._file.flush()
        os.pwrite(self._file.fileno(), self._header(), 0)

    def close(self) -> None:
        """Settle and close."""
        try:
            self.settle()
        finally:
            self._file.close()


class _Track:
    """One wire: the file being written, and the silence since its last sound."""

    def __init__(self, store: Store, wire: str, rate_hz: int) -> None:
        self._folder = folder = store.folder
        self._store = store
        self._wire = wire
        self._rate_hz = rate_hz
        self._writer: WavWriter | None = None
        self._row = 0
        self._silent = 0
        self._settled = 0
        self._count = len(list((folder / AUDIO).glob(f"{wire}_[0-9][0-9][0-9][0-9]*.wav")))

    @property
    def recording(self) -> bool:
        return self._writer is not None

    def silence(self, frames: int) -> None:
        if self._writer is None:
            return
        self._silent += frames
        if self._silent >= SILENCE_S * self._rate_hz:
            self.close()

    def sound(self, start_s: float, samples: Samples, settled: dict[int, int] | None = None) -> None:
        """Write it. If ``settled`` is given the table is left to the caller: frames by row."""
        writer = self._writer or self._open(start_s)
        if self._silent:
            writer.write(np.zeros(self._silent, np.int16))
            self._silent = 0
        writer.write(samples)
        if writer.frames - self._settled >= self._rate_hz:
            self.settle(settled)
        if writer.frames >= LONGEST_S * self._rate_hz:
            self.close()

    def _open(self, start_s: float) -> WavWriter:
        self._count += 1
        name = f"{AUDIO}/{self._wire}_{self._count:04d}.wav"
        self._writer = WavWriter(self._folder / name, self._rate_hz)
        self._silent = self._settled = 0
        cursor = self._store.execute(
            "INSERT INTO audio (file, wire, start_s, rate_hz, frames) VALUES (?, ?, ?, ?, 0)",
            (name, self._wire, start_s, self._rate_hz),
        )
        self._row = (cursor.lastrowid or 0) if cursor is not None else 0
        return self._writer

    def settle(self, settled: dict[int, int] | None = None) -> None:
        if self._writer is None or self._writer.frames == self._settled:
            return
        self._writer.settle()
        self._settled = self._writer.frames
        if settled is not None:
            settled[self._row] = self._settled
        else:
            self._store.execute("UPDATE audio SET frames = ? WHERE id = ?", (self._settled, self._row))

    def close(self) -> None:
        if self._writer is None:
            return
        writer = self._writer
        try:
            tail = min(self._silent, round(TAIL_S * self._rate_hz))
            if tail:
                writer.write(np.zeros(tail, np.int16))
            self.settle()
        finally:
            self._writer = None
            writer.close()


class PortRecorder:
    """Records named channels of one audio port until :meth:`stop`."""

    def __init__(self, store: Store, port: AudioPort, wires: Mapping[int, str]) -> None:
        self._port = port
        self._store = store
        self._channels = sorted(wires)
        self._every = self._channels == list(range(port.channels))
        if self._channels and not 0 <= self._channels[0] <= self._channels[-1] < port.channels:
            raise ValueError(f"audio port has channels 0 to {port.channels - 1}, not {self._channels}")
        self._tracks = [_Track(store, wires[channel], port.rate_hz) for channel in self._channels]
        self._next: int | None = None
        self._lump: Samples = np.zeros((len(wires), 0), np.int16)
        """Blocks without a gap between them, not yet written: ``_frames`` of at most a second."""
        self._heard: list[tuple[int, NDArray[np.bool_]]] = []
        """Of each of these blocks: its frames, and which tracks had sound in it."""
        self._first = 0
        self._frames = 0
        self._all_recording = False
        self._unsubscribe: Callable[[], None] = port.subscribe(self._on_block)

    def _on_block(self, first: int, block: Samples) -> None:
        if not self._store.lost:
            with self._store.writing():
                self._take(first, block)

    def _take(self, first: int, block: Samples) -> None:
        gap = 0 if self._next is None else first - self._next
        self._next = first + block.shape[1]
        if gap > 0:
            self._write()
            for track in self._tracks:
                track.silence(gap)
        if self._frames + block.shape[1] > self._lump.shape[1]:
            self._write()
            longest = max(self._port.rate_hz, block.shape[1]) if self._all_recording else block.shape[1]
            if longest != self._lump.shape[1]:
                self._lump = np.zeros((len(self._tracks), longest), np.int16)
        if not self._frames:
            self._first = first
        rows = block if self._every else block[self._channels]
        self._lump[:, self._frames : self._frames + block.shape[1]] = rows
        self._heard.append((block.shape[1], np.bitwise_or.reduce(rows, axis=1) != 0))
        self._frames += block.shape[1]
        if self._frames >= self._port.rate_hz or not self._all_recording:
            self._write()

    def _write(self) -> None:
        """Write what waits: in one piece where there was sound in every block, else block by block."""
        if not self._heard:
            return
        blocks, self._heard = self._heard, []
        samples, self._frames = self._lump[:, : self._frames], 0
        whole = np.logical_and.reduce([loud for _, loud in blocks])
        whole &= np.array([track.recording for track in self._tracks], dtype=np.bool_)
        at, rest = 0, (~whole).nonzero()[0].tolist()
        for frames, loud in blocks if rest else ():
            start_s = self._port.time_of_s(self._first + at)
            for index in rest:
                if loud[index]:
                    self._tracks[index].sound(start_s, samples[index, at : at + frames])
                else:
                    self._tracks[index].silence(frames)
            at += frames
        if whole.any():
            self._write_whole(whole.nonzero()[0].tolist(), samples)
        self._all_recording = all(track.recording for track in self._tracks)

    def _write_whole(self, chosen: list[int], samples: Samples) -> None:
        """Tracks that are being recorded go on with all of it; what the table must say is said at once."""
        settled: dict[int, int] = {}
        start_s = self._port.time_of_s(self._first)
        for index in chosen:
            track = self._tracks[index]
            track.sound(start_s, samples[index], settled)
        if settled:
            self._store.execute(
                "UPDATE audio SET frames = new.value FROM json_each(?) AS new "
                "WHERE audio.id = CAST(new.key AS INTEGER)",
                (json.dumps(settled),),
            )

    def settle(self) -> None:
        """Make every open file readable as it stands."""
        with self._store.writing():
            self._write()
        for track in self._tracks:
            with self._store.writing():
                track.settle()

    def stop(self) -> None:
        """Close every file."""
        self._unsubscribe()
        with self._store.writing():
            self._write()
        for track in self._tracks:
            with self._store.writing():
                track.close()
