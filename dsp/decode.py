"""DTMF receiver: whole recordings at once, and live audio block by block, with the same digits.

Four stages, each sees what the one before let through: ``gate`` (may there be a digit?), ``fine`` (what is there, every
4 ms), ``track`` (digits from accepted hops). A *lane* is a stretch of one channel around the gate's hits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import clarity, compiled, profiles
from offhook.dsp.digits import Digits, key_names
from offhook.dsp.fine import WARM, Fine
from offhook.dsp.front import Front
from offhook.dsp.gate import Gate
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import HIGH_HZ, INT16_SCALE, LOW_HZ, Float32, checked, dbm0
from offhook.dsp.track import Found, track

if TYPE_CHECKING:
    from offhook.dsp.batch import BatchAnalysis

BEFORE_S = 0.036  # a digit may begin this long before the gate's first hit
AFTER_S = 0.064  # and its end is looked for this long after the last
FLUSH_S = 0.200  # silence after the end of a recording
GROUP_HOPS = 32768
GROUP_SAMPLES = 1 << 23


class Receiver:
    """The stages for one rate and profile; holds no audio."""

    def __init__(self, rate: float, profile: Profile) -> None:
        self.gate = Gate(rate, profile)
        self.fine = Fine(rate, profile)
        self.profile = profile
        self.hop = self.fine.hop
        self.hop_s = self.fine.hop_s
        self.before = round(BEFORE_S * rate)
        self.after = round(AFTER_S * rate)

    def lane_of(self, window: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last + 1 hop of the lane that each hit of the gate calls for, without the warm-up."""
        start = window * self.gate.step
        return (start - self.before) // self.hop, -(-(start + self.gate.size + self.after) // self.hop)

    def rows(
        self, found: Found, channel: NDArray[np.int64], origin: NDArray[np.int64], delay_s: float, snr: Float32
    ) -> dict[str, NDArray[np.generic]]:
        """Columns of ``Digits``: hop numbers become seconds by each digit's ``origin`` (its lane's first hop)."""
        low = np.asarray(LOW_HZ)[found.key // 4] + found.low_offset
        high = np.asarray(HIGH_HZ)[found.key % 4] + found.high_offset
        low_dbm0 = dbm0(found.low_power / INT16_SCALE**2)
        high_dbm0 = dbm0(found.high_power / INT16_SCALE**2)
        return {
            "channel": channel.astype(np.int32),
            "key": key_names(found.key),
            "start_s": np.maximum((found.start + origin) * self.hop_s - delay_s, 0.0),
            "end_s": (found.end + origin) * self.hop_s - delay_s,
            "low_hz": low.astype(np.float32),
            "high_hz": high.astype(np.float32),
            "low_dbm0": low_dbm0.astype(np.float32),
            "high_dbm0": high_dbm0.astype(np.float32),
            "twist_db": (high_dbm0 - low_dbm0).astype(np.float32),
            "snr_db": snr,
        }

    def snr_db(
        self,
        audio: NDArray[np.generic],
        found: Found,
        channel: NDArray[np.int64],
        origin: NDArray[np.int64],
        first: int = 0,
    ) -> Float32:
        """Signal to noise of each digit; ``first`` is the number of the first sample in ``audio``, at this rate."""
        start, end = ((edge + origin) * self.hop - first for edge in (found.start, found.end))
        return clarity.snr_db(audio, channel, start, end, found.key, self.fine.rate)


_RECEIVERS: dict[tuple[float, Profile], Receiver] = {}


def receiver(rate: float, profile: Profile) -> Receiver:
    """The receiver for a rate and profile, made once."""
    known = _RECEIVERS.get((rate, profile))
    if known is None:
        if len(_RECEIVERS) >= 64:
            _RECEIVERS.clear()
        known = _RECEIVERS[(rate, profile)] = Receiver(rate, profile)
    return known


def decode(samples: ArrayLike, rate: float = 8000, profile: Profile = profiles.ATT) -> Digits:
    """All digits of a recording.

    ``samples`` (n,) or (channels, n), int16 or float with full scale 1.0; ``rate`` 4 to 192 kHz. Raises ValueError for
    anything else, and for NaN or infinite samples.
    """
    value = checked(samples, rate)
    channels = value.shape[0] if value.ndim == 2 else 1
    parts = [part.columns() for part in _parts(value, rate, profile)]
    if not parts:
        return Digits.of([], channels)
    return Digits({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, channels)


def analyses(
    value: NDArray[np.generic], rate: float, profile: Profile, *, explained: bool = False
) -> Iterator[Analysis]:
    """The stages' results, some lanes at a time, so that what they work on stays in the processor's cache."""

    def hits(rx: Receiver, audio: NDArray[np.generic]) -> NDArray[np.bool_]:
        return rx.gate.hits(audio, padded=True, any_twist=explained)

    for stretch in _stretches(value, rate, profile, hits):
        yield Analysis(*stretch, explained)


def _parts(value: NDArray[np.generic], rate: float, profile: Profile) -> Iterator[Analysis | BatchAnalysis]:
    """What ``decode`` needs of the stages' results, by compiled kernels where they are worth while."""
    if not compiled.ready(value.size) or len(profile.null_hz) > compiled.MOST_NULLS:
        yield from analyses(value, rate, profile)
        return
    from offhook.dsp import batch  # loads numba

    room = None
    for stretch in _stretches(value, rate, profile, batch.gate_hits):
        room = room or batch.Room(stretch[0])
        yield batch.BatchAnalysis(*stretch, room)


def _stretches(
    value: NDArray[np.generic],
    rate: float,
    profile: Profile,
    hits: Callable[[Receiver, NDArray[np.generic]], NDArray[np.bool_]],
) -> Iterator[tuple[Receiver, NDArray[np.generic], Lanes, int, float]]:
    """Receiver, audio at its rate, lanes, number of the first channel, delay of the low-pass."""
    value = value[None, :] if value.ndim == 1 else value
    front = Front(rate, 0)
    rx = receiver(front.rate, profile)
    whole = front.untouched and value.dtype == np.int16  # nothing to convert: lanes are cut from the recording itself
    step = max(1, value.shape[0] if whole else GROUP_SAMPLES // max(value.shape[1], 1))
    for first in range(0, value.shape[0], step):
        audio = _received(value[first : first + step], rate)
        tail = round(FLUSH_S * front.rate)
        lanes = find_lanes(rx, hits(rx, audio), (audio.shape[1] + tail) // rx.hop)
        total = np.cumsum(lanes.length)
        begin = 0
        while begin < len(total):
            end = max(int(np.searchsorted(total, (total[begin - 1] if begin else 0) + GROUP_HOPS)), begin + 1)
            yield rx, audio, lanes.part(begin, end), first, front.delay_s
            begin = end


def _received(raw: NDArray[np.generic], rate: float) -> NDArray[np.generic]:
    """Audio at the receiver's rate, with what the low-pass still holds at the end."""
    front = Front(rate, raw.shape[0])
    if not front.untouched:
        raw = np.concatenate((raw, np.zeros((raw.shape[0], len(front.taps) - 1), raw.dtype)), axis=1)
    return front.feed(raw)


class Analysis:
    """All that is known about some lanes: their audio in blocks, features and digits."""

    def __init__(
        self, rx: Receiver, audio: NDArray[np.generic], lanes: Lanes, first: int, delay_s: float, explained: bool
    ) -> None:
        self.rx, self.audio, self.lanes, self.delay_s = rx, audio, lanes, delay_s
        self.first_channel = first
        self.blocks, self.place, self.begin = cut(audio, lanes, rx.hop)
        self.hops = rx.fine.analyse(self.blocks, self.place, explained=explained)
        self.lane = np.repeat(np.arange(len(self.begin)), lanes.length)
        last = self.begin + lanes.length - 1
        self.found = track(self.hops, self.lane, self.begin, last, rx.hop_s, rx.profile)

    def channel_of(self, hop: NDArray[np.int64]) -> NDArray[np.int64]:
        """The channel of some hops."""
        return self.lanes.channel[self.lane[hop]] + self.first_channel

    def origin_of(self, hop: NDArray[np.int64]) -> NDArray[np.int64]:
        """What to add to a hop's number here to get its number in the recording."""
        owner = self.lane[hop]
        return self.lanes.first[owner] - self.begin[owner]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The digits as columns of ``Digits``."""
        channel, origin = self.channel_of(self.found.accepted), self.origin_of(self.found.accepted)
        snr = self.rx.snr_db(self.audio, self.found, channel - self.first_channel, origin)
        return self.rx.rows(self.found, channel, origin, self.delay_s, snr)


@dataclass
class Lanes:
    """Stretches of audio: channel, first hop (warm-up included, may be negative) and number of hops."""

    channel: NDArray[np.int64]
    first: NDArray[np.int64]
    length: NDArray[np.int64]

    def part(self, begin: int, end: int) -> Lanes:
        """Some of them."""
        return Lanes(self.channel[begin:end], self.first[begin:end], self.length[begin:end])


def find_lanes(rx: Receiver, hits: NDArray[np.bool_], hops: int) -> Lanes:
    """Union of the stretches that each hit calls for, by channel, ending at ``hops``."""
    channel, window = np.nonzero(hits)
    begin, end = rx.lane_of(window)
    opens = np.ones(len(channel), dtype=np.bool_)
    opens[1:] = (channel[1:] != channel[:-1]) | (begin[1:] > end[:-1])
    start = np.flatnonzero(opens)
    stop = np.append(start[1:], len(channel))[: len(start)] - 1
    first = begin[start] - WARM
    return Lanes(channel[start], first, np.minimum(end[stop], hops) - first)


def cut(
    audio: NDArray[np.generic], lanes: Lanes, hop: int, origin: int = 0
) -> tuple[Float32, NDArray[np.int32], NDArray[np.int64]]:
    """Blocks of all lanes end to end, each hop's number in its lane, and each lane's first block.

    ``origin`` is the stream's number of the first sample in ``audio``; outside of it there is silence.
    """
    begin = np.cumsum(lanes.length) - lanes.length
    total = int(lanes.length.sum())
    place = np.arange(total, dtype=np.int32) - np.repeat(begin, lanes.length).astype(np.int32)
    blocks = np.zeros((total, hop), dtype=np.float32)
    flat = blocks.reshape(-1)
    wanted = lanes.first * hop - origin
    a = np.maximum(wanted, 0)
    b = np.minimum(wanted + lanes.length * hop, audio.shape[1])
    to = begin * hop + a - wanted
    for channel, first, last, at in zip(lanes.channel.tolist(), a.tolist(), b.tolist(), to.tolist(), strict=True):
        if last > first:
            flat[at : at + last - first] = audio[channel, first:last]
    return blocks, place, begin
