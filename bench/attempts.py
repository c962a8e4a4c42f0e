"""Tests as attempts: each call of a test is recorded with its title, its requirements, its outcome and why."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from offhook.bench.devices import Station
from offhook.bench.quarantine import Quarantine, by_hand
from offhook.bench.rates import note_trial
from offhook.bench.record import Attempt, Judgement, Verdict
from offhook.bench.record.rates import TRIAL
from offhook.bench.record.schema import CUT_SHORT
from offhook.bench.safety import SafeReport
from offhook.bench.session import RUNS, Session, how_it_ended, verdict_of

if TYPE_CHECKING:
    from offhook.bench.lanes import LaneStation

UNTESTED = "it passed, but nothing was judged, measured or observed in it: that is no verdict"
"""Said of a test that has left nothing on record."""
OnAttempt = Callable[[Attempt, list[Judgement]], None]


@dataclass(frozen=True)
class Made:
    """An attempt that has ended."""

    id: int
    outcome: Verdict


class Attempts:
    """Puts tests on record in one run; ``on_attempt`` hears of each that has ended."""

    def __init__(
        self,
        session: Session,
        on_attempt: OnAttempt | None = None,
        quarantine: Quarantine | None = None,
        on_dead_phone: Callable[[str], None] | None = None,
    ) -> None:
        self.session = session
        self._on_dead_phone = on_dead_phone
        self._quarantine = quarantine
        self._station: Station = session.station
        self._make_safe: Callable[[], SafeReport] = session.rig.make_safe
        self._record = session.record
        self._on_attempt = on_attempt
        self._made: dict[str, Made] = {}
        self.untested: list[str] = []
        """Tests that passed and left nothing on record, by their ids."""

    def beside(self, station: LaneStation) -> Attempts:
        """The same for one lane."""
        lane = copy.copy(self)
        lane._station, lane._make_safe, lane._record = station, station.make_safe, station.record
        return lane

    def left_alone(self, item: pytest.Item) -> str:
        """Why a test is not run because of its phone; "" if the phone lives."""
        phone = phone_of(item)
        why = self._quarantine.out.get(phone, "") if self._quarantine else ""
        return f"{phone} is in quarantine: {why}" if why else ""

    @contextmanager
    def made(self, item: pytest.Item) -> Iterator[None]:
        """Frame the call of a test. Fails the test if a judgement of it did not pass, although the test did."""
        station = self._station
        begun = False
        try:
            station.begin()
            self._begin(item)
            begun = True
            yield
            untested = not self._on_record()
            station.end()
        except BaseException as error:
            if not begun:
                self._begin(item)
            self._after(error)
            raise
        judgements = self._record.judgements()
        if untested:
            self.untested.append(item.nodeid)
            self._finish(item, Verdict.NOT_RUN, UNTESTED, required=False)
            return
        made = self._finish(item, Verdict.PASS)
        if made.outcome is Verdict.PASS and self._quarantine is not None:
            self._quarantine.passed(phone_of(item))
        if made.outcome in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            pytest.fail(_told(self._as_judged(judgements)), pytrace=False)

    def around(
        self,
        item: pytest.Item,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
        required: bool,
        not_applicable: str = "",
    ) -> None:
        """Put a test on record that was skipped, failed before its call, or broke after it.

        ``not_applicable`` says why a skipped test is not about this station.
        """
        earlier = self._made.get(item.nodeid)
        error = call.excinfo.value if call.excinfo else RuntimeError("no exception")
        if report.when == "teardown":
            if earlier is not None:
                self._record.amend(earlier.id, verdict_of(error), f"after the test: {_text(error)}")
            return
        self._begin(item)
        if not_applicable:
            for req in _reqs(item) or [""]:
                self._station.not_applicable(req, not_applicable)
            self._finish(item, Verdict.PASS, not_applicable)
        elif report.skipped:
            self._finish(item, Verdict.NOT_RUN, _text(error), required=required)
        else:
            self._finish(item, verdict_of(error), f"before the test: {_text(error)}")

    def _on_record(self) -> bool:
        """True if the attempt that is being made has been judged, or anything was observed in it."""
        if self._record.judgements():
            return True
        return any(seen.kind != TRIAL for seen in self._record.observed())

    def _begin(self, item: pytest.Item) -> None:
        self._record.begin(item.nodeid, title_of(item), suite_of(item), _reqs(item))
        self._item = item
        rates = [str(rate) for mark in item.iter_markers("rate") for rate in mark.args]
        if rates:
            phone = phone_of(item)
            sections = self.session.rig.model.phone
            note_trial(self._record, rates, phone, sections[phone].kind if phone in sections else "")

    def _after(self, error: BaseException) -> None:
        """The test raised: note what that means; make the station safe for the next one unless we are being stopped."""
        if isinstance(error, KeyboardInterrupt | pytest.exit.Exception):
            self._finish(self._item, Verdict.NOT_RUN, CUT_SHORT + how_it_ended(error))
            return
        raised = Verdict.NOT_RUN if isinstance(error, pytest.skip.Exception) else verdict_of(error)
        message = _text(error)
        try:
            self._station.end()
        except Exception as second:  # the first one is what the test is about; this one must not hide it
            message += f"\nand afterwards: {_text(second)}"
        report = self._make_safe()
        if not report.ok:
            message += f"\n{report}"
        self._finish(self._item, raised, message)
        phone = phone_of(self._item)
        if self._quarantine is not None and self._quarantine.failed(phone, error):
            self._record.note_meta(quarantine=self._quarantine.out)
            if self._on_dead_phone is not None:
                self._on_dead_phone(phone)

    def _finish(self, item: pytest.Item, raised: Verdict, message: str = "", *, required: bool = True) -> Made:
        current = self._record.current
        number = current.id if current else 0
        outcome = self._record.finish(raised, message, required=required)
        self._made[item.nodeid] = made = Made(number, outcome)
        attempt = self._record.attempt_made(number)
        if self._on_attempt is not None:
            self._on_attempt(attempt, self._record.judgements(number))
        return made

    def _as_judged(self, judgements: list[Judgement]) -> list[Judgement]:
        return self._record.judgements(judgements[0].attempt) if judgements else []


def set_aside(session: Session, limit: int = 0) -> Quarantine:
    """The phones that are left alone from the start: those set aside by hand, and those of a run gone on with.

    ``limit`` is for those that die meanwhile; 0: none is left alone for that.
    """
    name = session.rig.model.name
    out = by_hand(RUNS, name) | by_hand(session.folder.parent, name) | session.record.meta().get("quarantine", {})
    session.station.quarantined, session.station.refused = out, frozenset(out)
    session.record.note_meta(quarantine=out)
    return Quarantine(session.rig.model.phone, limit, out)


def _reqs(item: pytest.Item) -> list[str]:
    return [str(req) for mark in item.iter_markers("req") for req in mark.args]


def title_of(item: pytest.Item) -> str:
    """The first line of a test's docstring, with its parameters; else its name."""
    function = getattr(item, "function", None)
    lines = (getattr(function, "__doc__", None) or "").strip().splitlines()
    if not lines:
        return item.name
    parameters = item.name.partition("[")[2].rstrip("]")
    return f"{lines[0].rstrip('.')} [{parameters}]" if parameters else lines[0]


def suite_of(item: pytest.Item) -> str:
    """``test_association.py`` is the suite ``association``."""
    return item.path.stem.removeprefix("test_")


def phone_of(item: pytest.Item) -> str:
    """The phone a test was made for; "" if it was made for none."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("phone_name", "")) if callspec is not None else ""


def _told(judgements: list[Judgement]) -> str:
    bad = [one for one in judgements if one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
    lines = [f"{one.verdict}  {one.req}  {one.title}: {one.reason}" for one in bad]
    return "\n".join(lines) or "the attempt did not pass"


def _text(error: BaseException) -> str:
    if isinstance(error, pytest.skip.Exception | pytest.fail.Exception):
        return str(error.msg)
    if isinstance(error, AssertionError):
        return str(error) or "assertion failed"
    return f"{type(error).__name__}: {error}"
