"""Judgements over observations and logs: interval, count, equal, search, figure and note."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_standin import Bench, is_pass

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


FRAME = b"\x00\x00\x00\x33"


@pytest.mark.parametrize(
    "chance",
    [
        lambda bench: bench.record.cti(">", 1.0, FRAME + b"8642<?xml?><Delivered/>", "Delivered"),
        lambda bench: bench.record.cti(">", 1.0, b"\x00\x00\x00" + b"86421<a/>", "Delivered"),
        lambda bench: bench.record.cti(
            ">", 1.0, b"<callID>8642</callID><monitorCrossRefID>8642</monitorCrossRefID>", ""
        ),
        lambda bench: bench.record.cti(
            "<", 1.0, b"Event: Hangup\r\nUniqueid: 8642.1\r\nLinkedid: 8642.1\r\n", "Hangup"
        ),
        lambda bench: bench.record.cti(
            "<", 1.0, b"Event: BridgeEnter\r\nBridgeUniqueid: d4dbbdb9-5ce5-4564-8642-b4c4b157ff1e\r\n", "BridgeEnter"
        ),
        lambda bench: bench.see("cti", 1.0, f_bridge="a8642db9-5ce5-4564-9bb6-b4c4b15f8642"),
        lambda bench: bench.record.cti("<", 1.0, b"Event: Newstate\r\nConnectedLineNum: 0186425\r\n", "Newstate"),
        lambda bench: bench.see("cti", 1.0, f_call_id="8642", f_monitor_id="8642"),
        lambda bench: bench.see("cloud-step", 1.0, d_call_id="8642", d_monitor_id="8642", d_answered_at_s=8642.5),
        lambda bench: bench.see("cti", 1.0, called="0033390864277"),
    ],
)
def test_numbers_that_are_like_the_code_by_chance_are_no_leak(bench: Bench, chance: object) -> None:
    """An invoke id, a call's own number, four digits of a telephone number: not the vendor's fault."""
    with bench.attempt():
        chance(bench)  # type: ignore[operator]
        found = bench.judge("search", forbidden="8642")
        bench.record.cti(">", 2.0, FRAME + b"0001<digits>8642</digits>", "GenerateDigits")
        leaked = bench.judge("search", forbidden="8642")
    assert [found.verdict, leaked.verdict] == [PASS, FAIL]


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


def read(bench: Bench, *values: float, unit: str = "V", u: float = 0.1) -> list[int]:
    return [
        bench.see("reading", 1.0 + at, quantity="battery", value=value, unit=unit, range=100.0, u=u)
        for at, value in enumerate(values)
    ]


@pytest.mark.req("DRV-VISA.1", "DRV-VISA.2")
def test_readings_are_judged_by_their_mean_and_by_both_uncertainties(bench: Bench) -> None:
    with bench.attempt():
        bench.judge("reading", unit="V", of=read(bench, -48.0, -48.2, -47.8), size=True, at_least=20.0, at_most=60.0)
        bench.judge("reading", unit="V", of=read(bench, -48.0, -48.2), at_least=20.0)
        bench.judge("reading", unit="V", of=read(bench, 59.95), at_most=60.0)
        bench.judge("reading", unit="V", of=read(bench, 50.0, 61.0), at_most=60.0)
    by_size, signed, at_the_limit, scattered = sealed(bench)
    assert (by_size.verdict, by_size.figure, by_size.n) == (PASS, pytest.approx(48.0), 3)
    assert by_size.u == pytest.approx((0.1**2 + (4.31 * 0.2 / 3**0.5) ** 2) ** 0.5)
    assert "on its range of 100" in by_size.reason
    assert [signed.verdict, at_the_limit.verdict, scattered.verdict] == [FAIL, INCONCLUSIVE, INCONCLUSIVE]


def test_no_reading_and_a_reading_of_something_else_prove_nothing(bench: Bench) -> None:
    with bench.attempt():
        bench.judge("reading", unit="V", of=[], at_least=20.0)
        bench.judge("reading", unit="V", of=[*read(bench, 48.0), 999], at_least=20.0)
        bench.judge("reading", unit="V", of=read(bench, 48.0, unit="mA"), at_least=20.0)
        bench.judge("reading", unit="V", of=[bench.see("hook", 1.0, value=48.0, unit="V", u=0.1)], at_least=20.0)
    assert {made.verdict for made in sealed(bench)} == {INCONCLUSIVE}


def test_a_reading_that_was_altered_speaks_neither_for_nor_against(bench: Bench) -> None:
    with bench.attempt():
        (number,) = read(bench, 48.0)
        bench.judge("reading", unit="V", of=[number], at_most=60.0)
    assert only(bench).verdict is PASS
    db = sqlite3.connect(bench.record.folder / "run.sqlite")
    db.execute("UPDATE observation SET data = replace(data, '48.0', '88.0') WHERE id = ?", (number,))
    db.commit()
    db.close()
    made = next(iter(judge(bench.record.folder)))
    assert made.verdict is INCONCLUSIVE
    assert "88 +- 0.1 V, limit at most 60 V" in made.reason
