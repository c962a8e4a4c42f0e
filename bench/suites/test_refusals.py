"""REFUSALS: what the service must not take: codes that are old, used or guessed, extensions of others."""

from __future__ import annotations

from functools import partial

import pytest

from offhook.bench.devices import Station
from offhook.bench.flows import Association, associate, association
from offhook.bench.flows.absence import (
    judge_no_association,
    judge_no_bell,
    judge_no_command,
    judge_no_effect,
    judge_no_row,
    refusal_of,
    rows,
)
from offhook.bench.flows.evidence import judge_no_secret
from offhook.bench.phone import Phone
from offhook.drivers.errors import DeviceRefused

TTL_S = 20.0
"""Longer than the way to the prompt, shorter than the IVR's patience behind it."""
SETTLE_S = 3.0
"""For a decision and what follows from it."""
TRIES, CONTEXTS = 3, 5
"""TH-17: code tries in a context, failed contexts in an hour."""
LOCKOUT_S = 30.0
"""Instead of TH-17's hour, so that the next test finds the account in working order."""


@pytest.mark.req("ASSOC-N02")
def test_expired_code_keyed_right_is_refused(station: Station, first: Phone) -> None:
    """A code that was right and is too old now, keyed in the call: nothing is associated."""
    alice = station.first_account
    with station.policy(code_ttl_s=TTL_S):
        flow = association(station, alice, first)
        flow.run_to("prompted")
        requested_s = flow.steps["S1"].time_s
        alice.wait_state(flow.association, ("EXPIRED",), TTL_S + requested_s - station.clock.now_s() + 0.5)

        first.key(flow.code)
        station.clock.sleep(SETTLE_S)
        ended = alice.state(flow.association)

    judge_no_association(station, "ASSOC-N02", requested_s)
    assert ended.state == "EXPIRED", ended


@pytest.mark.req("ASSOC-N02")
def test_expired_request_calls_nobody(station: Station, first: Phone) -> None:
    """The completion request comes after the code has died: refused, and no command to the PBX, no bell."""
    alice = station.first_account
    with station.policy(code_ttl_s=2.0, completion_required=True):
        name, asked = alice.request(first.extension)
        station.clock.sleep(2.5)

        refusal = refusal_of(partial(alice.complete, name))
        station.clock.sleep(SETTLE_S)

    judge_no_effect(station, "ASSOC-N02", asked.time_s, first.extension)
    judge_no_association(station, "ASSOC-N02", asked.time_s)
    assert refusal.startswith("409 expired"), refusal or "it was accepted"


@pytest.mark.req("ASSOC-N03")
@pytest.mark.parametrize("where", ["same phone", "another phone"])
def test_used_code_is_refused(station: Station, first: Phone, where: str) -> None:
    """A code that has associated a phone, keyed again in the next association: refused, on this phone or another."""
    desk = first if where == "same phone" else station.neighbour(first)
    alice, bob = station.first_account, station.second_account("ASSOC-N03")
    if bob is None:
        return
    station.choose_codes("4711", "0815")
    used = associate(station, alice, first).code
    alice.leave(first.extension)
    since_s = station.clock.now_s()
    flow = association(station, bob, desk)
    flow.run_to("prompted")
    if used == flow.code:
        station.not_run("ASSOC-N03", "the service drew the same code twice")
        return

    flow.key_code(used)
    station.clock.sleep(SETTLE_S)

    judge_no_association(station, "ASSOC-N03", since_s)
    assert bob.state(flow.association).attempts == 1


@pytest.mark.req("ASSOC-N03", "ASSOC-S31.3")
def test_used_context_and_code_are_turned_away(station: Station, first: Phone) -> None:
    """The IVR dialled from the keypad, the context id and code of yesterday keyed into it: it ends the call."""
    if not station.options.context:
        station.not_applicable("ASSOC-N03", "this station uses no context ids")
        return
    alice = station.first_account
    flow = associate(station, alice, first)
    alice.leave(first.extension)
    since_s = station.clock.now_s()
    first.lift()
    assert first.hears_dial_tone()
    first.dial(flow.public_number)
    seized = station.watch.expect("seizure", 10.0, since_s, active=True)
    assert seized is not None, "the IVR cannot be dialled from this phone"
    station.clock.sleep(4.0)

    first.key(flow.context + "#" + flow.code)

    released = station.watch.expect("seizure", 10.0, seized.time_s, active=False)
    judge_no_association(station, "ASSOC-N03", since_s)
    station.judge_count("ASSOC-S31.3", "outside line released by the IVR", "seizure", since_s, active=False, at_least=1)
    assert released is not None, "the IVR did not end the call"


