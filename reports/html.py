"""``report.html``: one page that needs no network, no script and no Python."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from importlib import resources
from itertools import groupby
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from offhook.bench.record.schema import Verdict
from offhook.reports.attempt import CaseView, case_view, showcase, went_wrong
from offhook.reports.bars import ORDER, counts_bar, gauge
from offhook.reports.budget import Budget
from offhook.reports.folder import WORST_FIRST, Run
from offhook.reports.front import facts
from offhook.reports.quantity import figure_of, limits
from offhook.reports.steps import source_of
from offhook.reports.summary import RULE, Digest
from offhook.reports.timing import timing

WORDS = {
    Verdict.PASS: "✓ PASS",
    Verdict.FAIL: "✗ FAIL",
    Verdict.INCONCLUSIVE: "? INCONCLUSIVE",
    Verdict.NOT_RUN: "NOT RUN",
    Verdict.NOT_APPLICABLE: "N/A",
}
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
        lines=_lines(digest),
        timing=timing(run),
        suites=_suites(run, views),
        files=_files(run),
    )


@lru_cache(maxsize=1)
def _css() -> Markup:
    return Markup(resources.files("offhook.reports").joinpath("templates/report.css").read_text("utf-8"))


def _page(run: Run, digest: Digest, failed: list[CaseView]) -> dict[str, Any]:
    dut = run.meta.get("dut") or {}
    heading = " ".join(str(dut[key]) for key in ("vendor", "model") if dut.get(key)) or run.name
    looks = _first_look(failed)
    return {
        "kind": "test report",
        "run_id": run.name,
        "heading": heading,
        "verdict": digest.verdict,
        "verdict_word": _word(digest),
        "level": digest.level,
        "sentence": _sentence(run, digest),
        "remarks": digest.remarks,
        "counts": [{"n": digest.outcomes[name], "word": WORDS[name]} for name in ORDER if digest.outcomes[name]],
        "counts_picture": counts_bar(digest.outcomes),
        "failures": looks[:FIRST_LOOK],
        "more_failures": max(0, len(looks) - FIRST_LOOK),
        "facts": facts(run, digest),
        "closest": [_closest(item, left) for item, left in digest.closest],
        "rule": RULE,
        "sealed": _sealed(run),
        "footer": f"Made by Offhook {run.meta.get('bench_version', '')} from the run folder alone. "
        "The report does not grant a licence to any patent.",
    }


def _first_look(failed: list[CaseView]) -> list[dict[str, Any]]:
    """What went wrong, once for attempts that went wrong alike."""
    alike: dict[tuple[str, str], dict[str, Any]] = {}
    for view in failed:
        for item in view.told[:1]:
            title = view.title if item.whole else item.title
            look = {"id": view.id, "title": title, "step": item.step, "count": 0}
            look |= {"expected": item.expected, "heard": item.heard}
            alike.setdefault((item.step, title), look)["count"] += 1
    return list(alike.values())


def _sentence(run: Run, digest: Digest) -> str:
    outcomes = digest.outcomes
    passed = outcomes[Verdict.PASS]
    parts = [f"{passed} {'attempt' if passed == 1 else 'attempts'} passed"]
    for verdict, words in _ALSO.items():
        if outcomes[verdict]:
            parts.append(f"{outcomes[verdict]} {words}{_why(run, verdict)}")
    said = [f"{', '.join(parts)}; {sum(digest.judged.values())} judgements."]
    if digest.whole:
        said.append(digest.ended)
    if digest.level != digest.reach:
        said.append(f"The most this station can reach is {digest.reach}.")
    return " ".join(said)


def _word(digest: Digest) -> str:
    if digest.verdict is Verdict.INCONCLUSIVE and not digest.whole:
        return "INCOMPLETE"
    return digest.verdict.value.replace("_", " ")


_ALSO = {
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NOT_RUN: "not run",
    Verdict.NOT_APPLICABLE: "not applicable",
}


def _why(run: Run, verdict: Verdict) -> str:
    """The reasons for what was not run, if they are few."""
    if verdict not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE):
        return ""
    reasons = dict.fromkeys(case.attempt.message.partition("\n")[0] for case in run.cases if case.outcome is verdict)
    reasons.pop("", None)
    return f" ({'; '.join(reasons)})" if 0 < len(reasons) <= 3 else ""


def _closest(item: Any, left: float) -> dict[str, Any]:
    return {
        "attempt": item.attempt,
        "req": item.req,
        "title": item.title,
        "figure": figure_of(item),
        "limit": limits(item),
        "picture": gauge(item, left),
    }


def _lines(digest: Digest) -> list[dict[str, Any]]:
    return [
        {
            "req": line.req,
            "title": line.title,
            "source": source_of(line.req),
            "verdict": line.verdict,
            "attempt": line.shown.attempt,
            "figure": figure_of(line.shown),
            "limit": limits(line.shown),
            "passed": f"{line.passed} / {line.n}" if line.n else "–",
            "bound": "–" if line.bound is None else f"≥ {100 * line.bound:.1f} %",
        }
        for line in digest.lines
    ]


def _suites(run: Run, views: dict[int, CaseView]) -> list[dict[str, Any]]:
    ordered = sorted(run.cases, key=lambda case: (case.attempt.suite, case.id))
    suites = []
    for name, members in groupby(ordered, key=lambda case: case.attempt.suite):
        cases = list(members)
        counts = Counter(case.outcome for case in cases)
        words = ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in WORST_FIRST if counts[verdict])
        suites.append({"name": name or "tests", "counts": words, "cases": [views[case.id] for case in cases]})
    return suites


def _sealed(run: Run) -> str:
    if run.integrity.altered:
        return "The files differ from those that were sealed."
    if run.integrity.sealed:
        return "Every file is as it was when the run was sealed (SHA-256, manifest.json)."
    return "The run was never sealed: nothing vouches for these files."


def _files(run: Run) -> list[dict[str, Any]]:
    integrity = run.integrity
    rows = []
    for name in sorted({*integrity.hashes, *integrity.missing}):
        state = "yes" if integrity.as_sealed(name) else "missing" if name in integrity.missing else "no"
        size = integrity.sizes.get(name)
        rows.append(
            {
                "name": name,
                "href": quote(name),
                "bytes": "–" if size is None else f"{size:,}".replace(",", " "),
                "sha256": integrity.hashes.get(name, "–"),
                "state": state if integrity.sealed else "never sealed",
                "bad": integrity.sealed and state != "yes",
            }
        )
    return rows
