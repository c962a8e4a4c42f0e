"""Drivers by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from offhook.drivers import registry
from offhook.drivers.errors import ConfigError
from offhook.drivers.links import PipeLink
from offhook.drivers.relay.numato import NumatoBoard
from offhook.fixtures.simclock import SimClock


class OneWire:
    """Wires with a pipe at every address."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.opened: list[str] = []

    def link(self, address: str, baud: int = 9600) -> PipeLink:
        self.opened.append(address)
        return PipeLink.pair(self.clock, address)[0]


def test_a_driver_is_found_by_kind_and_name() -> None:
    assert registry.find("relay.numato") is NumatoBoard  # type: ignore[comparison-overlap]


def test_known_drivers_by_kind() -> None:
    assert "relay.numato" in registry.known("relay")
    assert all(name.startswith("relay.") for name in registry.known("relay"))
    assert {"audio.pipe", "sense.firmata"} <= set(registry.known())


def test_open_driver_takes_the_resources_own_table() -> None:
    wires: Any = OneWire()
    board = registry.open_driver("relay", "keys1", {"driver": "numato", "link": "end://keys1", "channels": 8}, wires)
    assert board.channels == 8
    assert board.resource == "relay.keys1"
    assert wires.opened == ["end://keys1"]


def test_an_unknown_driver_names_the_known_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.find("relay.numatto", "lab3.toml:19 relay.keys1")
    assert caught.value.resource == "lab3.toml:19 relay.keys1"
    assert "relay.numato" in caught.value.detail
    assert "audio.pipe" not in caught.value.detail
    assert caught.value.hint == "relay.numato"


def test_a_driver_left_out_is_a_config_error() -> None:
    wires: Any = OneWire()
    with pytest.raises(ConfigError, match=r"relay\.keys1.*no driver is named"):
        registry.open_driver("relay", "keys1", {"link": "end://keys1"}, wires)


@pytest.mark.parametrize("value", ["offhook_is_not_here.relay:Board", "offhook.drivers.relay.numato:NoSuchBoard"])
def test_a_driver_that_cannot_be_imported_is_a_config_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint("relay.broken", value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    with pytest.raises(ConfigError, match=r'load driver "relay\.broken"'):
        registry.find("relay.broken")
