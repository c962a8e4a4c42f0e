"""Judgements that read WAV files: digits, no_digits, tone and voice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_standin import RATE_HZ, Bench, digits_audio, is_pass

from offhook import dsp
from offhook.bench.record import Judgement, RunResult, Verdict, judge

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.record.close()


def sealed(bench: Bench) -> RunResult:
    bench.record.seal()
    return judge(bench.record.folder)


def only(bench: Bench) -> Judgement:
    """The run's one judgement, recomputed from the sealed folder."""
    [judgement] = sealed(bench)
    return judgement


@pytest.mark.req("ASSOC-S27.1")
def test_digits_are_read_from_the_wav(bench: Bench) -> None:
    with bench.attempt():
        bench.key("4711#", 1.0)
        bench.judge("digits", wire="ear", expected="4711#")
    made = only(bench)
    assert (made.verdict, made.figure, made.n) == (PASS, 0, 5)
    assert made.evidence == ("audio/ear_0001.wav@0.0",)


@pytest.mark.req("ASSOC-S16.2")
@pytest.mark.parametrize(("longest_s", "verdict"), [(1.0, FAIL), (3.5, PASS), (None, PASS)])
def test_a_digit_that_nobody_ended_is_named_with_where_it_is(
    bench: Bench, longest_s: float | None, verdict: Verdict
) -> None:
    audio = dsp.to_int16(dsp.encode("47#", RATE_HZ, on_s=[0.1, 0.1, 3.2]))
    with bench.attempt():
        bench.port.push(1.0, audio, 0)
        bench.judge("digits", wire="ear", expected="47#", **({} if longest_s is None else {"longest_s": longest_s}))
    made = only(bench)
    assert (made.verdict, made.figure) == (verdict, 0)
    if verdict is FAIL:
        assert made.reason == 'heard 47#; "#" lasted 3.20 s, at most 1 s'
        assert made.evidence == ("audio/ear_0001.wav@0.4",)


def test_only_digits_of_the_window_count(bench: Bench) -> None:
    with bench.attempt():
        end_s = bench.key("12", 1.0)
        bench.key("4711", end_s + 0.5)
        bench.judge("digits", wire="ear", expected="4711", from_s=end_s, to_s=end_s + 5.0)
        bench.judge("digits", wire="ear", expected="12", from_s=0.0, to_s=end_s)
    assert all(is_pass(made) for made in sealed(bench))


@pytest.mark.parametrize(
    ("heard", "errors", "words"),
    [
        ("47711", 1, '"7" twice, 100 ms apart, at 1.400 s'),
        ("4721", 1, '"2" instead of "1" at 1.400 s'),
        ("471", 1, '"1" missing after'),
        ("411", 1, '"7" missing after 1.100 s (digit 2 of 4)'),
        ("7411", 2, '"7" instead of "4" at 1.000 s (digit 1 of 4), "4" instead of "7" at 1.200 s (digit 2 of 4)'),
        ("47115", 1, '"5" too much at 1.800 s'),
        ("", 4, 'heard no digits: "4711" missing'),
    ],
)
def test_wrong_digits_say_what_was_heard_and_when(bench: Bench, heard: str, errors: int, words: str) -> None:
    with bench.attempt():
        if heard:
            bench.key(heard, 1.0)
        bench.judge("digits", wire="ear", expected="4711")
    made = only(bench)
    assert (made.verdict, made.figure) == (FAIL, errors)
    assert made.reason.startswith("expected 4711, heard ")
    # Onsets are known to some milliseconds; what is compared is the sentence around them.
    assert rounded(words) in rounded(made.reason)


def rounded(text: str) -> str:
    return " ".join(word if not word.replace(".", "").isdigit() else f"{float(word):.2g}" for word in text.split())


def test_a_failure_points_at_the_relay_log(bench: Bench) -> None:
    with bench.attempt():
        bench.record.relay("keys1", 0, True, 0.1, 0.2)
        bench.record.relay("keys1", 1, True, 1.1, 1.2)
        bench.key("4", 1.2)
        bench.judge("digits", wire="ear", expected="5", from_s=1.0, to_s=2.0)
    assert only(bench).evidence == ("audio/ear_0001.wav@0.0", "relays.csv:3")


