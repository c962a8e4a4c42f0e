"""A real Asterisk, SIP phones behind contacts, an IVR that hears what RTP brings: the whole way, without the bench."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from system.asterisk.room import STANDSTILL_S, TRIES, on_asterisk, station

from offhook import dsp
from offhook.drivers.cti import Service
from offhook.drivers.errors import DeviceError
from offhook.fixtures.asterisk.plant import build_asterisk
from offhook.fixtures.cloud.model import CloudError

pytestmark = pytest.mark.timeout(400)  # of several tries, where the machine stands still
CONTEXT_STEPS = ("S4", "S5", "S6", "S16", "S31", "S10")
DESK1, DESK2 = "keys1", "keys2"
EAR1, EAR2, IVR_HEARD = 0, 1, 4
RING1, RING2 = "arduino/2", "arduino/4"


class Account:
    """alice at the reference cloud, called directly."""

    def __init__(self, room):
        self._cloud = room.plant.cloud.service
        _, self.account = self._cloud.log_in("alice", "alice-pw")
        self._context = None

    def request(self, extension):
        self._context = self._cloud.request(self.account, extension)

    def complete(self):
        self._cloud.complete(self.account, self._context.id)

    @property
    def state(self):
        context = self._cloud.context(self.account, self._context.id)
        return str(context.state), str(context.reason or "")

    @property
    def context_id(self):
        return self._cloud.context(self.account, self._context.id).context_id

    @property
    def call_id(self):
        return self._cloud.context(self.account, self._context.id).call_id

    @property
    def code(self):
        return next(message["code"] for message in reversed(self._cloud.inbox(self.account)) if message.get("code"))

    def steps(self):
        return [step["step"] for step in self._cloud.steps(self.account, 0)["steps"]]

    def call(self, extension, to):
        return self._cloud.control.make_call(self.account, extension, to)


def test_a_plant_that_cannot_start_says_why_and_leaves_nothing(tmp_path):
    """The leak check of every test looks for what would be left."""

    async def scenario():
        plant = build_asterisk(station(), tmp_path)
        register = plant._stack.register

        async def refused(user, *rest):
            return await register(user, "wrong password", *rest[1:])

        plant._stack.register = refused
        with pytest.raises(DeviceError, match=r"sip 1001: register: .*401|sip 1001: register: .*403"):
            await plant.start()
        assert plant.server.pid == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(("late_s", "tries"), [(0.0, 1), (STANDSTILL_S, TRIES)])
def test_what_fails_is_tried_again_only_where_the_machine_stood_still(tmp_path, late_s, tries):
    rooms = []

    async def scenario(room):
        rooms.append(room)
        room.late_s = late_s
        raise AssertionError("as always")

    with pytest.raises(AssertionError, match="as always") as caught:
        on_asterisk(tmp_path, scenario)
    assert len(rooms) == tries
    assert f"try {tries} of {TRIES}" in caught.value.__notes__[0]
    assert f"overslept by {late_s:.3f} s" in caught.value.__notes__[0]


async def start_association(room, lock="notify"):
    """S1 to S15: the phone rings and is lifted."""
    room.plant.cloud.service.set_policy({"lock": lock})
    alice = Account(room)
    alice.request("1001")
    alice.complete()
    await room.wait("ringing at desk-1", lambda: room.active(RING1))
    await room.sleep(0.5)
    room.lift(DESK1)
    return alice


@pytest.mark.req("LOCK-S24.1", "LOCK-S25.1", "LOCK-CODE.2", "ASSOC-S32.1")
def test_locked_phone_is_associated_and_the_local_code_stays_inside(tmp_path):
    async def scenario(room):
        alice = await start_association(room)
        await room.wait("dial tone in the ear", lambda: "dial" in room.tones(EAR1))
        assert room.seized() == [], "the trunk was seized before the local code"

        await room.key(DESK1, "8642#")
        keyed_s = room.now_s()
        await room.wait("seizure", room.seized)
        await room.wait("context digits at the IVR", lambda: "#" in room.digits(IVR_HEARD))
        await room.wait("S33", lambda: "S33" in alice.steps())
        await room.key(DESK1, alice.code)
        await room.wait("association", lambda: alice.state[0] in ("ASSOCIATED", "NOTIFIED"))
        await room.sleep(0.3)

        assert keyed_s - 0.5 < room.seized()[0]
        assert room.digits(IVR_HEARD) == f"{alice.context_id}#{alice.code}"
        assert "8642" in room.digits(EAR1), "the phone did key the local code"
        assert b"8642" not in room.tapped
        assert "8642" not in str(room.plant.cloud.service.dump())
        assert [step for step in alice.steps() if step in CONTEXT_STEPS] == list(CONTEXT_STEPS)
        ddis = {phone["ddi"] for phone in room.plant.cloud.service.control.phones(alice.account)}
        assert ddis == {"+33390671001"}

    on_asterisk(tmp_path, scenario)


@pytest.mark.req("LOCK-S25.2")
def test_a_wrong_local_code_ends_it_before_the_trunk(tmp_path):
    async def scenario(room):
        alice = await start_association(room)
        await room.wait("dial tone in the ear", lambda: "dial" in room.tones(EAR1))
        await room.key(DESK1, "8643#")
        denied_s = room.now_s()
        await room.wait("failure", lambda: alice.state == ("FAILED", "local_code"))
        await room.wait("reorder tone", lambda: "reorder" in room.tones(EAR1, denied_s))

        assert room.seized() == []
        assert room.digits(IVR_HEARD) == ""

    on_asterisk(tmp_path, scenario)


@pytest.mark.req("LOCK-S22.1")
def test_a_locked_phone_does_not_dial_out_without_the_code(tmp_path):
    async def scenario(room):
        await room.plant.server.command("database put lock 1001 1")
        room.lift(DESK1)
        await room.sleep(0.5)
        await room.key(DESK1, "05550100#")
        asked_s = room.now_s()
        await room.wait("prompt", lambda: "dial" in room.tones(EAR1, asked_s))
        await room.key(DESK1, "1111#")
        await room.wait("reorder tone", lambda: "reorder" in room.tones(EAR1, asked_s))
        assert room.seized() == []

        room.lift(DESK1, False)
        await room.sleep(0.5)
        room.lift(DESK2)
        await room.sleep(0.5)
        await room.key(DESK2, "05550100#")
        await room.wait("seizure by the unlocked neighbour", room.seized)
        assert room.plant.subscribers.called == ["05550100"]

    on_asterisk(tmp_path, scenario)


@pytest.mark.req("ASSOC-S10.2")
def test_control_is_refused_before_and_works_after_the_association(tmp_path):
    async def scenario(room):
        alice = await start_association(room, lock="none")
        with pytest.raises(CloudError):
            alice.call("1001", "05550100")
        await room.wait("S33", lambda: "S33" in alice.steps())
        await room.key(DESK1, alice.code)
        await room.wait("association", lambda: alice.state[0] in ("ASSOCIATED", "NOTIFIED"))
        room.lift(DESK1, False)
        await room.wait("free line", lambda: not room.active("arduino/8"))

        alice.call("1001", "05550100")
        await room.wait("ringing", lambda: room.active(RING1))
        room.lift(DESK1)
        await room.wait("second seizure", lambda: len(room.seized()) == 2)

    on_asterisk(tmp_path, scenario)


@pytest.mark.req("ASSOC-S16.4")
def test_digits_generated_in_a_call_are_tones_that_end(tmp_path):
    """A digit that nobody ends fills the gap to the next one (decision 0029)."""
    digits = "1*2*3*" * 8

    async def scenario(room):
        alice = await start_association(room, lock="none")
        await room.wait("S33", lambda: "S33" in alice.steps())
        await room.sleep(0.5)  # Dial joins the two only after the pause behind the last post-dial digit
        from_s, answers = room.now_s(), []
        arguments = {"device": "1001", "call_id": alice.call_id, "digits": digits}
        room.plant.cloud.link.request(Service.GENERATE_DIGITS, answers.append, **arguments)
        await room.wait("answer", lambda: answers)
        await room.sleep(1.0)

        assert answers[0].ok, answers
        heard = list(dsp.decode(room.heard(IVR_HEARD, from_s), 8000))
        assert "".join(digit.key for digit in heard) == digits
        assert max(digit.end_s - digit.start_s for digit in heard) < 0.15
        assert min(after.start_s - before.end_s for before, after in pairwise(heard)) > 0.06

    on_asterisk(tmp_path, scenario)


def test_two_phones_talk_and_keys_are_audio(tmp_path):
    async def scenario(room):
        room.lift(DESK1)
        await room.sleep(0.5)
        await room.key(DESK1, "1002#")
        await room.wait("ringing at desk-2", lambda: room.active(RING2))
        room.lift(DESK2)
        await room.sleep(1.0)
        talk_s = room.now_s()
        await room.key(DESK1, "147*")
        await room.sleep(0.5)
        await room.key(DESK2, "369#")
        await room.sleep(0.7)

        # each ear hears the other's keys and, as sidetone, its own
        assert room.digits(EAR2, talk_s) == "147*369#"
        assert room.digits(EAR1, talk_s) == "147*369#"
        assert room.seized() == []

    on_asterisk(tmp_path, scenario)


def test_a_caller_who_hangs_up_during_the_prompt_leaves_nothing_up(tmp_path):
    async def scenario(room):
        alice = await start_association(room, lock="none")
        await room.wait("S33", lambda: "S33" in alice.steps())
        room.lift(DESK1, False)
        await room.wait("failure", lambda: alice.state == ("FAILED", "hung_up"))
        await room.wait("free line", lambda: not room.active("arduino/8"))
        channels = await room.plant.server.command("core show channels count")
        assert "0 active channels" in channels

    on_asterisk(tmp_path, scenario)


def test_a_false_lock_lets_the_call_through_unasked(tmp_path):
    """The PBX says Locked and does nothing: what the fault is for, and what dialling finds out."""

    async def scenario(room):
        alice = await start_association(room)
        await room.wait("seizure", room.seized)
        assert "S22" in alice.steps(), "the PBX did report a lock"

    on_asterisk(tmp_path, scenario, world={"end": "asterisk", "faults": ["false-lock:1001"]})


def test_a_hidden_number_is_hidden_from_the_ivr(tmp_path):
    async def scenario(room):
        alice = await start_association(room, lock="none")
        await room.wait("S32", lambda: "S32" in alice.steps())
        steps = room.plant.cloud.service.steps(alice.account, 0)["steps"]
        (caller,) = [step["data"] for step in steps if step["step"] == "S32"]
        assert (caller["presentation"], caller["ddi"]) == ("restricted", "")

    on_asterisk(tmp_path, scenario, world={"end": "asterisk", "faults": ["hidden-ddi"]})


def test_cut_ivr_audio_reaches_nobody(tmp_path):
    async def scenario(room):
        await start_association(room, lock="none")
        await room.wait("seizure", room.seized)
        await room.sleep(5.0)
        assert not np.any(room.heard(IVR_HEARD))

    on_asterisk(tmp_path, scenario, world={"end": "asterisk", "faults": ["cut:ivr"]})


def test_a_cut_cti_link_fails_the_association_and_a_mended_one_works_again(tmp_path):
    async def scenario(room):
        room.plant.cloud.service.set_policy({"lock": "none"})
        alice = Account(room)
        alice.request("1001")
        room.plant.faults.add("cut:cti")
        tapped = len(room.tapped)
        alice.complete()
        await room.wait("failure", lambda: alice.state == ("FAILED", "cti_lost"))
        assert not room.active(RING1)
        assert b"Originate" not in room.tapped[tapped:]

        room.plant.faults.remove("cut:cti")
        await room.wait("new session", lambda: room.plant.cloud.link.up)
        alice.complete()
        await room.wait("ringing at desk-1", lambda: room.active(RING1))

    on_asterisk(tmp_path, scenario)
