"""Digits that come twice: which, how far apart, and where the second one came from; and digits that have no end."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from offhook import dsp
from offhook.bench.flows.association import Association
from offhook.bench.flows.keying import LONGEST_S, Doubled, doubled, held, why_doubled
from offhook.bench.listen import MERGE_S, Listener
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


class Port:
    """A sound card that has heard ``audio``, int16 at 8 kHz from second 0 on."""

    rate_hz, channels = 8000, 1

    def __init__(self, audio: np.ndarray) -> None:
        self.audio = audio
        self.now_frame = lambda: len(audio)
        self.frame_at = lambda time_s: round(time_s * 8000)
        self.time_of_s = lambda frame: frame / 8000
        self.subscribe = lambda on_block: lambda: None

    def take(self, start: int, stop: int) -> np.ndarray:
        return self.audio[np.newaxis, start:stop]


def hears(*digits: tuple[str, float]) -> Listener:
    """One that has heard digits of so many seconds, 0.1 s apart, from second 1 on."""
    keys, lengths = zip(*digits, strict=True)
    audio = dsp.to_int16(dsp.encode("".join(keys), 8000, on_s=list(lengths), off_s=0.1, lead_s=1.0))
    return Listener(SimClock(), Port(audio[: len(audio) - 800]), {"ivr-1-heard": 0}, print)  # type: ignore[arg-type]


@pytest.mark.req("ASSOC-S16.2")
def test_a_digit_that_goes_on_is_found_before_it_ends() -> None:
    ears = hears(("1", 0.1), ("#", 2.5))
    one = Seen(1, 1.1, 0.005, "A-i", "ivr-1-heard", "digit", "ivr-1-heard", {"key": "1", "start_s": 1.0})

    found = held(ears, "ivr-1-heard", [one], 0.5, 3.7)

    assert found is not None
    assert (found.key, found.on) == ("#", True)
    assert found.start_s == pytest.approx(1.2, abs=0.01)
    assert found.lasted_s == pytest.approx(2.5, abs=0.01)
    assert str(found).startswith('"#" lasted 2.50 s so far and goes on (at most 1 s), from 1.20')


@pytest.mark.req("ASSOC-S16.2")
def test_a_digit_that_ended_late_was_held() -> None:
    late = Seen(1, 13.2, 0.005, "A-i", "ivr-1-heard", "digit", "ivr-1-heard", {"key": "7", "start_s": 10.0})

    found = held(hears(("1", 0.1)), "ivr-1-heard", [*heard("12", 9.0), late], 0.5, 1.1)

    assert str(found) == '"7" lasted 3.20 s (at most 1 s), from 10.000 s'


@pytest.mark.parametrize("length_s", [0.05, LONGEST_S - 0.05])
def test_a_digit_within_the_limit_is_not_held(length_s: float) -> None:
    assert held(hears(("1", 0.1), ("#", length_s)), "ivr-1-heard", heard("1", 1.0), 0.5, 1.2 + length_s) is None


class Prompt:
    """A listener that has heard one prompt on every wire of the IVR, from 5 to 10 s, and another from 20 s on."""

    def sounding(self, name: str, time_s: float) -> bool:
        assert name == "ivr-1-spoken"
        return 5.0 <= time_s <= 10.0 + MERGE_S or time_s >= 20.0


@pytest.mark.parametrize(
    ("lag_s", "now_s", "over"),
    [
        (0.0, 9.0, False),
        (0.0, 10.3, True),
        (0.5, 10.3, False),
        (0.5, 10.69, False),
        (0.5, 10.8, True),
        (0.5, 20.1, False),
    ],
)
def test_a_prompt_is_over_when_it_is_over_in_the_ear(lag_s: float, now_s: float, over: bool) -> None:
    """The network may bring it late; a key in between is lost to the ear, and the telephone was blamed."""
    clock = SimpleNamespace(now_s=lambda: now_s)
    flow = SimpleNamespace(station=SimpleNamespace(listener=Prompt(), clock=clock), spoken="ivr-1-spoken", lag_s=lag_s)
    assert Association._prompt_is_over(flow) is over  # type: ignore[arg-type]
