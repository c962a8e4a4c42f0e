"""Many associations: a thousand at once on the simulated world, and two thousand one after another on the bench.

    python benchmarks/associations.py [--at-once 1000] [--in-turn 200]

At once: every account asks for its own phone in the same second; each phone is lifted and its code keyed by relay
contacts, all digits cross the trunk as audio into IVR receivers. Reported are cross-pairs (an account got another's
phone) and what failed. In turn: the bench's own flow, recorded and judged, on four phones; reported are failures and
what memory grew by since the first tenth. Two thousand take minutes: --in-turn 2000.
"""

from __future__ import annotations

import argparse
import functools
import gc
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from offhook.drivers.cloud import CloudClient
from offhook.drivers.cloud.http import HttpCloud
from offhook.fixtures.ends import SimWires
from offhook.fixtures.plants import build_world

KEYS = {key: (row, column) for row, keys in enumerate(("123", "456", "789", "*0#")) for column, key in enumerate(keys)}
PRESS_S, EVERY_S = 0.1, 0.2
POLL_S = 0.5
LIMIT_S = 60.0


def station(phones: int) -> dict[str, Any]:
    """A station of so many phones, accounts and IVR ports; nothing is recorded on it."""
    table: dict[str, Any] = {
        "region": "US",
        "phone": {},
        "ivr": {},
        "world": {"end": "simulated", "trunk_lines": phones},
    }
    table["cloud"] = {"url": "end://cloud", "admin": "admin", "accounts": {}}
    table["options"] = {"lock": "none", "s3": True, "context": True, "ddi": True}
    table["pbx"] = {"link": "end://cti", "outside_prefix": "0"}
    for index in range(phones):
        table["cloud"]["accounts"][f"a{index}"] = f"password {index}"
        table["ivr"][str(index + 1)] = {"number": "+33390677069"}
        table["phone"][f"p{index}"] = {
            "extension": str(20000 + index),
            "ddi": f"+333906{20000 + index}",
            "kind": "ip",
            "local_code": "8642",
            "ring": f"bells/{index}",
            "hook": {"contact": f"k{index}/8"},
            "keypad": {"rows": [f"k{index}/{n}" for n in range(4)], "columns": [f"k{index}/{n}" for n in (4, 5, 6)]},
        }
    return table


def associate(plant: Any, cloud: CloudClient, ringing: set[str], ended: Counter[str], index: int) -> None:
    """One account, one phone, from S1 to the end of the call; notes how it ended."""
    clock, account, extension = plant.clock, f"a{index}", str(20000 + index)
    asked = cloud.request_association(account, extension).id
    clock.sleep(POLL_S)
    code = cloud.code(account, asked)
    cloud.complete(account, asked)
    until_s = clock.now_s() + LIMIT_S
    state = lifted = keyed = ""
    while state not in ("NOTIFIED", "FAILED") and clock.now_s() < until_s:
        clock.sleep(POLL_S)
        if not lifted and f"bells/{index}" in ringing:
            plant.contact(f"k{index}/8", True)
            lifted = "lifted"
        if lifted:
            state = cloud.association(account, asked).state
        if state == "PROMPTED" and not keyed:
            clock.sleep(2.0)  # let it finish speaking
            for key in code:
                press(plant, index, key)
            keyed = "keyed"
    plant.contact(f"k{index}/8", False)
    ended["associated" if state == "NOTIFIED" else state or f"{lifted or 'no ring'} {keyed}".strip()] += 1


def press(plant: Any, index: int, key: str) -> None:
    """One key, by its two contacts."""
    start_s = plant.clock.now_s()
    row, column = KEYS[key]
    for closed, until_s in ((True, start_s + PRESS_S), (False, start_s + EVERY_S)):
        plant.contact(f"k{index}/{row}", closed)
        plant.contact(f"k{index}/{4 + column}", closed)
        plant.clock.wait_until(until_s)


