"""A desk phone on a SIP line, in simulated time, with a SIP agent that is a stand-in."""

import numpy as np
import pytest

from offhook import dsp
from offhook.fixtures.asterisk.line import SipLine
from offhook.fixtures.desk_phone import DeskPhone, PhoneConfig
from offhook.fixtures.receivers import EVERY_S
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.world import AudioGrid


class FakeCall:
    """A SIP call: what was asked of it, and what it carries; ``far`` is what the network brings."""

    def __init__(self, far=None):
        self.did: list[str] = []
        self.sent: list[np.ndarray] = []
        self.far = far
        self.on_ringing = self.on_up = lambda: None
        self.on_closed = lambda reason: None

    def answer(self):
        self.did.append("answer")

    def reject(self):
        self.did.append("reject")

    def hang_up(self):
        self.did.append("hang up")

    def exchange(self, first_frame, sent):
        self.sent.append(sent)
        block = np.zeros(160, np.int16)
        if self.far is not None and len(self.sent) * 160 <= self.far.size:
            block = self.far[(len(self.sent) - 1) * 160 : len(self.sent) * 160]
        return block


class FakeAgent:
    def __init__(self):
        self.dialled: list[str] = []
        self.calls: list[FakeCall] = []
        self.on_call = None

    def dial(self, digits, opened, failed):
        self.dialled.append(digits)
        self.calls.append(FakeCall())
        opened(self.calls[-1])


class Desk:
    def __init__(self):
        self.clock = SimClock()
        self.grid = AudioGrid(self.clock, 1, "mu", 1)
        self.line = SipLine(self.grid, "US")
        self.phone = DeskPhone(self.grid, PhoneConfig("desk", channel=0), self.line)
        self.agent = FakeAgent()
        self.line.connect(self.agent)
        self.rings: list[tuple[float, bool]] = []
        self.ear: list[np.ndarray] = []
        self.phone.on_ring.append(lambda on: self.rings.append((self.clock.now_s(), on)))
        self.grid.on_rack(lambda first, block: self.ear.append(block[0].copy()))

    def key(self, digits, on_s=0.1, off_s=0.1):
        for digit in digits:
            self.phone.keypad.hold(digit, True)
            self.clock.sleep(on_s)
            self.phone.keypad.hold(digit, False)
            self.clock.sleep(off_s)
        self.clock.sleep(EVERY_S)  # until the line's receiver has looked at the last one

    def heard(self):
        """What was in the ear since the last time, int16 at 8 kHz."""
        audio = np.concatenate([np.zeros(0, np.int16), *self.ear])
        self.ear.clear()
        return audio


@pytest.fixture
def desk():
    return Desk()


def tones(audio):
    """Names of the call-progress tones in it."""
    return [segment.name for segment in dsp.progress.classify(audio, 8000, "US")]


def test_it_rings_a_moment_after_the_invite_and_answers_when_lifted(desk):
    call = FakeCall()
    desk.agent.on_call(call)
    desk.clock.sleep(0.1)
    assert desk.rings == []
    desk.clock.sleep(0.1)
    assert [on for _, on in desk.rings] == [True]

    desk.phone.lift(True)

    assert call.did == ["answer"]
    assert [on for _, on in desk.rings] == [True, False]


def test_a_caller_who_hangs_up_stops_the_ringing(desk):
    call = FakeCall()
    desk.agent.on_call(call)
    desk.clock.sleep(0.5)
    call.on_closed("cancelled")

    assert [on for _, on in desk.rings] == [True, False]
    assert call.did == []


def test_a_caller_who_hangs_up_at_once_rings_nothing(desk):
    call = FakeCall()
    desk.agent.on_call(call)
    call.on_closed("cancelled")
    desk.clock.sleep(1.0)

    assert desk.rings == []


def test_a_second_call_is_busy(desk):
    first, second = FakeCall(), FakeCall()
    desk.agent.on_call(first)
    desk.agent.on_call(second)
    assert (first.did, second.did) == ([], ["reject"])


def test_a_lifted_phone_is_busy(desk):
    desk.phone.lift(True)
    call = FakeCall()
    desk.agent.on_call(call)
    assert call.did == ["reject"]


def test_lifted_it_gives_dial_tone_until_the_first_key(desk):
    desk.phone.lift(True)
    desk.clock.sleep(1.0)
    assert tones(desk.heard()[2000:]) == ["dial"]

    desk.key("5")
    desk.heard()
    desk.clock.sleep(1.0)
    assert np.abs(desk.heard()).max() < 100


@pytest.mark.parametrize(("keys", "wait_s"), [("05550100#", 0.0), ("05550100", 3.1)])
def test_it_dials_en_bloc_at_hash_or_after_a_pause(desk, keys, wait_s):
    desk.phone.lift(True)
    desk.clock.sleep(0.5)
    desk.key(keys[:-1])
    assert desk.agent.dialled == []
    desk.key(keys[-1])
    desk.clock.sleep(wait_s)

    assert desk.agent.dialled == ["05550100"]


def test_without_keys_it_dials_nothing(desk):
    desk.phone.lift(True)
    desk.clock.sleep(20.0)

    assert desk.agent.dialled == []
    desk.heard()
    desk.clock.sleep(2.0)
    assert tones(desk.heard()) == ["reorder"]


def test_keys_in_a_call_are_audio_and_nothing_else(desk):
    desk.phone.lift(True)
    desk.clock.sleep(0.5)
    desk.key("1002#")
    call = desk.agent.calls[0]
    call.on_up()
    desk.clock.sleep(0.2)
    desk.key("741")
    desk.clock.sleep(10.0)

    assert dsp.decode(np.concatenate(call.sent), 8000).text() == "741"
    assert desk.agent.dialled == ["1002"]


def test_the_ear_is_muted_while_a_key_sounds(desk):
    speech = np.full(8000 * 3, 5000, np.int16)
    desk.phone.lift(True)
    desk.key("1002#")
    call = desk.agent.calls[0]
    call.far = speech
    call.on_up()
    desk.clock.sleep(0.2)
    desk.heard()
    desk.phone.keypad.hold("7", True)
    desk.clock.sleep(0.2)
    during = desk.heard()[800:]
    desk.phone.keypad.hold("7", False)
    desk.clock.sleep(0.2)
    after = desk.heard()[800:]

    assert abs(float(np.mean(during))) < 100  # its own tone has no direct part, the far end's has
    assert float(np.mean(after)) == pytest.approx(5000, rel=0.05)


def test_hanging_up_ends_the_call(desk):
    desk.phone.lift(True)
    desk.key("1002#")
    desk.agent.calls[0].on_up()
    desk.clock.sleep(0.2)
    desk.phone.lift(False)

    assert desk.agent.calls[0].did == ["hang up"]


def test_an_answer_that_crosses_the_hang_up_is_hung_up(desk):
    call = FakeCall()
    desk.agent.on_call(call)
    desk.phone.lift(True)
    desk.phone.lift(False)
    call.on_up()

    assert call.did[0] == "answer"
    assert set(call.did[1:]) == {"hang up"}


@pytest.mark.parametrize(("reason", "tone"), [("486 Busy Here", "busy"), ("404 Not Found", "reorder"), ("", "reorder")])
def test_the_far_ends_end_is_heard(desk, reason, tone):
    desk.phone.lift(True)
    desk.key("1002#")
    desk.agent.calls[0].on_closed(reason)
    desk.heard()
    desk.clock.sleep(3.0)

    assert tones(desk.heard()) == [tone]
