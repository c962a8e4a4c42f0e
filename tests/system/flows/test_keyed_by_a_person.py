"""A phone without relays at its keypad: a person is asked, and only what is heard counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.bench.phone import Phone
from offhook.bench.record import Verdict
from offhook.bench.session import Session, Wanted, opened, verdict_of
from offhook.drivers.errors import DeviceRefused, NotDone
from offhook.drivers.keypad.operator import OperatorKeypad
from offhook.fixtures.stations import SIMULATED

TAP_S, REACTION_S = 0.15, 2.0


class Person:
    """Beside desk-1; presses what is asked for, or ``instead``, unless asleep."""

    def __init__(self, session: Session) -> None:
        self.phone: Phone = session.station.phone("desk-1")
        self.clock = session.station.clock
        self.keys = session.rig.wires.plant.room.phones["desk-1"].keypad  # type: ignore[attr-defined]
        self.asleep = False
        self.instead = ""
        keypad = self.phone._keypad
        assert isinstance(keypad, OperatorKeypad)
        keypad.ask = self.asked

    def asked(self, prompt: str) -> None:
        key = self.instead or prompt.split('"')[1]
        if not self.asleep:
            at_s = self.clock.now_s() + REACTION_S
            self.clock.call_at(at_s, lambda: self.keys.hold(key, True))
            self.clock.call_at(at_s + TAP_S, lambda: self.keys.hold(key, False))


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    text = SIMULATED.read_text("utf-8")
    desk = re.search(r"\[phone\.desk-1\]\n(?:.+\n)+", text)
    assert desk
    by_hand = re.sub(r"keypad .*\n", 'keypad = { driver = "operator", patience_s = 10.0 }\n', desk[0])
    (tmp_path / "hands.toml").write_text(text.replace(desk[0], by_hand), "utf-8")
    with opened(Wanted(tmp_path / "hands.toml", folder=tmp_path / "run")) as session:
        session.record.begin("test", "test", "test")
        session.station.begin()
        person = Person(session)
        person.phone.lift()
        yield person
        session.station.end()
        session.record.finish(Verdict.PASS)


@pytest.mark.req("DRV-SER.2")
def test_a_key_counts_when_its_tone_was_heard(person: Person) -> None:
    assert person.phone.hears_dial_tone()
    asked_s = person.clock.now_s()
    press = person.phone.press("1")
    assert (press.key, press.timed_by) == ("1", "person")
    assert press.closed_s - asked_s == pytest.approx(REACTION_S, abs=0.05)
    assert press.hold_s == pytest.approx(TAP_S, abs=0.03)


@pytest.mark.req("DRV-SER.2")
def test_nobody_at_the_phone_is_not_run_and_never_pass(person: Person) -> None:
    person.asleep = True
    assert person.phone.hears_dial_tone()
    with pytest.raises(NotDone, match="no digit was heard within 10 s") as caught:
        person.phone.press("1")
    assert verdict_of(caught.value) is Verdict.NOT_RUN


def test_the_wrong_key_is_inconclusive(person: Person) -> None:
    person.instead = "2"
    with pytest.raises(DeviceRefused, match='"2" was heard instead') as caught:
        person.phone.press("1")
    assert verdict_of(caught.value) is Verdict.INCONCLUSIVE
