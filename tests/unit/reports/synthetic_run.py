"""A run made without a station: steps, observations and audio of made-up calls, written by the real recorder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.bench.record import RunRecord, Verdict
from offhook.drivers.audio import OnBlock, Samples

RATE_HZ = 8000
RUN_ID = "2026-11-21_101208"
WIRES = {0: "desk-1", 1: "ivr-1-heard", 2: "ivr-1-spoken"}
STATION = """
name = "simulated"
[pbx]
driver = "csta"
link = "end://cti"
secret = "hush-hush"
[cloud]
driver = "http"
url = "end://cloud"
accounts = { alice = "alice-pw" }
[audio.rack]
driver = "pipe"
link = "end://rack"
[relay.keys1]
driver = "numato"
link = "end://keys1"
[sense.arduino]
driver = "firmata"
link = "end://sense"
"""
META = {
    "bench_version": "0.1.0",
    "station": "simulated",
    "station_toml": STATION,
    "role": "R1",
    "grade": "SIMULATED",
    "seed": 1,
    "profile": "smoke",
    "dut": {
        "vendor": "Offhook",
        "model": "simulated PBX and desk phones",
        "firmware": "1",
        "serial": "SIM-0001",
    },
    "versions": {"offhook": "0.1.0"},
    "command": "offhook run simulated",
}


class StillClock:
    """Time as the test sets it."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s


class Tape:
    """An audio port that is fed by the test."""

    rate_hz = RATE_HZ
    channels = len(WIRES)

    def __init__(self) -> None:
        self._listeners: list[OnBlock] = []

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        self._listeners.append(on_block)
        return self._listeners.clear

    def time_of_s(self, frame: int) -> float:
        return frame / RATE_HZ

    def feed(self, start_s: float, block: Samples) -> None:
        first = round(start_s * RATE_HZ)
        for at in range(0, block.shape[1], 160):
            for listener in self._listeners:
                listener(first + at, block[:, at : at + 160])


class Script:
    """Writes made-up calls, one after the other, on one recorder."""

    def __init__(self, runs: Path, **meta: object) -> None:
        self.clock = StillClock()
        self.record = RunRecord.create(runs, self.clock, {**META, **meta}, folder=runs / RUN_ID)  # type: ignore[arg-type]
        self.record.note_meta(started_utc="2026-11-21T10:12:08+00:00")
        self.tape = Tape()
        self.record.record_audio(self.tape, WIRES)  # type: ignore[arg-type]
        self.steps: dict[str, int] = {}
        self.times: dict[str, float] = {}

    @property
    def folder(self) -> Path:
        return self.record.folder

    def begin(self, test: str, title: str, suite: str, *reqs: str) -> None:
        self.record.begin(f"{suite}/test_{suite}.py::{test}", title, suite, reqs)
        self.steps, self.times = {}, {}

    def end(self, raised: Verdict = Verdict.PASS, message: str = "", *, required: bool = True) -> None:
        self.record.finish(raised, message, required=required)
        self.clock.time_s += 3.0

    def step(self, name: str, title: str, time_s: float, probe: str, wire: str, kind: str) -> None:
        """A step seen by one probe."""
        seen = self.record.observe(probe, wire, kind, "1001", time_s, 0.002)
        if probe == "C":
            self.record.cti("<", time_s, f"<{kind}/>".encode(), kind)
        self.record.step("association of desk-1 by alice", name, title, time_s, 0.002, None, seen)
        self.steps[name], self.times[name] = seen, time_s
        self.clock.time_s = max(self.clock.time_s, time_s)

    def interval(self, req: str, title: str, first: str, last: str, at_most: float) -> None:
        spec = {"from": self.steps[first], "to": self.steps[last], "at_most": at_most}
        self.record.judge(req, title, "interval", unit="s", **spec)

    def note(self, test: str, suite: str, req: str, verdict: Verdict, reason: str, *, required: bool) -> None:
        """An attempt that has nothing but a note."""
        self.begin(test, test.replace("_", " "), suite, req)
        self.record.judge(req, test.replace("_", " "), "note", verdict=verdict.value, reason=reason)
        self.end(Verdict.PASS if verdict is Verdict.NOT_APPLICABLE else verdict, reason, required=required)


