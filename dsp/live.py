"""The receiver on live audio: blocks of any size in, onsets and digits out, the same as from the whole recording.

Idle channels cost one coarse gate for all of them together every 24 ms. A channel on which the gate hits gets a lane
(see ``decode``), whose hops are analysed as they complete and whose history is kept until the lane ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offhook.dsp import compiled, profiles
from offhook.dsp.decode import FLUSH_S, Lanes, Receiver, cut, receiver
from offhook.dsp.digits import Digit, Digits, Onset
from offhook.dsp.fine import WARM
from offhook.dsp.front import Front
from offhook.dsp.history import NOTHING, TRIM_HOPS, Lane, extend, fresh_events, goes_on, joined, trim
from offhook.dsp.profiles import Profile
from offhook.dsp.tones import KEYS, check_rate, checked
from offhook.dsp.track import track

if TYPE_CHECKING:
    from offhook.dsp.live_kernels import LiveKernels

Event = Onset | Digit


MOST_EVERY_S = 0.2
ROOM = 6  # buffers hold so many times what is looked back to: moving it to the front is rare


class Decoder:
    """A receiver for live audio on ``channels`` channels.

    ``feed`` takes blocks (channels, n) or, for one channel, (n,), int16 or float; block sizes are free and may change.
    An ``Onset`` comes at most 45 ms after a clean tone has begun (block length included up to 10 ms), its ``Digit``
    once the tone has been off for the profile's ``bridge_s``. Where nobody waits for them, ``every_s`` saves up to half
    of the work: audio is gathered and looked at only so often (``look`` does not wait for that). Events and their times
    are the same, and come so much later at most.
    """

    def __init__(
        self, rate: float, channels: int = 1, profile: Profile = profiles.ATT, *, every_s: float = 0.0
    ) -> None:
        check_rate(rate)
        if channels < 1:
            raise ValueError(f"channels is {channels}: expected at least 1")
        if not 0.0 <= every_s <= MOST_EVERY_S:
            raise ValueError(f"every_s is {every_s}: expected 0 to {MOST_EVERY_S:g}")
        self.rate, self.channels, self.profile = rate, channels, profile
        self._front = Front(rate, channels)
        self._rx: Receiver = receiver(self._front.rate, profile)
        rx = self._rx
        self._keep = (-(-(rx.before + 2 * rx.gate.step) // rx.hop) + 2 * WARM + 4) * rx.hop  # whole hops
        self._kernels: LiveKernels | None = None
        if compiled.ready_live() and len(profile.null_hz) <= compiled.MOST_NULLS:
            from offhook.dsp.live_kernels import LiveKernels  # loads numba

            self._kernels = LiveKernels(rx)
        self._every = round(every_s * self._front.rate)
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
        self._audio: NDArray[np.generic] = np.zeros((self.channels, ROOM * self._keep), dtype=np.int16)
        self._fill = self._keep  # samples in the buffer; the first ``_keep`` are the silence before the stream
        self._origin = -self._keep  # stream sample of the buffer's first
        self._window = 0  # next window of the gate
        self._looked = 0  # stream samples that were looked at
        self._lanes: dict[int, Lane] = {}

    def feed(self, block: ArrayLike) -> list[Event]:
        """Take the next samples; returns what they complete, in order of time. ValueError for a wrong shape or NaN."""
        value = checked(block, self.rate)
        if value.ndim == 1:
            value = value[None, :]
        if value.shape[0] != self.channels:
            raise ValueError(f"block has shape {np.shape(block)}: expected ({self.channels}, n)")
        return self._take(self._front.feed(value))

    @property
    def waiting(self) -> int:
        """Samples of a channel, at the receiver's rate, that were not looked at yet."""
        return self._total - self._looked

    def look(self) -> list[Event]:
        """What the audio so far completes, without waiting for more (see ``every_s``)."""
        if not self.waiting:
            return []
        self._looked = self._total
        return self._gate() + self._advance()

    def flush(self) -> list[Event]:
        """The stream has ended: returns what is still open; afterwards the decoder is as new."""
        tail = np.zeros((self.channels, len(self._front.taps) - 1), dtype=np.int16)
        events = self._take(self._front.feed(tail)) if tail.shape[1] else []
        pad = round(FLUSH_S * self._rx.hop / self._rx.hop_s)
        events += self._take(np.zeros((self.channels, pad), dtype=np.int16))
        events += self.look()
        events += self._close(list(self._lanes.values()))
        self.reset()
        return events

    def _take(self, audio: NDArray[np.generic]) -> list[Event]:
        events: list[Event] = []
        room = self._keep  # at most this much at once, so that the buffer holds all a lane looks back to
        for at in range(0, audio.shape[1], room):
            part = audio[:, at : at + room]
            if self.waiting + part.shape[1] > room:
                events += self.look()
            self._append(part)
            if self.waiting >= self._every:
                events += self.look()
        return events

    def _append(self, audio: NDArray[np.generic]) -> None:
        if audio.dtype == np.float32 and self._audio.dtype != np.float32:
            self._audio = self._audio.astype(np.float32)
        count = audio.shape[1]
        if self._fill + count > self._audio.shape[1]:
            keep = self._keep + self.waiting
            drop = (self._fill - keep) // self._rx.hop * self._rx.hop
            keep = self._fill - drop
            self._audio[:, :keep] = self._audio[:, drop : self._fill].copy()
            self._fill, self._origin = keep, self._origin + drop
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
        first = at - self._origin
        if self._kernels is not None:
            hits = self._kernels.gate(self._audio, first, self._fill)
        else:
            hits = gate.hits(self._audio[:, first : self._fill])
        over: list[list[Lane]] = []  # lanes that something else follows; in each list at most one of a channel
        before: dict[int, int] = {}  # how many there are of a channel
        channel, window = np.nonzero(hits)
        begin, end = self._rx.lane_of(window + self._window)
        for one, a, b in zip(channel.tolist(), begin.tolist(), end.tolist(), strict=True):
            lane = self._lanes.get(one)
            if lane is not None and a <= lane.end:
                lane.end = b
                continue
            if lane is not None:
                place = before.get(one, 0)
                before[one] = place + 1
                if place == len(over):
                    over.append([])
                over[place].append(lane)
            self._lanes[one] = Lane(one, a - WARM, b, a - WARM)
        self._window += hits.shape[1]
        return [event for lanes in over for event in self._finish(lanes)]

    def _finish(self, lanes: list[Lane]) -> list[Event]:
        """Analyse lanes to their end, all of which has been heard, and close them."""
        return self._analyse(lanes) + self._close(lanes)

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

    def _analyse(self, lanes: list[Lane]) -> list[Event]:
        heard = self._total // self._rx.hop
        due = [lane for lane in lanes if lane.done < min(lane.end, heard)]
        if not due:
            return []
        start = np.array([max(lane.first, lane.done - WARM) for lane in due])
        stop = np.array([min(lane.end, heard) for lane in due])
        piece = Lanes(np.array([lane.channel for lane in due]), start, stop - start)
        begin = np.cumsum(piece.length) - piece.length
        if self._kernels is not None:  # the buffer begins with a whole hop of the stream
            view = Lanes(piece.channel, start - self._origin // self._rx.hop, piece.length)
            hops = self._kernels.analyse(self._audio, view)
        else:
            blocks, place, _ = cut(self._audio[:, : self._fill], piece, self._rx.hop, self._origin)
            hops = self._rx.fine.analyse(blocks, place)
        done = np.array([lane.done for lane in due])
        fresh = begin + np.where(done == [lane.first for lane in due], 0, done - start)
        events, edges = fresh_events(hops, begin, fresh)
        told: list[Lane] = []
        for lane, first, last, until, a, b in zip(
            due, fresh.tolist(), (begin + piece.length).tolist(), stop.tolist(), edges[:-1], edges[1:], strict=True
        ):
            same = goes_on(lane, events[:, a:b], last - first)
            extend(lane, hops.amplitude[:, first:last], events[:, a:b], first)
            lane.done = until
            lane.latest = until if b > a else lane.latest
            if (b > a or lane.open) and not same:
                told.append(lane)
            elif lane.done - lane.latest > TRIM_HOPS:
                trim(lane, NOTHING, NOTHING)
        return self._report(told)

    def _report(self, lanes: list[Lane], *, closing: bool = False) -> list[Event]:
        """Onsets and digits of some lanes that were not sent yet."""
        if not lanes:
            return []
        hops, number, begin, last = joined(lanes)
        found = track(hops, number, begin, last, self._rx.hop_s, self.profile)
        owner = number[found.accepted]
        base = np.array([lane.base for lane in lanes]) - begin
        channel = np.array([lane.channel for lane in lanes])
        snr = np.zeros(len(found.key), dtype=np.float32)
        sent = np.array([lane.ended for lane in lanes])[owner]
        over = (((found.known >= 0) | closing) & (found.accepted + base[owner] > sent)).nonzero()[0]
        if len(over):
            snr[over] = self._rx.snr_db(
                self._audio, found.part(over), channel[owner][over], base[owner][over], self._origin
            )
        table = Digits(self._rx.rows(found, channel[owner], base[owner], self._front.delay_s, snr), self.channels)
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
                trim(lane, found.accepted[mine] + base[one], np.where(known >= 0, known + base[one], -1))
        return [event for _, _, event in sorted(events, key=lambda item: item[:2])]

    def _close(self, lanes: list[Lane]) -> list[Event]:
        """Digits that their lane's end cuts off."""
        return self._report([lane for lane in lanes if lane.open], closing=True)
