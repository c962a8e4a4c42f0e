"""Large recordings through the compiled kernels: the same digits as ``decode.Analysis``, some times as fast.

``kernels`` and its neighbours do what is done to every hop or every candidate; what is asked of few candidates stays
in ``doubt``, as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offhook.dsp import fine, kernels, kernels_fit, kernels_gate, kernels_hops, kernels_track, kernels_weigh
from offhook.dsp.decode import Lanes, Receiver
from offhook.dsp.doubt import BENT_DB, RESIDUE_ON_S, Doubt, bent_by_echo, settled
from offhook.dsp.fine import LOOK, WARM, Fine
from offhook.dsp.gate import SHARE
from offhook.dsp.purity import START_BACK
from offhook.dsp.tones import Float32
from offhook.dsp.track import TAIL_DB, Found, without_echoes

QUIET = 0.02  # of the least tone's power: no window of blocks so quiet can count
GATE_ROWS = 2048
COLUMNS = kernels_hops.CARRIED + kernels.STRIDE

Index = NDArray[np.int64]


class Constants:
    """What the kernels need to know of one receiver."""

    def __init__(self, rx: Receiver) -> None:
        it, profile = rx.fine, rx.profile
        nulls = np.array(profile.null_hz)
        self.weights = _weights(it.freqs, nulls, it.rate, it.hop)
        self.quiet = np.float32(QUIET * it.floor * it.hop)
        self.least = np.float32(0.1 * it.floor)
        self.shares = _floats(fine.CANDIDATE_SHARE, fine.LEAST_SHARE, fine.SURE_SHARE)
        self.null_weight = _floats(*(weight / (8.0 * it.hop) for weight in (0.5, 1.5, 2.0, 2.0, 1.5, 0.5)))
        self.null_mix = _about_the_middle(it.null_mix, nulls, it.rate, it.hop)
        self.tolerance = _floats(*(profile.freq_tolerance_percent / 100.0 * it.freqs + profile.freq_tolerance_hz))
        self.twist = tuple(
            np.float32(10 ** (db / 10)) for db in (profile.max_high_over_low_db, profile.max_low_over_high_db)
        )
        most, least = (float(limit) * 10 ** (BENT_DB / 10) for limit in self.twist)
        self.weigh = _floats(it.floor, it.ceiling, most, least, fine.FAIR_SHARE, fine.STILL_HZ, fine.UNSTILL_HZ)
        self.steady = _floats(fine.PURE_SHARE, fine.GOOD_SHARE, fine.STEADY_HZ, fine.STEADY_POWER)
        enough_s = max(profile.min_on_s, RESIDUE_ON_S) + 0.0005  # nothing asks whether a tone has been on for longer
        self.lengths = _floats(it.hop_s, profile.bridge_s, it.need_s, profile.min_on_s - fine.EARLY_S, enough_s)
        self.table = _turned(it.freqs, it.hop_s)
        self.null_table = _turned(nulls, it.hop_s)


def _weights(freqs: NDArray[np.float64], nulls: NDArray[np.float64], rate: float, hop: int) -> Float32:
    """What ``kernels_hops.correlate`` multiplies a folded block with: rows for its sums, then for its differences.

    Each tone's cosine and sine about the block's middle, plain and times the cosine that makes Hann windows of two
    blocks; then the nulled frequencies'. Taps beyond the block's are 0.
    """
    from_middle = np.arange((hop + 1) // 2) - (hop - 1) / 2
    tone, null = np.outer(freqs, from_middle) * (2 * np.pi / rate), np.outer(nulls, from_middle) * (2 * np.pi / rate)
    bend = np.cos(np.pi * (np.arange((hop + 1) // 2) + 0.5) / hop)
    scale = np.sqrt(0.5) / hop
    sums = np.concatenate((np.cos(tone) * scale, -np.sin(tone) * bend * scale, np.cos(null)))
    differences = np.concatenate((-np.sin(tone) * scale, np.cos(tone) * bend * scale, -np.sin(null)))
    weights = np.zeros((2 * len(sums), -(-sums.shape[1] // kernels.TAPS) * kernels.TAPS), dtype=np.float32)
    weights[:, : sums.shape[1]] = np.concatenate((sums, differences))
    return weights


def _about_the_middle(mix: NDArray[np.float32], nulls: NDArray[np.float64], rate: float, hop: int) -> Float32:
    """``goertzel.null_mix`` for correlations that take a block's middle for their beginning."""
    angle = (2 * np.pi / rate * (hop - 1) / 2) * nulls[:, None]
    cosine, sine = mix[: len(nulls)], mix[len(nulls) :]
    turned = (cosine * np.cos(angle) + sine * np.sin(angle), cosine * np.sin(angle) - sine * np.cos(angle))
    return np.ascontiguousarray(np.concatenate(turned).T, dtype=np.float32)


