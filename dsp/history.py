"""What a live receiver keeps of each lane: its hops' amplitudes and the accepted hops, from which digits are told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.fine import WARM, Hops
from offhook.dsp.tones import Float32, Float64
from offhook.dsp.track import BACK

# What ``track`` reads of each accepted hop; a live history keeps no other candidates and none of their other figures.
_PER_EVENT = ("at", "key", "low_power", "high_power", "low_offset", "high_offset", "full")
_LOW, _HIGH = _PER_EVENT.index("low_power"), _PER_EVENT.index("high_power")
_KINDS = {"at": np.int64, "key": np.int8, "full": np.bool_}
UNUSED = tuple(f.name for f in fields(Hops) if f.name not in (*_PER_EVENT, "amplitude", "accepted"))
TRIM_HOPS = 240
NOTHING = np.zeros(0, dtype=np.int64)

Index = NDArray[np.int64]


@dataclass(eq=False)
class Lane:
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


def fresh_events(hops: Hops, begin: Index, fresh: Index) -> tuple[Float64, list[int]]:
    """Accepted hops of all lanes that are new, a column each, and where each lane's begin and end."""
    accepted = hops.accepted.nonzero()[0]
    at = hops.at[accepted]
    new = accepted[at >= fresh[np.searchsorted(begin, at, side="right") - 1]]
    events = np.array([getattr(hops, name)[new] for name in _PER_EVENT], dtype=np.float64)
    return events, [*np.searchsorted(events[0], begin).tolist(), events.shape[1]]


def goes_on(lane: Lane, events: Float64, hops: int) -> bool:
    """Whether an open digit just goes on, each new hop accepted for its key and no softer: there is nothing to tell."""
    if not lane.open or lane.events is None or not lane.events.shape[1] or events.shape[1] < hops:
        return False
    last = lane.events[:, -1]
    both = events[_LOW] + events[_HIGH]
    return bool(
        last[0] == lane.length - 1 and (events[1] == last[1]).all() and both.min() > 0.7 * (last[_LOW] + last[_HIGH])
    )


def extend(lane: Lane, amplitude: Float32, events: Float64, first: int) -> None:
    """Append hops, and the accepted ones among them, to a lane's history; ``first``: the first's number in events."""
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
        lane.events = np.concatenate((lane.events, events), axis=1)
        lane.events[0, -events.shape[1] :] += lane.length - first
    lane.length += count


def joined(lanes: list[Lane]) -> tuple[Hops, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
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
    unused: dict[str, Any] = dict.fromkeys(UNUSED, accepted[:0])
    hops = Hops(amplitude=amplitude, accepted=accepted, **columns, **unused)
    return hops, np.repeat(np.arange(len(parts)), length), begin, begin + length - 1


def trim(lane: Lane, accepted: NDArray[np.int64], known: NDArray[np.int64]) -> None:
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
