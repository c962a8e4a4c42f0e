"""The decision rule, and each kind of judgement made from the folder alone."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_standin import RATE_HZ, Bench, digits_audio, is_pass

from offhook import dsp
from offhook.bench.record import Judgement, RunResult, Verdict, judge, reach, within, worst

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


# ---- the rule ------------------------------------------------------------------------------------------------------


@pytest.mark.req("REP-VER.3")
@pytest.mark.parametrize(
    ("figure", "u", "low", "high", "verdict"),
    [
        (1.9, 0.1, None, 2.0, PASS),
        (1.95, 0.1, None, 2.0, INCONCLUSIVE),
        (2.05, 0.1, None, 2.0, INCONCLUSIVE),
        (2.11, 0.1, None, 2.0, FAIL),
        (0.75, 0.25, 0.5, None, PASS),
        (0.25, 0.1, 0.2, None, INCONCLUSIVE),
        (0.05, 0.1, 0.2, None, FAIL),
        (1.0, 0.5, 0.6, 3.0, INCONCLUSIVE),
        (5.0, 0.5, 0.6, 3.0, FAIL),
        (0.0, 0.0, None, 0.0, PASS),
        (math.nan, 0.0, None, 1.0, INCONCLUSIVE),
    ],
)
def test_pass_needs_figure_and_uncertainty_within_the_limit(
    figure: float, u: float, low: float | None, high: float | None, verdict: Verdict
) -> None:
    assert within(figure, u, low, high) is verdict


def test_without_a_limit_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="at_least or at_most"):
        within(1.0, 0.0, None, None)


@pytest.mark.req("REP-VER.3")
@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3), st.floats(-1e6, 1e6))
def test_a_less_certain_figure_never_passes_where_a_more_certain_one_does_not(
    figure: float, u: float, more: float, limit: float
) -> None:
    if within(figure, u, None, limit) is not PASS:
        assert within(figure, u + more, None, limit) is not PASS


def test_the_worst_counts_and_what_does_not_apply_hides_nothing() -> None:
    assert worst([PASS, FAIL, INCONCLUSIVE]) is FAIL
    assert worst([PASS, Verdict.NOT_RUN]) is Verdict.NOT_RUN
    assert worst([PASS, Verdict.NOT_APPLICABLE]) is PASS
    assert worst([Verdict.NOT_APPLICABLE]) is Verdict.NOT_APPLICABLE


# ---- observations --------------------------------------------------------------------------------------------------


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


@pytest.mark.req("BENCH-CLK.5", "REP-VER.1")
def test_an_interval_has_the_uncertainty_of_both_ends(bench: Bench) -> None:
    with bench.attempt():
        start, stop = bench.see("cti", 1.0, 0.03), bench.see("ring", 2.5, 0.04)
        bench.judge("interval", unit="s", from_=start, to=stop, at_most=2.0)
    made = only(bench)
    assert made.verdict is PASS
    assert made.figure == pytest.approx(1.5)
    assert made.u == pytest.approx(0.05)
    assert (made.limit_high, made.n, made.unit) == (2.0, 1, "s")


def test_an_interval_too_near_its_limit_is_inconclusive(bench: Bench) -> None:
    with bench.attempt():
        start, stop = bench.see("cti", 1.0, 0.03), bench.see("ring", 2.98, 0.04)
        bench.judge("interval", from_=start, to=stop, at_most=2.0)
    assert only(bench).verdict is INCONCLUSIVE


@pytest.mark.parametrize(("until_s", "verdict"), [(100.0, FAIL), (2.0, INCONCLUSIVE)])
def test_an_effect_that_never_came_fails_once_its_limit_has_passed(
    bench: Bench, until_s: float, verdict: Verdict
) -> None:
    with bench.attempt(until_s=until_s):
        start = bench.see("cti", 1.0)
        bench.judge("interval", from_=start, to=None, at_most=2.0)
    assert only(bench).verdict is verdict


def test_an_interval_without_its_cause_is_inconclusive(bench: Bench) -> None:
    with bench.attempt():
        stop = bench.see("ring", 1.0)
        bench.judge("interval", from_=None, to=stop, at_most=2.0)
    assert only(bench).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ({}, 4),
        ({"subject": "desk-1"}, 3),
        ({"not_subject": "desk-1"}, 1),
        ({"active": True}, 2),
        ({"where": {"active": False}}, 2),
        ({"from_s": 2.0, "to_s": 3.0}, 2),
        ({"probe": "C", "wire": "cti"}, 4),
        ({"probe": "R"}, 0),
    ],
)
def test_a_count_takes_what_matches(bench: Bench, spec: dict[str, object], count: int) -> None:
    with bench.attempt():
        for time_s, subject, active in ((1, "desk-1", True), (2, "desk-1", False), (3, "desk-2", True)):
            bench.see("ring", time_s, subject=subject, active=active)
        bench.see("ring", 4.0, active=False)
        bench.see("hook", 1.0, active=True)
        bench.judge("count", observed="ring", at_least=count, at_most=count, **spec)
    made = only(bench)
    assert (made.verdict, made.figure) == (PASS, count)


def test_a_count_without_times_means_the_attempt(bench: Bench) -> None:
    bench.clock.time_s = 10.0
    bench.see("ring", 9.0)
    with bench.attempt(until_s=20.0):
        bench.see("ring", 15.0)
        bench.judge("count", observed="ring", at_most=1, at_least=1)
    bench.see("ring", 21.0)
    assert is_pass(only(bench))


def test_what_comes_after_the_judgement_still_counts(bench: Bench) -> None:
    with bench.attempt():
        first = bench.judge("count", observed="seizure", at_most=0)
        bench.see("seizure", 50.0)
    assert is_pass(first)
    assert only(bench).verdict is FAIL


def test_a_search_for_the_wrong_thing_does_not_pass(bench: Bench) -> None:
    """A misspelt field matches nothing; "nothing was seen" must not be the verdict."""
    with bench.attempt():
        bench.see("cti", 1.0, name="MakeCall")
        bench.judge("count", observed="cti", nmae="MakeCall", at_most=0)
    assert only(bench).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("kind", "spec"), [("interval", {"form": 1}), ("digits", {"wire": "ear", "expect": "1"}), ("wish", {})]
)
def test_a_slip_in_a_judgement_is_an_error_at_once(bench: Bench, kind: str, spec: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"has no|unknown kind"):
        bench.judge(kind, **spec)
    bench.record.close()


def test_equal_compares_what_was_observed(bench: Bench) -> None:
    with bench.attempt():
        seen = bench.see("cti", 1.0, called="0033390677069*1234567#")
        bench.judge("equal", observation=seen, key="called", expected="0033390677069*1234567#")
        bench.judge("equal", observation=seen, key="called", expected="0033390677069")
        bench.judge("equal", observation=seen, key="caller", expected="")
        bench.judge("equal", observation=None, key="called", expected="")
    assert [made.verdict for made in sealed(bench)] == [PASS, FAIL, INCONCLUSIVE, INCONCLUSIVE]


def test_a_figure_and_a_note(bench: Bench) -> None:
    with bench.attempt():
        bench.judge("figure", unit="dB", value=3.9, u=0.2, at_most=4.0)
        bench.judge("note", verdict="NOT_APPLICABLE", reason="no lock here")
        bench.judge("note", verdict="PASS", reason="trust me")
    assert [made.verdict for made in sealed(bench)] == [INCONCLUSIVE, Verdict.NOT_APPLICABLE, INCONCLUSIVE]


@pytest.mark.req("ASSOC-SEC.1")
@pytest.mark.parametrize(
    "leak",
    [
        lambda bench: bench.see("inbox", 1.0, text="your code is 8642"),
        lambda bench: bench.see("cti", 1.0, called="*668642#"),
        lambda bench: bench.see("cti", 1.0, nested={"list": [8642]}),
        lambda bench: bench.see("hook", 1.0, subject="8642"),
        lambda bench: bench.record.cti(">", 1.0, b"<digits>8642</digits>", "GenerateDigits"),
    ],
)
def test_a_search_finds_the_text_wherever_it_was_observed(bench: Bench, leak: object) -> None:
    with bench.attempt():
        bench.see("level", 8.642, dbm0=-8.642, at_s=8642.5)
        before = bench.judge("search", forbidden="8642")
        leak(bench)  # type: ignore[operator]
        after = bench.judge("search", forbidden=["0000", "8642"])
    assert is_pass(before)
    assert after.verdict is FAIL
    assert {made.verdict for made in sealed(bench)} == {FAIL}


def test_a_search_may_be_told_what_holds_the_text_by_chance(bench: Bench) -> None:
    with bench.attempt():
        bench.see("cti", 1.0, called="0033390677069*1864277#")
        found = bench.judge("search", forbidden="8642")
        by_chance = bench.judge("search", forbidden="8642", apart_from=["1864277"])
        bench.see("cti", 2.0, called="*668642#")
        leaked = bench.judge("search", forbidden="8642", apart_from=["1864277"])
    assert [found.verdict, by_chance.verdict, leaked.verdict] == [FAIL, PASS, FAIL]


# ---- audio ---------------------------------------------------------------------------------------------------------


def test_a_search_reads_what_json_escapes(bench: Bench) -> None:
    """Rows are sifted by their raw JSON first; no way to spell a text hides it."""
    with bench.attempt():
        number = bench.see("cti", 1.0, called="nothing")
        bench.record.cti(">", 1.0, "\x01é 86/42".encode(), "MakeCall")
        for forbidden in ("8642", "é 86", "86/42"):
            bench.judge("search", forbidden=forbidden)
    bench.record.seal()
    assert [made.verdict for made in judge(bench.record.folder)] == [PASS, FAIL, FAIL]
    db = sqlite3.connect(bench.record.folder / "run.sqlite")
    db.execute("UPDATE observation SET data = ? WHERE id = ?", (r'{"called": "\u0038\u0036\u0034\u0032"}', number))
    db.commit()
    db.close()
    (bench.record.folder / "manifest.json").unlink()
    assert next(iter(judge(bench.record.folder))).verdict is FAIL


@pytest.mark.req("ASSOC-S27.1")
def test_digits_are_read_from_the_wav(bench: Bench) -> None:
    with bench.attempt():
        bench.key("4711#", 1.0)
        bench.judge("digits", wire="ear", expected="4711#")
    made = only(bench)
    assert (made.verdict, made.figure, made.n) == (PASS, 0, 5)
    assert made.evidence == ("audio/ear_0001.wav@0.0",)


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


# ---- the folder as evidence ----------------------------------------------------------------------------------------


def recorded(bench: Bench) -> Path:
    """A run of one attempt with digits on both wires, everything PASS, sealed."""
    with bench.attempt():
        bench.key("4711", 1.0)
        bench.key("99", 5.0, channel=1)
        ring = bench.see("ring", 1.0)
        bench.judge("digits", wire="ear", expected="4711")
        bench.judge("no_digits", wires="*", forbidden="0000")
        bench.judge("interval", from_=ring, to=bench.see("ring", 2.0), at_most=3.0)
    assert bench.record.seal() == 0
    return bench.record.folder


@pytest.mark.req("REP-VER.2")
def test_an_untouched_run_is_verified_at_the_level_of_its_wires(bench: Bench) -> None:
    result = judge(recorded(bench))
    assert (result.level, result.exit_code, result.damages) == ("SIM-VERIFIED", 0, ())


@pytest.mark.req("REP-EV.1")
def test_a_wav_that_was_touched_proves_nothing_any_more(bench: Bench) -> None:
    """One sample changed, the digits still decode: INCONCLUSIVE, and the file is named; the others stand."""
    folder = recorded(bench)
    path = folder / "audio" / "ear_0001.wav"
    content = bytearray(path.read_bytes())
    content[3000] ^= 1
    path.write_bytes(content)

    result = judge(folder)

    verdicts = {made.kind: made.verdict for made in result}
    assert verdicts == {"digits": INCONCLUSIVE, "no_digits": INCONCLUSIVE, "interval": PASS}
    assert all("audio/ear_0001.wav" in made.reason for made in result if made.verdict is INCONCLUSIVE)
    assert (result.level, result.exit_code) == ("NOT VERIFIED", 3)


@pytest.mark.req("REP-EV.1")
def test_a_wav_whose_digits_changed_fails(bench: Bench) -> None:
    folder = recorded(bench)
    path = folder / "audio" / "ear_0001.wav"
    content = path.read_bytes()
    other = digits_audio("4712").astype("<i2").tobytes()
    path.write_bytes(content[:44] + other[: len(content) - 44].ljust(len(content) - 44, b"\0"))

    result = judge(folder)

    digits = next(made for made in result if made.kind == "digits")
    assert digits.verdict is FAIL
    assert "heard 4712" in digits.reason
    assert result.exit_code == 1


@pytest.mark.parametrize("spoil", ["remove", "empty", "header", "manifest"])
def test_a_wav_that_is_gone_or_spoilt_leaves_it_open(bench: Bench, spoil: str) -> None:
    folder = recorded(bench)
    path = folder / "audio" / "ear_0001.wav"
    if spoil == "remove":
        path.unlink()
    elif spoil == "manifest":
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace("audio/ear_0001.wav", "audio/other.wav"))
    else:
        path.write_bytes(b"" if spoil == "empty" else b"JUNK" + path.read_bytes()[4:])

    made = next(made for made in judge(folder) if made.kind == "digits")

    assert made.verdict is INCONCLUSIVE
    assert "ear_0001.wav" in made.reason


def test_a_database_that_was_touched_makes_everything_inconclusive(bench: Bench) -> None:
    folder = recorded(bench)
    with (folder / "run.sqlite").open("ab") as file:
        file.write(b"\0" * 4096)
    result = judge(folder)
    assert {made.verdict for made in result} == {INCONCLUSIVE}
    assert result.level == "NOT VERIFIED"


def test_verdicts_are_not_taken_from_the_database(bench: Bench) -> None:
    """What the run wrote down as its verdict is of no account: the evidence is."""
    with bench.attempt():
        bench.judge("count", observed="ring", at_least=1)
    bench.record._db.execute("UPDATE judgement SET verdict = 'PASS'")
    assert bench.record.seal() == 1
    assert [made.verdict for made in judge(bench.record.folder)] == [FAIL]


@pytest.mark.req("REP-VER.2")
@pytest.mark.parametrize(
    ("meta", "level"),
    [
        ({"grade": "SIMULATED", "calibration": {"valid_until_utc": "2999-01-01"}}, "SIM-VERIFIED"),
        ({"grade": "LOOPBACK"}, "LOOPBACK-VERIFIED"),
        ({"grade": "HARDWARE"}, "NOT VERIFIED"),
        ({"grade": "HARDWARE", "calibration": None}, "NOT VERIFIED"),
        ({"grade": "HARDWARE", "calibration": {"valid_until_utc": "2026-01-01"}}, "NOT VERIFIED"),
        ({"grade": "HARDWARE", "calibration": {"valid_until_utc": "2027-01-01"}}, "HW-CERTIFIED"),
        ({}, "NOT VERIFIED"),
    ],
)
def test_only_calibrated_hardware_is_certified(meta: dict[str, object], level: str) -> None:
    assert reach({"started_utc": "2026-11-21T10:00:00+00:00", **meta}) == level


@pytest.mark.req("REP-VER.1")
@pytest.mark.parametrize(
    ("raised", "required", "code"),
    [
        (Verdict.PASS, True, 0),
        (Verdict.FAIL, True, 1),
        (INCONCLUSIVE, True, 3),
        (Verdict.NOT_RUN, True, 3),
        (Verdict.NOT_RUN, False, 0),
    ],
)
def test_the_exit_code_is_that_of_the_worst_attempt(bench: Bench, raised: Verdict, required: bool, code: int) -> None:
    with bench.attempt("good"):
        bench.see("ring", 1.0)
    bench.record.begin("other", "other", "x")
    bench.record.finish(raised, "why", required=required)
    assert bench.record.seal() == code
    assert judge(bench.record.folder).exit_code == code


def test_a_failed_judgement_fails_an_attempt_whose_test_passed(bench: Bench) -> None:
    with bench.attempt():
        bench.judge("count", observed="ring", at_least=1)
    [one] = sealed(bench).attempts
    assert (one.attempt.raised, one.outcome) == (PASS, FAIL)
