"""Made wrong on purpose while tests run, to see that they notice: `make faults`.

``pytest --fault NAME`` switches a fault on at every simulated far end that a test puts up; ``pytest --bug NAME`` puts a
bug into a part of the bench itself (bugs.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offhook.fixtures.cloud.assembly import ReferenceCloud
    from offhook.fixtures.plant import SimulatedPlant

FAULTS: list[str] = []
"""Those of the command line."""


def break_plant(plant: SimulatedPlant, station: dict[str, Any]) -> None:
    """A plant without wires, which a test works by hand."""
    if not FAULTS:
        return
    from offhook.fixtures.faulty.pbx import take_pbx_faults
    from offhook.fixtures.faulty.phones import take_phone_faults

    take_phone_faults(plant.room, station, plant.faults)
    take_pbx_faults(plant.pbx, plant.faults)
    for name in FAULTS:
        plant.faults.add(name)


def break_cloud(cloud: ReferenceCloud) -> None:
    """A service without a plant."""
    if not FAULTS:
        return
    from offhook.fixtures.faults import FaultBoard
    from offhook.fixtures.faulty.cloud import take_cloud_faults

    board = FaultBoard()
    cloud.take_faults(board)
    take_cloud_faults(cloud, board)
    for name in FAULTS:
        board.add(name)