def _floats(*values: float) -> Float32:
    return np.array(values, dtype=np.float32)


def _turned(freqs: NDArray[np.float64], hop_s: float) -> Float32:
    """How far each frequency has turned in each column of a part, cosines, then sines: (2 x frequencies, columns)."""
    angle = -2.0 * np.pi * np.outer(freqs * hop_s, np.arange(COLUMNS))
    return np.concatenate((np.cos(angle), np.sin(angle))).astype(np.float32)


def _aligned(*shape: int) -> Float32:
    """Float32 zeros that begin at a line of the cache: vectors across two of them take twice the time."""
    size = int(np.prod(shape))
    room = np.zeros(4 * size + 64, dtype=np.uint8)
    begin = -room.ctypes.data % 64
    return room[begin : begin + 4 * size].view(np.float32).reshape(shape)


def plain(audio: NDArray[np.generic]) -> NDArray[np.generic]:
    """Audio as the one kind of array for each type of sample that kernels are compiled for."""
    same = np.ascontiguousarray(audio).view()
    same.flags.writeable = False
    return same


def gate_hits(rx: Receiver, audio: NDArray[np.generic]) -> NDArray[np.bool_]:
    """``Gate.hits`` of a whole recording, into the silence after its end: (channels, windows)."""
    return window_hits(rx, plain(audio), 0, rx.gate.windows(audio.shape[1]) + 2)


def window_hits(rx: Receiver, audio: NDArray[np.generic], first: int, windows: int) -> NDArray[np.bool_]:
    """``Gate.hits`` of so many windows from a sample on: (channels, windows)."""
    gate = rx.gate
    passed = np.zeros(audio.shape[0] * windows, dtype=np.bool_)
    rows = np.empty((GATE_ROWS, gate.size), dtype=np.float32)
    product = np.empty((len(gate.columns), GATE_ROWS), dtype=np.float32)
    energy, place = np.empty(GATE_ROWS, np.float32), np.empty(GATE_ROWS, np.int64)
    room = np.empty((10, GATE_ROWS), np.float32)
    limits = np.array([SHARE, gate.floor, gate.high_over_low, gate.low_over_high], dtype=np.float32)
    begin, quiet, scale = 0, np.float32(gate.floor * gate.size), np.float32(1.0 / gate.size)
    while begin < len(passed):
        begin, count = kernels_gate.loud_windows(
            audio, first, windows, begin, gate.size, gate.step, quiet, rows, place, energy
        )
        if count:
            np.matmul(gate.columns, rows[:count].T, out=product[:, :count])
            kernels_gate.tonal(product, count, gate.nulls, energy, scale, limits, place, room, passed)
    return passed.reshape(audio.shape[0], windows)


class Room:
    """Memory for one part after another; asking the system for it anew costs more than the sums done in it."""

    def __init__(self, rx: Receiver) -> None:
        weights = constants(rx).weights
        self.sums, self.differences = (_aligned(weights.shape[1] * kernels.STRIDE) for _ in range(2))
        self.work = _aligned(64, COLUMNS)
        self.product = _aligned(len(weights), COLUMNS)
        self.size = 0

    def fit(self, hops: int) -> None:
        """Room for so many hops."""
        if hops <= self.size:
            return
        self.size = hops
        self.row_of, self.hop_of, self.place_of, self.channel_of, self.sample_of, self.depth, self.row = np.empty(
            (7, hops), np.int64
        )
        self.each, self.energy = np.zeros(hops + kernels_hops.CARRIED, np.float32), np.empty(hops, np.float32)
        self.amplitude = np.empty((8, hops), np.float32)
        self.key = np.empty(hops, np.int32)
        self.parts = np.empty((2, 10, hops), np.float32)
        self.features = np.empty((8, hops), np.float32)
        self.flags = np.empty((6, hops), np.bool_)


