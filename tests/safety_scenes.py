"""The scenes of the fault matrix (`make safety`): something goes wrong while relays are closed, on real wires.

Each scene plays in a folder of its own, asserts everything that must be so (relays open at the board's far end, what
was recorded before is readable, the account of it is true), and hands back what the bench did, how long it took as
seen from the far end, and what of the run was read afterwards.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay_room import BOARDS
from runs import OFFHOOK
from safety_calls import Lab, everything_is_down, in_mid_call, json_of
from safety_room import Bench, Board, addresses, bench, board, killed, said, station_file, until

from offhook.bench.record import judge, open_run
from offhook.bench.record.guarded import guarded
from offhook.bench.session import Session  # noqa: F401 - the bench is imported once, before anything is timed
from offhook.fixtures.ends import FarEndWires, open_simulated
from offhook.fixtures.stations import SIMULATED
from offhook.reports import render

HUNG = "[guardian]\nhung_s = 1.0\n\n"
PRESSED = [["keys1", str(relay), "closed"] for relay in (8, 0, 4)]
CANNOT_READ = "lcus-1"


@dataclass(frozen=True)
class Seen:
    """What a scene saw: the bench's deed, seconds to the safe state at the far end, what was readable afterwards."""

    did: str
    took_s: float
    kept: str


Scene = Callable[[Path], Seen]


# ---- places ------------------------------------------------------------------------------------------------------


@contextmanager
def world(place: Path, file: Path = SIMULATED, **meter: object) -> Iterator[FarEndWires]:
    """Everything of a station but the relay boards that are looked at, in a process of its own."""
    station = tomllib.loads(file.read_text("utf-8"))
    if meter:
        station["world"]["instruments"]["meter"] |= meter
    opened = open_simulated(station, seed=1, realtime=True, workdir=place / "world")
    assert isinstance(opened, FarEndWires)
    try:
        yield opened
    finally:
        opened.close()


@dataclass
class Desk:
    """A station file, and the two boards that it names keys1 and keys2."""

    station: Path
    keys: Board
    other: Board

    def all_open(self) -> None:
        until(lambda: not self.keys.closed and not self.other.closed)

    def open_after(self, start_s: float) -> float:
        """Seconds until the last contact of either board opened, at the contacts themselves."""
        self.all_open()
        took_s = max(each.opened_after(start_s) for each in (self.keys, self.other))
        assert took_s > 0, "they were open before"
        return took_s


@contextmanager
def desk(place: Path) -> Iterator[Desk]:
    with ExitStack() as stack:
        far = stack.enter_context(world(place))
        keys, other = (stack.enter_context(board(place / name)) for name in ("keys1", "keys2"))
        where = addresses(far) | {"end://keys1": keys.address, "end://keys2": other.address}
        yield Desk(station_file(place, where, **{"[options]": HUNG + "[options]"}), keys, other)


# ---- what is there afterwards ------------------------------------------------------------------------------------


def read(folder: Path) -> tuple[int, int, float]:
    """Opened as anybody would: relay commands, observations, seconds of audio; every frame that is claimed is there."""
    with open_run(folder) as run:
        rows = [line.split(",") for line in run.lines("relays.csv")[1:]]
        audio_s = 0.0
        for clip in run.clips():
            samples, _ = run.samples(clip)
            assert len(samples) >= clip.frames, f"{clip.file} is short"
            audio_s += clip.frames / clip.rate_hz
        return sum(len(row) == 5 for row in rows), len(run.observations()), audio_s


def kept(folder: Path, before: tuple[int, int, float] = (1, 0, 0.0)) -> str:
    """What is there, in words; nothing may be less than it was before the fault."""
    commands, observations, audio_s = after = read(folder)
    assert all(now >= then for now, then in zip(after, before, strict=True)), f"lost: {before} before, {after} now"
    counts = {"relay command": commands, "observation": observations}
    words = [f"{number} {what}{'s' if number > 1 else ''}" for what, number in counts.items() if number]
    return ", ".join(words + ([f"{audio_s:.1f} s of audio"] if audio_s else []))


def kept_press(folder: Path) -> str:
    with open_run(folder) as run:
        rows = [line.split(",")[2:] for line in run.lines("relays.csv")[1:]]
    assert [row for row in PRESSED if row not in rows] == [], "commands of the press are lost"
    return kept(folder)


def told(folder: Path, *sentences: str) -> None:
    """The report says so on page one."""
    render(folder)
    remarks = " ".join(json.loads((folder / "results.json").read_text("utf-8"))["remarks"])
    for sentence in sentences:
        assert sentence in remarks, f"the report does not say {sentence!r}: {remarks}"


def safe_on_record(folder: Path) -> dict[str, bool]:
    with open_run(folder) as run:
        return {seen.subject: seen.data["ok"] for seen in run.observations() if seen.kind == "safe"}


def ended_alone(running: Bench, code: int, ended: str) -> None:
    """The bench made itself safe, read it back and put it on record; its guardian had nothing to do."""
    assert running.ended() == code
    assert not (running.folder / "guardian.json").exists()
    assert str(judge(running.folder).meta["ended"]).startswith(ended)
    safe = safe_on_record(running.folder)
    assert all(safe[f"relay.keys{number}"] for number in (1, 2)), safe


# ---- in mid-press ------------------------------------------------------------------------------------------------


