"""``report.html``: one page that needs no network, no script and no Python."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from importlib import resources
from itertools import groupby
from typing import Any

from markupsafe import Markup

from offhook.reports.attempt import CaseView, case_view, showcase
from offhook.reports.bars import ORDER, counts_bar, gauge
from offhook.reports.budget import Budget
from offhook.reports.deviations import alarm, deviation_rows
from offhook.reports.folder import WORST_FIRST, Run
from offhook.reports.front import facts
from offhook.reports.quantity import figure_of, limits
from offhook.reports.rates import rate_rows
from offhook.reports.shortfall import without
from offhook.reports.steps import legend
from offhook.reports.summary import RULE, Digest, went_wrong
from offhook.reports.timing import timing
from offhook.reports.wording import (
    LEVELS,
    WORDS,
    document_title,
    file_rows,
    heading,
    requirement_rows,
    sealed,
    sentence,
    verdict_word,
)

FIRST_LOOK = 5


def text(run: Run, digest: Digest) -> str:
    """The whole page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("offhook.reports", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    budget = Budget()
    shown = showcase(run)
    ranked = sorted(run.cases, key=lambda case: (WORST_FIRST.index(case.outcome), case.id not in shown, case.id))
    views = {case.id: case_view(run, case, budget, in_full=case.id in shown) for case in ranked}
    failed = [views[case.id] for case in ranked if went_wrong(case)]
    return environment.get_template("report.html").render(
        css=_css(),
        words=WORDS,
        page=_page(run, digest, failed),
        failed=failed,
        rates=rate_rows(run),
        steps=legend(run),
        lines=requirement_rows(digest),
        timing=timing(run),
        suites=_suites(run, views),
        files=file_rows(run),
    )


@lru_cache(maxsize=1)
def _css() -> Markup:
    return Markup(resources.files("offhook.reports").joinpath("templates/report.css").read_text("utf-8"))


def _page(run: Run, digest: Digest, failed: list[CaseView]) -> dict[str, Any]:
    looks = _first_look(failed)
    return {
        "kind": document_title(run, digest),
        "run_id": run.name,
        "heading": heading(run),
        "verdict": digest.verdict,
        "verdict_word": verdict_word(digest),
        "level": digest.level,
        "sentence": sentence(run, digest),
        "remarks": [*alarm(run.meta), *digest.remarks],
        "deviations": deviation_rows(run.meta),
        "level_means": LEVELS.get(digest.level, ""),
        "counts": [{"n": digest.outcomes[name], "word": WORDS[name]} for name in ORDER if digest.outcomes[name]],
        "counts_picture": counts_bar(digest.outcomes),
        "failures": looks[:FIRST_LOOK],
        "more_failures": max(0, len(looks) - FIRST_LOOK),
        "facts": facts(run, digest),
        "closest": [_closest(item, left) for item, left in digest.closest],
        "rule": RULE,
        "sealed": sealed(run),
        "footer": f"Made by Offhook {run.meta.get('bench_version', '')} from the run folder alone. "
        "The report does not grant a licence to any patent.",
    }


def _first_look(failed: list[CaseView]) -> list[dict[str, Any]]:
    """What went wrong, once for attempts that went wrong alike, whichever phone they were made with."""
    alike: dict[tuple[str, str, str], dict[str, Any]] = {}
    for view in failed:
        for item in view.told[:1]:
            variant = view.nodeid.partition("[")[2].removesuffix("]")
            title = view.title.removesuffix(f" [{variant}]") if item.whole else item.title
            look = {"id": view.id, "title": title, "step": item.step, "count": 0}
            look |= {"expected": item.expected, "heard": item.heard}
            key = item.step, title, without(item.heard if item.whole else "", variant)
            alike.setdefault(key, look)["count"] += 1
    return list(alike.values())


def _closest(item: Any, left: float) -> dict[str, Any]:
    return {
        "attempt": item.attempt,
        "req": item.req,
        "title": item.title,
        "figure": figure_of(item),
        "limit": limits(item),
        "picture": gauge(item, left),
    }


def _suites(run: Run, views: dict[int, CaseView]) -> list[dict[str, Any]]:
    ordered = sorted(run.cases, key=lambda case: (case.attempt.suite, case.id))
    suites = []
    for name, members in groupby(ordered, key=lambda case: case.attempt.suite):
        cases = list(members)
        counts = Counter(case.outcome for case in cases if case.anew is None)
        words = ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in WORST_FIRST if counts[verdict])
        suites.append({"name": name or "tests", "counts": words, "cases": [views[case.id] for case in cases]})
    return suites