_CONSTANTS: dict[int, tuple[Receiver, Constants]] = {}


def constants(rx: Receiver) -> Constants:
    """The constants of a receiver, made once."""
    known = _CONSTANTS.get(id(rx))
    if known is None or known[0] is not rx:
        if len(_CONSTANTS) >= 16:
            _CONSTANTS.clear()
        known = _CONSTANTS[id(rx)] = (rx, Constants(rx))
    return known[1]


class Weighing:
    """Some lanes of audio (as ``plain`` gives it) and their candidates, weighed; ``event`` are those accepted."""

    def __init__(self, rx: Receiver, audio: NDArray[np.generic], lanes: Lanes, room: Room) -> None:
        self.rx, self.audio, self.lanes, self.room = rx, audio, lanes, room
        self.it = constants(rx)
        self.begin = np.cumsum(lanes.length) - lanes.length
        self.hops = int(lanes.length.sum())
        self.lane = np.repeat(np.arange(len(self.begin)), lanes.length)
        room.fit(self.hops)
        self.event = self._accepted()
        """Their numbers among the candidates; everything about those is in the room."""
        self.at: Index = room.hop_of[room.row[self.event]]
        """The hop of each."""

    def _candidates(self) -> int:
        """How many candidates there are, with the powers, offsets and drifts of their two tones in the room."""
        it, room, lanes = self.it, self.room, self.lanes
        rows = kernels.loud_rows(
            self.audio, lanes.channel, lanes.first, lanes.length, self.rx.hop, it.quiet, room.row_of, room.hop_of,
            room.place_of, room.channel_of, room.sample_of, room.depth, room.each[kernels_hops.CARRIED :],
        )  # fmt: skip
        count = kernels_hops.candidates(
            self.audio, room.channel_of, room.sample_of, rows, self.rx.hop, room.sums, room.differences, it.weights,
            room.product, LOOK, it.table, it.null_table, it.null_weight, it.null_mix, room.each, room.depth,
            room.place_of, it.least, it.shares, room.work, room.amplitude, room.row, room.key, room.energy, room.parts,
        )  # fmt: skip
        kernels_hops.tones_pass(room.parts, count, np.float32(self.rx.hop_s), room.features)
        return count

    def _accepted(self) -> Index:
        it, room = self.it, self.room
        count = self._candidates()
        row, key, energy = room.row[:count], room.key[:count], room.energy[:count]
        low, high, low_offset, high_offset, low_drift, high_drift, share, on_s = room.features[:, :count]
        sound, still, pure, calm, fair, full = room.flags[:, :count]
        kernels_weigh.weigh(
            low, high, low_offset, high_offset, low_drift, high_drift, key, energy, it.tolerance, it.weigh, share,
            sound, still,
        )  # fmt: skip
        over = np.flatnonzero(sound & ((high >= it.twist[0] * low) | (low >= it.twist[1] * high)))
        if len(over):
            sound[over] = bent_by_echo(self._tones(over, START_BACK), low[over], high[over], self.rx.profile)
        kernels_weigh.steady(row, key, share, low, high, low_offset, high_offset, it.steady, pure, calm)
        kernels_weigh.lengths(row, key, low, high, sound, room.amplitude, room.depth, it.lengths, on_s, fair, full)
        pure &= still
        need_s = self.rx.fine.need_s
        split = np.flatnonzero(sound & ~fair & (on_s >= need_s - fine.SPLIT_S) & (on_s < need_s))
        if len(split):
            fair[split] = fine.on_dips(self._on(split))
        dips = np.zeros(count, dtype=np.bool_)
        open_ = np.flatnonzero(fair & ~pure)
        if len(open_):
            dips[open_] = fine.on_dips(self._on(open_))
        at = room.hop_of[row]
        keys = key.astype(np.int8)
        doubt = Doubt(at, keys, share, low, high, low_offset, high_offset, on_s, fair, still, calm, pure, dips)
        pure = settled(
            doubt, lambda some: self._past(at[some]), self._on, lambda some: self._tones(some, START_BACK),
            self.rx.fine.rate, self.rx.profile.null_hz, kernels_fit.fit,
        )  # fmt: skip
        return np.flatnonzero(fair & pure & (room.place_of[row] >= WARM))

    def _past(self, at: Index) -> tuple[Float32, Index]:
        """The last ``LOOK`` blocks up to some hops, and where each hop's own block is among them."""
        blocks = np.empty((len(at) * LOOK, self.rx.hop), dtype=np.float32)
        lanes = self.lanes
        kernels.gather(self.audio, lanes.channel, lanes.first, self.begin, self.lane, at, self.rx.hop, LOOK, blocks)
        return blocks, np.arange(len(at)) * LOOK + LOOK - 1

    def _on(self, some: Index) -> Float32:
        """How full of tone the hops were that some candidates look back on."""
        ratio = self._tones(some, LOOK).min(axis=0)
        return Fine.unbroken(ratio, np.float32(self.rx.hop_s), self.rx.profile.bridge_s)[1]

    def _tones(self, some: Index, count: int) -> Float32:
        """How full of either tone the hops were that some candidates look back on: (2, count, candidates)."""
        room, back = self.room, np.arange(count)[:, None]
        row, key = room.row[some], room.key[some]
        rows, heard = np.maximum(row - back, 0), back < room.depth[row]
        low = room.amplitude[key // 4, rows] / np.sqrt(np.maximum(room.features[0, some], 1e-9))
        high = room.amplitude[4 + key % 4, rows] / np.sqrt(np.maximum(room.features[1, some], 1e-9))
        return np.stack((low * heard, high * heard))


class BatchAnalysis(Weighing):
    """Digits of some lanes of a recording."""

    def __init__(
        self, rx: Receiver, audio: NDArray[np.generic], lanes: Lanes, first: int, delay_s: float, room: Room
    ) -> None:
        super().__init__(rx, plain(audio), lanes, room)
        self.delay_s, self.first_channel = delay_s, first
        self.found = self._tracked(self.event, self.at)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The digits as columns of ``Digits``."""
        lane = self.lane[self.found.accepted]
        channel, origin = self.lanes.channel[lane], self.lanes.first[lane] - self.begin[lane]
        snr = self.rx.snr_db(self.audio, self.found, channel, origin)
        return self.rx.rows(self.found, channel + self.first_channel, origin, self.delay_s, snr)

    def _tracked(self, event: Index, at: Index) -> Found:
        """Digits from the accepted candidates."""
        room, hop_s, bridge_s = self.room, np.float32(self.rx.hop_s), np.float32(self.rx.profile.bridge_s)
        key = room.key[event]
        low, high = room.features[0, event], room.features[1, event]
        loud = low + high
        kept = np.empty(len(event), dtype=np.int64)
        kept = kept[: kernels_track.strong(at, key, low, high, self.lane, np.float32(10 ** (TAIL_DB / 10)), kept)]
        begins = np.empty(len(kept), dtype=np.int64)
        begins = begins[
            : kernels_track.begins_of(
                at, key, low, high, kept, self.lane, room.amplitude, room.row_of, hop_s, bridge_s, begins
            )
        ]
        start, end = np.empty(len(begins)), np.empty(len(begins))
        kernels_track.digit_edges(
            at, key, low, high, kept, begins, self.lane, self.begin, self.begin + self.lanes.length - 1,
            room.amplitude, room.row_of, hop_s, bridge_s, start, end,
        )  # fmt: skip
        mean = np.empty((4, len(begins)), dtype=np.float32)
        kernels_track.means(kept, begins, event, room.flags[5], low, high, room.features, mean)
        first = kept[begins]
        keys = key[first].astype(np.int8)
        found = Found(at[first], np.full(len(first), -1), keys, start, end, *mean)
        return without_echoes(found, self.lane[at[first]], loud[first], self.rx.hop_s)
