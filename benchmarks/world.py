"""How much faster than real time the simulated world runs: simulated seconds a second of one core.

    python benchmarks/world.py [--phones 1000]

``one call``      association-like: rung over CTI, lifted, local code, context digits, code, hung up; every receiver,
                  tap and relay contact in it
``10 phones``     in calls with each other, all dialling two digits a second into receivers
``1000 phones``   each in its own call with the IVR over the trunk, one in ten dialling two digits a second; a receiver
                  on every IVR leg. With bench listeners and recording: the handset of every phone is a channel of the
                  rack, the rack crosses the audio pipe, and the bench's own listener decodes and its recorder writes
                  every one of the channels, as the bench does with the handsets of a station
``idle phones``   a frame of one call beside ten and beside a thousand phones on the hook

What the IVR received must be what was dialled, the listener must have heard the same, and the recordings must be whole;
if not, the exit code is 1. A figure short of its goal is only printed: speed depends on the machine.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from offhook import dsp
from offhook.bench.listen import Listener
from offhook.bench.record.audio import PortRecorder, read_wav
from offhook.bench.record.store import Store
from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.links import PipeLink
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.plant import SimulatedPlant, build_simulated

KEYS = {key: (row, column) for row, keys in enumerate(("123", "456", "789", "*0#")) for column, key in enumerate(keys)}
IVR = "+33390677069"
KEYS_IN_TURN = "123456789*0#"


class Application:
    """Hears and says nothing of note."""

    def __init__(self) -> None:
        self.heard = ""
        self.calling = ""
        self.is_speaking = False
        self.on_hangup: Callable[[], None] = lambda: None
        self.on_speech: Callable[[], None] = lambda: None

    def seize(self, calling_number: str, presentation: str, called_number: str) -> None:
        self.heard, self.calling = "", calling_number

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


def many_station(phones: int, rack: bool) -> dict[str, Any]:
    """As many phones as IVR ports and outside lines; with ``rack`` every handset is a channel of it."""
    table = station(phones, rack=False)
    table["ivr"] = {str(index + 1): {"number": IVR} for index in range(phones)}
    table["world"] = {"trunk_lines": phones}
    del table["trunk"]
    if rack:
        table["audio"] = {"rack": {"channels": phones}}
        for index in range(phones):
            table["phone"][f"p{index}"]["handset"] = f"rack/{index}"
    return table


class Ears:
    """The bench's own sound card, listener and recorder, on every channel of the rack."""

    def __init__(self, plant: SimulatedPlant, folder: Path, channels: int) -> None:
        near, far = PipeLink.pair(plant.clock, "end://rack")
        end = AudioPipeEnd(plant.clock, 8000, channels, plant.inject, plant.mute)
        end.connect(far)
        plant.on_rack(end.block)
        self.port = PipeAudio("rack", plant.clock, near, 8000, channels)
        self.port.connect()
        self.folder = folder
        self.store = Store(folder)
        self.recorder = PortRecorder(self.store, self.port, {n: f"p{n}" for n in range(channels)})
        self.heard = {f"p{n}": "" for n in range(channels)}
        self.listener = Listener(plant.clock, self.port, {f"p{n}": n for n in range(channels)}, self._digit)

    def _digit(self, name: str, start_s: float, end_s: float, digit: dsp.Digit) -> None:
        self.heard[name] += digit.key

    def wrong(self, dialled: dict[int, str], seconds: float) -> list[str]:
        """What is not as it should be, after everything was closed."""
        self.recorder.stop()
        self.store.close()
        short = []
        for name in self.heard:
            files = sorted((self.folder / "audio").glob(f"{name}_*.wav"))
            if sum(read_wav(file)[0].size for file in files) < 8000 * seconds:
                short.append(name)
        deaf = [n for n, keys in dialled.items() if abs(len(self.heard[f"p{n}"]) - len(keys)) > 1]
        deaf += [
            n for n, keys in dialled.items() if self.heard[f"p{n}"][: len(keys)] != keys[: len(self.heard[f"p{n}"])]
        ]
        extra = [name for name, keys in self.heard.items() if keys and int(name[1:]) not in dialled]
        found = {
            "recordings too short": short,
            "digits not as the IVR heard them": deaf,
            "digits nobody dialled": extra,
        }
        return [f"{what}: {len(where)}, first {where[0]}" for what, where in found.items() if where]


