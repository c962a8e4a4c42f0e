"""The rows of the fault matrix: which fault, on which wires, within what time; and the scenes at the start of a run,
with a sound server and with an instrument."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay_room import BOARDS
from safety_generator import WIRES, instruments_file, left_on
from safety_room import BENCH, SECRETS, Board, addresses, bench, board, said, until
from safety_scenes import (
    HUNG,
    Desk,
    Scene,
    Seen,
    board_of_a_killed_bench,
    called_and,
    desk,
    ended_alone,
    kept_press,
    pressed_and_hung,
    pressed_and_killed,
    pressed_and_told_to_end,
    pressed_and_unplugged,
    pressed_on_a_full_disk,
    told,
    world,
)

from offhook.drivers import registry
from offhook.drivers.links import LabWires
from offhook.fixtures.sound import PulseServer
from offhook.fixtures.stations import INSTRUMENTS

KILLED_S, LIMIT_S = 1.0, 2.0
LEFT = 3
"""The relay that a bench before left closed."""
OWN_SERVER = 'world = { end = "soundserver", realtime = true }\n'
LATE = {"late_s": 0.9, "late_query": "SYST:VERS?"}
SOUND = """
schema_version = 1
name = "bench"
role = "R5"
dut = {{ vendor = "v", model = "m", firmware = "f", serial = "s" }}
{world}
{hung}[audio.rack]
driver = "sounddevice"
device = "loop8"
rate_hz = 8000
channels = 8
loop = 7

[relay.keys1]
driver = "numato"
link = "{keys}"
channels = 16

[relay.keys2]
driver = "numato"
link = "{other}"
channels = 16

