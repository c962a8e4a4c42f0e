"""JUnit XML for CI: one test case per attempt, with every failed judgement in its text."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # we only write it
from itertools import groupby

from offhook.bench.record.schema import Verdict
from offhook.bench.thresholds import noted
from offhook.reports.explain import explain
from offhook.reports.folder import Case, Run
from offhook.reports.summary import Digest

_CHILD = {
    Verdict.FAIL: "failure",
    Verdict.INCONCLUSIVE: "error",
    Verdict.NOT_RUN: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
}
_ILLEGAL = {code: "�" for code in range(32) if code not in (9, 10, 13)}


def text(run: Run, digest: Digest) -> str:
    """The whole file. Times are seconds of the common clock (simulated seconds on a simulated station).

    An attempt that was cut short and made anew is not in it: CI counts what it is given.
    """
    root = ET.Element("testsuites", {"name": f"offhook {run.name}", **_counts(run.counted)})
    ordered = sorted(run.counted, key=lambda case: case.attempt.suite)
    for suite, members in groupby(ordered, key=lambda case: case.attempt.suite):
        cases = tuple(members)
        element = ET.SubElement(root, "testsuite", {"name": suite or "tests", **_counts(cases)})
        properties = ET.SubElement(element, "properties")
        said = [("verdict", digest.verdict.value), ("level", digest.level), ("ended", digest.ended)]
        said += [("deviation", text) for text in noted(run.meta)]
        for name, value in said:
            ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
        for case in cases:
            _case(element, run, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, run: Run, case: Case) -> None:
    path, _, name = case.attempt.nodeid.partition("::")
    place = _clean(path.removesuffix(".py").replace("/", "."))
    spent = f"{case.last_s - case.attempt.started_s:.3f}"
    element = ET.SubElement(suite, "testcase", {"classname": place, "name": _clean(name or path), "time": spent})
    tag = _CHILD.get(case.outcome)
    if tag is None:
        return
    message = case.attempt.message
    bad = [judgement for judgement in case.judgements if judgement.verdict is case.outcome]
    headline = message or (f"{bad[0].req} {bad[0].title}: {bad[0].reason}" if bad else case.outcome.value)
    child = ET.SubElement(element, tag, {"message": _clean(headline.splitlines()[0])})
    if tag != "skipped":
        child.set("type", case.outcome.value)
    lines = [message] if message else []
    for judgement in bad if tag != "skipped" else []:
        lines += [f"{judgement.verdict} {judgement.req} {judgement.title}", *explain(run, case, judgement).lines(), ""]
    child.text = _clean("\n".join(lines).rstrip())


def _counts(cases: tuple[Case, ...]) -> dict[str, str]:
    children = [_CHILD.get(case.outcome) for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(children.count("failure")),
        "errors": str(children.count("error")),
        "skipped": str(children.count("skipped")),
        "time": f"{sum(case.last_s - case.attempt.started_s for case in cases):.3f}",
    }


def _clean(value: str) -> str:
    return value.translate(_ILLEGAL)