def bench_ivr(phones: int, bench: bool, seconds: float = 4.0, one_in: int = 10, every_s: float = 0.5) -> float:
    """Every phone in its own call with the IVR."""
    plant = build_simulated(many_station(phones, bench), seed=1)
    applications: list[Application] = []

    def new_application() -> Application:
        applications.append(Application())
        return applications[-1]

    for port in plant.ivr_ports:
        port.plug(new_application)
    with tempfile.TemporaryDirectory() as scratch:
        ears = Ears(plant, Path(scratch), phones) if bench else None
        for index in range(phones):
            call = plant.pbx.make_call(str(2000 + index), f"0{IVR.replace('+', '00')}")
            if not call.ok:
                raise SystemExit(f"no call: {call}")
        plant.clock.sleep(0.5)
        for index in range(phones):
            plant.contact(f"k{index}/8", True)
        plant.clock.sleep(4.0)
        if len(plant.grid.legs) != 2 * phones or len(applications) != phones:
            raise SystemExit(f"{len(applications)} of {phones} calls are up")
        for index in range(0, phones, one_in):
            plant.clock.spawn(functools.partial(press, plant, index, KEYS_IN_TURN * 50, every_s))
        from_s, start = plant.clock.now_s(), time.process_time()
        plant.clock.sleep(seconds)
        rate = (plant.clock.now_s() - from_s) / (time.process_time() - start)
        numbers = {each.calling: each.heard for each in applications}
        ddis = {index: plant.pbx.extensions[str(2000 + index)].config.ddi for index in range(phones)}
        dialled = {index: numbers[ddis[index]] for index in range(0, phones, one_in)}
        wrong = [index for index, keys in dialled.items() if len(keys) < int(seconds / every_s) - 1]
        wrong += [index for index, keys in dialled.items() if keys != (KEYS_IN_TURN * 50)[: len(keys)]]
        wrong += [index for index in range(phones) if index not in dialled and numbers[ddis[index]]]
        said = [f"wrong at the IVR: {len(wrong)}, first {wrong[0]}"] if wrong else []
        said += ears.wrong(dialled, seconds) if ears else []
    if said:
        raise SystemExit("; ".join(said))
    return rate


def bench_idle(phones: int, seconds: float = 20.0) -> float:
    """Milliseconds of processor time for a frame of one call beside so many phones on the hook."""
    plant = build_simulated(station(phones, rack=False), seed=1)
    call = plant.pbx.make_call("2000", "2001")
    plant.clock.sleep(0.5)
    for index in (0, 1):
        plant.contact(f"k{index}/8", True)
        plant.clock.sleep(0.5)
    if not call.ok or len(plant.grid.legs) != 2:
        raise SystemExit(f"the call is not up: {len(plant.grid.legs)} legs")
    blocks, start = plant.grid.blocks_rendered, time.process_time()
    plant.clock.sleep(seconds)
    return 1000 * (time.process_time() - start) / (plant.grid.blocks_rendered - blocks)


def yardstick() -> str:
    """What the machine does at the moment, to read the figures by: virtual machines differ by a factor of four."""

    def each_us(job: Callable[[], object], count: int) -> float:
        job()
        start = time.process_time()
        for _ in range(count):
            job()
        return 1e6 * (time.process_time() - start) / count

    small, text = np.arange(16.0), [{"at": n, "wire": "desk-1", "keys": [1, 2, 3]} for n in range(50)]
    python_us = each_us(lambda: json.loads(json.dumps(text)), 200)
    numpy_us = each_us(lambda: np.add(small, small), 20_000)
    memory_ms = each_us(lambda: np.ones((1000, 8000), dtype=np.int16), 10) / 1000
    rest = f"{numpy_us:.2f} us for a small sum, {memory_ms:.0f} ms for 16 MB of new memory"
    return f"{python_us:.0f} us for a list through JSON, {rest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phones", type=int, default=1000)
    phones = parser.parse_args().phones
    if dsp.compiled.available():
        dsp.compiled.use(True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))  # a recording is an open file
    print(f"this machine, now     {yardstick()}")
    print(f"one call              {bench_one():6.0f} x real time   (goal 50)")
    ten = bench_many(10, True, seconds=20.0, one_in=1, every_s=0.5)
    print(f"  10 phones in calls  {ten:6.0f} x real time   (goal 100; all dialling 2 digits a second, and decoded)")
    calls = f"{phones:4d} phones in {phones} calls"
    rate = bench_ivr(phones, bench=False)
    print(f"{calls} {rate:5.1f} x real time   (IVR receivers, one in ten dialling 2 digits a second)")
    rate = bench_ivr(phones, bench=True)
    print(f"{calls} {rate:5.1f} x real time   (goal 10; the same, with bench listeners and recording)")
    few, lots = bench_idle(10), bench_idle(1000)
    print(
        f"idle phones           {lots / few:6.2f} x the cost of a frame with 1,000 as with 10   (goal: 1; {few:.2f} ms)"
    )


if __name__ == "__main__":
    main()