[loop.a]
play = "rack/0"
hear = "rack/0"
"""


@dataclass(frozen=True)
class Row:
    """One row: a fault, the wires it is on, and the seconds within which everything is safe."""

    fault: str
    wires: str
    limit_s: float
    scene: Scene


# ---- at the start ------------------------------------------------------------------------------------------------


def leave_closed(at: Board) -> None:
    """As a bench without a guardian would have."""
    wires = LabWires()
    try:
        registry.open_driver("relay", "keys", {**at.table, "link": at.address}, wires).set(LEFT, True)
    finally:
        wires.close()
    until(lambda: at.closed == {LEFT})


@contextmanager
def started(at: Desk, place: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(BENCH), str(at.station), str(place / "run"), "start"],
        env=os.environ | SECRETS | {"OFFHOOK_LOCKS": str(place / "locks"), "OPENBLAS_NUM_THREADS": "1"} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def refused(at: Desk, place: Path, *words: str, what: str = "board", **environment: str) -> Seen:
    """It does not start, names the board or what it is, and what was left closed elsewhere is open."""
    with started(at, place, **environment) as process:
        start_s = said(process, "opening") / 1000
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
    for word in words:
        assert word in errors, errors
    until(lambda: not at.keys.closed)
    assert not (place / "run").exists()
    did = f"does not start, names the {what}; opens what another run had left closed"
    return Seen(did, at.keys.opened_after(start_s), "no run was begun")


def busy_at_the_start(place: Path) -> Seen:
    with desk(place) as at:
        leave_closed(at.keys)
        holder = LabWires()
        try:
            holder.link(at.other.address)
            return refused(at, place, "relay.keys2")
        finally:
            holder.close()


def gone_at_the_start(place: Path) -> Seen:
    with desk(place) as at:
        leave_closed(at.keys)
        at.other.unplug()
        return refused(at, place, "relay.keys2", "No such file")


@contextmanager
def sound_desk(place: Path, *sinks: str) -> Iterator[tuple[Desk, PulseServer]]:
    """A station whose card is ``loop8`` of a sound server that others use, too; a relay of it was left closed."""
    server = PulseServer(place / "sound", dict.fromkeys(sinks, 8))
    with ExitStack() as stack:
        keys, other = (stack.enter_context(board(place / name)) for name in ("keys1", "keys2"))
        station = place / "sound.toml"
        station.write_text(SOUND.format(keys=keys.address, other=other.address, hung=HUNG, world=""), "utf-8")
        stack.callback(server.stop)
        server.start()
        leave_closed(keys)
        yield Desk(station, keys, other), server


def card_busy_at_the_start(place: Path) -> Seen:
    """A stream that passes encoded audio through to a device has it for itself: PulseAudio refuses every other one."""
    with sound_desk(place, "loop8") as (at, server):
        command = "pacat --playback --passthrough --device=loop8 --rate=48000 --channels=8 /dev/zero".split()
        holder = subprocess.Popen(command, env=os.environ | server.environment)
        try:
            until(lambda: bool(server.pactl("list", "short", "sink-inputs")))
            words = ("audio.rack", '"loop8"', f"in use by pacat (process {holder.pid})")
            return refused(at, place, *words, what="card and who has it", **server.environment)
        finally:
            holder.kill()
            holder.wait()


def card_gone_at_the_start(place: Path) -> Seen:
    with sound_desk(place, "loop8", "spare8") as (at, server):
        server.remove("loop8")
        return refused(at, place, "audio.rack", '"loop8"', "pactl list short sinks", what="card", **server.environment)


# ---- sound server, instrument ------------------------------------------------------------------------------------


def without_its_sound_server(how: int) -> Scene:
    def scene(place: Path) -> Seen:
        with ExitStack() as stack:
            keys, other = (stack.enter_context(board(place / name)) for name in ("keys1", "keys2"))
            station = place / "sound.toml"
            station.write_text(
                SOUND.format(keys=keys.address, other=other.address, hung=HUNG, world=OWN_SERVER), "utf-8"
            )
            running = stack.enter_context(bench(station, place / "run", "listen"))
            at = Desk(station, keys, other)
            server = said(running.process, "server")
            os.kill(server, how)
            start_s = time.monotonic()
            _, errors = running.process.communicate(timeout=60)
            assert "audio.rack" in errors
            ended_alone(running, 1, "error: DeviceGone: audio.rack")
            took_s = at.open_after(start_s)
            told(running.folder, "audio.rack")
            assert "s of audio" in kept_press(running.folder), "what was heard until then is lost"
            return Seen("noticed by frames that stop; safe state read back", took_s, kept_press(running.folder))

    return scene


def late_reply(place: Path) -> Seen:
    with ExitStack() as stack:
        far = stack.enter_context(world(place, INSTRUMENTS, **LATE))
        keys, other = (stack.enter_context(board(place / name)) for name in ("keys1", "keys2"))
        where = addresses(far) | {"end://keys": keys.address, "end://keys2": other.address}
        file = instruments_file(place, where, **{'model  = "SIM-DMM"': 'model  = "SIM-DMM"\ntimeout_s = 0.5'})
        at = Desk(file, keys, other)
        running = stack.enter_context(bench(at.station, place / "run", "late reply"))
        start_s = said(running.process, "asked") / 1000
        assert said(running.process, "right") == 1, "the late reply was taken for another one's"
        _, errors = running.process.communicate(timeout=60)
        assert "instrument.meter" in errors
        ended_alone(running, 1, "error: DeviceTimeout: instrument.meter")
        took_s = at.open_after(start_s)
        told(running.folder, "instrument.meter")
        did = "timeout after 0.5 s; the next question got its own answer; safe state read back"
        return Seen(did, took_s, kept_press(running.folder))


# ---- the matrix --------------------------------------------------------------------------------------------------

PRESS = "2 boards on ptys, services on TCP"
SOUNDS = "2 boards on ptys, PulseAudio"
CALL = "4 boards and sensors on ptys, audio and services on TCP"
ENDS = ((signal.SIGTERM, 143, "terminated", "TERM"), (signal.SIGINT, 130, "interrupted", "Ctrl-C"))
AT = {"socket": "over TCP", "HiSLIP": "over HiSLIP", "serial": "on a pty"}
SEND = {wire: f"2 boards on ptys, generator {AT[wire]}" for wire in WIRES}
LEFT_ON = (("killed (-9)", signal.SIGKILL, KILLED_S), ("hung (stopped)", signal.SIGSTOP, LIMIT_S))
REAL = [name for name in BOARDS if name not in ("waveshare-30", "devantech-2", "lcus-4")]
ROWS: tuple[Row, ...] = (
    Row("killed (-9) in mid-press", PRESS, KILLED_S, pressed_and_killed),
    Row("hung (stopped) in mid-press", PRESS, LIMIT_S, pressed_and_hung),
    *(
        Row(f"{name} in mid-press", PRESS, LIMIT_S, pressed_and_told_to_end(number, code, word))
        for number, code, word, name in ENDS
    ),
    Row("board unplugged in mid-press", PRESS, LIMIT_S, pressed_and_unplugged),
    Row("disk full in mid-press", PRESS, LIMIT_S, pressed_on_a_full_disk),
    Row("killed (-9) in mid-call", CALL, KILLED_S, called_and(signal.SIGKILL, -signal.SIGKILL, "")),
    Row("hung (stopped) in mid-call", CALL, LIMIT_S, called_and(signal.SIGSTOP, -signal.SIGKILL, "")),
    *(Row(f"{name} in mid-call", CALL, LIMIT_S, called_and(number, code, word)) for number, code, word, name in ENDS),
    Row("board busy at the start", PRESS, LIMIT_S, busy_at_the_start),
    Row("board gone at the start", PRESS, LIMIT_S, gone_at_the_start),
    Row("sound card busy at the start", SOUNDS, LIMIT_S, card_busy_at_the_start),
    Row("sound card gone at the start", SOUNDS, LIMIT_S, card_gone_at_the_start),
    Row("sound server killed", SOUNDS, LIMIT_S, without_its_sound_server(signal.SIGKILL)),
    Row("sound server frozen", SOUNDS, LIMIT_S, without_its_sound_server(signal.SIGSTOP)),
    Row("reply of an instrument late", "2 boards on ptys, VISA over TCP", LIMIT_S, late_reply),
    *(
        Row(
            f"{name} while a generator sends, {wire}",
            SEND[wire],
            limit_s,
            left_on(wire, how),
        )
        for name, how, limit_s in LEFT_ON
        for wire in WIRES
    ),
    *(Row(f"killed (-9), board {name}", "1 board on a pty", KILLED_S, board_of_a_killed_bench(name)) for name in REAL),
)
