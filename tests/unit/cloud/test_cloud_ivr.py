"""The IVR as a machine on the clock, and on audio with the real receiver before it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from offhook import dsp
from offhook.fixtures.cloud import prompts_audio
from offhook.fixtures.cloud.ivr import IvrLine, Phase
from offhook.fixtures.cloud.ivraudio import IvrAudio
from offhook.fixtures.cloud.model import Caller, Policy
from offhook.fixtures.cloud.prompts_audio import NAMES, load_prompt
from offhook.fixtures.simclock import SimClock

FRAME = 160


class Listener:
    """A host that writes down what the line tells it, and asks for a code once the context is there."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def answered(self, caller: Caller) -> None:
        caller.ask_context()

    def context_heard(self, caller: Caller, digits: str) -> None:
        self.told.append(f"context {digits}")
        caller.ask_code(4)

    def digit_heard(self, caller: Caller, count: int) -> None:
        self.told.append(f"digit {count}")

    def prompted_again(self, caller: Caller) -> None:
        self.told.append("again")

    def code_heard(self, caller: Caller, code: str) -> None:
        self.told.append(f"code {code}")

    def gave_up(self, caller: Caller) -> None:
        self.told.append("gave up")

    def hung_up(self, caller: Caller) -> None:
        self.told.append("hung up")


class Call:
    def __init__(self) -> None:
        self.clock, self.host = SimClock(), Listener()
        self.line = IvrLine(1, self.clock, self.host, Policy())
        self.ended_s: list[float] = []
        self.line.on_hangup = lambda: self.ended_s.append(self.clock.now_s())
        self.line.seize("+33390671001", "allowed", "+33390677069")

    def key(self, digits: str) -> None:
        for digit in digits:
            self.line.hear_digit(digit)

    def heard(self, audio: IvrAudio, sent: np.ndarray) -> np.ndarray:
        """Exchange audio frame by frame on the clock; returns what the IVR sent."""
        out = []
        for start in range(0, len(sent) - FRAME + 1, FRAME):
            self.clock.sleep(FRAME / 8000)
            out.append(audio.exchange(start, sent[start : start + FRAME]))
        return np.concatenate(out)


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.mark.parametrize(
    ("keyed", "told"),
    [
        ("1234567#", ["context 1234567"]),
        ("#", ["context "]),
        ("12*34#", ["context 12*34"]),
        ("1234567#4711", ["context 1234567", "digit 1", "digit 2", "digit 3", "digit 4", "code 4711"]),
        ("1#47#", ["context 1", "digit 1", "digit 2", "code 47"]),
        ("1#12*4711", ["context 1", "digit 1", "digit 2", "digit 1", "digit 2", "digit 3", "digit 4", "code 4711"]),
        ("1##4A7B11", ["context 1", "digit 1", "digit 2", "digit 3", "digit 4", "code 4711"]),
        ("1#471199#", ["context 1", "digit 1", "digit 2", "digit 3", "digit 4", "code 4711"]),
    ],
)
def test_digits_are_framed(call: Call, keyed: str, told: list[str]) -> None:
    call.key(keyed)
    assert call.host.told == told


def test_endless_context_digits_are_cut_off(call: Call) -> None:
    call.key("1" * 25)
    assert call.host.told[0] == f"context {'1' * 20}"


def test_without_context_digits_it_gives_up_after_ten_seconds(call: Call) -> None:
    call.clock.sleep(9.9)
    assert call.host.told == []
    call.clock.sleep(0.2)
    assert call.host.told == ["gave up"]
    assert call.line.phase is Phase.ENDING
    call.clock.sleep(10.0)
    assert len(call.ended_s) == 1
    assert call.line.ended


def test_silence_brings_three_prompts_and_then_the_end(call: Call) -> None:
    call.key("1#")
    call.clock.sleep(120.0)
    assert call.host.told == ["context 1", "again", "again", "gave up"]
    prompt_s = len(load_prompt("enter")) / 8000
    goodbye_s = len(load_prompt("failed")) / 8000
    assert call.ended_s == pytest.approx([3 * (prompt_s + 10.0) + goodbye_s + 0.3], abs=1e-6)


def test_five_seconds_between_digits_are_not_too_long(call: Call) -> None:
    call.key("1#")
    for digit in "4711":
        call.clock.sleep(5.0)
        call.key(digit)
    assert call.host.told[-1] == "code 4711"
    assert "again" not in call.host.told


