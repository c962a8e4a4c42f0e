"""A bench that holds a key down, as a process of its own: ``safety_bench.py STATION FOLDER WAY``.

It says ``ready PID`` (of its guardian) once the handset is up and the key is down, and then goes on in its WAY.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

from offhook.bench import signals
from offhook.bench.session import Session, Wanted, opened

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
    press(session)
    if way == "wait":
        clock.sleep(600)
    elif way == "wait a little":
        clock.wait_for(lambda: False, 3.0)
    elif way == "loop":
        while True:
            pass
    elif way == "ask the cloud":
        clock.sleep(0.5)
        session.rig.cloud_api.login("alice")
        print("answered", 0, flush=True)
    elif way == "full disk":
        full = (session.folder / "run.sqlite-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))  # what is there may be written over, nothing may grow
        while not session.record.lost:
            session.record.observe("R", "keys1", "filler", "keys1", clock.now_s(), 0.0)
        print("full", int(time.monotonic() * 1000), flush=True)
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


def main(station: str, folder: str, way: str) -> int:
    with signals.orderly_end() as ending:
        try:
            with opened(Wanted(Path(station), folder=Path(folder))) as session:
                go_on(session, way)
        except KeyboardInterrupt:
            pass
        return ending.exit_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
