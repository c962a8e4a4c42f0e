"""The pytest plugin: tests that drive telephones, on the simulated station or on a real one.

::

    def test_dial_tone(station, measure):
        desk = station.phone("desk-1")
        lifted = desk.lift()
        assert desk.hears("dial", within_s=3)

``pytest`` runs it on the simulated station, ``pytest --station lab3.toml`` on hardware. Fixtures: ``station`` (one for
the session), ``record``, ``measure``, ``phone_name`` (the test runs once for every phone). Markers: ``req(id, ...)``,
``hardware("relay.keys1", ...)``. Nothing is imported or opened for tests that use none of them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from offhook.drivers.errors import OffhookError

if TYPE_CHECKING:
    from offhook.bench.attempts import Attempts
    from offhook.bench.devices import Station
    from offhook.bench.measure import Measure
    from offhook.bench.record import RunRecord
    from offhook.bench.session import Wanted
    from offhook.bench.station_model import StationModel

MARKERS = (
    "req(id, ...): requirement ids this test proves",
    "needs(section, ...): NOT_APPLICABLE on a station without this (phone, pbx, tap, cloud, accounts, ivr, loop)",
    "hardware(resource, ...): needs these wires to be real (relay.keys1, audio.rack, pbx); without arguments, all",
    "side_by_side: may run on several phones at the same time (offhook run --jobs N)",
    "rate(id, ...): each call of this test is one trial of these rates (ASSOC-RATE.1)",
)
EACH = {"phone_name": "phone", "loop_name": "loop"}
ATTEMPTS: pytest.StashKey[Attempts] = pytest.StashKey()
WANTED: pytest.StashKey[Wanted] = pytest.StashKey()
LACKING: pytest.StashKey[str] = pytest.StashKey()
IN_LANE: pytest.StashKey[bool] = pytest.StashKey()
UNREADABLE: pytest.StashKey[str] = pytest.StashKey()
ABSENT: pytest.StashKey[str] = pytest.StashKey()
MODEL: pytest.StashKey[StationModel] = pytest.StashKey()
OPEN: pytest.StashKey[ExitStack] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options; one that another plugin has already is left to it."""
    group = parser.getgroup("offhook", "telephone test bench")
    for name, options in (
        ("--station", {"default": "simulated", "metavar": "NAME", "help": "station: a name or a file"}),
        ("--seed", {"type": int, "default": 1, "help": "seed of a simulated station"}),
        ("--realtime", {"action": "store_true", "help": "pace a simulated world by the wall clock"}),
        ("--fault", {"action": "append", "default": [], "metavar": "NAME", "help": "a fault at the far end"}),
    ):
        try:
            group.addoption(name, dest=f"offhook_{name[2:]}", **options)
        except ValueError:
            continue


