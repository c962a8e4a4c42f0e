"""Impairments of a digital network: G.711, coarse ADPCM-like coding, lost packets with concealment, drop-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import codec
from offhook.dsp.rows import column
from offhook.dsp.tones import INT16_SCALE, Float64

Conceal = Literal["silence", "repeat", "fade"]
FADE = 0.5  # gain of each further repetition of the last packet


@dataclass(frozen=True)
class G711:
    """One encoding and decoding; ``law`` is "alaw" or "ulaw"."""

    law: str = "ulaw"

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio through the codec, clipped at full scale."""
        return codec.through(audio, self.law) / INT16_SCALE


@dataclass(frozen=True)
class Adpcm:
    """Like G.726: ``bits`` a sample (2 to 5 = 16 to 40 kbit/s) whose step follows the level of the 4 ms before.

    G.726 itself feeds every sample back into a predictor, one sample after the other. This has its backward adaption
    and word length but no predictor, so it needs no loop; its S/N on tones (6 dB a bit, about 20 dB at 4 bits) is
    worse than G.726's: what survives this survives that. The onset is overloaded, as there.
    """

    bits: int = 4

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio quantized."""
        if not 2 <= self.bits <= 5:
            raise ValueError(f"bits is {self.bits}: expected 2 to 5")
        size = round(0.004 * rate)
        total = np.cumsum(np.pad(audio**2, ((0, 0), (size + 1, 0))), axis=1)
        before = np.maximum(total[:, size:-1] - total[:, : -size - 1], 0.0) / size
        levels = 2**self.bits - 1
        step = 5.0 * np.sqrt(before + (8.0 / INT16_SCALE) ** 2) / levels
        return np.asarray(np.clip(np.rint(audio / step), -(levels // 2), levels // 2) * step)


@dataclass(frozen=True)
class PacketLoss:
    """Lost packets of ``packet_s``, a share ``loss`` of all, in bursts of ``burst`` on average (Gilbert's model).

    ``conceal``: "silence"; "repeat" the last packet that came; or "fade": repeat it, each time 6 dB softer.
    Packets lie on a grid from a random place before the row's start.
    """

    loss: ArrayLike = 0.02
    burst: float = 1.0
    packet_s: float = 0.020
    conceal: Conceal = "fade"

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio as it comes out of the receiver's buffer."""
        loss = column(self.loss, audio, "loss")[:, 0]
        size = round(self.packet_s * rate)
        if np.any((loss < 0) | (loss >= 1)) or self.burst < 1 or size < 1:
            raise ValueError(f"loss {self.loss} must be in 0 to 1, burst {self.burst} at least 1, packet_s positive")
        if self.conceal not in ("silence", "repeat", "fade"):
            raise ValueError(f"conceal is {self.conceal!r}: expected 'silence', 'repeat' or 'fade'")
        lead = int(rng.integers(0, size))
        count = -(-(audio.shape[1] + lead) // size)
        padded = np.pad(audio, ((0, 0), (lead, count * size - lead - audio.shape[1])))
        packets = padded.reshape(len(audio), count, size)
        lost = lost_packets(loss, self.burst, count, rng)
        return self._mend(packets, lost).reshape(len(audio), -1)[:, lead : lead + audio.shape[1]]

    def _mend(self, packets: Float64, lost: NDArray[np.bool_]) -> Float64:
        order = np.arange(lost.shape[1])[None, :]
        last = np.maximum.accumulate(np.where(lost, -1, order), axis=1)
        age = np.where(last < 0, 10_000, order - last)
        gain = {"silence": age == 0, "repeat": age < 10_000, "fade": FADE ** np.minimum(age, 60)}[self.conceal]
        chosen = np.take_along_axis(packets, np.maximum(last, 0)[:, :, None], axis=1)
        return np.asarray(chosen * gain[:, :, None])


def lost_packets(loss: Float64, burst: float, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which packets are lost, (batch, count): a two-state chain with that share lost and that mean burst length."""
    chance = rng.random((count, len(loss)))
    stay = 1.0 - 1.0 / burst
    into = np.minimum(loss / np.maximum(1.0 - loss, 1e-12) / burst, 1.0)
    if burst == 1.0:  # no memory at all: a lost packet says nothing about the next
        return np.ascontiguousarray((chance < loss).T)
    state = chance[0] < loss
    rows = [state]
    for draw in chance[1:]:
        state = draw < np.where(state, stay, into)
        rows.append(state)
    return np.stack(rows, axis=1)


@dataclass(frozen=True)
class DropOuts:
    """Silences of ``length_s`` at random, ``per_s`` a second on average (at most one in each 1 / ``per_s``)."""

    length_s: float = 0.010
    per_s: float = 1.0

    def apply(self, audio: Float64, rate: float, rng: np.random.Generator) -> Float64:
        """Audio with holes."""
        period, hole = round(rate / self.per_s), round(self.length_s * rate)
        if hole < 1 or period <= hole:
            raise ValueError(f"{self.per_s} drop-outs of {self.length_s} s a second do not fit")
        count = -(-audio.shape[1] // period)
        start = rng.integers(0, period - hole + 1, (len(audio), count))
        n = np.arange(period)[None, None, :]
        silent = ((n >= start[:, :, None]) & (n < start[:, :, None] + hole)).reshape(len(audio), -1)
        return np.where(silent[:, : audio.shape[1]], 0.0, audio)
