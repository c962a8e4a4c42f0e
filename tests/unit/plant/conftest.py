"""Fixtures of the plant's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from broken import break_plant
from unit.plant.plant_hands import Hands, station

from offhook.fixtures.plant import build_simulated


@pytest.fixture
def build() -> Callable[..., Hands]:
    """Make a plant of the shipped station, with options of ``[world]``."""

    def make(seed: int = 1, **world: Any) -> Hands:
        table = station(**world)
        plant = build_simulated(table, seed)
        break_plant(plant, table)
        return Hands(plant)

    return make


@pytest.fixture
def hands(build: Callable[..., Hands]) -> Hands:
    return build()
