"""A sound card through PortAudio, on PulseAudio of our own: what its round trip is known to, and what it costs.

    python benchmarks/audio.py [--starts 8] [--seconds 10]

Round trip: a card is started anew each time; what is then played is looked for where it should be heard. Cost: 16
channels full duplex, each playing and hearing all the time, CPU seconds of the bench and of the card's own process, in
per cent of one core; the sound server's are beside it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from offhook.drivers.audio import probe
from offhook.drivers.audio.soundcard import SoundCard
from offhook.drivers.clock import WallClock
from offhook.fixtures.sound import PulseServer, environment_of

RATE_HZ = 8000
TICK = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def bench_round_trip(starts: int) -> None:
    """How far from its time a probe is heard, over several starts."""
    errors_ms, trips_ms = [], []
    for _ in range(starts):
        clock = WallClock()
        card = SoundCard("rack", clock, {"device": "loop8", "rate_hz": RATE_HZ, "channels": 8, "loop": 7})
        card.connect()
        trips_ms.append(1000 * card.round_trip.s)
        for _ in range(3):
            errors_ms.append(error_ms(card, clock))
        card.close()
    trips = ", ".join(f"{trip:.2f}" for trip in sorted(set(np.round(trips_ms, 2))))
    print(f"round trip             {max(map(abs, errors_ms)):6.3f} ms off at most   (goal 0.1 ms; {starts} starts)")
    print(f"                       it was {trips} ms")


def error_ms(card: SoundCard, clock: WallClock) -> float:
    """How far from its frame a probe on channel 0 is heard."""
    wave = np.rint(probe.sequence(RATE_HZ) * 3277)
    ahead = RATE_HZ // 20
    start = card.frame_at(clock.now_s() + 0.3)
    card.play_at(start, 0, wave.astype(np.int16))
    clock.wait_until(card.time_of_s(start + len(wave) + 2 * ahead) + 0.2)
    heard = card.take(start - ahead, start + len(wave) + ahead)[0]
    return 1000 * (probe.find(wave, heard, RATE_HZ).lag - ahead) / RATE_HZ


def bench_cost(seconds: float, server: PulseServer) -> None:
    """Sixteen channels that all play and hear."""
    clock = WallClock()
    card = SoundCard("rack", clock, {"device": "loop16", "rate_hz": RATE_HZ, "channels": 16, "loop": 15})
    card.connect()
    noise = np.random.default_rng(1).integers(-3000, 3000, round((seconds + 2) * RATE_HZ)).astype(np.int16)
    start = card.frame_at(clock.now_s() + 0.3)
    for channel in range(15):
        card.play_at(start, channel, noise)
    clock.sleep(1.0)
    pids = {"bench": os.getpid(), "card's process": card.engine_pid, "PulseAudio": server.pid}
    before, from_s = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
    clock.sleep(seconds)
    passed_s = time.monotonic() - from_s
    percent = {name: 100 * (cpu_s(pid) - before[name]) / passed_s for name, pid in pids.items()}
    losses = len(card.losses)
    card.close()
    ours = percent["bench"] + percent["card's process"]
    parts = ", ".join(f"{name} {value:.1f} %" for name, value in percent.items())
    print(f"16 channels            {ours:6.1f} % of a core   (goal 20 %; {parts})")
    print(f"                       {losses} losses in {passed_s:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PulseServer(Path(folder), {"loop8": 8, "loop16": 16})
        server.start()
        try:
            with environment_of(server):
                bench_round_trip(chosen.starts)
                bench_cost(chosen.seconds, server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