def test_half_a_code_is_dropped_with_the_prompt_that_follows(call: Call) -> None:
    call.key("1#47")
    call.clock.sleep(6.5)
    call.key("4711")
    assert call.host.told[-2:] == ["digit 4", "code 4711"]


@pytest.mark.parametrize("phase", ["context", "prompt", "mid-code", "goodbye"])
def test_a_caller_who_hangs_up_is_reported_once(call: Call, phase: str) -> None:
    call.key({"context": "12", "prompt": "1#", "mid-code": "1#47", "goodbye": "1#4711"}[phase])
    if phase == "goodbye":
        call.line.finish("failed")
    call.line.hangup()
    call.line.hangup()
    call.clock.sleep(60.0)
    assert call.host.told.count("hung up") == 1
    assert call.ended_s == [], "the IVR does not hang up on someone who is gone"
    assert not call.line.next_samples(8000).any()
    call.line.ask_code(4)
    call.line.finish("success")
    assert call.line.ended


def test_a_hidden_number_is_not_kept() -> None:
    clock, host = SimClock(), Listener()
    line = IvrLine(1, clock, host, Policy())
    line.seize("+33390671001", "restricted", "+33390677069")
    assert (line.calling_number, line.presentation) == ("", "restricted")


def test_the_prompt_is_speech_and_a_key_silences_it(call: Call) -> None:
    call.key("1#")
    assert np.abs(call.line.next_samples(2000)).max() > 3000
    call.key("4")
    assert not call.line.next_samples(2000).any()


def test_digits_come_in_as_audio_and_prompts_go_out(call: Call) -> None:
    audio = IvrAudio(call.line)
    gap = np.zeros(3200, np.int16)
    context = dsp.to_int16(dsp.encode("1234567#", 8000))
    spoken = call.heard(audio, np.concatenate([gap, context, gap, gap, gap]))
    assert call.host.told == ["context 1234567"]
    assert np.abs(spoken).max() > 3000
    call.heard(audio, np.concatenate([dsp.to_int16(dsp.encode("4711", 8000)), gap]))
    assert call.host.told[1:] == ["digit 1", "digit 2", "digit 3", "digit 4", "code 4711"]


def test_a_tone_stops_the_prompt_before_it_has_ended(call: Call) -> None:
    call.key("1#")
    audio = IvrAudio(call.line)
    long_press = dsp.to_int16(dsp.encode("5", 8000, on_s=0.5))[:3840]
    spoken = call.heard(audio, long_press)
    assert np.abs(spoken[: FRAME * 2]).max() > 0
    assert not spoken[800:].any(), "silent 100 ms into a press of 500 ms"
    assert call.host.told == ["context 1"], "the digit itself is not over yet"


def test_a_mute_wire_brings_no_digit(call: Call) -> None:
    audio = IvrAudio(call.line)
    call.heard(audio, np.zeros(8000, np.int16))
    audio.reset()
    assert call.host.told == []


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_speech_without_tones_and_of_a_sane_level(name: str) -> None:
    samples = load_prompt(name)
    assert 0.5 < len(samples) / 8000 < 4.0
    assert len(dsp.decode(samples, 8000)) == 0, "a prompt must not key anything"
    level_db = 20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 23170) + 3.14
    assert -20 < level_db < -10
    assert samples.max() < 32767


def test_prompt_files_are_plain_and_small() -> None:
    folder = Path(prompts_audio.__file__).parent / "prompts"
    files = sorted(folder.glob("*.wav"))
    assert [file.stem for file in files] == sorted(NAMES)
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        with wave.open(str(file)) as source:
            assert (source.getframerate(), source.getnchannels(), source.getsampwidth()) == (8000, 1, 2)


def test_an_ivr_that_prompts_at_once_leaves_the_speech_path_time_to_open() -> None:
    clock, host = SimClock(), Listener()
    line = IvrLine(1, clock, host, Policy())
    host.answered = lambda caller: caller.ask_code(4)  # type: ignore[method-assign]
    line.seize("+33390671001", "allowed", "+33390677069")
    assert not line.next_samples(4000).any()
    assert np.abs(line.next_samples(4000)).max() > 3000
