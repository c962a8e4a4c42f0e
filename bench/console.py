"""What ``offhook run`` shows while it runs: one line a suite, each failure as it happens, one summary.

It writes to a duplicate of stderr made before pytest captures anything, so that no progress ends up in a test's output.
On a terminal the line of the running suite moves; elsewhere each line is printed once it is true. Where stdout goes
somewhere else (``offhook run > night.log``) the lines go there, too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from rich.console import Console as Screen
from rich.live import Live
from rich.text import Text

from offhook.bench import unshown
from offhook.bench.record import Attempt, Judgement, RunResult, Verdict, reach
from offhook.bench.record.judge import OVER_ATTEMPTS, UNTESTED
from offhook.bench.record.schema import RELAY_LOG
from offhook.bench.safety import SafeReport
from offhook.bench.thresholds import noted

BAR = 32
ROLES = {
    "R1": "PBX, phones and cloud simulated",
    "R2": "real PBX and phones, our reference cloud",
    "R3": "real cloud, simulated PBX and phones",
    "R4": "everything real",
    "R5": "loopback calibration",
}
COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow", Verdict.NOT_RUN: "yellow"}


class Console:
    """One run's display; :meth:`close` gives the duplicated descriptor back."""

    def __init__(self, file: TextIO | None = None, copy: TextIO | None = None) -> None:
        self._file = file or _duplicate_of_stderr()
        self._files = [self._file] if copy is None else [self._file, copy]
        self._screens = [Screen(file=each, highlight=False, soft_wrap=True, markup=False) for each in self._files]
        self._screen = self._screens[0]
        self._live: Live | None = None
        self._suite = ""
        self._done = self._total = self._bad = 0
        self._wall_s = self._phone_s = 0.0

    def close(self) -> None:
        """Stop drawing; harmless when called again."""
        if not self._file.closed:
            self._stop_live()
            for file in self._files:
                with suppress(OSError):
                    file.close()

    def _print(self, *what: str | Text) -> None:
        for screen in self._screens:
            screen.print(*what)

    def line(self, label: str, text: str, style: str = "") -> None:
        """A labelled line."""
        self._print(Text.assemble(f"{label:<9} ", (text, style)))

    def opened(self, name: str, role: str, seed: int, wires: int, took_s: float) -> None:
        """What was opened, and how long it took."""
        self.line("station", f"{name}, role {role} ({ROLES.get(role, role)}), seed {seed}")
        self._print(f"{'check':<9} {f'{wires} wires ok':<58}{took_s:>8.1f} s")

    # ---- suites ------------------------------------------------------------------------------------------------

    def suite(self, name: str, total: int, now_s: float, done: int = 0) -> None:
        """A suite begins, or is gone on with after ``done`` attempts; the one before it is over."""
        self.suite_over(now_s)
        self._suite, self._total, self._done, self._bad = name, total, done, 0
        self._wall_s, self._phone_s = time.monotonic(), now_s
        if self._screen.is_terminal:
            self._live = Live(self._bar(now_s), console=self._screen, refresh_per_second=8, transient=True)
            self._live.start()

    def attempt(self, folder: Path, attempt: Attempt, judgements: list[Judgement], now_s: float) -> None:
        """An attempt has ended; one that was cut short is not done."""
        self._done += not attempt.cut_short
        if attempt.outcome in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            self._bad += 1
            self.failure(folder, attempt, judgements)
        if self._live is not None:
            self._live.update(self._bar(now_s))

    def suite_over(self, now_s: float) -> None:
        """The suite that runs has ended, if one runs."""
        self._stop_live()
        if self._suite:
            self._print(self._bar(now_s))
        self._suite = ""

    def _bar(self, now_s: float) -> Text:
        filled = BAR * self._done // self._total if self._total else BAR
        took_s = time.monotonic() - self._wall_s
        phone_s = now_s - self._phone_s
        phone = f"{phone_s / 60:.0f} min" if phone_s >= 60 else f"{phone_s:.0f} s"
        return Text.assemble(
            f"{self._suite:<12} {self._done:>3}/{self._total:<3}  ",
            ("━" * filled, "red" if self._bad else "green"),
            "─" * (BAR - filled),
            f"  {phone:>6} of phone time in {took_s:>6.1f} s",
        )

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    # ---- what went wrong ---------------------------------------------------------------------------------------

    def failure(self, folder: Path, attempt: Attempt, judgements: list[Judgement]) -> None:
        """What was expected, what was heard, where to listen, what to try."""
        bad = [one for one in judgements if one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
        for one in bad:
            self._headline(one.verdict, one.req, one.title)
            self._indented(one.reason)
            self._indented(_where(folder, one.evidence))
            self._indented(f"try: {one.spec['hint']}" if one.spec.get("hint") else "")
        if attempt.raised in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            self._headline(attempt.raised, " ".join(attempt.reqs[:3]), attempt.title)
            for text in attempt.message.splitlines()[:6]:
                self._indented(text)

    def _headline(self, verdict: Verdict, req: str, title: str) -> None:
        self._print(Text.assemble((f"{verdict}", COLOURS.get(verdict, "")), f"  {req}  {title}"))

    def _indented(self, text: str) -> None:
        if text:
            self._print(Text(f"      {text}"))

    def safe_state(self, report: SafeReport | None) -> None:
        """Only a safe state that was not confirmed is worth a line."""
        if report is not None and not report.ok:
            for number, text in enumerate(str(report).splitlines()):
                self.line("safe" if not number else "", text, "bold red")

    def summary(self, result: RunResult, reports: list[Path]) -> None:
        """What the station could not show, the run in one line, what many attempts came to, and where the report is."""
        counts = result.counts
        passed = result.exit_code == 0
        level = result.level if passed else f"NOT VERIFIED ({reach(result.meta)} was in reach)"
        never = f"   NEVER BEGUN {result.never_begun}" if result.never_begun else ""
        ended = result.meta.get("ended")
        for text in unshown.lines(result):
            self.line("n/a", text, "dim")
        self._print()
        self._print(
            Text.assemble(
                (level, "bold green" if passed else "bold red"),
                f"   PASS {counts[Verdict.PASS]}   FAIL {counts[Verdict.FAIL]}"
                f"   INCONCLUSIVE {counts[Verdict.INCONCLUSIVE]}"
                f"   NOT RUN {counts[Verdict.NOT_RUN]}{_why_not(result)}"
                f"   NOT APPLICABLE {counts[Verdict.NOT_APPLICABLE]}{never}",
            )
        )
        if not result.tested:
            self.line("untested", UNTESTED, "bold red")
        if not result.sealed:
            self.line("unsealed", result.doubts[-1], "bold red")
        for label, text, verdict in rate_lines(result):
            self.line(label, text, COLOURS.get(verdict, ""))
        for text in noted(result.meta):
            self.line("deviates", text, "yellow")
        if ended != "completed":
            plan = result.meta.get("plan") and not result.live
            again = f"; to go on with it: offhook run --resume {result.folder}" if plan else ""
            self.line("ended", f"{ended or ('not yet' if result.live else 'killed')}{again}", "bold red")
        page = next((path for path in reports if path.suffix == ".html"), None)
        self.line("report" if page else "run", f"{page or result.folder}")


def rate_lines(result: RunResult) -> Iterator[tuple[str, str, Verdict]]:
    """What is claimed of many attempts together: a line for each rate, one for all percentiles of a verdict."""
    over = [one for one in result if one.attempt is None and one.kind in OVER_ATTEMPTS]
    claimed = [one for one in over if one.spec.get("claimed", True)]
    for one in claimed:
        if one.kind != "percentile":
            yield "rate", f"{one.verdict}  {one.req}  {one.title}: {one.reason}", one.verdict
    times = [one for one in claimed if one.kind == "percentile" and one.verdict is not Verdict.NOT_APPLICABLE]
    for one in times:
        if one.verdict is Verdict.FAIL:
            yield "p95", f"{one.verdict}  {one.req}  {one.title}: {one.reason}", one.verdict
    for verdict in (Verdict.INCONCLUSIVE, Verdict.PASS):
        alike = [one for one in times if one.verdict is verdict]
        if alike:
            least = min(alike, key=lambda one: one.n or 0)
            yield "p95", f"{verdict}  {len(alike)} times; fewest: {least.title}: {least.reason}", verdict
    shown = [one for one in over if one not in claimed and one.kind == "rate" and one.n]
    if shown:
        n, good = sum(one.n or 0 for one in shown), sum(round((one.figure or 0) * (one.n or 0)) for one in shown)
        yield "rate", f"{good} of {n} associations succeeded; {_unclaimed(result)}", Verdict.NOT_APPLICABLE


def _unclaimed(result: RunResult) -> str:
    """Why a rate is shown and not claimed."""
    plan = result.meta.get("plan")
    repeated = isinstance(plan, dict) and int(plan.get("repeat") or 1) > 1
    return "not claimed, as --no-rates or the profile asks" if repeated else "a claim needs --repeat N"


def _why_not(result: RunResult) -> str:
    """The first reason why something was not run, and how many others there are."""
    not_run = [one.attempt for one in result.counted if one.outcome is Verdict.NOT_RUN]
    notes = {one.attempt: one.reason for one in result if one.kind == "note" and one.verdict is Verdict.NOT_RUN}
    reasons = [one.message or notes.get(one.id, "") for one in not_run]
    known = list(dict.fromkeys(filter(None, reasons)))
    if not known:
        return ""
    return f" ({known[0]})" if len(known) == 1 else f" ({known[0]}; and {len(known) - 1} other reasons)"


def _where(folder: Path, evidence: tuple[str, ...]) -> str:
    """``audio runs/.../ivr-1.wav@12.3   relay log runs/.../relays.csv:88``."""
    audio = [f"audio {folder / one}" for one in evidence if one.startswith("audio/")][:2]
    relays = [f"relay log {folder / one}" for one in evidence if one.startswith(RELAY_LOG)][:1]
    return "   ".join([*audio, *relays])


def _duplicate_of_stderr() -> TextIO:
    try:
        return os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
    except OSError:  # started without a stderr
        return open(os.devnull, "w", encoding="utf-8")