@pytest.mark.req("ASSOC-N05")
def test_guessing_ends_in_a_lockout(station: Station, first: Phone) -> None:
    """Wrong codes, three to a context: within five contexts the account is locked out, and the phone has its peace.

    Contexts that failed in the hour before count too, so the lockout may come sooner.
    """
    alice = station.first_account
    since_s = station.clock.now_s()
    with station.policy(max_failed_contexts=CONTEXTS, max_code_attempts=TRIES, lockout_s=LOCKOUT_S):
        flow = association(station, alice, first)
        contexts = _guess_until_locked_out(station, flow)
        quiet_s = station.clock.now_s()
        refusal = refusal_of(partial(alice.request, first.extension))
        station.clock.sleep(SETTLE_S)
        judge_no_effect(station, "ASSOC-N05", quiet_s, first.extension)
        station.clock.sleep(LOCKOUT_S)
    judge_no_association(station, "ASSOC-N05", since_s)
    station.figure("ASSOC-N05", "failed contexts until the lockout", contexts, "contexts", CONTEXTS, 0.0)
    tried = len([seen for seen in station.watch.all("cloud-step", since_s, step="S9")])
    title = "chance of a guess in one context, as tried"
    station.figure("ASSOC-N05", title, tried / contexts / 10 ** len(flow.code), "of 1", TRIES / 10**4, 0.0)
    assert refusal.startswith("429 locked_out"), refusal or "the account may go on asking"


def _guess_until_locked_out(station: Station, flow: Association) -> int:
    """Three wrong codes a context; how many contexts it took (one more than allowed if there was no lockout)."""
    for contexts in range(1, CONTEXTS + 1):
        flow.run_to("prompted", first="request" if contexts == 1 else "complete")
        for _ in range(TRIES):
            flow.key_code(_other_code(flow.code))
            station.clock.sleep(SETTLE_S)
        ended = flow.account.wait_state(flow.association, ("FAILED", "LOCKED_OUT"), 5.0)
        flow.phone.hang_up()
        station.clock.sleep(2.0)
        if ended is not None and ended.data["state"] == "LOCKED_OUT":
            flow.account.wait_step(flow.association, "S9", 0.1)
            return contexts
        flow = flow.again()
    return CONTEXTS + 1


@pytest.mark.req("ASSOC-N07", "ASSOC-S1.2", "ASSOC-REPO.1")
def test_extensions_of_others_and_of_nobody_are_refused_alike(station: Station) -> None:
    """Another company's extension, and one that does not exist: the same words, no code, nothing on the CTI link."""
    foreign = station.model.service.foreign
    if foreign is None:
        station.not_run("ASSOC-N07", 'the station file names no extension of another company: [cloud] foreign = "..."')
        pytest.skip("no extension of another company is known")
    alice = station.first_account
    since_s, contexts, mail = station.clock.now_s(), rows(station, "context"), len(station.cloud.inbox(alice.name))

    with station.policy(completion_required=False):  # a request that is taken goes on to the PBX at once
        refusals = [refusal_of(partial(alice.request, number)) for number in (foreign, _nobody(station))]
        station.clock.sleep(SETTLE_S)

    judge_no_effect(station, "ASSOC-N07", since_s)
    judge_no_command(station, "ASSOC-S1.2", since_s)
    judge_no_row(station, "ASSOC-N07", "context", contexts)
    judge_no_row(station, "ASSOC-REPO.1", "context", contexts)
    judge_no_row(station, "ASSOC-S1.2", "context", contexts)
    words = station.watch.note("K", "cloud", "refusals", alice.name, since_s, 0.01, same=refusals[0] == refusals[1])
    station.record.judge("ASSOC-N07", "refused in the same words", "equal", observation=words.id, key="same",
                         expected=True)  # fmt: skip
    assert all(refusal.startswith("404") for refusal in refusals), f"not refused: {refusals}"
    assert len(station.cloud.inbox(alice.name)) == mail, "a code was sent"
    assert alice.phones() == []


def _nobody(station: Station) -> str:
    """A number like the station's own that nobody has."""
    taken = {phone.extension for phone in station.phones.values()} | {station.model.service.foreign}
    length = len(next(iter(station.phones.values())).extension)
    return next(number for value in range(10**length - 1, 0, -1) if (number := f"{value:0{length}d}") not in taken)


@pytest.mark.req("ASSOC-REPO.1")
def test_extension_that_leaves_the_company_is_refused_at_the_end(station: Station, first: Phone) -> None:
    """In one repository at S1, in another when the right code is keyed: refused at S10."""
    alice = station.first_account
    flow = association(station, alice, first)
    flow.run_to("prompted")
    try:
        station.cloud.move_extension(first.extension, "other")
    except DeviceRefused:
        station.not_run("ASSOC-REPO.1", "this service does not move extensions between companies")
        pytest.skip("the service does not move extensions between companies")
    try:
        flow.key_code()
        ended = alice.wait_state(flow.association, ("FAILED", "NOTIFIED"), SETTLE_S)
    finally:
        station.cloud.move_extension(first.extension, "main")

    judge_no_association(station, "ASSOC-REPO.1", flow.steps["S1"].time_s)
    assert ended is not None, "the service does not come to a decision"
    flow.equal("ASSOC-REPO.1", "why it ended", ended, "reason", "unknown_extension")


