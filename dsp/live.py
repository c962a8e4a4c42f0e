"""The receiver on live audio: blocks of any size in, onsets and digits out, the same as from the whole recording.

Idle channels cost one coarse gate for all of them together every 24 ms. A channel on which the gate hits gets a lane
(see ``decode``), whose hops are analysed as they complete and whose history is kept until the lane ends.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import profiles
from offhook.dsp.decode import FLUSH_S, Lanes, Receiver, cut, receiver
from offhook.dsp.digits import Digit, Digits, Onset
from offhook.dsp.fine import WARM, Hops
from offhook.dsp.front import Front
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import KEYS, Float32, Float64, check_rate, checked
from offhook.dsp.track import BACK, track

Event = Onset | Digit
# What ``track`` reads of each accepted hop; a live history keeps no other candidates and none of their other figures.
_PER_EVENT = ("at", "key", "low_power", "high_power", "low_offset", "high_offset", "rest", "full")
_KINDS = {"at": np.int64, "key": np.int8, "full": np.bool_}
_UNUSED = tuple(f.name for f in fields(Hops) if f.name not in (*_PER_EVENT, "amplitude", "accepted"))
TRIM_HOPS = 240
_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(eq=False)
class _Lane:
    """A stretch of one channel under analysis; hop numbers are those of the stream."""

    channel: int
    first: int
    end: int
    done: int  # hops analysed
    amplitude: Float32 | None = None  # of all hops from ``base`` on, with room for more to come
    length: int = 0  # hops in ``amplitude``
    events: Float64 | None = None  # accepted hops: a row for each of ``_PER_EVENT``, counted from ``base``
    base: int = 0  # stream hop of the first hop in ``amplitude``
    started: int = -(1 << 40)  # hop up to which onsets were sent
    ended: int = -(1 << 40)  # accepting hop of the last digit sent

    latest: int = -(1 << 40)  # last accepted hop

    @property
    def open(self) -> bool:
        """Whether a digit's onset was sent and its end was not."""
        return self.started > self.ended


