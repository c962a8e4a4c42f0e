"""The service against misuse, on the whole simulated station: keys by relay, digits as audio, CTI on its wire."""

from __future__ import annotations

import pytest
from lab import Lab, LabBuilder

from offhook.bench.flows import Association, associate, association
from offhook.bench.phone import Phone
from offhook.drivers.errors import DeviceRefused

IVR = "0033390677069"


def waits_in_prompt(lab: Lab, account: str = "alice", phone: str = "desk-1") -> Association:
    """A flow whose IVR has asked for the code."""
    flow = association(lab.station, lab.station.account(account), lab.station.phone(phone))
    flow.run_to("prompted")
    return flow


def hang_up(lab: Lab, phone: Phone) -> None:
    phone.hang_up()
    lab.station.clock.sleep(2.0)


def other(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def dial_ivr(lab: Lab, phone: Phone) -> None:
    """Call the IVR from the keypad and wait for its answer."""
    phone.lift()
    assert phone.hears_dial_tone()
    phone.dial(IVR)
    phone.key("#")
    lab.station.clock.sleep(4.0)


def audited(lab: Lab, action: str) -> list[str]:
    return [str(r["outcome"]) for r in lab.station.cloud.audit()["records"] if r["action"] == action]


@pytest.mark.req("ASSOC-N02")
def test_an_expired_code_is_refused_though_keyed_right(labs: LabBuilder) -> None:
    with labs.open() as lab:
        lab.station.cloud.admin_policy({"code_ttl_s": 15.0})
        flow = waits_in_prompt(lab)
        flow.key_code(flow.code[:3])
        expired = flow.account.wait_state(flow.association, ("EXPIRED",), 15.0)
        assert expired is not None

        lab.station.phone("desk-1").key(flow.code[3:])
        lab.station.clock.sleep(5.0)

        assert flow.account.phones() == []
        assert flow.account.state(flow.association).state == "EXPIRED"
        assert lab.station.lines_free(), "the IVR ended the call"


@pytest.mark.req("ASSOC-N03")
@pytest.mark.parametrize("replay_on", ["desk-1", "desk-2"])
def test_a_used_code_is_refused_on_the_same_and_on_another_phone(labs: LabBuilder, replay_on: str) -> None:
    with labs.open() as lab:
        lab.station.choose_codes("4711", "0815")
        alice = lab.station.account("alice")
        associate(lab.station, alice, lab.station.phone("desk-1"))
        hang_up(lab, lab.station.phone("desk-1"))
        alice.leave("1001")

        replay = waits_in_prompt(lab, "bob", replay_on)
        assert replay.code == "0815"
        replay.key_code("4711")
        lab.station.clock.sleep(3.0)

        assert replay.account.phones() == []
        assert alice.phones() == []
        assert replay.account.state(replay.association).attempts == 1


@pytest.mark.req("ASSOC-N03", "ASSOC-S31.3", "ASSOC-N21")
def test_a_used_context_and_code_keyed_into_the_ivr_are_turned_away(labs: LabBuilder) -> None:
    with labs.open() as lab:
        alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")
        flow = associate(lab.station, alice, desk)
        hang_up(lab, desk)
        alice.leave("1001")

        dial_ivr(lab, desk)
        desk.key(flow.context + "#" + flow.code)
        lab.station.clock.sleep(6.0)

        assert audited(lab, "turn away") == ["unknown context"]
        assert lab.station.lines_free(), "the IVR ended the call"
        assert alice.phones() == []
        assert alice.state(flow.association).state == "NOTIFIED", "over, and not opened again"


@pytest.mark.req("ASSOC-RETRY.3")
def test_guessing_by_keypad_ends_in_a_lockout(labs: LabBuilder) -> None:
    with labs.open() as lab:
        lab.station.cloud.admin_policy({"max_failed_contexts": 2})
        alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")
        flow = waits_in_prompt(lab)
        for contexts in (1, 2):
            for _ in range(3):
                flow.key_code(other(alice.api.code("alice", flow.association)))
                lab.station.clock.sleep(3.0)
            ended = alice.state(flow.association)
            assert (ended.state, ended.reason) == (("FAILED", "LOCKED_OUT")[contexts - 1], "wrong_code")
            hang_up(lab, desk)
            if contexts == 1:
                flow = flow.again()
                flow.run_to("prompted", first="complete")

        made = list(lab.station.watch.all("cti", name="MakeCall"))
        for account, extension in (("alice", "1001"), ("alice", "1002"), ("bob", "1001")):
            with pytest.raises(DeviceRefused, match="429 locked_out"):
                lab.station.account(account).request(extension)
        assert len(list(lab.station.watch.all("cti", name="MakeCall"))) == len(made) == 2
        assert any(outcome.startswith("LOCKED_OUT") for outcome in audited(lab, "fail")), "the administrator sees it"
        lab.station.clock.sleep(3600.0)
        assert alice.request("1001")


@pytest.mark.req("ASSOC-N07", "ASSOC-S1.2")
def test_another_companys_extension_is_refused_without_a_hint_or_a_message_to_the_pbx(labs: LabBuilder) -> None:
    with labs.open() as lab:
        since_s = lab.station.clock.now_s()
        refusals = []
        for extension in ("2001", "7777"):
            with pytest.raises(DeviceRefused) as refused:
                lab.station.account("alice").request(extension)
            refusals.append(refused.value.detail)
        lab.station.clock.sleep(5.0)

        assert refusals[0] == refusals[1]
        assert list(lab.station.watch.all("cti", since_s)) == []
        assert lab.station.cloud.inbox("alice") == []


@pytest.mark.req("ASSOC-N10")
def test_a_phone_in_a_call_is_left_in_peace(labs: LabBuilder) -> None:
    with labs.open() as lab:
        desk, caller, alice = lab.station.phone("desk-1"), lab.station.phone("desk-3"), lab.station.account("alice")
        lab.station.connect(caller, desk)
        since_s = lab.station.clock.now_s()
        name, _ = alice.request("1001")
        alice.complete(name)

        ended = alice.wait_state(name, ("FAILED",), 10.0)

        assert ended is not None
        assert ended.data["reason"] == "busy"
        lab.station.clock.sleep(3.0)
        started_s = lab.station.clock.now_s()
        caller.press("5")
        lab.station.clock.sleep(0.5)
        heard = [seen.data["key"] for seen in lab.station.watch.all("digit", started_s, "desk-1")]
        assert heard == ["5"], "the call goes on"
        assert not list(lab.station.watch.all("cti", since_s, name="MakeCall"))


@pytest.mark.req("ASSOC-N12")
@pytest.mark.parametrize("keyed", [0, 2])
def test_silence_and_half_a_code_are_prompted_for_again_and_then_end(labs: LabBuilder, keyed: int) -> None:
    with labs.open() as lab:
        flow = waits_in_prompt(lab)
        if keyed:
            flow.key_code(flow.code[:keyed])
        quiet_s = lab.station.clock.now_s() + 2.0
        lab.station.clock.sleep(14.0)
        again = lab.station.listener.sound_after(flow.spoken, quiet_s)
        assert again is not None, "the IVR asked again"

        ended = flow.account.wait_state(flow.association, ("FAILED",), 40.0)

        assert ended is not None
        assert ended.data["reason"] == "timeout"
        lab.station.clock.sleep(4.0)
        assert lab.station.lines_free(), "the IVR ended the call"
        assert flow.account.phones() == []


@pytest.mark.req("ASSOC-S9.3")
@pytest.mark.parametrize("fault", ["", "hidden-ddi"], ids=["shown", "hidden"])
def test_context_and_code_keyed_on_another_phone_associate_nothing(labs: LabBuilder, fault: str) -> None:
    """With its number shown the other phone is known at once; hidden, the PBX says that 1001 is not in the call."""
    with labs.open(faults=[fault] if fault else []) as lab:
        alice, thief = lab.station.account("alice"), lab.station.phone("desk-3")
        flow = association(lab.station, alice, lab.station.phone("desk-1"))
        flow.run_to("called")

        dial_ivr(lab, thief)
        thief.key(flow.context + "#")
        lab.station.clock.sleep(3.0)
        thief.key(flow.code)
        lab.station.clock.sleep(6.0)

        assert alice.phones() == []
        state = alice.state(flow.association)
        if fault:
            assert (state.state, state.reason) == ("FAILED", "not_in_call")
        else:
            assert audited(lab, "turn away") == [f"context {flow.association} from another phone"]
            assert state.state == "CALLING_EXTENSION"


@pytest.mark.req("ASSOC-S32.2")
def test_a_hidden_number_associates_without_a_ddi_and_says_why(labs: LabBuilder) -> None:
    with labs.open(faults=["hidden-ddi"]) as lab:
        alice = lab.station.account("alice")
        flow = waits_in_prompt(lab)
        flow.key_code()
        assert alice.wait_state(flow.association, ("NOTIFIED",), 5.0) is not None
        state = alice.state(flow.association)
        assert (state.ddi, state.ddi_status) == ("", "hidden")
        assert lab.station.cloud.phones("alice")[0].ddi == ""


@pytest.mark.req("LOCK-N01")
def test_a_phone_that_refuses_the_lock_is_never_called(labs: LabBuilder) -> None:
    """desk-2 is analog: a notification cannot lock it."""
    with labs.open() as lab:
        lab.station.cloud.admin_policy({"lock": "notify"})
        alice = lab.station.account("alice")
        name, _ = alice.request("1002")
        alice.complete(name)

        ended = alice.wait_state(name, ("FAILED",), 10.0)

        assert ended is not None
        assert ended.data["reason"] == "lock_refused"
        lab.station.clock.sleep(5.0)
        assert list(lab.station.watch.all("cti", name="Lock"))
        assert not list(lab.station.watch.all("cti", name="MakeCall"))
        assert not list(lab.station.watch.all("ring", active=True))


@pytest.mark.req("ASSOC-END.1")
def test_after_the_end_of_an_association_control_is_refused_and_monitoring_stops(labs: LabBuilder) -> None:
    with labs.open() as lab:
        alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")
        associate(lab.station, alice, desk)
        hang_up(lab, desk)
        since_s = lab.station.clock.now_s()

        alice.leave("1001")

        with pytest.raises(DeviceRefused, match="403 not_associated"):
            lab.station.cloud.make_call("alice", "1001", "1003")
        lab.station.clock.sleep(3.0)
        assert list(lab.station.watch.all("cti", since_s, name="MonitorStop"))
        assert not list(lab.station.watch.all("ring", since_s, active=True))