def pressed_and_killed(place: Path) -> Seen:
    with desk(place) as at, bench(at.station, place / "run") as running:
        start_s = running.signal(signal.SIGKILL)
        assert running.ended() == -signal.SIGKILL
        took_s = at.open_after(start_s)
        assert running.account["ok"]
        told(running.folder, "The run was killed", "Guardian: the bench was killed. It made 4 relay boards safe")
        return Seen("guardian opened 4 boards and read them back", took_s, kept_press(running.folder))


def pressed_and_hung(place: Path) -> Seen:
    with desk(place) as at, bench(at.station, place / "run") as running:
        start_s = running.signal(signal.SIGSTOP)
        assert running.ended() == -signal.SIGKILL
        took_s = at.open_after(start_s)
        assert running.account["ok"]
        assert running.account["killed"]
        told(running.folder, "The run was killed", "Guardian: the bench hung: silent for 1.")
        return Seen("guardian ended it, opened 4 boards and read them back", took_s, kept_press(running.folder))


def pressed_and_told_to_end(number: int, code: int, word: str) -> Scene:
    def scene(place: Path) -> Seen:
        with desk(place) as at, bench(at.station, place / "run") as running:
            start_s = running.signal(number)
            ended_alone(running, code, word)
            took_s = at.open_after(start_s)
            told(running.folder, word)
            return Seen(f"safe state by itself, read back; exit code {code}", took_s, kept_press(running.folder))

    return scene


def pressed_and_unplugged(place: Path) -> Seen:
    with desk(place) as at, bench(at.station, place / "run", "press on") as running:
        start_s = time.monotonic()
        at.keys.unplug()
        _, errors = running.process.communicate(timeout=60)
        assert running.ended() == 1
        until(lambda: not at.other.closed)
        assert "relay.keys1" in errors
        assert "Traceback" in errors  # of the script, not of the product
        safe = safe_on_record(running.folder)
        assert (safe["relay.keys1"], safe["relay.keys2"]) == (False, True)
        account = guarded(running.folder)
        assert account is not None
        assert list(account.unsafe) == ["relay.keys1"]
        told(running.folder, "NOT read back as safe, go and look: relay.keys1")
        did = "every other board opened and read back; guardian tried the lost one; named: go and look"
        return Seen(did, at.other.opened_after(start_s), kept_press(running.folder))


def pressed_on_a_full_disk(place: Path) -> Seen:
    with desk(place) as at, bench(at.station, place / "run", "full disk") as running:
        start_s = said(running.process, "full") / 1000
        _, errors = running.process.communicate(timeout=60)
        assert "free some space; offhook run --resume" in errors
        ended_alone(running, 1, "error: the run could not be recorded any more: ")
        took_s = at.open_after(start_s)
        assert not judge(running.folder).sealed
        told(running.folder, "could not be recorded any more")
        return Seen("noticed while waiting; safe state read back; run not sealed", took_s, kept_press(running.folder))


# ---- in mid-call -------------------------------------------------------------------------------------------------


@contextmanager
def offhook_run(place: Path, station: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [OFFHOOK, "run", str(station), "--suite", "association", "--out", str(place / "run")],
        cwd=place,
        env=Lab(place).environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def called_and(number: int, code: int, word: str) -> Scene:
    """``offhook run`` itself. Seconds: until it is on record that every board was read back, then asked anew."""
    dead = number in (signal.SIGKILL, signal.SIGSTOP)

    def is_safe(folder: Path) -> bool:
        if dead:
            return json_of(folder).get("ok") is True
        try:
            safe = safe_on_record(folder)
        except Exception:  # just being closed
            return False
        return sum(name.startswith("relay.") and ok for name, ok in safe.items()) == 4

    def scene(place: Path) -> Seen:
        with world(place) as far:
            station = station_file(place, addresses(far), **{"[options]": HUNG + "[options]"})
            with offhook_run(place, station) as process:
                folder = place / "run"
                until(lambda: in_mid_call(folder) or process.poll() is not None)
                before = read(folder)
                process.send_signal(number)
                start_s = time.monotonic()
                until(lambda: is_safe(folder) or process.poll() not in (None, code))
                took_s = time.monotonic() - start_s
                _, errors = process.communicate(timeout=100)
            until(lambda: not dead or is_safe(folder))
            everything_is_down(station)
        assert process.returncode == code, errors
        result = judge(folder)
        if dead:
            assert not result.sealed
            told(folder, "Guardian: the bench " + ("was killed" if number == signal.SIGKILL else "hung"))
            did = "guardian opened the boards and read them back; phones on hook"
        else:
            assert (result.sealed, result.meta["ended"]) == (True, word)
            assert not (folder / "guardian.json").exists()
            did = f"safe state by itself, read back; phones on hook; sealed; exit code {code}"
        return Seen(did, took_s, kept(folder, before))

    return scene


# ---- every board -------------------------------------------------------------------------------------------------


def board_of_a_killed_bench(name: str) -> Scene:
    def scene(place: Path) -> Seen:
        with board(place / "keys", BOARDS[name]) as keys:
            start_s = killed(BOARDS[name], place / "run", keys)
            until(lambda: not keys.closed)
            (account,) = json.loads((place / "run" / "guardian.json").read_text("utf-8"))["boards"]
            assert account["ok"]
            assert account["can_be_read"] == (name != CANNOT_READ)
            assert bool(account["read_back"]) == (name != CANNOT_READ)
            said_so = str(guarded(place / "run"))
            assert ("not read back, as these boards cannot be" in said_so) == (name == CANNOT_READ)
            did = "guardian opened it" + (
                "; it cannot be read, and the account says so" if name == CANNOT_READ else " and read it back"
            )
            return Seen(did, keys.opened_after(start_s), "guardian.json")

    return scene
