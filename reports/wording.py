"""What a run comes to in words, as rows and sentences: the same on every page that is made of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from offhook.bench.asked import selected
from offhook.bench.record.judge import OVER_ATTEMPTS, UNVERIFIED
from offhook.bench.record.schema import Verdict
from offhook.reports.deviations import loosened
from offhook.reports.folder import Run
from offhook.reports.quantity import figure_of, limits
from offhook.reports.steps import source_of
from offhook.reports.summary import Digest

WORDS = {
    Verdict.PASS: "✓ PASS",
    Verdict.FAIL: "✗ FAIL",
    Verdict.INCONCLUSIVE: "? INCONCLUSIVE",
    Verdict.NOT_RUN: "NOT RUN",
    Verdict.NOT_APPLICABLE: "N/A",
}

LEVELS = {
    "SIM-VERIFIED": "Every wire ended in a simulated device. This shows that the bench, its flows and the reference "
    "cloud do what they say; it says nothing about a physical product.",
    "LOOPBACK-VERIFIED": "A real PBX or sound server on the bench's own machine took part; no physical line or "
    "telephone did.",
    "HW-CERTIFIED": "Physical wires, and a calibration of the bench that was valid on the day.",
    UNVERIFIED: "This run earns no level. What follows is what was measured.",
}
"""What a level does and does not say."""
_TITLES = {
    "SIM-VERIFIED": ("Verification report", ", simulated devices"),
    "LOOPBACK-VERIFIED": ("Verification report", ", loopback"),
    "HW-CERTIFIED": ("Certificate", ""),
}


def document_title(run: Run, digest: Digest) -> str:
    """What kind of document this is; one with a loosened limit never has the title of one without."""
    title, of = _TITLES.get(digest.level, ("Test report", ""))
    part = " in part" if selected(run.meta) else ""
    return f"{title}{part}{of}{', with deviations' if loosened(run.meta) else ''}"


def heading(run: Run) -> str:
    """Vendor and model of what was tested; the run's name if the station does not say."""
    dut = run.meta.get("dut") or {}
    return " ".join(str(dut[key]) for key in ("vendor", "model") if dut.get(key)) or run.name


def sentence(run: Run, digest: Digest) -> str:
    """Counts of attempts and judgements, how it ended, and what else was in reach."""
    outcomes = digest.outcomes
    passed = outcomes[Verdict.PASS]
    parts = [f"{passed} {'attempt' if passed == 1 else 'attempts'} passed"]
    for verdict, words in _ALSO.items():
        if outcomes[verdict]:
            parts.append(f"{outcomes[verdict]} {words}{_why(run, verdict)}")
    said = [f"{', '.join(parts)}; {sum(digest.judged.values())} judgements."]
    if part := selected(run.meta):
        said.append(f"Only a part of the suites was asked for: {part}.")
    if waiting := _open_claims(run):
        said.append(waiting)
    if digest.whole:
        said.append(digest.ended)
    if digest.level != digest.reach:
        said.append(f"The most this station can reach is {digest.reach}.")
    return " ".join(said)


def verdict_word(digest: Digest) -> str:
    """The verdict, in the word that fits a run that broke off."""
    if digest.verdict is Verdict.INCONCLUSIVE and not digest.whole:
        return "INCOMPLETE"
    return digest.verdict.value.replace("_", " ")


_ALSO = {
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NOT_RUN: "not run",
    Verdict.NOT_APPLICABLE: "not applicable",
}


def _open_claims(run: Run) -> str:
    """How many claims over all attempts are neither proven nor refuted."""
    claims = [item for item in run.result if item.kind in OVER_ATTEMPTS and item.verdict is Verdict.INCONCLUSIVE]
    if not claims:
        return ""
    return f"{len(claims)} of the rates need more attempts than were made: see Rates over all attempts."


def _why(run: Run, verdict: Verdict) -> str:
    """The reasons for what was not run, if they are few."""
    if verdict not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE):
        return ""
    reasons = dict.fromkeys(case.attempt.message.partition("\n")[0] for case in run.counted if case.outcome is verdict)
    reasons.pop("", None)
    return f" ({'; '.join(reasons)})" if 0 < len(reasons) <= 3 else ""


def requirement_rows(digest: Digest) -> list[dict[str, Any]]:
    """A row per requirement, worst first."""
    return [
        {
            "req": line.req,
            "text": line.requirement,
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


def sealed(run: Run) -> str:
    """Whether the files are still what was sealed, in a sentence."""
    if run.integrity.altered:
        return "The files differ from those that were sealed."
    if run.integrity.sealed:
        return "Every file is as it was when the run was sealed (SHA-256, manifest.json)."
    return "The run was never sealed: nothing vouches for these files."


def file_rows(run: Run) -> list[dict[str, Any]]:
    """A row per file of evidence with its hash."""
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
