"""Bursts of two tones, many at once: the inner part of the generator.

A sine of sample ``a B + b`` is ``sin(wB a + phase) cos(w b) + cos(wB a + phase) sin(w b)``: two short tables a tone and
one matrix product of inner size 4 a burst instead of a sine a sample. Angles are reduced to one turn in float64 before
the tables are made in float32, so that the error is that of float32 however long a burst is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import INT16_SCALE, Float32, Float64, Int16

BLOCK = 32
ROOM = 1 << 18  # float32 samples worked on at a time: with the tables and masks they stay in a core's cache

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Bursts:
    """Bursts in the order of their places, one an entry; in ``cycles``, ``peak`` and ``turn`` one a column.

    ``place`` is a burst's first sample in the flat audio, ``on`` its length, ``edge`` the length of its raised-cosine
    edges, all in samples; ``cut_from`` to ``cut_to`` is silent. The two tones have ``cycles`` a sample, ``peak`` (full
    scale 1.0) and begin ``turn`` turns into a sine.
    """

    place: Int64
    on: Int64
    cycles: Float64
    peak: Float64
    turn: Float64
    edge: Float64
    cut_from: Int64
    cut_to: Int64

    def write(self, flat: Float32 | Int16) -> None:
        """Write the bursts into flat, contiguous, silent audio of either type; between them nothing is touched."""
        if not len(self.on):
            return
        size = -(-int(self.on.max()) // BLOCK) * BLOCK
        work = np.empty(max(ROOM, size), dtype=np.float32)
        whole = np.empty(len(work) if flat.dtype == np.int16 else 0, dtype=np.int16)
        for part in self._parts():
            part._write(flat, work, whole)

    def _parts(self) -> Iterator[Bursts]:
        """Some bursts at a time, as many as fit: fewer where one of them is long, at least one."""
        size = -(-self.on // BLOCK) * BLOCK
        begin = 0
        while begin < len(size):
            longest = np.maximum.accumulate(size[begin : begin + ROOM // BLOCK])
            fit = int(np.argmin(np.append(longest * np.arange(1, len(longest) + 1) <= ROOM, False)))
            end = begin + max(fit, 1)
            yield Bursts(*(getattr(self, field.name)[..., begin:end] for field in fields(self)))
            begin = end

    def _write(self, flat: Float32 | Int16, work: Float32, whole: Int16) -> None:
        count, longest = len(self.on), int(self.on.max())
        blocks = -(-longest // BLOCK)
        used = count * blocks * BLOCK
        scale = INT16_SCALE if flat.dtype == np.int16 else 1.0
        wave = self._waves(work[:used].reshape(count, blocks, BLOCK), scale)
        self._shape(wave)
        made: Float32 | Int16 = wave
        if flat.dtype == np.int16:
            if self.peak.sum(axis=0).max() * scale > 32767.0:
                np.clip(wave, -32768.0, 32767.0, out=wave)
            np.rint(wave, out=wave)
            made = whole[:used].reshape(wave.shape)
            np.copyto(made, wave, casting="unsafe")
        # Boolean indices copy runs: far cheaper than an index a sample.
        if longest == self.on.min():
            tones = made[:, :longest].reshape(-1)
        else:
            tones = made.reshape(-1)[_runs(self.on, blocks * BLOCK - self.on)]
        first, last = int(self.place[0]), int(self.place[-1] + self.on[-1])
        pause = np.append(self.place[1:] - self.place[:-1] - self.on[:-1], 0)
        flat[first:last][_runs(self.on, pause)] = tones

    def _waves(self, out: Float32, scale: float) -> Float32:
        """Unshaped bursts, (bursts, samples), in the memory of ``out`` (bursts, blocks, samples of a block)."""
        count, blocks, _ = out.shape
        cycles = self.cycles[:, :, None]
        coarse = np.empty((2, 2, count, blocks), dtype=np.float32)
        _turning(cycles * (BLOCK * np.arange(blocks)) + self.turn[:, :, None], coarse[0], coarse[1])
        coarse *= (self.peak * scale).astype(np.float32)[:, :, None]
        fine = np.empty((2, 2, count, BLOCK), dtype=np.float32)
        _turning(cycles * np.arange(BLOCK), fine[1], fine[0])
        left, right = coarse.reshape(4, count, blocks), fine.reshape(4, count, BLOCK)
        np.matmul(left.transpose(1, 2, 0), right.transpose(1, 0, 2), out=out)
        return out.reshape(count, -1)

    def _shape(self, wave: Float32) -> None:
        """Edges and interruptions, in place."""
        width = np.minimum(self.edge, self.on / 2.0)[:, None]
        n = np.arange(int(np.ceil(width.max())))
        if len(n):
            if width.min() == width.max():
                width = width[:1]
            way = np.minimum((n + 0.5) / np.maximum(width, 1e-9), 1.0).astype(np.float32)
            rise = 0.5 - 0.5 * np.cos(np.float32(np.pi) * way)
            wave[:, : len(n)] *= rise
            longest = int(self.on.max())
            if longest == self.on.min():
                wave[:, longest - len(n) : longest] *= rise[:, ::-1]
            else:
                fall = np.broadcast_to(rise, (len(wave), len(n)))
                left = self.on[:, None] - 1 - n
                if left.min() < 0:  # a burst shorter than another one's edge
                    fall, left = np.where(left < 0, np.float32(1.0), fall), np.maximum(left, 0)
                wave.reshape(-1)[left + (np.arange(len(wave)) * wave.shape[1])[:, None]] *= fall
        if np.any(self.cut_to > self.cut_from):
            every = np.arange(wave.shape[1])
            wave[(every >= self.cut_from[:, None]) & (every < self.cut_to[:, None])] = 0.0


def _runs(yes: Int64, no: Int64) -> NDArray[np.bool_]:
    """So many true, so many false, and so on."""
    return np.repeat(np.arange(2 * len(yes)) % 2 == 0, np.stack((yes, no), axis=1).reshape(-1))


def _turning(turns: Float64, sine: Float32, cosine: Float32) -> None:
    """Sines and cosines of turns, into the arrays given."""
    turns -= np.rint(turns)
    angle = turns.astype(np.float32)
    angle *= np.float32(2.0 * np.pi)
    np.sin(angle, out=sine)
    np.cos(angle, out=cosine)


def sines(freq_hz: Float64, amplitude: Float64, phase_rad: Float64, length: int, rate: float) -> Float32:
    """One sine a row, (rows, length), by complex rotation: 64-sample blocks from one table a row.

    The product of a coarse and a fine rotation is exact to float64 rounding and needs 64 + length / 64 sines a row.
    """
    step = 2.0 * np.pi * np.asarray(freq_hz)[:, None] / rate
    fine = np.exp(1j * step * np.arange(64)).astype(np.complex64)
    blocks = -(-length // 64)
    coarse = amplitude[:, None] * np.exp(1j * (np.asarray(phase_rad)[:, None] + step * 64 * np.arange(blocks)))
    whole = coarse.astype(np.complex64)[:, :, None]
    wave = whole.real * fine.imag[:, None, :] + whole.imag * fine.real[:, None, :]
    return np.ascontiguousarray(wave.reshape(len(step), blocks * 64)[:, :length])


def envelope(on: NDArray[np.int64], edge: Float64, length: int) -> Float32:
    """Raised-cosine edges of ``edge`` samples inside each burst of ``on`` samples; (rows, length)."""
    n = np.arange(length)[None, :] + 0.5
    width = np.minimum(np.maximum(edge, 1e-9), on / 2.0)[:, None]
    nearest = np.minimum(n, on[:, None] - n)
    shape = 0.5 - 0.5 * np.cos(np.pi * np.clip(nearest / width, 0.0, 1.0))
    return np.asarray(shape, dtype=np.float32)
