"""``offhook run``: a station is opened, the certification suites run on it, the evidence is sealed and reported.

The suites are pytest, run in this process with an ini file of our own, no plugin autoload and none of the options of
the environment: nothing around the bench decides a certificate. They are run once in a process.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from offhook.bench import morning, not_started, plugin, resume, selection, signals
from offhook.bench.attempts import Attempts, set_aside, suite_of
from offhook.bench.console import Console
from offhook.bench.lanes import Lanes
from offhook.bench.profiles import Profile, load_profile
from offhook.bench.record import Attempt, Judgement, RunResult
from offhook.bench.record.claim import at_rest
from offhook.bench.resume import Plan, Resumed
from offhook.bench.session import RUNS, Session, Wanted, opened, versions
from offhook.bench.station_file import find_station, load_station
from offhook.bench.told import Told, stdout_apart
from offhook.drivers.errors import Busy, ConfigError, DeviceError
from offhook.drivers.nearest import instead_of

SUITES = Path(__file__).parent / "suites"
INI = "certification.ini"
ERROR = 2
AGAIN = "free some space, then: offhook report"
_OUTSIDE = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def run_station(station: str | Path, *, out: Path | None = None, **options: Any) -> int:
    """Run suites (all of them if none is named) and return the exit code.

    0 all PASS; 1 a FAIL; 2 the suites could not run; 3 INCONCLUSIVE or NOT_RUN; 130 and 143 when stopped. ``out`` is
    the run folder; else one is made under ``runs/``. ``options`` are those of :class:`offhook.bench.resume.Plan`:
    ``suites``, ``only`` (as ``pytest -k``; the record says so), ``realtime``, ``seed``, ``faults``, ``repeat`` ...
    With ``repeat`` rates are claimed unless ``rates`` is false: INCONCLUSIVE where n is too small.
    Raises ConfigError, Busy or Unreachable before there is a run.
    """
    return _run(Plan.of({"station": str(station), **options}), out, None)


def resume_run(folder: Path) -> int:
    """Go on with a run that was stopped or killed: what is done stays, what was cut short is made anew.

    Raises ConfigError if its station file, suites, cases or versions have changed since, or if it was completed.
    """
    resumed = resume.read(folder)
    return _run(resumed.plan, None, resumed)


def _run(plan: Plan, out: Path | None, resumed: Resumed | None) -> int:
    profile = load_profile(plan.profile, _known_suites())
    plan = plan.filled(profile)
    files = find_suites(plan.suites)
    selection.check_expression(plan.only)
    if plan.only and resumed is None:
        _check_only(plan, files)
    made_of = resume.made_of(plan.station, profile, [*files, SUITES / INI, *SUITES.glob("conftest.py")], versions())
    if resumed is not None:
        resume.check_unchanged(resumed, made_of)
    wanted = _wanted(plan, profile, out, made_of, resumed)
    name, runs = str(plan.on_record()["station"]), resumed.folder.parent if resumed else out.parent if out else RUNS
    with closing(Console(Told(), stdout_apart())) as console, signals.orderly_end() as ending:
        started_s = time.monotonic()
        session: Session | None = None
        try:
            with opened(wanted) as session:
                rig = session.rig
                not_started.clear(runs, name)
                console.opened(rig.model.name, rig.role, plan.seed, len(rig.resources), time.monotonic() - started_s)
                for resource, why in rig.unguarded.items():
                    console.line("guardian", f"not of {resource}: {why}", "yellow")
                for text in profile.lines():
                    console.line("profile", f"{profile.name}: {text}", "yellow")
                if any(card.device for card in rig.model.audio.values()):
                    console.line("calibration", rig.calibration.state)
                if resumed is not None:
                    console.line("resumed", str(resumed))
                session.ended = _run_suites(session, files, plan, resumed, console)
        except KeyboardInterrupt:
            if session is None:
                raise
        except DeviceError as error:
            if session is None:
                not_started.note(runs, name, error)
            raise
        if ending.exit_code is not None and session is None:
            raise KeyboardInterrupt
        with ending.shielded():
            return _report(session, console)


def _wanted(plan: Plan, profile: Profile, out: Path | None, made_of: dict[str, str], resumed: Resumed | None) -> Wanted:
    note = {"plan": plan.on_record(), "made_of": made_of} | ({"only": plan.only} if plan.only else {})
    return Wanted(
        plan.station,
        seed=plan.seed,
        realtime=plan.realtime,
        faults=plan.faults,
        folder=out,
        note=note,
        profile=profile,
        rates=plan.rates,
        resume=resumed.folder if resumed else None,
        from_s=resumed.from_s if resumed else 0.0,
    )


def _known_suites() -> dict[str, Path]:
    return {path.stem.removeprefix("test_"): path for path in sorted(SUITES.glob("test_*.py"))}


def find_suites(names: Sequence[str]) -> list[Path]:
    """The files of suites by name, all if none is given. Raises ConfigError for an unknown name."""
    known = _known_suites()
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = instead_of(unknown[0], known)
        raise ConfigError(f"suite {unknown[0]!r}", "find", "there is no such suite", hint)
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _report(session: Session | None, console: Console) -> int:
    if session is None:
        return ERROR
    from offhook.reports import rendered

    pages: list[Path] = []
    result: RunResult | None = None
    try:
        pages, result = rendered(session.folder)
    except OSError as error:
        console.line("report", f"could not be written: {error.strerror or error}; {AGAIN} {session.folder}", "bold red")
    except Exception as error:  # the evidence is sealed; a broken report must not look like a broken run
        console.line("report", f"could not be made: {error!r}; try: offhook report {session.folder}", "bold red")
    broken = result is None
    result = result or session.result()
    code = ERROR if session.record.lost else result.exit_code
    code = code or (ERROR if broken else 0)
    console.safe_state(session.safe)
    console.summary(result, pages)
    _morning(session.folder, result, console)
    return code


def _morning(folder: Path, result: RunResult, console: Console) -> None:
    """What to know in the morning, into the run folder; on screen what the lines so far have not said."""
    try:
        night = morning.read(folder, result)
        earlier = morning.before(night)
        with at_rest(folder):
            (folder / morning.FILE).write_text(morning.summary(night, earlier), "utf-8")
    except (Busy, ConfigError, OSError) as error:
        console.line("summary", f"could not be made: {error}", "bold red")
        return
    for label, text in morning.lines(night, earlier):
        if label not in ("rate", "p95", "ended", "untested", "unsealed"):
            console.line(label, text)


def _run_suites(session: Session, files: Sequence[Path], plan: Plan, resumed: Resumed | None, console: Console) -> str:
    """Run pytest; returns how it ended."""
    progress = Progress(session, plan, resumed, console)
    code = _pytest(files, plan, progress)
    console.suite_over(session.record.clock.now_s())
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and resumed is None:
        session.record.note_meta(plan=None)  # nothing to go on with
    if session.record.lost or progress.broken:
        return f"error: {session.record.lost or progress.broken}"
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        return f"error: pytest ended with {pytest.ExitCode(code).name}"
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and resumed is None:
        return f"error: no test matches {plan.only!r}"
    return "interrupted" if code == pytest.ExitCode.INTERRUPTED else "completed"


def _check_only(plan: Plan, files: Sequence[Path]) -> None:
    """Raises ConfigError if ``--only`` selects nothing, or names what there is not."""
    load_station(find_station(plan.station))  # its mistakes are told by whoever opens it, not by pytest
    trial = selection.Trial(plan.only)
    code = _pytest(files, plan, trial, "--collect-only", "--station", plan.station)
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if trial.wrong:
        raise ConfigError("--only", "select", trial.wrong.removeprefix("--only: "))


def _pytest(files: Sequence[Path], plan: Plan, ours: object, *more: str) -> int | pytest.ExitCode:
    arguments = ["-c", str(SUITES / INI), f"--rootdir={SUITES}", f"--confcutdir={SUITES}"]
    arguments += ["-p", "no:cacheprovider", "-p", "no:terminal", "--import-mode=importlib", *map(str, files)]
    arguments += ["-k", plan.only] if plan.only else []
    with _alone():
        return pytest.main([*arguments, *more], plugins=[plugin, ours])


@contextmanager
def _alone() -> Iterator[None]:
    """Without what the environment would add to pytest."""
    found = {name: os.environ.pop(name, None) for name in _OUTSIDE}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update({name: value for name, value in found.items() if value is not None})


class Progress:
    """The plugin of one run: hands the open station to the tests, repeats them, and shows how far they are."""

    def __init__(self, session: Session, plan: Plan, resumed: Resumed | None, console: Console) -> None:
        self._session = session
        self._repeat = plan.repeat or 1
        self._jobs = plan.jobs
        self._only = plan.only
        self._lanes: Lanes | None = None
        self._resumed = resumed
        self._console = console
        self._totals: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._suite = ""
        self.broken = ""
        self._quarantine = set_aside(session, plan.quarantine)
        for phone, why in self._quarantine.out.items():
            console.line("quarantine", f"{phone} is left alone: {why}", "yellow")

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the tests the station that is open."""
        attempts = Attempts(self._session, self._ended, self._quarantine, self._dead)
        config.stash[plugin.ATTEMPTS] = attempts
        self._lanes = Lanes(attempts, self._jobs) if self._jobs > 1 else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Repeat every test; each repetition is an attempt of its own."""
        if self._repeat > 1:
            metafunc.fixturenames.append("repetition")
            numbers = range(1, self._repeat + 1)
            metafunc.parametrize("repetition", numbers, ids=[f"#{number}" for number in numbers])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be read is an error of the bench, not a verdict on a telephone."""
        if report.failed:
            self.broken = self.broken or f"{report.nodeid}: {str(report.longrepr).strip().splitlines()[-1]}"

    def pytest_internalerror(self, excrepr: object) -> None:
        """Keep the last line."""
        self.broken = str(excrepr).strip().splitlines()[-1]

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        """A name in ``--only`` that is nobody's ends the run, before what it was to leave out is left out."""
        self.broken = self.broken or selection.nobody(self._only, items)
        if self.broken:
            items.clear()
        yield
        self._planned(items)

    def _planned(self, items: list[pytest.Item]) -> None:
        """Count the tests of each suite, and put on record which they are; leave out what an earlier part has done."""
        self._totals = Counter(suite_of(item) for item in items)
        cases = resume.cases_sha256([item.nodeid for item in items])
        if self._resumed is None:
            self._session.record.note_meta(planned=dict(self._totals), cases_sha256=cases)
            return
        if cases != self._resumed.cases_sha256:
            self.broken = "the tests are not those the run began with: start a new run"
            raise pytest.UsageError(self.broken)
        self._done = Counter(suite_of(item) for item in items if item.nodeid in self._resumed.done)
        items[:] = [item for item in items if item.nodeid not in self._resumed.done]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Begin a suite's line; stop where a signal was swallowed on its way."""
        guard = self._session.rig.guard
        if guard is not None and guard.lost is not None:
            self.broken = self.broken or str(guard.lost)
        lost = self._session.record.lost
        self.broken = self.broken or (f"the run could not be recorded any more: {lost}" if lost else "")
        if signals.current().signum is not None or lost or (guard is not None and guard.lost is not None):
            raise KeyboardInterrupt
        suite = suite_of(item)
        if suite != self._suite:
            self._suite = suite
            now_s = self._session.record.clock.now_s()
            self._console.suite(suite, self._totals[suite], now_s, self._done[suite])
        if self._lanes is not None and self._lanes.width > 1 and not self._lanes.has(item):
            rest = item.session.items[item.session.items.index(item) :]
            group = self._lanes.group(rest[: len(self._session.rig.model.phone)])
            if group:
                self._lanes.run(group)

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> object | None:
        """A test that was run in a lane ends as it ended there; any other is run."""
        if self._lanes is None or not self._lanes.has(pyfuncitem):
            return None
        self._lanes.finish(pyfuncitem)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Mark what was run in a lane: its call is no second attempt."""
        if self._lanes is not None and self._lanes.has(item):
            item.stash[plugin.IN_LANE] = True

    def _dead(self, phone: str) -> None:
        why = self._quarantine.out[phone]
        self._console.line("quarantine", f"{phone} is left alone from now on: {why}", "bold red")

    def _ended(self, attempt: Attempt, judgements: list[Judgement]) -> None:
        now_s = self._session.record.clock.now_s()
        self._console.attempt(self._session.folder, attempt, judgements, now_s)