def at_once(phones: int) -> None:
    """All phones at the same time."""
    table = station(phones)
    with tempfile.TemporaryDirectory() as scratch:
        world = build_world("simulated", table, seed=1, workdir=Path(scratch))
        wires = SimWires(world)
        plant, ended = world.plant, Counter[str]()
        ringing: set[str] = set()
        plant.on_sensor(lambda pin, active: ringing.add(pin) if active else ringing.discard(pin))
        cloud = HttpCloud(wires, "end://cloud", table["cloud"]["accounts"], "admin")
        cloud.connect()
        cloud.admin_policy({"lock": "none", "completion_required": True, "context": True, "ddi": True})
        plant.clock.sleep(1.0)
        from_s, start_s = plant.clock.now_s(), time.process_time()
        tasks = [
            plant.clock.spawn(functools.partial(associate, plant, cloud, ringing, ended, index))
            for index in range(phones)
        ]
        for task in tasks:
            task.join(10 * LIMIT_S)
        cpu_s, phone_s = time.process_time() - start_s, plant.clock.now_s() - from_s
        got = [[phone.extension for phone in cloud.phones(f"a{index}")] for index in range(phones)]
        wires.close()
    crossed = sum(any(extension != str(20000 + index) for extension in mine) for index, mine in enumerate(got))
    rest = {how: count for how, count in ended.items() if how != "associated"}
    print(f"{phones:5d} at once          {crossed} cross-pairs, {ended['associated']} associated   (goal 0, {phones})")
    print(f"                       {phone_s:.0f} s of phone time in {cpu_s:.0f} s of CPU")
    if crossed or rest or any(len(mine) != 1 for mine in got):
        raise SystemExit(f"not as it should be: {crossed} cross-pairs, {rest or 'all associated'}")


def in_turn(count: int) -> None:
    """One after another, as in a run: recorded, judged, one in ten with the lock."""
    from offhook.bench.flows import associate as run_flow
    from offhook.bench.record import Verdict
    from offhook.bench.session import Wanted, opened

    tenth = max(1, count // 10)
    memory_mb: list[float] = []
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch, opened(Wanted(folder=Path(scratch) / "run")) as session:
        here, record = session.station, session.record
        phones, start_s = list(here.phones.values()), time.process_time()
        for number in range(1, count + 1):
            here.begin()
            record.begin(f"association-{number}", "one of many", "benchmark")
            run_flow(here, here.account("alice"), phones[number % len(phones)], lock=number % 10 == 0)
            here.end()
            outcomes[record.finish(Verdict.PASS)] += 1
            if number % tenth == 0:
                memory_mb.append(resident_mb())
        cpu_s = time.process_time() - start_s
        last = max(1, len(memory_mb) // 3)  # before that the decoder may have loaded its compiled kernels, once
        grown = memory_mb[-1] - memory_mb[-1 - min(last, len(memory_mb) - 1)]
        print(f"{count:5d} in turn          {count - outcomes[Verdict.PASS]} failed   (goal 0)")
        print(f"                       memory {memory_mb[0]:.0f} MB after {tenth}, {memory_mb[-1]:.0f} MB at the end,")
        each_kb = 1024 * grown / (last * tenth)
        print(f"                       {each_kb:+.1f} kB for each of the last {last * tenth}   (goal: flat)")
        print(f"                       {1000 * cpu_s / count:.0f} ms of CPU each, recorded and judged", flush=True)
    if outcomes[Verdict.PASS] != count:
        raise SystemExit(f"not PASS: {dict(outcomes)}")


def resident_mb() -> float:
    """What this process has in memory now."""
    gc.collect()
    fields = Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()
    return int(fields[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=1000, help="phones; 0: not at all")
    parser.add_argument("--in-turn", type=int, default=200, help="associations; 0: none")
    options = parser.parse_args()
    if options.at_once:
        at_once(options.at_once)
    if options.in_turn:
        in_turn(options.in_turn)


if __name__ == "__main__":
    main()
