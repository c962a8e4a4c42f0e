"""Fine analysis: what is on the line every 4 ms, where the gate let something through.

Audio is cut into blocks of 4 ms (a hop). Two neighbouring blocks under a Hann window are a *short* window (8 ms); five
short windows in a row, weighted 1 2 2 2 1, are a *long* one (24 ms). Everything about hop k uses samples up to the end
of block k only, so that a live receiver knows as much as one that has the whole recording.

Arrays run over hops of many *lanes* (stretches of one channel) laid end to end. The first ``WARM`` hops of a lane are
there for their audio only; nothing looks back further than that, so lanes do not see each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.advance import long_windows, tones
from offhook.dsp.doubt import Doubt, bent_by_echo, settled
from offhook.dsp.goertzel import matrix, null_basis, null_mix
from offhook.dsp.profiles import Profile
from offhook.dsp.purity import START_BACK, stretches
from offhook.dsp.tones import HIGH_HZ, INT16_SCALE, LOW_HZ, Float32, power_of

HOP_S = 0.004
LOOK = 12  # hops a decision may look back
WARM = LOOK + 4
CANDIDATE_SHARE = 0.25
LEAST_SHARE, SURE_SHARE = 0.015, 0.93  # between them it matters what the nulled frequencies hold
FAIR_SHARE, GOOD_SHARE, PURE_SHARE = 0.40, 0.88, 0.95
STILL_HZ, UNSTILL_HZ = 8.0, 40.0
STEADY_HZ, STEADY_POWER = 2.5, 0.12
SHORT_S, EARLY_S = 0.004, 0.005  # that the measure of a tone falls short by when it has ended; while it is full
SPLIT_S = 0.002  # that the edges of a drop-out may cost

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass
class Hops:
    """Features of every hop: short-window amplitudes (8 tones, hops) and, for candidates, the decision's inputs."""

    amplitude: Float32
    short: NDArray[np.complex64]
    at: Index  # hops that are candidates; the following arrays run over these
    key: NDArray[np.int8]
    low_power: Float32
    high_power: Float32
    low_offset: Float32
    high_offset: Float32
    share: Float32
    on_s: Float32
    full: Flags
    level_ok: Flags
    twist_ok: Flags
    offset_ok: Flags
    length_ok: Flags
    pure: Flags
    accepted: Flags


