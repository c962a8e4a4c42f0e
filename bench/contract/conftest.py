"""The contract suites on the drivers of a station: ``pytest --pyargs offhook.bench.contract --station lab3.toml``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from offhook.bench.station import Rig, open_rig
from offhook.bench.station_file import find_station, load_station
from offhook.bench.station_model import StationModel, ref
from offhook.drivers.clock import Clock


def _split(place: str) -> tuple[str, int]:
    name, _, number = place.partition("/")
    return name, int(number)


NOTHING = "nothing of the kind"
METERS = ("meter_name", "scope_name", "generator_name")
KINDS = ("relay_name", "looped", "phone_name", "sensed_phone", "relay_phone", "web_phone", "linesim_name", *METERS)


def _names(model: StationModel) -> dict[str, list[str]]:
    """What each suite runs on: every board, every phone, and phones that make a loop of a contact or of audio."""
    phones = model.phone
    drivers = {name: instrument.driver for name, instrument in model.instrument.items()}
    return {
        "relay_name": list(model.relay),
        "looped": [name for name, loop in model.loop.items() if ref(loop.play).board == ref(loop.hear).board],
        "phone_name": list(phones),
        "sensed_phone": [name for name, phone in phones.items() if phone.hook_sense],
        "relay_phone": [name for name, phone in phones.items() if phone.keypad.driver is None],
        "web_phone": [name for name, phone in phones.items() if phone.keypad.driver not in (None, "operator")],
        "linesim_name": list(model.linesim),
        "meter_name": [name for name, driver in drivers.items() if driver == "dmm"],
        "scope_name": [name for name, driver in drivers.items() if driver == "scope"],
        "generator_name": [name for name, driver in drivers.items() if driver == "generator"],
    }


def _option(config: pytest.Config, name: str, default: Any) -> Any:
    return config.getoption(f"offhook_{name}", default)  # the plugin's; it is above this suite


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each suite on everything of its kind that the station has."""
    if not set(KINDS) & set(metafunc.fixturenames):
        return
    names = _names(load_station(find_station(_option(metafunc.config, "station", "simulated"))).model)
    for fixture in sorted(set(KINDS) & set(metafunc.fixturenames)):
        metafunc.parametrize(fixture, names[fixture] or [NOTHING])


def _params(item: pytest.Item) -> dict[str, object]:
    spec = getattr(item, "callspec", None)
    return dict(spec.params) if spec is not None else {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the suites of things that the station has none of."""
    idle = [item for item in items if any(value is NOTHING for value in _params(item).values())]
    if idle:
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if item not in idle]


@pytest.fixture
def rig(pytestconfig: pytest.Config) -> Iterator[Rig]:
    """The station, opened anew for every test, as some of them leave a driver closed."""
    with open_rig(
        _option(pytestconfig, "station", "simulated"),
        seed=_option(pytestconfig, "seed", 1),
        realtime=_option(pytestconfig, "realtime", False),
        faults=_option(pytestconfig, "fault", ()),
        purpose="the contract suites",
        on_safe=lambda report: None,
    ) as rig:
        yield rig


@pytest.fixture
def clock(rig: Rig) -> Clock:
    """The station's clock."""
    return rig.clock


@pytest.fixture
def hook(rig: Rig) -> Callable[[str, bool], None]:
    """``hook(phone, lifted)``."""

    def move(phone: str, lifted: bool) -> None:
        model = rig.model.phone[phone].hook
        board, relay = _split(model.contact)
        rig.relays[board].set(relay, lifted is (model.closed == "off-hook"))

    return move