def voice(seconds: float, seed: int = 7) -> NDArray[np.float64]:
    """Something that is neither a tone nor a digit: noise in syllables."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).normal(size=len(time_s))
    smooth = np.convolve(noise, np.ones(9) / 9, mode="same")
    return np.asarray(smooth * np.abs(np.sin(2 * np.pi * 1.7 * time_s)) ** 2)


def call(
    script: Script, *, keyed: str = "4711", heard: str | None = None, ring_s: float = 0.8, lock: bool = True
) -> None:
    """An association: the code keyed at the desk, what the IVR heard of it, how long the phone took to ring."""
    t0 = script.clock.time_s
    script.step("S1", "the account asks for the extension", t0 + 0.010, "K", "cloud", "request")
    script.step("S21", "a context id is made", t0 + 0.012, "K", "cloud", "context")
    script.step("S2", "the code is in the account", t0 + 0.020, "K", "cloud", "code")
    script.step("S3", "the user is near the phone", t0 + 0.55, "K", "cloud", "complete")
    script.step("S4", "the cloud asks to monitor the extension", t0 + 0.56, "C", "cti-tap", "MonitorStart")
    script.step("S11", "the PBX monitors it", t0 + 0.60, "C", "cti-tap", "MonitorStartResponse")
    if lock:
        script.step("S5", "the cloud locks the phone (notify)", t0 + 0.61, "C", "cti-tap", "Lock")
        script.step("S22", "the phone is locked", t0 + 0.72, "C", "cti-tap", "Locked")
    script.step("S6", "the cloud makes the call", t0 + 0.75, "C", "cti-tap", "MakeCall")
    script.step("S14", "the PBX starts the call", t0 + 0.78, "C", "cti-tap", "MakeCallResponse")
    ringing_s = t0 + 0.75 + ring_s
    script.step("S15", "the phone rings and is answered", ringing_s, "G-r", "arduino", "ring")
    _rest_of_call(script, ringing_s, keyed, keyed if heard is None else heard, lock)
    script.interval("ASSOC-S11.1", "S4 to S11: monitoring confirmed", "S4", "S11", 1.0)
    script.interval("ASSOC-S15.1", "S6 to first ring", "S6", "S15", 2.0)
    script.interval("ASSOC-S10.1", "last code digit to association", "S27", "S10", 2.0)
    span = {"from_s": script.times["S33"], "to_s": script.times["S8"]}
    script.record.judge(
        "ASSOC-S27.1", "code keyed on desk-1 reaches the IVR once", "digits", wire="ivr-1-heard", expected=keyed, **span
    )
    if lock:
        script.interval("LOCK-S5.1", "S5 to the lock's confirmation", "S5", "S22", 3.0)
        script.record.judge(
            "LOCK-CODE.2", "the local code on no far leg", "no_digits", wires=["ivr-1-heard"], forbidden="8642"
        )


def _rest_of_call(script: Script, ringing_s: float, keyed: str, heard: str, lock: bool) -> None:
    answered_s = ringing_s + 1.0
    desk, far, spoken = (np.zeros(RATE_HZ * 16) for _ in WIRES)
    if lock:
        script.step("S24", "the phone asks for the local code", answered_s + 0.1, "A-h", "desk-1", "stutter")
        _put(desk, 1.3, dsp.to_float(_tones("8642#")))
        script.step("S25", "the phone is unlocked", answered_s + 2.3, "C", "cti-tap", "Unlocked")
    start = 3.0 if lock else 1.0
    script.step("S16", "the PBX seizes the trunk", answered_s + start, "G-h", "co", "seizure")
    script.step("S31", "the IVR answers", answered_s + start + 0.4, "A-i", "ivr-1-spoken", "answer")
    _put(far, start + 1.6, dsp.to_float(_tones("1234567#")))
    script.step("S32", "the direct number is known", answered_s + start + 3.4, "K", "cloud", "ddi")
    script.step("S33", "the IVR asks for the code", answered_s + start + 3.6, "A-i", "ivr-1-spoken", "prompt")
    _put(spoken, start + 4.6, voice(1.8) * 0.8)
    _put(desk, start + 4.6, voice(1.8) * 0.3)
    _put(desk, start + 6.8, dsp.to_float(_tones(keyed)))
    _put(far, start + 6.8, dsp.to_float(_tones(heard)) * 0.5)
    last_s = answered_s + start - 1.0 + 6.8 + 0.2 * len(heard)
    script.step("S27", "the code is keyed", last_s, "R", "keys1", "press")
    script.step("S8", "the code is at the server", last_s + 0.6, "K", "cloud", "code_heard")
    script.step("S9", "the codes are compared", last_s + 0.61, "K", "cloud", "compare")
    script.step("S10", "the extension is associated", last_s + 0.65, "K", "cloud", "associated")
    _put(spoken, start + 9.4, voice(1.2, 11) * 0.8)
    script.step("S36", "the account is told", last_s + 1.2, "K", "cloud", "inbox")
    block = np.stack(
        [dsp.to_int16(leg + np.random.default_rng(3).normal(size=len(leg)) * 2e-4) for leg in (desk, far, spoken)]
    )
    script.tape.feed(ringing_s, block)
    script.clock.time_s = ringing_s + block.shape[1] / RATE_HZ


def _tones(digits: str) -> Samples:
    return dsp.to_int16(dsp.encode(digits, rate=RATE_HZ, on_s=0.1, off_s=0.1))


def _put(leg: NDArray[np.float64], at_s: float, samples: NDArray[np.floating]) -> None:
    start = round(at_s * RATE_HZ)
    leg[start : start + len(samples)] += samples


def good_run(runs: Path) -> Path:
    """Two calls, all PASS, sealed."""
    script = Script(runs)
    for lock in (True, False):
        script.begin(f"test_association[{'lock' if lock else 'plain'}]", "association of desk-1 by alice", "assoc")
        call(script, lock=lock)
        script.end()
    script.note("test_display_prompt", "assoc", "ASSOC-S33.2", Verdict.NOT_APPLICABLE, "no display", required=False)
    script.note(
        "test_line_level", "line", "LINE-TONE.4", Verdict.NOT_RUN, "no instrument on this station", required=False
    )
    script.record.seal()
    return script.folder


def bad_run(runs: Path) -> Path:
    """Doubled digit, slow ring, ring too near its limit, a step that never came; sealed."""
    script = Script(runs)
    plan: list[tuple[str, dict[str, object]]] = [
        ("plain", {"lock": False}),
        ("lock", {}),
        ("doubled", {"heard": "47711"}),
        ("late", {"ring_s": 2.6}),
        ("close", {"ring_s": 1.9985, "lock": False}),
    ]
    for name, options in plan:
        script.begin(f"test_association[{name}]", f"association of desk-1 by alice, {name}", "assoc", "ASSOC-S10.1")
        call(script, **options)  # type: ignore[arg-type]
        script.end()
    script.begin("test_cut", "association with the CTI link cut", "cut", "ASSOC-N13")
    script.step("S1", "the account asks for the extension", script.clock.time_s + 0.01, "K", "cloud", "request")
    message = (
        "StepFailed: S4: expected MonitorStart for 1001; heard nothing in 5 s; wire: CTI link between cloud and PBX"
    )
    script.clock.time_s += 5.0
    script.end(Verdict.FAIL, f"{message}\n  try: is the cloud connected to the PBX?")
    script.record.seal()
    return script.folder


def keyed(script: Script, digits: str, heard: str) -> None:
    """A code keyed and heard, and nothing else: the smallest call with a verdict."""
    start_s = script.clock.time_s
    script.step("S27", "the code is keyed", start_s + 0.1, "R", "keys1", "press")
    samples = _tones(heard)
    block = np.zeros((len(WIRES), len(samples) + RATE_HZ // 10), np.int16)
    block[1, : len(samples)] = samples
    script.tape.feed(start_s + 0.1, block)
    script.clock.time_s = start_s + 0.1 + block.shape[1] / RATE_HZ
    script.step("S8", "the code is at the server", script.clock.time_s + 0.2, "K", "cloud", "code_heard")
    span = {"from_s": start_s, "to_s": script.clock.time_s}
    title = "code keyed on desk-1 reaches the IVR once"
    script.record.judge("ASSOC-S27.1", title, "digits", wire="ivr-1-heard", expected=digits, **span)
    script.interval("ASSOC-S10.1", "last code digit to the server", "S27", "S8", 2.0)