class Decoder:
    """A receiver for live audio on ``channels`` channels.

    ``feed`` takes blocks (channels, n) or, for one channel, (n,), int16 or float; block sizes are free and may change.
    An ``Onset`` comes at most 45 ms after a clean tone has begun (block length included up to 10 ms), its ``Digit``
    once the tone has been off for the profile's ``bridge_s``.
    """

    def __init__(self, rate: float, channels: int = 1, profile: Profile = profiles.ATT) -> None:
        check_rate(rate)
        if channels < 1:
            raise ValueError(f"channels is {channels}: expected at least 1")
        self.rate, self.channels, self.profile = rate, channels, profile
        self._front = Front(rate, channels)
        self._rx: Receiver = receiver(self._front.rate, profile)
        rx = self._rx
        self._keep = rx.before + (2 * WARM + 4) * rx.hop + 2 * rx.gate.step
        self._fill = 0
        self.reset()

    def reset(self, channel: int | None = None) -> None:
        """Forget the past of one channel (the stream's time goes on), or all of it (time starts at 0 again)."""
        self._front.clear(channel)
        if channel is not None:
            self._audio[channel, : self._fill] = 0
            self._lanes.pop(channel, None)
            return
        self._front = Front(self.rate, self.channels)
        self._audio: NDArray[np.generic] = np.zeros((self.channels, 2 * self._keep), dtype=np.int16)
        self._fill = self._keep  # samples in the buffer; the first ``_keep`` are the silence before the stream
        self._origin = -self._keep  # stream sample of the buffer's first
        self._window = 0  # next window of the gate
        self._lanes: dict[int, _Lane] = {}

    def feed(self, block: ArrayLike) -> list[Event]:
        """Take the next samples; returns what they complete, in order of time. ValueError for a wrong shape or NaN."""
        value = checked(block, self.rate)
        if value.ndim == 1:
            value = value[None, :]
        if value.shape[0] != self.channels:
            raise ValueError(f"block has shape {np.shape(block)}: expected ({self.channels}, n)")
        return self._take(self._front.feed(value))

    def flush(self) -> list[Event]:
        """The stream has ended: returns what is still open; afterwards the decoder is as new."""
        tail = np.zeros((self.channels, len(self._front.taps) - 1), dtype=np.int16)
        events = self._take(self._front.feed(tail)) if tail.shape[1] else []
        pad = round(FLUSH_S * self._rx.hop / self._rx.hop_s)
        events += self._take(np.zeros((self.channels, pad), dtype=np.int16))
        events += self._close(list(self._lanes.values()))
        self.reset()
        return events

    def _take(self, audio: NDArray[np.generic]) -> list[Event]:
        events: list[Event] = []
        room = self._keep  # at most this much at once, so that the buffer holds all a lane looks back to
        for at in range(0, audio.shape[1], room):
            self._append(audio[:, at : at + room])
            events += self._gate()
            events += self._advance()
        return events

    def _append(self, audio: NDArray[np.generic]) -> None:
        if audio.dtype == np.float32 and self._audio.dtype != np.float32:
            self._audio = self._audio.astype(np.float32)
        count = audio.shape[1]
        if self._fill + count > self._audio.shape[1]:
            drop = self._fill - self._keep
            self._audio[:, : self._keep] = self._audio[:, drop : self._fill].copy()
            self._fill, self._origin = self._keep, self._origin + drop
        self._audio[:, self._fill : self._fill + count] = audio
        self._fill += count

    @property
    def _total(self) -> int:
        return self._origin + self._fill

    def _gate(self) -> list[Event]:
        """Run the gate over the windows that are complete; open or prolong lanes."""
        gate = self._rx.gate
        at = self._window * gate.step
        if at + gate.size > self._total:
            return []
        hits = gate.hits(self._audio[:, at - self._origin : self._fill])
        events: list[Event] = []
        channel, window = np.nonzero(hits)
        begin, end = self._rx.lane_of(window + self._window)
        for one, a, b in zip(channel.tolist(), begin.tolist(), end.tolist(), strict=True):
            lane = self._lanes.get(one)
            if lane is not None and a <= lane.end:
                lane.end = b
                continue
            if lane is not None:
                events += self._finish(lane)
            self._lanes[one] = _Lane(one, a - WARM, b, a - WARM)
        self._window += hits.shape[1]
        return events

    def _finish(self, lane: _Lane) -> list[Event]:
        """Analyse a lane to its end, all of which has been heard, and close it."""
        return self._analyse([lane]) + self._close([lane])

    def _advance(self) -> list[Event]:
        """Analyse what is new in every lane; close lanes that nothing can prolong."""
        if not self._lanes:
            return []
        events = self._analyse(list(self._lanes.values()))
        next_begin = (self._window * self._rx.gate.step - self._rx.before) // self._rx.hop
        over = [lane for lane in self._lanes.values() if lane.done >= lane.end and next_begin > lane.end]
        for lane in over:
            del self._lanes[lane.channel]
        return events + self._close(over)

    def _analyse(self, lanes: list[_Lane]) -> list[Event]:
        heard = self._total // self._rx.hop
        due = [lane for lane in lanes if lane.done < min(lane.end, heard)]
        if not due:
            return []
        start = np.array([max(lane.first, lane.done - WARM) for lane in due])
        stop = np.array([min(lane.end, heard) for lane in due])
        piece = Lanes(np.array([lane.channel for lane in due]), start, stop - start)
        view = Lanes(piece.channel, start, piece.length)
        blocks, place, begin = cut(self._audio[:, : self._fill], view, self._rx.hop, self._origin)
        hops = self._rx.fine.analyse(blocks, place)
        accepted = np.flatnonzero(hops.accepted)
        events = np.array([getattr(hops, name)[accepted] for name in _PER_EVENT], dtype=np.float64)
        edges = np.searchsorted(events[0], np.append(begin, begin[-1] + piece.length[-1])).tolist()
        told: list[_Lane] = []
        for number, lane in enumerate(due):
            fresh = int(begin[number]) + (0 if lane.done == lane.first else lane.done - int(start[number]))
            amplitude = hops.amplitude[:, fresh : int(begin[number] + piece.length[number])]
            mine = events[:, edges[number] : edges[number + 1]]
            news = _extend(lane, amplitude, mine[:, mine[0] >= fresh], fresh)
            lane.done = int(stop[number])
            lane.latest = lane.done if news else lane.latest
            if news or lane.open:
                told.append(lane)
            elif lane.done - lane.latest > TRIM_HOPS:
                _trim(lane, _NOTHING, _NOTHING)
        return self._report(told)

    def _report(self, lanes: list[_Lane], *, closing: bool = False) -> list[Event]:
        """Onsets and digits of some lanes that were not sent yet."""
        if not lanes:
            return []
        hops, number, begin, last = _joined(lanes)
        found = track(hops, number, begin, last, self._rx.hop_s, self.profile)
        owner = number[found.accepted]
        base = np.array([lane.base for lane in lanes]) - begin
        channel = np.array([lane.channel for lane in lanes])
        table = Digits(self._rx.rows(found, channel[owner], base[owner], self._front.delay_s), self.channels)
        events: list[tuple[int, int, Event]] = []
        for row, (one, accepted, known) in enumerate(
            zip(owner.tolist(), (found.accepted + base[owner]).tolist(), found.known.tolist(), strict=True)
        ):
            lane = lanes[one]
            if accepted > lane.started:
                lane.started = accepted
                events.append((accepted, 1, Onset(lane.channel, KEYS[found.key[row]], float(table.start_s[row]))))
            if (known >= 0 or closing) and accepted > lane.ended:
                lane.ended = accepted
                when = known + int(base[one]) if known >= 0 else lane.done
                events.append((when, 0, table[row]))
        if not closing:
            for one, lane in enumerate(lanes):
                mine = owner == one
                known = found.known[mine]
                _trim(lane, found.accepted[mine] + base[one], np.where(known >= 0, known + base[one], -1))
        return [event for _, _, event in sorted(events, key=lambda item: item[:2])]

    def _close(self, lanes: list[_Lane]) -> list[Event]:
        """Digits that their lane's end cuts off."""
        return self._report([lane for lane in lanes if lane.open], closing=True)


