"""Line simulators of a station: each has a line of its own at an audio channel and a relay of the bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from offhook.bench.station_gate import GatedBoard
from offhook.bench.station_model import StationModel, ref
from offhook.drivers import registry
from offhook.drivers.audio import AudioPort
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone
from offhook.drivers.linesim import Line, LineSimulator


class Wired(Protocol):
    """The part of a rig that a line simulator hangs on."""

    model: StationModel
    clock: Clock
    relays: dict[str, GatedBoard]
    audio: dict[str, AudioPort]
    connected: set[str]


def open_linesim(rig: Wired, name: str, options: Mapping[str, Any]) -> LineSimulator:
    """The driver of a ``[linesim.NAME]`` at its line. Raises DeviceGone if its sound card or relay board is not there.

    Its loop goes through the gate of its relay board, and is opened with all other relays in the safe state.
    """
    section, resource = rig.model.linesim[name], f"linesim.{name}"
    (card, channel), (board, relay) = ref(section.line), ref(section.loop)
    for needed in (f"audio.{card}", f"relay.{board}"):
        if needed not in rig.connected:
            raise DeviceGone(resource, "use its line", f"{needed} does not answer", "that one first")
    gate, where = rig.relays[board], f"audio channel {section.line}, relay {section.loop}"
    line = Line(rig.clock, rig.audio[card], channel, lambda off_hook: gate.set(relay, off_hook), where)
    driver: Any = registry.find(f"linesim.{section.driver}", resource)
    box: LineSimulator = driver.open(name, options, line)
    return box
