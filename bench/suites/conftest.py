"""Each certification test that takes ``desk`` runs once for every phone of the station."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.bench.devices import Station
from offhook.bench.loop import Loop
from offhook.bench.phone import Phone

SUITES = Path(__file__).parent


ABOUT = {"dtmf": (), "instruments": ("instrument", "phone"), "lamps": ("phone",), "loopback": ("loop",)}
"""What of a station a suite is about; all others are about phones and a PBX that a cloud service controls."""
ALL = ("phone", "pbx", "tap", "cloud", "accounts", "ivr")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A suite that is not about this station is NOT_APPLICABLE."""
    for item in items:
        if item.path.parent == SUITES:
            item.add_marker(pytest.mark.needs(*ABOUT.get(item.path.stem.removeprefix("test_"), ALL)))


@pytest.fixture
def desk(station: Station, phone_name: str) -> Phone:
    """One phone of the station."""
    return station.phone(phone_name)


@pytest.fixture
def first(station: Station) -> Phone:
    """One phone is enough where the service is on trial."""
    if not station.usable:
        pytest.skip("every phone of this station is in quarantine")
    return station.usable[0]


@pytest.fixture
def loop(station: Station, loop_name: str) -> Loop:
    """One loop of the station."""
    return station.loop(loop_name)