class Fine:
    """The analysis at one receiver rate for one profile."""

    def __init__(self, rate: float, profile: Profile) -> None:
        self.rate, self.profile = rate, profile
        self.hop = round(HOP_S * rate)
        self.hop_s = self.hop / rate
        self.freqs = np.array((*LOW_HZ, *HIGH_HZ))
        window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(2 * self.hop) + 0.5) / (2 * self.hop))
        shapes = matrix(self.freqs, rate, window / window.sum() * np.sqrt(2.0))
        self.halves = np.ascontiguousarray(
            np.concatenate((shapes[: self.hop], shapes[self.hop :]), axis=1).T, dtype=np.float32
        )
        self.turn = np.exp(-2j * np.pi * self.freqs * self.hop / rate)
        self.table = _turns(self.turn, np.arange(64))
        weight = np.repeat([0.5, 1.5, 2.0, 2.0, 1.5, 0.5], self.hop) / (8.0 * self.hop)
        self.nulls = null_basis(profile.null_hz, rate, weight).astype(np.float32)
        self.null_mix = null_mix(profile.null_hz, rate, weight).astype(np.float32)
        self.floor = float(power_of(profile.min_level_dbm0)) * INT16_SCALE**2
        self.ceiling = float(power_of(profile.max_level_dbm0)) * INT16_SCALE**2
        self.need_s = profile.min_on_s - SHORT_S

    def analyse(self, blocks: Float32, place: NDArray[np.int32], *, explained: bool = False) -> Hops:
        """All hops of some lanes: ``blocks`` (hops, samples of a hop), ``place`` the hop's number in its lane.

        Unless the result is to be ``explained``, candidates that fail by level, twist, frequency or share are not
        weighed any further.
        """
        short = self._short(blocks)
        long = long_windows(short)
        power = long.real**2 + long.imag**2
        low, high = np.maximum.reduce(power[:4]), np.maximum.reduce(power[4:])
        energy, both = self._energy(blocks), low + high
        loud = (np.minimum(low, high) > 0.1 * self.floor) & (place >= LOOK)
        if self.nulls.shape[1]:
            unsure = (loud & (both > LEAST_SHARE * energy) & (both < SURE_SHARE * energy)).nonzero()[0]
            if len(unsure):
                energy[unsure] -= self._nulled(blocks, unsure)
        at = (loud & (both > CANDIDATE_SHARE * energy)).nonzero()[0]
        chosen = power.take(at, axis=1)
        low_row, high_row = _strongest(chosen[:4]), _strongest(chosen[4:])
        return self._decide(short, at, low_row, high_row + 4, energy[at], blocks, explained)

    def _short(self, blocks: Float32) -> NDArray[np.complex64]:
        """Short windows, (8, hops), phases on one common time axis."""
        halves = self.halves @ blocks.T
        real, imag = halves[16:24], halves[24:32]
        real[:, 1:] += halves[:8, :-1]
        imag[:, 1:] += halves[8:16, :-1]
        short = np.empty((8, len(blocks)), dtype=np.complex64)
        short.real, short.imag = real, imag
        if self.table.shape[1] < len(blocks):
            self.table = _turns(self.turn, np.arange(2 * len(blocks)))
        short *= self.table[:, : len(blocks)]
        return short

    def _energy(self, blocks: Float32) -> Float32:
        """Mean power over each long window."""
        each = np.vecdot(blocks, blocks) / np.float32(8.0 * self.hop)
        energy = np.zeros(len(blocks), dtype=np.float32)
        for back, weight in enumerate((0.5, 1.5, 2.0, 2.0, 1.5, 0.5)):
            energy[back:] += np.float32(weight) * each[: len(each) - back]
        return energy

    def _nulled(self, blocks: Float32, at: Index) -> Float32:
        """Mean power that the nulled frequencies hold in the long windows of some hops."""
        power = np.zeros(len(at), dtype=np.float32)
        for first in range(0, len(at), 1024):
            part = slice(first, first + 1024)
            rows = stretches(blocks, at[part], 6)
            product = rows @ self.nulls
            power[part] = np.vecdot(product, product)
        return power

    def _decide(
        self,
        short: NDArray[np.complex64],
        at: Index,
        low_row: Index,
        high_row: Index,
        energy: Float32,
        blocks: Float32,
        explained: bool,
    ) -> Hops:
        profile = self.profile
        amplitude = np.sqrt(short.real**2 + short.imag**2)  # np.abs guards against overflow and is 4 times slower
        found = tones(
            short, np.concatenate((low_row, high_row)) * short.shape[1] + np.concatenate((at, at)), self.hop_s
        )
        (low_power, high_power), (low_offset, high_offset), drift = (column.reshape(2, -1) for column in found)
        both = low_power + high_power
        energy = np.maximum(energy, 1e-6)
        share = both / np.maximum(energy, both * np.float32(0.9))
        with np.errstate(divide="ignore"):
            twist = 10.0 * np.log10(np.maximum(high_power, 1e-9) / np.maximum(low_power, 1e-9))
        limit = profile.freq_tolerance_percent / 100.0 * self.freqs + profile.freq_tolerance_hz
        offset_ok = (np.abs(low_offset) < limit[low_row]) & (np.abs(high_offset) < limit[high_row])
        level_ok = (np.minimum(low_power, high_power) > self.floor) & (np.maximum(low_power, high_power) < self.ceiling)
        twist_ok = (twist < profile.max_high_over_low_db) & (-twist < profile.max_low_over_high_db)

        def each(some: Index) -> Float32:
            hop = at[some] - np.arange(START_BACK)[:, None]
            low = amplitude[low_row[some], hop] / np.sqrt(low_power[some])
            return np.stack((low, amplitude[high_row[some], hop] / np.sqrt(high_power[some])))

        bent = (offset_ok & level_ok & (share > FAIR_SHARE) & ~twist_ok).nonzero()[0]
        if len(bent):
            twist_ok[bent] = bent_by_echo(each(bent), low_power[bent], high_power[bent], profile)
        sound = offset_ok & level_ok & twist_ok & (share > FAIR_SHARE)
        on_s, on = self._on(amplitude, low_row, high_row, at, low_power, high_power, None if explained else sound)
        now = on[0]
        clean_early = (now > 0.85) & (on_s >= self.profile.min_on_s - EARLY_S)
        length_ok = (now > 0.5) & (on_s >= self.need_s) | clean_early
        full = (now > 0.95) & (on_s + self.hop_s / 2 >= 6 * self.hop_s)
        still = np.maximum(drift[0], drift[1]) < STILL_HZ + UNSTILL_HZ * (1.0 - np.minimum(share, 1.0))
        key = (low_row * 4 + high_row - 4).astype(np.int8)
        split = (sound & ~length_ok & (on_s >= self.need_s - SPLIT_S) & (on_s < self.need_s)).nonzero()[0]
        length_ok[split] = on_dips(on[:, split])
        fair = sound & length_ok
        pure, calm = self._steady(at, key, share, low_power, high_power, low_offset, high_offset, short.shape[1])
        pure &= still
        dips = np.zeros(len(at), dtype=np.bool_)
        open_ = (fair & ~pure).nonzero()[0]
        dips[open_] = on_dips(on[:, open_])
        doubt = Doubt(
            at, key, share, low_power, high_power, low_offset, high_offset, on_s, fair, still, calm, pure, dips
        )
        pure = settled(
            doubt, lambda some: (blocks, at[some]), lambda some: on[:, some], each, self.rate, profile.null_hz
        )
        return Hops(
            amplitude, short, at, key, low_power, high_power, low_offset, high_offset, share,
            on_s, full, level_ok, twist_ok, offset_ok, length_ok, pure, fair & pure,
        )  # fmt: skip

    def _on(
        self,
        amplitude: Float32,
        low_row: Index,
        high_row: Index,
        at: Index,
        low_power: Float32,
        high_power: Float32,
        wanted: Flags | None,
    ) -> tuple[Float32, Float32]:
        """Seconds both tones were on without a gap of ``bridge_s``, up to each hop; their amplitude there and before.

        Amplitudes are against the plateau's: (hops looked back, candidates), 0 beyond a gap. Candidates that are not
        ``wanted`` count as silence.
        """
        on_s = np.zeros(len(at), dtype=np.float32)
        on = np.zeros((LOOK, len(at)), dtype=np.float32)
        some = np.arange(len(at)) if wanted is None else wanted.nonzero()[0]
        hop = at[some] - np.arange(LOOK)[:, None]
        flat, hops = amplitude.reshape(-1), amplitude.shape[1]
        ratio = flat.take(hop + low_row[some] * hops) / np.sqrt(np.maximum(low_power[some], 1e-9))
        high = flat.take(hop + high_row[some] * hops) / np.sqrt(np.maximum(high_power[some], 1e-9))
        np.minimum(ratio, high, out=ratio)
        total, ratio = self.unbroken(ratio, np.float32(self.hop_s), self.profile.bridge_s)
        if wanted is None:
            return total, ratio
        on_s[some] = total
        on[:, some] = ratio
        return on_s, on

    @staticmethod
    def unbroken(ratio: Float32, hop_s: np.float32, bridge_s: float) -> tuple[Float32, Float32]:
        """Seconds of tone since the last gap of ``bridge_s``; ``ratio`` (hops back, candidates) with 0 beyond it."""
        soft = soft_on(ratio)
        silent = (soft < 0.5).astype(np.float32)
        off = (np.float32(1.0) - soft) * hop_s
        gap = np.zeros(ratio.shape[1], dtype=np.float32)
        open_ = np.ones(ratio.shape, dtype=np.bool_)
        for back in range(len(ratio)):
            gap += off[back]
            gap *= silent[back]
            np.less(gap, bridge_s, out=open_[back])
        np.logical_and.accumulate(open_, axis=0, out=open_)
        ratio = ratio * open_
        soft *= open_
        return soft.sum(axis=0) * hop_s, ratio

    def _steady(
        self, at: Index, key: NDArray[np.int8], share: Float32, low: Float32, high: Float32,
        low_offset: Float32, high_offset: Float32, hops: int,
    ) -> tuple[Flags, Flags]:  # fmt: skip
        """Two pure hops in a row, or three good and calm ones; and the calm: powers and frequencies stand still."""
        position = np.full(hops, -1, dtype=np.int64)
        position[at] = np.arange(len(at))
        before, earlier = position[at - 1], position[at - 2]
        same = (before >= 0) & (key[before] == key)
        pure = same & (share > PURE_SHARE) & (share[before] > PURE_SHARE)
        calm = same & (earlier >= 0) & (key[earlier] == key)
        for column in (low_offset, high_offset):
            calm &= np.abs(column - column[earlier]) < STEADY_HZ
        for column in (low, high):
            calm &= np.abs(column - column[earlier]) < STEADY_POWER * column
        good = calm & (np.minimum(np.minimum(share, share[before]), share[earlier]) > GOOD_SHARE)
        return np.asarray(pure | good), np.asarray(calm)


def _strongest(power: Float32) -> Index:
    """Which of four rows is the largest, the first of equals; a reduction over so few rows costs more."""
    first, second = power[1] > power[0], power[3] > power[2]
    upper = np.maximum(power[2], power[3]) > np.maximum(power[0], power[1])
    return np.asarray(np.where(upper, second + np.int64(2), first), dtype=np.int64)


def soft_on(ratio: Float32) -> Float32:
    """Share of a short window that a tone fills, from its amplitude over the plateau; noise counts as nothing."""
    return np.where(ratio < 0.25, np.float32(0.0), np.minimum(ratio, np.float32(1.0)))


def on_dips(on: Float32) -> Flags:
    """Whether there is tone, then none, then tone again in the hops looked back."""
    if not on.shape[1]:
        return np.zeros(0, dtype=np.bool_)
    dip = np.minimum.accumulate(on, axis=0) < 0.5
    return np.asarray((dip[:-1] & (on[1:] > 0.9)).any(axis=0) & (on[0] > 0.5))


def _turns(turn: NDArray[np.complex128], steps: Index) -> NDArray[np.complex64]:
    return np.asarray(np.exp(1j * np.angle(turn)[:, None] * steps), dtype=np.complex64)
