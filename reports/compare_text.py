"""A comparison as a person reads it: on the console, and as a page of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any

from markupsafe import Markup

from offhook.reports.compare import Change, Comparison, Side, Tally
from offhook.reports.quantity import number
from offhook.reports.shift import FEWEST, Samples, Shift
from offhook.reports.wording import WORDS

NOTHING = "Nothing was compared: no case came to a verdict in both runs."
MOST = 20
"""Lines of one kind on the console."""
RULE = (
    "A regression is a case that passed and does not any more; a case that fails more often (Fisher's exact test, "
    f"one-sided, p < 5 %); or a figure that moved towards its limit: medians of {FEWEST} samples or more on each side "
    "further apart than the joint uncertainty of both runs, and a rank test (Mann and Whitney) with p < 5 % after "
    "Holm's correction for all figures compared. With fewer samples a move is shown and not counted."
)


def verdict(found: Comparison) -> str:
    """The comparison in a sentence."""
    count = found.regressions
    if not count:
        return "No regressions." if found.common else NOTHING
    return f"{count} regression{'s' if count > 1 else ''}."


def lines(found: Comparison) -> Iterator[str]:
    """The console's text."""
    for label, side in (("before", found.before), ("after", found.after)):
        yield f"{label:<9} {_side(side)}"
    yield from (f"{'unlike':<9} {text}" for text in found.unlike)
    for kind, members in _by_kind(found.cases):
        yield from _section(kind, [f"{one.name}  {change_text(one)}" for one in members])
    for kind, members in _by_kind(found.requirements):
        yield from _section(f"requirements {kind}", [f"{one.name} {one.title}  {change_text(one)}" for one in members])
    yield from _section("figures worse", map(shift_text, found.worse_figures))
    others = [one for one in found.shifts if one.moved and one not in found.worse_figures]
    yield from _section("figures moved", map(shift_text, others))
    yield from _section(
        "differs between the runs",
        [f"{one.what}: {_short(one.before)} -> {_short(one.after)}" for one in found.differences],
    )
    yield ""
    if not found.common and not found.regressions:
        yield NOTHING
        return
    yield (
        f"{verdict(found)} {found.common} cases in common; {len(found.shifts)} figures compared, "
        f"{sum(one.tested for one in found.shifts)} by test."
    )


def _side(side: Side) -> str:
    return f"{side.run_id}  {WORDS[side.verdict]}, {side.level}  {side.dut}  {side.started}".rstrip()


def _section(title: str, members: Iterable[str]) -> Iterator[str]:
    found = list(members)
    if not found:
        return
    yield ""
    yield f"{title} ({len(found)})"
    yield from (f"  {text}" for text in found[:MOST])
    if len(found) > MOST:
        yield f"  and {len(found) - MOST} more: --html or --json has them all"


def _by_kind(members: Iterable[Change]) -> list[tuple[str, list[Change]]]:
    groups: dict[str, list[Change]] = {}
    for one in members:
        groups.setdefault(one.kind, []).append(one)
    return list(groups.items())


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def tally(one: Tally | None) -> str:
    """``FAIL 2/3``: worst outcome, passed of tried."""
    if one is None:
        return "not there"
    return f"{one.verdict.value} {one.passed}/{one.n}" if one.n > 1 else one.verdict.value.replace("_", " ")


def change_text(one: Change) -> str:
    """What a case or requirement was and is, and why."""
    said = f"{tally(one.before)} -> {tally(one.after)}"
    if one.p is not None:
        said += f", p = {one.p:.2g}"
    worse = one.after if one.after is not None else one.before
    return f"{said}: {worse.why}" if worse is not None and worse.why else said


def shift_text(one: Shift) -> str:
    """Median before and after, by how much more than the joint uncertainty, and how sure that is."""
    before, after = (number(side.percentile(50)) for side in (one.before, one.after))
    unit = f" {one.unit}".rstrip()
    sure = f"p = {one.p:.2g}" if one.p is not None else "too few for a test"
    return (
        f"{one.req} {one.title}: median {before} -> {after}{unit} ({one.by:+.3g}, joint uncertainty "
        f"{one.joint_u:.2g}), n {one.before.n} and {one.after.n}, {sure}"
    )


# ---- the page -------------------------------------------------------------------------------------------------------


def page(found: Comparison) -> str:
    """The comparison as one self-contained HTML page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("offhook.reports", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = resources.files("offhook.reports").joinpath("templates/report.css").read_text("utf-8")
    return environment.get_template("compare.html").render(
        css=Markup(css),
        found=found,
        verdict=verdict(found),
        rule=RULE,
        words=WORDS,
        sides=[("before", found.before), ("after", found.after)],
        groups=[("Cases", _by_kind(found.cases)), ("Requirements", _by_kind(found.requirements))],
        tally=tally,
        figures=[_figure(one) for one in sorted(found.shifts, key=lambda one: (not one.worse, not one.moved))],
    )


def _figure(one: Shift) -> dict[str, Any]:
    unit = f" {one.unit}".rstrip()
    moved = "worse" if one.worse else "better" if one.worse is not None else "moved"
    if one.moved and not one.tested:
        moved += ", untested"
    return {
        "req": one.req,
        "title": one.title,
        "before": _range(one.before, unit),
        "after": _range(one.after, unit),
        "by": f"{one.by:+.3g}{unit}",
        "u": f"{one.joint_u:.2g}{unit}",
        "p": "–" if one.p is None else f"{one.p:.2g}",
        "n": f"{one.before.n}, {one.after.n}",
        "moved": moved if one.moved else "–",
        "bad": one.moved and one.tested and one.worse,
    }


def _range(samples: Samples, unit: str) -> str:
    """Median and p95; the largest where n is too small for a p95."""
    most, name = (samples.percentile(95), "p95") if samples.n >= 20 else (max(samples.figures), "max")
    return f"{number(samples.percentile(50))}, {name} {number(most)}{unit}"
