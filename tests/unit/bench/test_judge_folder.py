"""Verdicts from the folder alone: what was touched, spoilt or lost, what a run may claim, and its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from record_standin import Bench, digits_audio

from offhook.bench.console import Console, rate_lines
from offhook.bench.rates import note_trial
from offhook.bench.record import Judgement, RunResult, Verdict, judge, reach
from offhook.bench.record.schema import CUT_SHORT

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
def test_a_wav_whose_digits_changed_is_no_failure_of_the_telephone(bench: Bench) -> None:
    folder = recorded(bench)
    path = folder / "audio" / "ear_0001.wav"
    content = path.read_bytes()
    other = digits_audio("4712").astype("<i2").tobytes()
    path.write_bytes(content[:44] + other[: len(content) - 44].ljust(len(content) - 44, b"\0"))

    result = judge(folder)

    digits = next(made for made in result if made.kind == "digits")
    assert (digits.verdict, digits.figure) == (INCONCLUSIVE, None)
    assert digits.reason.startswith("audio/ear_0001.wav is not what was sealed")
    assert "heard 4712" in digits.reason
    assert [one.outcome for one in result.attempts] == [INCONCLUSIVE]
    assert (result.level, result.exit_code) == ("NOT VERIFIED", 3)


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
    bench.record._store.execute("UPDATE judgement SET verdict = 'PASS'")
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


@pytest.mark.req("REP-VER.2")
def test_no_level_is_earned_where_nothing_was_tested(bench: Bench) -> None:
    """All that the run itself says is PASS, but no attempt came to a verdict."""
    with bench.attempt("first"):
        bench.judge("note", verdict="NOT_APPLICABLE", reason="no loop here")
    bench.record.begin("other", "other", "x")
    bench.record.finish(Verdict.NOT_RUN, "no phone", required=False)
    bench.judge("figure", value=0.1, at_most=2.0, u=0.01)

    assert bench.record.seal() == 3
    result = judge(bench.record.folder)
    assert [one.verdict for one in result if one.attempt is None] == [PASS]
    assert (result.level, result.exit_code, result.tested) == ("NOT VERIFIED", 3, False)


@pytest.mark.req("REP-EV.1")
@pytest.mark.parametrize("name", ["relays.csv", "cti.log"])
def test_a_run_whose_log_was_altered_does_not_exit_with_0(bench: Bench, name: str) -> None:
    folder = recorded(bench)
    with (folder / name).open("a") as file:
        file.write("\n")

    result = judge(folder)

    assert (result.level, result.exit_code) == ("NOT VERIFIED", 3)
    assert result.doubts == (f"{name} is not what was sealed (SHA-256 differs)",)


@pytest.mark.req("REP-EV.1")
def test_a_run_without_its_manifest_does_not_exit_with_0_and_says_why(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = recorded(bench)
    (folder / "manifest.json").unlink()

    result = judge(folder)
    with closing(Console()) as console:
        console.summary(result, [])

    assert (result.level, result.exit_code) == ("NOT VERIFIED", 3)
    assert "manifest.json is missing" in capfd.readouterr().err


def test_a_run_that_was_killed_does_not_exit_with_0(bench: Bench) -> None:
    with bench.attempt():
        bench.see("ring", 1.0)
    bench.record.close()

    result = judge(bench.record.folder)

    assert (result.verdict, result.exit_code) == (PASS, 3)
    assert "never sealed" in result.doubts[0]


def test_a_run_keeps_its_own_worse_code_when_it_was_altered(bench: Bench) -> None:
    bench.record.begin("bad", "bad", "x")
    bench.record.finish(FAIL, "why")
    bench.record.seal()
    (bench.record.folder / "manifest.json").unlink()
    assert judge(bench.record.folder).exit_code == 1


def test_what_was_cut_short_and_made_anew_is_counted_once(bench: Bench) -> None:
    bench.record.begin("one", "one", "x")
    bench.record.finish(Verdict.NOT_RUN, f"{CUT_SHORT}interrupted", required=False)
    bench.record.begin("two", "two", "x")
    bench.record.finish(Verdict.NOT_RUN, f"{CUT_SHORT}interrupted", required=False)
    with bench.attempt("one"):
        bench.see("ring", 1.0)
    assert sealed(bench).counts == {PASS: 1, Verdict.NOT_RUN: 1}


@pytest.mark.parametrize(("repeat", "words"), [(1, "a claim needs --repeat N"), (5, "not claimed, as --no-rates")])
def test_a_rate_that_is_only_shown_says_truly_why(bench: Bench, repeat: int, words: str) -> None:
    bench.record.note_meta(plan={"repeat": repeat, "rates": False})
    with bench.attempt():
        note_trial(bench.record, ["ASSOC-RATE.1"], "desk-1", "ip")
    bench.judge("rate", of="ASSOC-RATE.1", at_least=0.99, claimed=False)

    [(_, text, _)] = rate_lines(sealed(bench))

    assert text.startswith("1 of 1 associations succeeded; ")
    assert words in text