def test_no_digits_listens_to_every_wire(bench: Bench) -> None:
    with bench.attempt():
        bench.key("18642#", 1.0, channel=1)
        bench.judge("no_digits", wires="*", forbidden="8642")
        bench.judge("no_digits", wires="*", except_=["ivr"], forbidden="8642")
        bench.judge("no_digits", wires=["ivr"], forbidden="8643")
        bench.judge("no_digits", wires="*", forbidden="8642", from_s=5.0)
    assert [made.verdict for made in sealed(bench)] == [FAIL, PASS, PASS, PASS]


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("digits", {"expected": ""}),
        ("no_digits", {"wires": ["trunk"], "forbidden": "1"}),
        ("tone", {"expected": "dial"}),
        ("voice", {}),
    ],
)
def test_a_wire_that_was_not_recorded_proves_nothing(bench: Bench, kind: str, spec: dict[str, object]) -> None:
    with bench.attempt():
        bench.judge(kind, **(spec if "wires" in spec else {**spec, "wire": "trunk"}))
    made = only(bench)
    assert made.verdict is INCONCLUSIVE
    assert "trunk was not recorded" in made.reason


@pytest.mark.req("BENCH-CLK.4")
def test_lost_audio_leaves_it_open(bench: Bench) -> None:
    with bench.attempt():
        bench.key("4711", 1.0)
        bench.record.observe("A", "ear", "xrun", "rack", 1.2, 0.0)
        bench.judge("digits", wire="ear", expected="4711")
        bench.judge("digits", wire="ivr", expected="")
    assert [made.verdict for made in sealed(bench)] == [INCONCLUSIVE, PASS]


@pytest.mark.req("BENCH-CLK.4")
@pytest.mark.parametrize(
    ("lost", "verdict"),
    [
        ({"until_s": 1.1}, INCONCLUSIVE),
        ({"until_s": 0.9}, PASS),
        ({"until_s": None}, INCONCLUSIVE),
        ({"until_s": None, "back at": 0.8}, PASS),
    ],
    ids=["into it", "over before", "never back", "back before"],
)
def test_a_loss_lasts_until_it_is_over(bench: Bench, lost: dict[str, Any], verdict: Verdict) -> None:
    with bench.attempt():
        bench.record.observe("A", "", "xrun", "audio.rack", 0.5, 0.0, until_s=lost["until_s"], back=False)
        if "back at" in lost:
            back_s = float(lost["back at"])
            bench.record.observe("A", "", "xrun", "audio.rack", back_s - 0.1, 0.0, until_s=back_s, back=True)
        bench.key("4711", 1.0)
        bench.judge("digits", wire="ear", expected="4711", from_s=0.95)
    assert [made.verdict for made in sealed(bench)] == [verdict]


def speech(seconds: float) -> np.ndarray:
    """Something like speech: a buzz of many harmonics, filtered and swelling by the syllable."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch_hz = 120 + 20 * np.sin(2 * np.pi * 1.3 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    buzz = sum(np.sin(n * phase) / n for n in range(1, 25))
    return np.asarray(3000 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s)), np.int16)


@pytest.mark.req("LOCK-S24.1")
def test_a_tone_is_named_by_what_is_on_the_wire(bench: Bench) -> None:
    dial = dsp.to_int16(dsp.progress.tone("dial", "US", 2.0, RATE_HZ))
    with bench.attempt():
        bench.port.push(1.0, dial)
        bench.port.push(10.0, speech(2.0))
        for from_s in (0.5, 9.5, 20.0):
            bench.judge("tone", wire="ear", expected="dial", from_s=from_s, to_s=from_s + 3.0)
        bench.judge("tone", wire="ear", expected="reorder", from_s=0.5, to_s=3.5)
    assert [made.verdict for made in sealed(bench)] == [PASS, FAIL, FAIL, FAIL]


def test_voice_is_neither_tone_nor_digits_nor_silence(bench: Bench) -> None:
    dial = dsp.to_int16(dsp.progress.tone("dial", "US", 2.0, RATE_HZ))
    with bench.attempt():
        bench.port.push(1.0, dial)
        bench.port.push(10.0, speech(2.0))
        bench.port.push(20.0, digits_audio("4711"))
        for from_s in (0.5, 9.5, 19.5, 30.0):
            bench.judge("voice", wire="ear", from_s=from_s, to_s=from_s + 3.0)
    assert [made.verdict for made in sealed(bench)] == [FAIL, PASS, FAIL, FAIL]
