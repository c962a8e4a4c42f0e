"""Each certification test that takes ``desk`` runs once for every phone of the station."""

from __future__ import annotations

import pytest

from offhook.bench.devices import Station
from offhook.bench.phone import Phone


@pytest.fixture
def desk(station: Station, phone_name: str) -> Phone:
    """One phone of the station."""
    return station.phone(phone_name)