def pytest_configure(config: pytest.Config) -> None:
    """Name our markers."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``phone_name`` runs once for every phone of the station, ``loop_name`` for every loop.

    On a station without any it is still there once, as NOT_APPLICABLE.
    """
    for fixture, kind in EACH.items():
        found = metafunc._arg2fixturedefs.get(fixture) if fixture in metafunc.fixturenames else None
        if found and found[-1].func.__module__ == __name__:
            names = []
            try:
                names = list(getattr(_model(metafunc.config), kind))
            except OffhookError as error:  # pytest would show the source around it, once a file
                metafunc.config.stash[UNREADABLE] = str(error)
            metafunc.parametrize(fixture, names or [""], ids=names or [f"no {kind}"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """A station that cannot be read ends the session, in one message."""
    if UNREADABLE in config.stash:
        raise pytest.UsageError(config.stash[UNREADABLE])


def wanted(config: pytest.Config) -> Wanted:
    """What the command line asks for."""
    from offhook.bench.session import Wanted

    if WANTED not in config.stash:
        config.stash[WANTED] = Wanted(
            station=_option(config, "station", "simulated"),
            seed=_option(config, "seed", 1),
            realtime=_option(config, "realtime", False),
            faults=tuple(_option(config, "fault", ())),
            runs=config.invocation_params.dir / "runs",  # where offhook summary looks, and its quarantine lies
            note={"command": "pytest " + " ".join(config.invocation_params.args)},
        )
    return config.stash[WANTED]


def _option(config: pytest.Config, name: str, default: Any) -> Any:
    return config.getoption(f"offhook_{name}", default)


def uses_station(item: pytest.Item) -> bool:
    """True for a test that runs on our station."""
    return "station" in getattr(item, "fixturenames", ()) and "_offhook" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def _offhook(request: pytest.FixtureRequest) -> Attempts:
    """The run that is being recorded: the one that was opened for us, or one of our own."""
    return _recording(request.config)


def _recording(config: pytest.Config) -> Attempts:
    given = config.stash.get(ATTEMPTS, None)
    if given is not None:
        return given
    from offhook.bench import signals
    from offhook.bench.attempts import Attempts, set_aside
    from offhook.bench.session import opened

    stack = config.stash[OPEN] = ExitStack()
    stack.enter_context(signals.orderly_end())
    try:
        session = stack.enter_context(opened(wanted(config)))
        attempts = Attempts(session, quarantine=set_aside(session))
    except OffhookError as error:  # no test of it could say more
        pytest.exit(f"offhook: {error}", returncode=2)
    config.stash[ATTEMPTS] = attempts
    return attempts


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the run we opened: only now has every tear-down been seen."""
    config = session.config
    stack = config.stash.get(OPEN, None)
    if stack is None:
        return
    attempts = config.stash.get(ATTEMPTS, None)
    stack.close()
    if attempts is not None:
        from offhook.reports import render

        render(attempts.session.folder)


@pytest.fixture(scope="session")
def station(_offhook: Attempts) -> Station:
    """The station, connected and recorded."""
    return _offhook.session.station


@pytest.fixture
def record(station: Station) -> RunRecord:
    """The run record, bound to this attempt."""
    return station.record


@pytest.fixture
def measure(record: RunRecord) -> Measure:
    """``measure("S6 to first ring", seconds, at_most_s=2.0, req="ASSOC-S15.1")``."""
    from offhook.bench.measure import Measure

    return Measure(record)


@pytest.fixture
def loop_name(request: pytest.FixtureRequest) -> str:
    """The name of one loop of the station; the test runs once for each."""
    return str(request.param)


@pytest.fixture
def phone_name(request: pytest.FixtureRequest) -> str:
    """The name of one phone of the station; the test runs once for each."""
    return str(request.param)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is not about this station, or whose hardware is not there or phone is dead, and say why."""
    kinds = [kind for mark in item.iter_markers("needs") for kind in mark.args]
    kinds += [kind for fixture, kind in EACH.items() if fixture in getattr(item, "fixturenames", ())]
    if kinds and uses_station(item):
        from offhook.bench.hardware import absent

        reason = absent(_model(item.config), kinds)
        if reason:
            item.stash[ABSENT] = reason
            pytest.skip(reason)
    marks = list(item.iter_markers("hardware"))
    if marks:
        from offhook.bench.hardware import missing

        names: Sequence[str] = [name for mark in marks for name in mark.args]
        lacking = missing(wanted(item.config).station, names)
        if lacking:
            item.stash[LACKING] = lacking
            pytest.skip(f"needs hardware: {lacking}")
    if uses_station(item) and IN_LANE not in item.stash and (why := _left_alone(item)):
        pytest.skip(why)


def _left_alone(item: pytest.Item) -> str:
    """Why the phone of a test is left alone; "" if it is not. The run is opened for it only if any phone may be."""
    from offhook.bench import quarantine

    if ATTEMPTS not in item.config.stash and not (wanted(item.config).runs / quarantine.FILE).exists():
        return ""
    return _recording(item.config).left_alone(item)


def _model(config: pytest.Config) -> StationModel:
    """The station under test, open or not; its file is read once. Raises ConfigError if it cannot be."""
    if ATTEMPTS in config.stash:
        return config.stash[ATTEMPTS].session.station.model
    if MODEL not in config.stash:
        from offhook.bench.station_file import find_station, load_station

        config.stash[MODEL] = load_station(find_station(wanted(config).station)).model
    return config.stash[MODEL]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """The call of a test is one attempt."""
    attempts = item.config.stash.get(ATTEMPTS, None) if uses_station(item) else None
    if attempts is None or IN_LANE in item.stash:
        return (yield)
    with attempts.made(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that never came to its call, or broke afterwards, is on record too."""
    report = yield
    attempts = item.config.stash.get(ATTEMPTS, None)
    if attempts is not None and call.when != "call" and not report.passed and uses_station(item):
        attempts.around(
            item, call, report, required=LACKING not in item.stash, not_applicable=item.stash.get(ABSENT, "")
        )
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the evidence is."""
    if OPEN in config.stash and ATTEMPTS in config.stash:
        attempts = config.stash[ATTEMPTS]
        session = attempts.session
        for nodeid in attempts.untested:
            terminalreporter.write_line(f"offhook: {nodeid} is untested: nothing judged, measured or observed")
        for phone, why in session.station.quarantined.items():
            terminalreporter.write_line(f"offhook: {phone} was left alone: {why}")
        page = session.folder / "report.html"
        terminalreporter.write_line(f"offhook: report {page}")
