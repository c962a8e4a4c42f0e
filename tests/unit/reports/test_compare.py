"""Two runs side by side: what is a regression, what is chance, and what is said about runs that are not alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from unit.reports.synthetic_run import META, Script

from offhook.bench.cli import execute
from offhook.bench.record import Verdict
from offhook.bench.record.schema import CUT_SHORT
from offhook.drivers.errors import ConfigError
from offhook.reports.compare import Comparison, Tally, as_json, changes, compare, more_failures
from offhook.reports.compare_text import lines, page
from offhook.reports.differs import differences, unlike
from offhook.reports.shift import Samples, shifts


def run(
    folder: Path, outcomes: dict[str, str], times: list[float] | None = None, u: float = 0.01, **meta: object
) -> Path:
    """A run: outcomes by case (P passed, F failed; a letter for each repetition), and times to the first ring."""
    script = Script(folder, planned={"assoc": 1}, **meta)
    for name, letters in outcomes.items():
        for number, letter in enumerate(letters, 1):
            repetition = f"[#{number}-desk-1]" if len(letters) > 1 else "[desk-1]"
            script.begin(f"{name}{repetition}", f"{name} of a phone {repetition}", "assoc", "ASSOC-S10.1")
            script.clock.time_s += 1.0
            verdict = {"P": Verdict.PASS, "F": Verdict.FAIL, "I": Verdict.INCONCLUSIVE, "N": Verdict.NOT_RUN}[letter]
            script.end(verdict, "" if letter == "P" else f"Boom: {name} {letter}", required=letter != "N")
    if times:
        script.begin("test_ring", "ring", "assoc", "ASSOC-S15.1")
        for value in times:
            script.record.judge("ASSOC-S15.1", "S6 to first ring", "figure", unit="s", value=value, u=u, at_most=2.0)
        script.end()
    script.record.seal()
    return script.folder


def compared(tmp_path: Path, a: dict[str, str], b: dict[str, str], **meta: object) -> Comparison:
    return compare(run(tmp_path / "a", a), run(tmp_path / "b", b, **meta))


def kinds(found: Comparison) -> dict[str, str]:
    return {change.name.partition("::")[2].partition("[")[0]: change.kind for change in found.cases}


def test_a_run_compared_with_itself_says_nothing(tmp_path: Path) -> None:
    folder = run(tmp_path, {"test_a": "P", "test_b": "F"}, [0.1, 0.2, 0.3, 0.4, 0.5])
    found = compare(folder, folder)
    assert (found.cases, found.requirements, found.differences, found.unlike) == ((), (), (), ())
    assert not any(one.moved for one in found.shifts)
    assert found.regressions == 0


@pytest.mark.req("REP-CMP.1")
def test_each_change_of_a_case_has_its_name_and_only_what_got_worse_is_a_regression(tmp_path: Path) -> None:
    before = {"test_broke": "P", "test_open": "P", "test_mended": "F", "test_gone": "P", "test_skipped": "P"}
    after = {"test_broke": "F", "test_open": "I", "test_mended": "P", "test_skipped": "N", "test_new": "P"}
    found = compared(tmp_path, {**before, "test_same": "F"}, {**after, "test_same": "F"})
    assert kinds(found) == {
        "test_broke": "newly failing",
        "test_open": "newly inconclusive",
        "test_mended": "newly passing",
        "test_gone": "disappeared",
        "test_skipped": "no longer run",
        "test_new": "appeared",
    }
    assert found.regressions == 2
    assert [change.name.partition("::")[2] for change in found.cases][:2] == ["test_broke[desk-1]", "test_open[desk-1]"]
    assert any("test_broke[desk-1]  PASS -> FAIL: Boom: test_broke F" in line for line in lines(found))


@pytest.mark.req("REP-CMP.1")
def test_failing_more_often_needs_more_than_chance(tmp_path: Path) -> None:
    """Fisher, by hand: 1 of 20 against 8 of 20 has p = 0.0098; 1 of 20 against 3 of 20 has p = 0.30."""
    by_chance = compared(tmp_path / "x", {"test_a": "F" + 19 * "P"}, {"test_a": 3 * "F" + 17 * "P"})
    assert kinds(by_chance) == {}
    assert by_chance.regressions == 0
    surely = compared(tmp_path / "y", {"test_a": "F" + 19 * "P"}, {"test_a": 8 * "F" + 12 * "P"})
    assert kinds(surely) == {"test_a": "fails more often"}
    assert surely.cases[0].p == pytest.approx(0.0098, abs=5e-4)
    assert surely.cases[0].before == Tally(Verdict.FAIL, 19, 20, "Boom: test_a F")


def test_fisher_agrees_with_scipy() -> None:
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(5)
    for _ in range(30):
        n, m = (int(value) for value in rng.integers(2, 40, 2))
        a, b = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
        ours = more_failures(Tally(Verdict.FAIL, n - a, n, ""), Tally(Verdict.FAIL, m - b, m, ""))
        assert ours == pytest.approx(fisher_exact([[b, m - b], [a, n - a]], alternative="greater").pvalue)


def test_one_attempt_is_no_rate() -> None:
    assert more_failures(Tally(Verdict.PASS, 1, 1, ""), Tally(Verdict.FAIL, 0, 1, "")) is None
    assert [one.kind for one in changes({"x": ("x", Tally(Verdict.INCONCLUSIVE, 0, 1, ""))},
                                        {"x": ("x", Tally(Verdict.FAIL, 0, 1, ""))})] == ["newly failing"]  # fmt: skip


def ring(figures: list[float], u: float = 0.01, low: float | None = None, high: float | None = 2.0) -> dict:  # type: ignore[type-arg]
    return {("ASSOC-S15.1", "S6 to first ring", "s"): Samples(tuple(figures), u, low, high)}


@pytest.mark.req("REP-CMP.1")
def test_a_figure_moves_only_beyond_joint_uncertainty_and_chance() -> None:
    base = [0.50, 0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57]
    slower = [value + 0.1 for value in base]
    (moved,) = shifts(ring(base), ring(slower))
    assert moved.moved
    assert moved.worse
    assert moved.by == pytest.approx(0.1)
    assert not shifts(ring(base, u=0.1), ring(slower, u=0.1))[0].moved  # joint uncertainty 0.14 s
    wide = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]
    assert not shifts(ring(wide), ring([value + 0.1 for value in wide]))[0].moved  # chance
    (faster,) = shifts(ring(slower), ring(base))
    assert faster.moved
    assert not faster.worse


def test_too_few_samples_are_shown_and_not_counted(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"test_a": "P"}, [0.5, 0.5])
    b = run(tmp_path / "b", {"test_a": "P"}, [0.9, 0.9])
    found = compare(a, b)
    assert [(one.moved, one.tested, one.worse) for one in found.shifts] == [(True, False, True)]
    assert found.regressions == 0
    assert any("too few for a test" in line for line in lines(found))


def test_a_slower_figure_within_its_limit_is_a_regression(tmp_path: Path) -> None:
    times = [0.5 + 0.01 * number for number in range(10)]
    found = compare(
        run(tmp_path / "a", {"test_a": "P"}, times), run(tmp_path / "b", {"test_a": "P"}, [0.3 + one for one in times])
    )
    assert found.regressions == 1
    assert found.cases == ()
    assert any(line.startswith("figures worse (1)") for line in lines(found))


def test_many_figures_are_not_many_chances() -> None:
    """Holm: of a hundred figures with nothing behind them, hardly a run shows one."""
    rng = np.random.default_rng(11)
    before, after = (
        {("R", str(number), "s"): Samples(tuple(rng.normal(1.0, 0.1, 12)), 0.001, None, 2.0) for number in range(100)}
        for _ in range(2)
    )
    assert sum(one.moved for one in shifts(before, after)) == 0
    assert sum((one.p or 1.0) < 0.05 for one in shifts(before, after)) > 0  # without the correction some would


def test_a_limit_from_below_is_got_worse_at_by_falling() -> None:
    high = [3.0, 3.1, 3.2, 3.3, 3.4, 3.5]
    low = [value - 2.0 for value in high]
    assert shifts(ring(high, low=1.0, high=None), ring(low, low=1.0, high=None))[0].worse is True
    assert shifts(ring(high, low=1.0, high=9.0), ring(low, low=1.0, high=9.0))[0].worse is None


def test_what_differs_about_the_runs_is_listed_firmware_first(tmp_path: Path) -> None:
    dut = {**META["dut"], "firmware": "2"}  # type: ignore[dict-item]
    changed = {"dut": dut, "seed": 7, "limits": {"first_ring_s": 3.0}, "versions": {"offhook": "0.2.0"}}
    found = compared(tmp_path, {"test_a": "P"}, {"test_a": "P"}, **changed)
    assert [(one.what, one.before, one.after) for one in found.differences] == [
        ("dut.firmware", "1", "2"),
        ("limits.first_ring_s", "–", "3.0"),
        ("seed", "1", "7"),
        ("versions.offhook", "0.1.0", "0.2.0"),
    ]


def test_runs_that_are_not_alike_say_so(tmp_path: Path) -> None:
    other = {"station": "lab 3", "grade": "HARDWARE", "only": "lock", "faults": ["cut:cti"]}
    said = " ".join(compared(tmp_path, {"test_a": "P"}, {"test_a": "P"}, **other).unlike)
    for expected in ("stations: simulated against lab 3", "selections of tests", "levels in reach", "faults were set"):
        assert expected in said, said
    assert "did not come to its end (killed)" in " ".join(unlike({"ended": "completed"}, {}))
    assert "different suites: lock against unknown" in " ".join(unlike({"planned": {"lock": 3}}, {}))


def test_a_station_file_is_compared_key_by_key() -> None:
    (found,) = differences({"station_toml": "[pbx]\nlink = 'a'\n"}, {"station_toml": "[pbx]\nlink = 'b'\n"})
    assert (found.what, found.before, found.after) == ("station file: pbx.link", "a", "b")


def test_page_and_json_have_everything_and_no_markup_of_a_run(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"test_a": "P"})
    b = run(tmp_path / "b", {"test_a": "F"}, dut={"vendor": "<script>alert(1)</script>"})
    found = compare(a, b)
    html = page(found)
    assert "1 regression." in html
    assert "<script" not in html
    assert "newly failing" in html
    data = json.loads(as_json(found))
    assert data["regressions"] == 1
    assert data["cases"][0]["kind"] == "newly failing"
    assert data["after"]["dut"] == "<script>alert(1)</script>"


def test_the_exit_code_says_whether_there_is_a_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = (str(run(tmp_path / name, {"test_a": letter})) for name, letter in (("a", "P"), ("b", "F")))
    assert execute(["compare", good, good]) == 0
    assert "No regressions." in capsys.readouterr().out
    files = [str(tmp_path / "page.html"), str(tmp_path / "data.json")]
    assert execute(["compare", good, bad, "--html", files[0], "--json", files[1]]) == 1
    assert "1 regression." in capsys.readouterr().out
    assert all(Path(file).stat().st_size > 1000 for file in files)
    assert execute(["compare", bad, good]) == 0
    assert execute(["compare", good, str(tmp_path)]) == 2
    assert execute(["compare", good, str(tmp_path / "none")]) == 2
    assert execute(["compare", good, good, "--html", str(tmp_path / "no" / "page.html")]) == 2


@pytest.mark.req("REP-CMP.1")
@pytest.mark.parametrize(("before", "after"), [({"test_a": "P"}, {"test_b": "P"}), ({"test_a": "P"}, {"test_a": "N"})])
def test_runs_without_a_case_in_common_were_not_compared(
    tmp_path: Path, before: dict[str, str], after: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = run(tmp_path / "a", before), run(tmp_path / "b", after)
    assert execute(["compare", str(a), str(b), "--html", str(tmp_path / "page.html")]) == 3
    said = capsys.readouterr().out
    assert "Nothing was compared: no case came to a verdict in both runs." in said
    assert "No regressions" not in said + (tmp_path / "page.html").read_text("utf-8")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    good = run(tmp_path / "a", {"test_a": "P"})
    with pytest.raises(ConfigError, match=r"run\.sqlite"):
        compare(good, tmp_path)


def test_what_was_cut_short_and_made_anew_is_compared_by_what_was_made_to_the_end(tmp_path: Path) -> None:
    script = Script(tmp_path / "b", planned={"assoc": 1})
    for verdict, message in ((Verdict.NOT_RUN, f"{CUT_SHORT}interrupted"), (Verdict.PASS, "")):
        script.begin("test_a[desk-1]", "test_a of a phone [desk-1]", "assoc", "ASSOC-S10.1")
        script.clock.time_s += 1.0
        script.end(verdict, message, required=not message)
    script.record.seal()

    found = compare(run(tmp_path / "a", {"test_a": "P"}), script.folder)

    assert found.cases == ()
    assert [tally.n for _, tally in found.after.cases.values()] == [1]


def test_a_run_that_is_being_recorded_is_said_to_be(tmp_path: Path) -> None:
    script = Script(tmp_path / "b", planned={"assoc": 1})
    found = compare(run(tmp_path / "a", {"test_a": "P"}), script.folder)
    script.record.seal()
    assert "the second run did not come to its end (it is being recorded now)" in found.unlike


def test_altered_evidence_is_said_beside_what_it_changed(tmp_path: Path) -> None:
    a, b = (run(tmp_path / name, {"test_a": "P"}) for name in "ab")
    (b / "relays.csv").write_text("x")
    [said] = compare(a, b).unlike
    assert said == "the second run was altered after it was sealed: relays.csv is not what was sealed (SHA-256 differs)"
