"""The ladder, its time axis and the waveform."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.reports.synthetic_run import Script

from offhook.bench.record import Clip
from offhook.reports import folder
from offhook.reports.explain import explain, explain_raised
from offhook.reports.ladder import draw_call, spread
from offhook.reports.sound import between, where, wires_between
from offhook.reports.strips import strips
from offhook.reports.svg import num, tag
from offhook.reports.timeaxis import IDLE_S, fit
from offhook.reports.timing import Series, draw, series, shared_title
from offhook.reports.wave import envelope, groups

span = st.tuples(st.floats(0, 2000), st.floats(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
spans = st.lists(span, min_size=1, max_size=12)


@given(wanted=st.lists(st.floats(0, 1000), max_size=40).map(sorted))
def test_chips_keep_their_order_and_their_distance(wanted: list[float]) -> None:
    places = spread(wanted, 25.0, 100.0, 1100.0)
    assert len(places) == len(wanted)
    assert all(100.0 - 1e-6 <= place <= 1100.0 + 1e-6 for place in places)
    least = min(25.0, 1000.0 / max(1, len(wanted) - 1))
    assert all(right - left >= least - 1e-6 for left, right in itertools.pairwise(places))


def test_chips_that_have_room_stand_over_their_time() -> None:
    assert spread([200.0, 300.0, 500.0], 25.0, 100.0, 1100.0) == [200.0, 300.0, 500.0]
    assert spread([300.0, 300.0], 30.0, 100.0, 1100.0) == [285.0, 315.0]


@given(busy=spans)
def test_time_runs_forward_within_the_picture(busy: list[tuple[float, float]]) -> None:
    axis = fit(busy, 100.0, 1000.0)
    times = sorted(time for span in busy for time in span)
    xs = [axis.x(time) for time in times]
    assert all(100.0 <= x <= 1000.0 + 1e-6 for x in xs)
    assert all(later >= earlier for earlier, later in itertools.pairwise(xs))


@given(busy=spans)
def test_busy_time_is_to_scale(busy: list[tuple[float, float]]) -> None:
    axis = fit(busy, 100.0, 5000.0)
    for start_s, end_s in busy:
        assert axis.x(end_s) - axis.x(start_s) == pytest.approx((end_s - start_s) * axis.px_per_s, abs=1e-6)


def test_a_long_wait_is_broken_out_and_named() -> None:
    axis = fit([(0.0, 2.0), (600.0, 603.0)], 0.0, 1000.0)
    assert [left_out_s for _, left_out_s in axis.breaks()] == pytest.approx([598.0 - 2 * 0.35])
    assert axis.px_per_s > 100
    assert not fit([(0.0, 2.0), (2.0 + IDLE_S, 9.0)], 0.0, 1000.0).breaks()


def test_ticks_are_round_and_apart() -> None:
    ticks = fit([(41.0, 59.0)], 100.0, 1070.0).ticks()
    assert [time_s for time_s, _ in ticks] == [42, 44, 46, 48, 50, 52, 54, 56, 58]
    assert min(np.diff([x for _, x in ticks])) > 56


def test_the_waveform_reaches_from_the_least_to_the_greatest_sample() -> None:
    samples = np.zeros(1000, np.int16)
    samples[505], samples[815] = 20000, -10000
    outline = envelope(samples, 0.0, 100.0, 50.0, 40.0 / 20000)
    points = _points(outline)
    assert min(points, key=lambda point: point[1]) == (50.0, 10.0)
    assert max(points, key=lambda point: point[1]) == (81.0, 70.0)


def _points(outline: str) -> list[tuple[float, float]]:
    """Where a path of moves to, by and up or down leads, one after the other."""
    drawn = re.search(r' d="M(\S+) ([\d.]+)(\D.*?)z"', outline)
    assert drawn
    points = [(float(drawn[1]), float(drawn[2]))]
    for command, rest in re.findall(r"([lv])([^lvz]*)", drawn[3]):
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True) if command == "l" else [(0.0, numbers[0])]:
            points.append((points[-1][0] + dx, points[-1][1] + dy))
    return points


def test_digits_keyed_apart_are_groups_of_their_own(bad: Path) -> None:
    with folder.opened(bad) as run:
        case = next(case for case in run.cases if "doubled" in case.attempt.nodeid)
        keys = run.ear.keys_between("ivr-1-heard", case.attempt.started_s, case.last_s)
    assert ["".join(key.key for key in group) for group in groups(keys)] == ["1234567#", "47711"]


@pytest.mark.req("REP-PLOT.1")
def test_the_ladder_shows_every_step_every_leg_and_the_digits(bad: Path) -> None:
    with folder.opened(bad) as run:
        case = next(case for case in run.cases if "doubled" in case.attempt.nodeid)
        told = next(explain(run, case, item) for item in case.judgements if item.verdict == "FAIL")
        drawn = draw_call(run, case, told.step, told.span)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert [text for text in texts if re.fullmatch(r"S\d+", text)] == [step.name for step in case.steps]
    assert {"user", "phone", "PBX", "IVR", "cloud", "desk-1", "ivr-1-heard", "ivr-1-spoken"} <= set(texts)
    assert {"8642#", "1234567#", "4711", "47711"} <= set(texts)
    bad_step = re.search(r'<g class="step bad"><title>(S\d+)', drawn)
    assert bad_step
    assert bad_step[1] == "S27"
    assert drawn.count("url(#hatch)") == 1


def test_samples_lie_where_they_were_recorded(good: Path) -> None:
    with folder.opened(good) as run:
        first = next(clip for clip in run.clips if clip.wire == "ivr-1-heard")
        whole, _ = run.evidence.samples(first)
        loud = int(np.argmax(np.abs(whole.astype(int)) > 3000))
        at_s = first.start_s + loud / first.rate_hz
        piece, rate_hz = between(run, "ivr-1-heard", at_s - 0.25, at_s + 0.25)
        assert rate_hz == 8000
        assert len(piece) == 4000
        assert int(np.argmax(np.abs(piece.astype(int)) > 3000)) == pytest.approx(2000, abs=1)
        early, _ = between(run, "ivr-1-heard", first.start_s - 0.5, at_s + 0.1)
        assert int(np.argmax(np.abs(early.astype(int)) > 3000)) == pytest.approx(loud + 4000, abs=1)
        before, _ = between(run, "ivr-1-heard", first.start_s - 2.0, first.start_s)
        assert not before.any()
        spot = where(run, "ivr-1-heard", at_s)
        assert spot is not None
        assert spot == (first.file, pytest.approx(at_s - first.start_s))
        assert where(run, "ivr-1-heard", first.end_s + 0.1) is None


def test_coordinates_are_short_and_text_is_escaped() -> None:
    assert [num(1.0), num(-0.01), num(12.345), num(100)] == ["1", "0", "12.3", "100"]
    assert tag("text", "a<b", class_='x"y') == '<text class="x&#34;y">a&lt;b</text>'


def test_a_step_that_never_came_is_drawn_where_the_wait_for_it_ended(bad: Path) -> None:
    with folder.opened(bad) as run:
        case = next(case for case in run.cases if "test_cut" in case.attempt.nodeid)
        told = explain_raised(run, case)
        drawn = draw_call(run, case, told.step, told.span)
    assert told.step is not None
    assert (told.step.name, told.step.time_s) == ("S4", case.last_s)
    assert told.span == (case.steps[0].time_s, case.last_s)
    texts = re.findall(r'<text[^>]*class="chip"[^>]*>([^<]*)</text>', drawn)
    assert texts == ["S1", "S4"]
    assert re.search(r'<g class="step bad never"><title>S4 never seen: MonitorStart for 1001', drawn)


@pytest.mark.req("REP-STAT.1")
def test_figures_of_one_requirement_are_one_row(bad: Path) -> None:
    with folder.opened(bad) as run:
        rows = {item.req: item for item in series(run)}
    assert set(rows) == {"ASSOC-S11.1", "ASSOC-S15.1", "ASSOC-S10.1", "LOCK-S5.1"}
    ring = rows["ASSOC-S15.1"]
    assert ring.figures == pytest.approx((0.8, 0.8, 0.8, 2.6, 1.9985))
    assert ring.shares == pytest.approx((0.4, 0.4, 0.4, 1.3, 0.99925))
    assert len(rows["LOCK-S5.1"].figures) == 3
    drawn = draw([ring])
    assert "ASSOC-S15.1, n = 5" in drawn
    assert "http" not in drawn


def test_a_figure_without_end_is_a_cross_at_the_edge_and_one_that_is_no_number_is_not_drawn() -> None:
    shares = (0.5, math.inf, math.nan)
    loss = Series("R-1", "loss", "dB", "<= 1 dB", shares, shares)
    drawn = draw([loss, Series("R-2", "gap", "s", "<= 1 s", (1.5,), (1.5,))])
    assert drawn.count('class="share-in"') == 1
    assert drawn.count('class="share-over"') == 2
    assert "M1065 " in drawn  # three to the left of the edge at 1068
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_titles_share_their_last_words() -> None:
    assert shared_title(["S6 to ring", "S6 to ring"]) == "S6 to ring"
    assert shared_title(["key 5 of desk-3: twist", "key # of desk-1: twist"]) == "twist"
    assert shared_title(["level at low", "level at high"]) == "level at"
    assert shared_title(["a", "b"]) == "a"


def test_contacts_are_bars_from_closing_to_opening(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.begin("test_keys", "keys", "dtmf")
    for time_s, wire, use, closed in (
        (1.0, "keys1/8", "hook", True),
        (2.0, "keys1/0", "row 1", True),
        (2.0, "keys1/4", "column 1", True),
        (2.1, "keys1/4", "column 1", False),
        (2.2, "keys1/0", "row 1", False),
    ):
        script.record.observe("R", wire, "relay", "desk-1", time_s, 0.001, closed=closed, use=use)
    for time_s, active in ((0.5, False), (1.0, True)):
        script.record.observe("G-r", "arduino/2", "ring", "desk-1", time_s, 0.01, active=active)
    script.clock.time_s = 4.0
    script.end()
    script.record.seal()
    with folder.opened(script.folder) as run:
        found = {strip.name: strip.spans for strip in strips(run.cases[0], 0.0, 4.0)}
    # a ring that is first seen to end had been on before; one that is never seen to end lasts
    assert found == {"rings desk-1": ((0.0, 0.5), (1.0, 4.0)), "keys keys1": ((2.0, 2.1), (2.0, 2.2))}


@pytest.mark.req("REP-PLOT.1")
def test_arrows_go_from_who_acts_to_whom(good: Path) -> None:
    with folder.opened(good) as run:
        drawn = draw_call(run, run.cases[0], None, None)
    lanes = dict(re.findall(r'<text x="[\d.]+" y="([\d.]+)" class="lane"[^>]*>(\w+)<', drawn))
    lane_of = {float(y) - 4: lane for y, lane in lanes.items()}  # a name stands 4 px below its line
    seen = {}
    for name, group in re.findall(r'<g class="step"><title>(S\d+) (.*?)</g>', drawn):
        tail = re.search(r'cy="([\d.]+)" r="2.5"', group)
        tip = re.search(r'M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)L[\d.]+ [\d.]+Z" class="head"', group)
        alone = re.search(r'cy="([\d.]+)" r="4.5"', group)
        ends = (tail[1], tip[2]) if tail and tip else (alone[1], alone[1]) if alone else ()
        if tail and tip:  # the head's base is on the side it comes from
            assert abs(float(tip[1]) - float(tail[1])) < abs(float(tip[2]) - float(tail[1]))
        seen[name] = tuple(lane_of[float(y)] for y in ends)
    expected = {
        "S1": ("user", "cloud"),
        "S2": ("cloud", "user"),
        "S6": ("cloud", "PBX"),
        "S15": ("PBX", "phone"),
        "S25": ("user", "phone"),
        "S16": ("PBX", "IVR"),
        "S27": ("user", "IVR"),
        "S8": ("IVR", "cloud"),
        "S9": ("cloud", "cloud"),
    }
    assert {name: seen[name] for name in expected} == expected


def test_handsets_come_before_ivr_legs(good: Path) -> None:
    with folder.opened(good) as run:
        names = ["reception", "ivr-2-heard", "desk-1", "ivr-1-spoken"]
        clips = tuple(Clip(key, f"{name}.wav", name, 5.0, 8000, 8000) for key, name in enumerate(names))
        shown = wires_between(replace(run, clips=clips), 5.5, 9.0)
        none = wires_between(replace(run, clips=clips), 6.0, 9.0)
    assert shown == ["desk-1", "reception", "ivr-1-spoken", "ivr-2-heard"]
    assert none == []