def _extend(lane: _Lane, amplitude: Float32, events: Float64, first: int) -> bool:
    """Append hops, and the accepted ones among them, to a lane's history; whether there are any such.

    ``first`` is the first hop's number as the events count.
    """
    count = amplitude.shape[1]
    if lane.amplitude is None or lane.events is None:
        lane.base, lane.events = lane.first, np.zeros((len(_PER_EVENT), 0))
        lane.amplitude = np.empty((8, 2 * TRIM_HOPS), dtype=np.float32)
    if lane.length + count > lane.amplitude.shape[1]:
        wider = np.empty((8, 2 * (lane.length + count)), dtype=np.float32)
        wider[:, : lane.length] = lane.amplitude[:, : lane.length]
        lane.amplitude = wider
    lane.amplitude[:, lane.length : lane.length + count] = amplitude
    if events.shape[1]:
        events[0] += lane.length - first
        lane.events = np.concatenate((lane.events, events), axis=1)
    lane.length += count
    return bool(events.shape[1])


def _joined(lanes: list[_Lane]) -> tuple[Hops, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Histories of several lanes end to end, the lane number of each hop, and each lane's first and last hop."""
    parts = [(lane.amplitude, lane.events) for lane in lanes]
    length = np.array([lane.length for lane in lanes])
    begin = np.cumsum(length) - length
    amplitude = np.concatenate(
        [a[:, :n] for (a, _), n in zip(parts, length.tolist(), strict=True) if a is not None], axis=1
    )
    events = np.concatenate([e for _, e in parts if e is not None], axis=1)
    events[0] += np.repeat(begin, [e.shape[1] for _, e in parts if e is not None])
    columns: dict[str, Any] = {
        name: row.astype(_KINDS.get(name, np.float32)) for name, row in zip(_PER_EVENT, events, strict=True)
    }
    accepted = np.ones(events.shape[1], dtype=np.bool_)
    unused: dict[str, Any] = dict.fromkeys(_UNUSED, accepted[:0])
    hops = Hops(amplitude=amplitude, accepted=accepted, **columns, **unused)
    return hops, np.repeat(np.arange(len(parts)), length), begin, begin + length - 1


def _trim(lane: _Lane, accepted: NDArray[np.int64], known: NDArray[np.int64]) -> None:
    """Drop history that no decision can need: all before the last two digits, or before a long silence.

    ``accepted`` and ``known`` are the stream hops of the lane's digits (``known`` -1 while a digit lasts). What remains
    of an older digit is not sent again, for it was accepted before the last one that was.
    """
    if lane.amplitude is None or lane.events is None or lane.length < TRIM_HOPS:
        return
    keep_from = lane.base
    if len(accepted) == 0 or (known[-1] >= 0 and known[-1] < lane.done - TRIM_HOPS // 2):
        keep_from = lane.done - TRIM_HOPS // 2
    elif len(accepted) >= 3 and accepted[-2] <= lane.ended:
        keep_from = int(accepted[-2]) - BACK - WARM
    drop = keep_from - lane.base
    if drop < TRIM_HOPS // 4:
        return
    lane.events = lane.events[:, lane.events[0] >= drop]
    lane.events[0] -= drop
    lane.amplitude[:, : lane.length - drop] = lane.amplitude[:, drop : lane.length].copy()
    lane.length -= drop
    lane.base = keep_from
