"""A simulated plant and hands to work it with: what the wires and the bench do, without them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.cti import CtiEvent, EventKind
from offhook.fixtures.plant import SimulatedPlant
from offhook.fixtures.stations import SIMULATED

Samples = NDArray[np.int16]
IVR = "0033390677069"
KEYS = {key: (row, column) for row, keys in enumerate(("123", "456", "789", "*0#")) for column, key in enumerate(keys)}


class Application:
    """An IVR that says one thing and writes down what it hears."""

    on_hangup: Callable[[], None]

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.call: tuple[str, str, str] = ("", "", "")
        self.digits: list[tuple[str, float]] = []
        self.says = np.zeros(0, dtype=np.int16)
        self.ended = False
        self.seized_s = 0.0

    @property
    def heard(self) -> str:
        return "".join(key for key, _ in self.digits)

    def seize(self, calling_number: str, presentation: str, called_number: str) -> None:
        self.call = (calling_number, presentation, called_number)
        self.seized_s = self.hands.now_s

    def hear_digit(self, digit: str) -> None:
        self.digits.append((digit, self.hands.now_s))

    def next_samples(self, count: int) -> Samples:
        out = np.zeros(count, dtype=np.int16)
        part, self.says = self.says[:count], self.says[count:]
        out[: part.size] = part
        return out

    def hangup(self) -> None:
        self.ended = True


class Hands:
    """Works contacts, watches sensors (but not lamps), events and the rack of a plant."""

    def __init__(self, plant: SimulatedPlant) -> None:
        self.plant = plant
        self.clock = plant.clock
        self.events: list[CtiEvent] = []
        self.edges: list[tuple[float, str, bool]] = []
        self.blocks: list[tuple[int, Samples]] = []
        self.calls: list[Application] = []
        plant.pbx.listen(self.events.append)
        plant.on_sensor(self._sensed)
        plant.on_rack(lambda first, block: self.blocks.append((first, block)))
        for port in plant.ivr_ports:
            port.plug(self._answer)
        for number in plant.pbx.extensions:
            plant.pbx.monitor_start(number)

    @property
    def now_s(self) -> float:
        return self.clock.now_s()

    def lift(self, desk: int = 1) -> None:
        self.plant.contact(f"keys{desk}/8", True)

    def hang_up(self, desk: int = 1) -> None:
        self.plant.contact(f"keys{desk}/8", False)

    def key(self, key: str, closed: bool, desk: int = 1) -> None:
        row, column = KEYS[key]
        for contact in (row, 4 + column):
            self.plant.contact(f"keys{desk}/{contact}", closed)

    def press(self, keys: str, desk: int = 1, hold_s: float = 0.1, gap_s: float = 0.1) -> None:
        for key in keys:
            start_s = self.now_s
            self.key(key, True, desk)
            self.clock.wait_until(start_s + hold_s)
            self.key(key, False, desk)
            self.clock.wait_until(start_s + hold_s + gap_s)

    def kinds(self, device: str = "1001") -> list[str]:
        return [str(event.kind) for event in self.events if event.device == device]

    def event(self, kind: EventKind, device: str = "1001") -> CtiEvent:
        return next(event for event in self.events if event.kind is kind and event.device == device)

    def wait_event(self, kind: EventKind, device: str = "1001", timeout_s: float = 20.0) -> CtiEvent:
        seen = self.clock.wait_for(
            lambda: [event for event in self.events if event.kind is kind and event.device == device], timeout_s
        )
        assert seen, f"no {kind} at {device} within {timeout_s} s; there were {self.kinds(device)}"
        return seen[-1]

    def state(self, number: str = "1001") -> str:
        return self.plant.pbx.snapshot(number).lock_state

    def audio(self, channel: int, from_s: float = 0.0) -> Samples:
        """All of a rack channel from a time on; what was skipped is silence."""
        first = round(from_s * 8000)
        whole = np.zeros(max(0, max((at + 160 for at, _ in self.blocks), default=0) - first), dtype=np.int16)
        for at, block in self.blocks:
            if at >= first:
                whole[at - first : at - first + 160] = block[channel]
        return whole

    def call_ivr(self, context: str = "1234567", desk: int = 1) -> Application:
        """A call made over CTI, answered at the phone, up to the IVR's answer."""
        number = f"100{desk}"
        called = f"{IVR}*{context}#" if context else IVR
        assert self.plant.pbx.make_call(number, called).ok
        self.clock.sleep(1.0)
        self.lift(desk)
        before = len(self.calls)
        assert self.clock.wait_for(lambda: len(self.calls) > before, 10.0)
        return self.calls[-1]

    def _sensed(self, address: str, active: bool) -> None:
        if address not in LAMPS:
            self.edges.append((self.now_s, address, active))

    def _answer(self) -> Application:
        self.calls.append(Application(self))
        return self.calls[-1]


def station(**world: Any) -> dict[str, Any]:
    with SIMULATED.open("rb") as file:
        table = tomllib.load(file)
    table["world"] = {**table.get("world", {}), **world}
    return table


LAMPS = {pin for phone in station()["phone"].values() for pin in phone.get("lamp", {}).values()}
