"""Digits that come twice: which, how far apart, and where the second one came from."""

from __future__ import annotations

import pytest

from offhook.bench.flows.keying import Doubled, doubled, why_doubled
from offhook.bench.watch import Seen, Watch
from offhook.fixtures.simclock import SimClock

ON_S, GAP_S = 0.08, 0.06


class Numbers:
    """Takes observations and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def observe(self, *place: object, **data: object) -> int:
        self.count += 1
        return self.count


def heard(text: str, start_s: float = 10.0) -> list[Seen]:
    """Digits one after the other, each 80 ms long, 60 ms apart."""
    starts = [start_s + at * (ON_S + GAP_S) for at in range(len(text))]
    return [
        Seen(at, start + ON_S, 0.005, "A-h", "desk-1", "digit", "desk-1", {"key": key, "start_s": start})
        for at, (key, start) in enumerate(zip(text, starts, strict=True))
    ]


@pytest.mark.req("ASSOC-N15")
@pytest.mark.parametrize(
    ("typed", "came", "twice"),
    [
        ("4711", "47711", "7"),
        ("4711", "44711", "4"),
        ("4711", "47111", "1"),
        ("4711", "447711", "47"),
        ("4711", "4711", ""),
        ("4711", "477", "7"),
        ("4711", "4811", ""),
        ("4711", "", ""),
        ("1122", "11222", "2"),
        ("4711", "47117", ""),
    ],
)
def test_a_digit_is_doubled_where_it_was_keyed_once(typed: str, came: str, twice: str) -> None:
    assert "".join(each.key for each in doubled(typed, heard(came))) == twice


@pytest.mark.req("ASSOC-N15")
def test_a_doubled_digit_is_told_with_gap_and_time() -> None:
    (only,) = doubled("4711", heard("47711"))
    assert str(only) == '"7" twice, 60 ms apart, at 10.280 s'


def watch_of(*closings: tuple[str, float]) -> Watch:
    watch = Watch(SimClock(), Numbers())
    for wire, time_s in closings:
        watch.note("R", wire, "relay", "desk-1", time_s, 0.001, closed=True, use="row 3")
    return watch


TWICE = Doubled("7", 60.0, 10.14, 10.28)


@pytest.mark.req("ASSOC-N15")
@pytest.mark.parametrize(
    ("closings", "ear", "cause"),
    [
        ([("keys1/2", 10.13), ("keys1/2", 10.27)], [TWICE], "the contact keys1/2 closed twice"),
        ([("keys1/2", 10.13)], [TWICE], "the contact closed once"),
        ([("keys1/2", 9.9), ("keys1/2", 10.13)], [TWICE], "the contact closed once"),
        ([("keys1/2", 10.13)], [], "sent once by the phone"),
    ],
    ids=["the relay", "the keypad", "an earlier key of the same row", "the line"],
)
def test_the_wire_that_doubled_it_is_named(closings: list[tuple[str, float]], ear: list[Doubled], cause: str) -> None:
    at_the_far_end = Doubled("7", 60.0, 10.34, 10.48)  # the network takes 0.2 s
    assert why_doubled(watch_of(*closings), "desk-1", at_the_far_end, ear).startswith(cause)
