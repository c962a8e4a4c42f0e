"""How much faster than real time the simulated world runs: simulated seconds a second of one core.

    python benchmarks/world.py [--phones 1000]

The first figure is one association-like call: rung over CTI, lifted, local code, context digits, code, hung up, with
every receiver, tap and relay contact in it. The second is ten phones in calls with each other, all dialling two digits
a second into receivers. The third is many phones in calls, one in ten dialling five digits a second, without and with a
receiver on each of those.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from offhook.fixtures.plant import SimulatedPlant, build_simulated

KEYS = {key: (row, column) for row, keys in enumerate(("123", "456", "789", "*0#")) for column, key in enumerate(keys)}
KEYS_IN_TURN = "123456789*0#"


class Application:
    """Hears and says nothing of note."""

    def __init__(self) -> None:
        self.heard = ""
        self.on_hangup: Callable[[], None] = lambda: None

    def seize(self, calling_number: str, presentation: str, called_number: str) -> None:
        self.heard = ""

    def hear_digit(self, digit: str) -> None:
        self.heard += digit

    def next_samples(self, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        return np.zeros(count, dtype=np.int16)

    def hangup(self) -> None:
        pass


def station(phones: int, rack: bool) -> dict[str, Any]:
    table: dict[str, Any] = {"region": "US", "phone": {}, "ivr": {"1": {"number": "+33390677069"}}}
    table["trunk"] = {"co": {"seized": ["s/0", "s/1"]}}
    if rack:
        table["audio"] = {"rack": {"channels": 4}}
        table["ivr"]["1"] |= {"heard": "rack/1", "spoken": "rack/2"}
    for index in range(phones):
        table["phone"][f"p{index}"] = {
            "extension": str(2000 + index),
            "kind": "ip",
            "local_code": "8642",
            "hook": {"contact": f"k{index}/8"},
            "keypad": {"rows": [f"k{index}/{n}" for n in range(4)], "columns": [f"k{index}/{n}" for n in (4, 5, 6)]},
        }
        if rack and index == 0:
            table["phone"]["p0"]["handset"] = "rack/0"
    return table


def press(plant: SimulatedPlant, phone: int, keys: str, every_s: float = 0.2) -> None:
    for key in keys:
        start_s = plant.clock.now_s()
        row, column = KEYS[key]
        for closed in (True, False):
            plant.contact(f"k{phone}/{row}", closed)
            plant.contact(f"k{phone}/{4 + column}", closed)
            plant.clock.wait_until(start_s + (0.1 if closed else every_s))


def one_call(plant: SimulatedPlant) -> None:
    plant.pbx.lock("2000", "notify")
    plant.clock.sleep(0.5)
    plant.pbx.make_call("2000", "0033390677069*1234567#")
    plant.clock.sleep(1.0)
    plant.contact("k0/8", True)
    plant.clock.sleep(1.0)
    press(plant, 0, "8642#")
    plant.clock.sleep(6.0)
    press(plant, 0, "4711")
    plant.clock.sleep(4.0)
    plant.contact("k0/8", False)
    plant.clock.sleep(1.0)


def bench_one(repeats: int = 10) -> float:
    plant = build_simulated(station(1, rack=True), seed=1)
    applications: list[Application] = []

    def new_application() -> Application:
        applications.append(Application())
        return applications[-1]

    plant.ivr_ports[0].plug(new_application)
    plant.on_rack(lambda first, block: None)
    one_call(plant)
    from_s, start = plant.clock.now_s(), time.process_time()
    for _ in range(repeats):
        one_call(plant)
    spent_s = time.process_time() - start
    wrong = [each.heard for each in applications if each.heard != "1234567#4711"]
    if wrong:
        raise SystemExit(f"the calls went wrong: {wrong}")
    return (plant.clock.now_s() - from_s) / spent_s


def bench_many(phones: int, receivers: bool, seconds: float = 3.0, one_in: int = 10, every_s: float = 0.2) -> float:
    plant = build_simulated(station(phones, rack=False), seed=1)
    for index in range(0, phones, 2):
        call = plant.pbx.make_call(str(2000 + index), str(2001 + index))
        if not call.ok:
            raise SystemExit(f"no call: {call}")
    plant.clock.sleep(0.5)
    for index in range(0, phones, 2):
        plant.contact(f"k{index}/8", True)
    plant.clock.sleep(0.5)
    for index in range(1, phones, 2):
        plant.contact(f"k{index}/8", True)
    plant.clock.sleep(0.5)
    if len(plant.grid.legs) != phones:
        raise SystemExit(f"{len(plant.grid.legs)} of {phones} phones are in calls")
    heard = {index: "" for index in range(0, phones, one_in)}

    def receive(index: int, key: str, ended: bool) -> None:
        heard[index] += key if ended else ""

    for index in heard:
        leg = plant.pbx.extensions[str(2000 + index)].leg
        if leg is not None and receivers:
            plant.grid.receive(leg, functools.partial(receive, index))
        plant.clock.spawn(functools.partial(press, plant, index, KEYS_IN_TURN * 50, every_s))
    from_s, start = plant.clock.now_s(), time.process_time()
    plant.clock.sleep(seconds)
    rate = (plant.clock.now_s() - from_s) / (time.process_time() - start)
    least = int(seconds / every_s) - 2 if receivers else 0
    wrong = [index for index, keys in heard.items() if len(keys) < least or keys not in KEYS_IN_TURN * 50]
    if wrong:
        raise SystemExit(f"digits went wrong on {len(wrong)} of {len(heard)} phones, first {heard[wrong[0]]!r}")
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=1000)
    phones = parser.parse_args().phones
    print(f"one call              {bench_one():6.0f} x real time   (goal 50)")
    ten = bench_many(10, True, seconds=20.0, one_in=1, every_s=0.5)
    print(f"  10 phones in calls  {ten:6.0f} x real time   (goal 100; all dialling 2 digits a second, and decoded)")
    for receivers in (False, True):
        rate = bench_many(phones, receivers)
        what = "and decoded" if receivers else "not decoded"
        print(f"{phones:4d} phones in calls  {rate:6.0f} x real time   (goal 10; one in ten dialling, {what})")


if __name__ == "__main__":
    main()
