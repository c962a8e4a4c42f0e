"""What became of digits on their way: which came twice, and on which wire that happened; which had no end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offhook import dsp
from offhook.bench.listen import Listener
from offhook.bench.watch import Seen, Watch

CONTACT_LEAD_S, CONTACT_LAG_S = 0.08, 0.02
"""A key's contacts close this long before its tone is in the ear at the earliest, and after it at the latest."""
LONGEST_S = 1.0
"""A tone of a PBX's sender that lasts so long is one that nobody ended: senders make 0.05 to 0.3 s."""
TRANSIT_S = 0.5
"""From the ear of the phone to the far end: packets, jitter buffers, networks."""


@dataclass(frozen=True)
class Doubled:
    """A digit heard once more than it was keyed, the first time at ``first_s``, again at ``time_s``.

    ``gap_ms`` is from the end of the first to the beginning of the second.
    """

    key: str
    gap_ms: float
    first_s: float
    time_s: float

    def __str__(self) -> str:
        return f'"{self.key}" twice, {self.gap_ms:.0f} ms apart, at {self.time_s:.3f} s'


def doubled(typed: str, heard: Sequence[Seen]) -> list[Doubled]:
    """Digits heard twice in a row where ``typed`` has them once.

    Empty if the two differ in anything else, but that the last digits were not heard (any more).
    """
    found: list[Doubled] = []
    at = 0
    for before, seen in zip([None, *heard], heard, strict=False):
        key = str(seen.data["key"])
        if at < len(typed) and key == typed[at]:
            at += 1
        elif before is not None and key == before.data["key"]:
            start_s = float(seen.data["start_s"])
            found.append(Doubled(key, 1000 * (start_s - before.time_s), float(before.data["start_s"]), start_s))
        else:
            return []
    return found


def why_doubled(watch: Watch, phone: str, twice: Doubled, ear: Sequence[Doubled]) -> str:
    """The wire that doubled a digit: its contacts, the keypad behind them, or the way from the phone to the far end."""
    here = next((each for each in ear if each.key == twice.key and abs(each.time_s - twice.time_s) < TRANSIT_S), None)
    if here is None:
        return "sent once by the phone, doubled between phone and far end (in-band lead-in and RTP event?)"
    pressed = watch.all("relay", here.first_s - CONTACT_LEAD_S, phone, closed=True)
    closings = [seen for seen in pressed if seen.time_s <= here.time_s + CONTACT_LAG_S]
    wires = [seen.wire for seen in closings if not str(seen.data["use"]).startswith("hook")]
    if any(wires.count(wire) > 1 for wire in wires):
        return f"the contact {max(wires, key=wires.count)} closed twice"
    return "the contact closed once, the phone sent it twice (contact bounce: settle_ms, press_ms)"


@dataclass(frozen=True)
class Held:
    """A digit that lasted longer than :data:`LONGEST_S`; ``on`` if it had not ended when that was found out."""

    key: str
    start_s: float
    lasted_s: float
    on: bool

    def __str__(self) -> str:
        so_far = " so far and goes on" if self.on else ""
        return f'"{self.key}" lasted {self.lasted_s:.2f} s{so_far} (at most {LONGEST_S:g} s), from {self.start_s:.3f} s'


def held(listener: Listener, wire: str, heard: Sequence[Seen], from_s: float, to_s: float) -> Held | None:
    """The first digit on a wire in a span of time that was held too long; ``heard`` are those that have ended."""
    for seen in heard:
        start_s = float(seen.data["start_s"])
        if seen.time_s - start_s > LONGEST_S:
            return Held(str(seen.data["key"]), start_s, seen.time_s - start_s, on=False)
    begin_s = max([from_s, *(seen.time_s for seen in heard)])
    for digit in dsp.decode(listener.samples(wire, begin_s, to_s), listener.port.rate_hz):
        if digit.end_s - digit.start_s > LONGEST_S:
            return Held(digit.key, begin_s + digit.start_s, digit.end_s - digit.start_s, on=True)
    return None
