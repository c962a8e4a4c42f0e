"""A bench that holds a key down, as a process of its own: ``safety_bench.py STATION FOLDER WAY``.

It says ``ready PID`` (of its guardian) once the handset is up and the key is down, and then goes on in its WAY. For the
way ``start`` it says ``opening MS`` (of the monotonic clock) before it opens the station.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

from offhook.bench import signals
from offhook.bench.session import Session, Wanted, opened
from offhook.drivers.errors import DeviceTimeout
from offhook.dsp import encode, to_int16

HOOK, ROW, COLUMN = 8, 0, 4


def press(session: Session) -> None:
    assert session.rig.guard is not None
    for relay in (HOOK, ROW, COLUMN):
        session.rig.relays["keys1"].set(relay, True)
    session.rig.relays["keys2"].set(3, True)
    print("ready", session.rig.guard.pid, flush=True)


def go_on(session: Session, way: str) -> None:
    clock = session.rig.clock
    if way == "rest":  # nothing is closed: silent for longer than a bench may be that holds a key
        session.record.note_meta(folder="rest")
        print("ready", session.rig.guard.pid if session.rig.guard else 0, flush=True)
        time.sleep(3.0)
        return
    if way == "send":  # every relay in its safe position
        session.record.observe("I", "generator", "output", "generator", clock.now_s(), 0.0, freq_hz=1004.0)
        session.rig.instruments["generator"].sine(1004.0, -20.0)  # type: ignore[attr-defined]
        print("ready", session.rig.guard.pid if session.rig.guard else 0, flush=True)
        clock.sleep(600)
    press(session)
    if way == "wait":
        clock.sleep(600)
    elif way == "wait a little":
        clock.wait_for(lambda: False, 3.0)
    elif way == "loop":
        while True:
            pass
    elif way == "press on":
        while True:
            for closed in (True, False):
                session.rig.relays["keys1"].set(1, closed)
                clock.sleep(0.1)
    elif way == "listen":
        rack = session.rig.audio["rack"]
        session.record.record_audio(rack, {0: "rack-0"})
        rack.play_at(rack.now_frame() + rack.rate_hz // 4, 0, to_int16(encode("12345678901234567890", rack.rate_hz)))
        clock.sleep(1.5)
        print("server", session.rig.wires.server.pid, flush=True)  # type: ignore[attr-defined]
        clock.sleep(600)
    elif way == "late reply":
        ask_twice(session)
    elif way == "ask the cloud":
        clock.sleep(0.5)
        session.rig.cloud_api.login("alice")
        print("answered", 0, flush=True)
    elif way == "full disk":
        full = (session.folder / "run.sqlite-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))  # what is there may be written over, nothing may grow
        while not session.record.lost:
            session.record.observe("R", "keys1", "filler", "keys1", clock.now_s(), 0.0)
        print("full", now_ms(), flush=True)
        clock.sleep(600)
    elif way == "no room at all":
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # no file of ours takes another byte
        session.rig.relays["keys1"].set(5, True)
        clock.sleep(600)
    elif way == "child":
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        print("child", pid, flush=True)
        clock.sleep(600)


def ask_twice(session: Session) -> None:
    """The reply to the first question comes after its time; what is the answer to the second?"""
    meter = session.rig.instruments["meter"]
    print("asked", now_ms(), flush=True)
    try:
        meter.ask("SYST:VERS?")  # type: ignore[attr-defined]
    except DeviceTimeout:
        print("right", int(meter.ask("*IDN?").startswith("Offhook,SIM-DMM")), flush=True)  # type: ignore[attr-defined]
        raise


def now_ms() -> int:
    """On the clock that the test has, too."""
    return int(time.monotonic() * 1000)


def main(station: str, folder: str, way: str) -> int:
    with signals.orderly_end() as ending:
        try:
            if way == "start":
                print("opening", now_ms(), flush=True)
            with opened(Wanted(Path(station), folder=Path(folder))) as session:
                go_on(session, way)
        except KeyboardInterrupt:
            pass
        return ending.exit_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