@pytest.mark.req("ASSOC-S3.1")
def test_without_a_completion_request_nothing_starts(station: Station, first: Phone) -> None:
    """Only asked for, not completed: ten seconds later no command has gone to the PBX and no phone has rung."""
    alice = station.first_account
    with station.policy(completion_required=True):
        _, asked = alice.request(first.extension)
        station.clock.sleep(10.0)

    judge_no_command(station, "ASSOC-S3.1", asked.time_s)
    judge_no_bell(station, "ASSOC-S3.1", asked.time_s)


@pytest.mark.req("ASSOC-S2.1", "ASSOC-S2.3")
def test_the_code_shows_in_the_requesting_account_alone(station: Station, first: Phone) -> None:
    """S2: a message with the code in this account's inbox, in no other account's, and in no other message."""
    alice = station.first_account
    others = [name for name in station.model.service.accounts if name != alice.name]
    with station.policy(completion_required=True):
        name, _ = alice.request(first.extension)
        got = alice.code(name)

    assert got is not None, "no code in the account's inbox"
    told = [message for message in station.cloud.inbox(alice.name) if message.association == name]
    codes = [message.code for message in told if message.kind == "code"]
    elsewhere = [mail for other in others for mail in station.cloud.inbox(other) if mail.association == name]
    now_s = station.clock.now_s()
    seen = station.watch.note("M", "cloud", "delivered", alice.name, now_s, 0.05, own=len(codes), others=len(elsewhere))
    for req, title, key, expected in (
        ("ASSOC-S2.3", "codes in the account's application", "own", 1),
        ("ASSOC-S2.1", "messages of it in other accounts", "others", 0),
    ):
        station.record.judge(req, title, "equal", observation=seen.id, key=key, expected=expected)
    assert (len(codes), elsewhere) == (1, [])


@pytest.mark.req("ASSOC-S2.2")
@pytest.mark.parametrize("length", [4, 6], ids=["as delivered", "six digits"])
def test_codes_have_the_length_the_policy_says(station: Station, first: Phone, length: int) -> None:
    """Four digits unless the administrator wants more; the longer one is keyed and taken as a whole."""
    alice = station.first_account
    with station.policy(**({} if length == 4 else {"code_length": length})):
        flow = associate(station, alice, first)

    time_s = flow.steps["S2"].time_s
    plain = flow.code.isascii() and flow.code.isdigit()
    seen = station.watch.note("K", "cloud", "code-made", alice.name, time_s, 0.05, length=len(flow.code), digits=plain)
    station.record.judge("ASSOC-S2.2", "digits of the code", "equal", observation=seen.id, key="length",
                         expected=length)  # fmt: skip
    station.record.judge("ASSOC-S2.2", "nothing but digits", "equal", observation=seen.id, key="digits", expected=True)
    assert alice.phones() == [first.extension]


@pytest.mark.req("ASSOC-S1.3")
@pytest.mark.parametrize("which", ["first account", "second account"])
def test_choices_are_the_entries_of_the_accounts_name(station: Station, which: str) -> None:
    """The directory entries offered to an account are those with its holder's name: all of them, and no other."""
    chosen = station.first_account if which == "first account" else station.second_account("ASSOC-S1.3")
    if chosen is None:
        return
    account = chosen.name
    holder = station.model.service.names.get(account)
    entries = {phone.extension: phone.name for phone in station.model.phone.values() if phone.name}
    if not holder or not entries:
        station.not_run("ASSOC-S1.3", "the station file names no account's holder, or no directory entries")
        pytest.skip("the station file has no names")
    wanted = {number for number, name in entries.items() if _words(holder) <= _words(name)}

    offered = {entry["number"] for entry in station.cloud.extensions(account)}

    for title, missing in (("entries of the name not offered", wanted - offered), ("others", offered - wanted)):
        station.figure("ASSOC-S1.3", f"directory for {account}: {title}", len(missing), "entries", 0.0, 0.0)
    assert wanted, f"no entry is {holder}'s: the test would prove nothing"


def _words(name: str) -> set[str]:
    return set("".join(char if char.isalnum() else " " for char in name.casefold()).split())


def _other_code(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.mark.req("ASSOC-SEC.1")
def test_no_secret_leaves_its_owner(station: Station, first: Phone) -> None:
    """After an association with the lock: no password, no local code in anything the service keeps or was told."""
    lock = first.lock_variant != "none"
    associate(station, station.first_account, first, lock=lock)

    judge_no_secret(station)
