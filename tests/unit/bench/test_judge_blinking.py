"""Judgements on lamps and bells: colours and cadences from the edges of sensors, and what they cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from record_standin import Bench

from offhook.bench.record import Judgement, Verdict, judge

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
RED_FLASH = {"colour": "red", "on_s": 0.5, "off_s": 0.5}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.record.close()


def light(bench: Bench, colour: str, *edges_s: float, u_s: float = 0.005, subject: str = "desk-1") -> None:
    """A sensor that is dark at 0 s, and whose level then changes at these times."""
    for place, time_s in enumerate((0.0, *edges_s)):
        data = {"colour": colour, "active": place % 2 == 1}
        bench.record.observe("G-l", f"arduino/{colour}", "lamp", subject, time_s, u_s, **data)


def blink(from_s: float, on_s: float, off_s: float, times: int) -> list[float]:
    return [from_s + n * (on_s + off_s) + more for n in range(times) for more in (0.0, on_s)]


def ring(bench: Bench, edges_s: Sequence[float]) -> None:
    for place, time_s in enumerate(edges_s):
        bench.record.observe("G-r", "arduino/2", "ring", "desk-1", time_s, 0.005, active=place % 2 == 0)


def judged(bench: Bench, kind: str, from_s: float, to_s: float, **spec: Any) -> Judgement:
    """As the sealed folder says it."""
    bench.judge(kind, **({"subject": "desk-1"} | spec), from_s=from_s, to_s=to_s)
    bench.record.seal()
    [made] = judge(bench.record.folder)
    return made


@pytest.mark.req("DRV-SENSE.1")
def test_a_lamp_in_its_cadence_passes_with_its_worst_time_and_uncertainty(bench: Bench) -> None:
    light(bench, "red", *blink(1.0, 0.55, 0.45, 6))
    light(bench, "green")
    made = judged(bench, "lamp", 1.2, 4.4, **RED_FLASH)
    assert made.verdict is PASS
    assert made.figure == pytest.approx(0.05)
    assert (made.limit_high, made.u) == (0.125, pytest.approx(0.00707, abs=1e-5))
    assert made.reason == "it shows red, 0.55 s lit and 0.45 s dark"


@pytest.mark.req("DRV-SENSE.1")
@pytest.mark.parametrize(
    ("red_s", "green_s", "wanted", "words"),
    [
        (blink(1.0, 0.25, 0.25, 20), [], RED_FLASH, "it shows red, 0.25 s lit and 0.25 s dark"),
        (blink(1.0, 0.8, 0.2, 20), [], RED_FLASH, "0.80 s lit and 0.20 s dark"),
        ([], blink(1.0, 0.5, 0.5, 20), RED_FLASH, "it shows green, 0.50 s lit"),
        (
            blink(1.0, 0.5, 0.5, 20),
            [2.2],
            RED_FLASH,
            "it shows green for 3.00 s of 4.00 s and red, 0.50 s lit and 0.50 s dark",
        ),
        ([0.5], [], RED_FLASH, "it shows red"),
        ([], [], RED_FLASH, "it shows nothing"),
        (blink(1.0, 0.5, 0.5, 3), [], RED_FLASH, "it shows red, 0.50 s lit and 0.50 s dark, then dark for 1.70 s"),
        (blink(1.0, 0.5, 0.5, 20), [], {"colour": "red"}, "expected red, it shows red, 0.50 s lit"),
        ([0.5, 4.0], [], {"colour": "red"}, "expected red, it shows red for 2.80 s"),
        ([], [0.5], {"colour": "red"}, "expected red, it shows green"),
        ([0.5], [0.6], {"colour": "red"}, "expected red, it shows green and red"),
        ([0.5], [], {"colour": ""}, "expected dark, it shows red"),
        ([3.0, 3.02], [], {"colour": ""}, "expected dark, it shows red for 0.02 s"),
        ([0.5], [], {"colour": "amber"}, "expected amber, it shows red"),
    ],
)
def test_a_lamp_that_shows_something_else_fails(
    bench: Bench, red_s: list[float], green_s: list[float], wanted: dict[str, Any], words: str
) -> None:
    light(bench, "red", *red_s)
    light(bench, "green", *green_s)
    made = judged(bench, "lamp", 1.2, 5.2, **wanted)
    assert made.verdict is FAIL
    assert words in made.reason


@pytest.mark.parametrize(
    ("red_s", "green_s", "wanted"),
    [
        ([0.5], [], {"colour": "red"}),
        ([0.5], [0.6], {"colour": "amber"}),
        ([0.5, 1.1], [], {"colour": ""}),
        (blink(1.0, 0.5, 0.5, 20), blink(1.0, 0.5, 0.5, 20), RED_FLASH | {"colour": "amber"}),
    ],
)
def test_steady_dark_and_mixed_lamps(
    bench: Bench, red_s: list[float], green_s: list[float], wanted: dict[str, Any]
) -> None:
    light(bench, "red", *red_s)
    light(bench, "green", *green_s)
    assert judged(bench, "lamp", 1.2, 5.2, **wanted).verdict is PASS


def test_a_time_too_near_its_limit_is_inconclusive(bench: Bench) -> None:
    light(bench, "red", *blink(1.0, 0.62, 0.38, 6))
    assert judged(bench, "lamp", 1.2, 4.4, **RED_FLASH).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("subject", "colour", "to_s", "words"),
    [
        ("desk-2", "red", 5.0, "no light sensor of desk-2"),
        ("desk-1", "blue", 5.0, "no sensor sees blue: there are red"),
        ("desk-1", "amber", 5.0, "no sensor sees amber"),
        ("desk-1", "red", 3.0, "too short for red, 0.5 s lit and 0.5 s dark"),
    ],
)
def test_what_no_sensor_has_seen_is_inconclusive(
    bench: Bench, subject: str, colour: str, to_s: float, words: str
) -> None:
    light(bench, "red", *blink(1.0, 0.5, 0.5, 20))
    made = judged(bench, "lamp", 1.2, to_s, **RED_FLASH | {"colour": colour, "subject": subject})
    assert made.verdict is INCONCLUSIVE
    assert words in made.reason


def test_another_lamps_edges_are_not_taken_for_its_own(bench: Bench) -> None:
    light(bench, "red")
    light(bench, "red", *blink(1.0, 0.5, 0.5, 20), subject="desk-2")
    assert judged(bench, "lamp", 1.2, 5.2, colour="").verdict is PASS


@pytest.mark.req("LINE-RING.1")
@pytest.mark.parametrize(
    ("edges_s", "pattern", "verdict", "words"),
    [
        ([2.0, 4.0, 8.0, 10.0, 14.0, 16.0], [2.0, 4.0], PASS, "it rings 2 s, pause 4 s, 2 s, pause 4 s"),
        ([2.0, 3.85, 8.0, 10.0, 14.0, 16.0], [2.0, 4.0], PASS, "it rings 1.85 s, pause 4.15 s"),
        ([2.0, 3.0, 7.0, 8.0, 12.0, 13.0], [2.0, 4.0], FAIL, "expected 2 s, pause 4 s, it rings 1 s, pause 4 s"),
        ([2.0, 4.0, 5.0, 7.0, 8.0, 10.0, 11.0, 13.0], [2.0, 4.0], FAIL, "it rings 2 s, pause 1 s"),
        ([2.0, 4.0], [2.0, 4.0], FAIL, "expected 2 s, pause 4 s"),  # a single ring
        ([2.0, 4.0, 8.0, 10.0], [2.0, 4.0], FAIL, "it rings 2 s, pause 4 s, 2 s, then silence for 5.00 s"),
        ([2.0], [2.0, 4.0], FAIL, "it rings without a pause, then a ring for 13.00 s"),
        ([], [2.0, 4.0], FAIL, "nothing rings"),
        (
            [start + more for start in (2, 5, 8, 11, 14) for more in (0, 0.4, 0.6, 1.0)],
            [0.4, 0.2, 0.4, 2.0],
            PASS,
            "0.4 s, pause 0.2 s, 0.4 s, pause 2",
        ),
        (
            [2.0, 2.4, *(start + more for start in (4.4, 7.4, 10.4, 13.4) for more in (0, 0.4, 0.6, 1.0))],
            [0.4, 0.2, 0.4, 2.0],
            PASS,
            "it rings 0.4 s, pause 2 s, 0.4 s, pause 0.2",
        ),
        ([2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 11.0, 12.0, 14.0], [0.4, 0.2, 0.4, 2.0], FAIL, "it rings 1 s, pause 2 s"),
    ],
)
def test_a_bell_is_judged_by_its_rings_and_pauses(
    bench: Bench, edges_s: list[float], pattern: list[float], verdict: Verdict, words: str
) -> None:
    ring(bench, edges_s)
    made = judged(bench, "cadence", 1.0, 15.0, observed="ring", pattern=pattern)
    assert made.verdict is verdict
    assert words in made.reason


@pytest.mark.req("LINE-RING.1")
@pytest.mark.parametrize(("on_s", "verdict"), [(2.0, PASS), (1.5, FAIL)])
def test_a_detector_that_follows_the_ringing_voltage_shows_bursts(bench: Bench, on_s: float, verdict: Verdict) -> None:
    """20 Hz: a pulse of 20 ms every 50 ms."""
    waves = [
        start_s + n / 20 + more for start_s in (2.0, 8.0, 14.0) for n in range(round(20 * on_s)) for more in (0, 0.02)
    ]
    ring(bench, waves)
    made = judged(bench, "cadence", 1.0, 15.0, observed="ring", pattern=[2.0, 4.0])
    assert made.verdict is verdict
    assert made.u is not None
    assert made.u >= 0.03


def test_a_bell_that_was_not_listened_to_long_enough_is_inconclusive(bench: Bench) -> None:
    ring(bench, [2.0, 4.0, 8.0])
    made = judged(bench, "cadence", 1.0, 9.0, observed="ring", pattern=[2.0, 4.0])
    assert made.verdict is INCONCLUSIVE
    assert "too short" in made.reason


def test_a_wrong_spec_is_an_error_and_no_verdict(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no 'color'"):
        bench.judge("lamp", subject="desk-1", color="red")
    assert bench.judge("cadence", observed="ring", subject="desk-1", pattern=[2.0]).verdict is INCONCLUSIVE
