"""What became of keyed digits on their way: which came twice, and on which wire that happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offhook.bench.watch import Seen, Watch

CONTACT_LEAD_S, CONTACT_LAG_S = 0.08, 0.02
"""A key's contacts close this long before its tone is in the ear at the earliest, and after it at the latest."""
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
