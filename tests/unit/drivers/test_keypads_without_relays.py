"""Keypads that need no relays: a phone's own web server, and a person."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from offhook.bench.contract.keypad import KeyingContract
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout, NotDone
from offhook.drivers.keypad.http import HttpKeypad
from offhook.drivers.keypad.operator import HeardDigit, OperatorKeypad
from offhook.fixtures.actionuri import DOWN_S, ActionUriPhone
from offhook.fixtures.asgi import AsgiTransport
from offhook.fixtures.simclock import SimClock


class WebRoom:
    """A phone's web server on a simulated clock; ``moves`` are its keys, down and up."""

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.clock = SimClock()
        self.moves: list[tuple[str, bool, float]] = []
        self.phone = ActionUriPhone(
            self.clock, lambda key, down: self.moves.append((key, down, self.clock.now_s())), login
        )
        self.cut = False
        self.transport = AsgiTransport(self.phone, lambda: self.cut)

    def http(self, address: str) -> tuple[str, httpx.BaseTransport]:
        assert address == "http://10.0.3.51"
        return "http://phone.sim", self.transport

    def keypad(self, **options: object) -> HttpKeypad:
        return HttpKeypad.open("desk-1", {"url": "http://10.0.3.51", **options}, self)  # type: ignore[arg-type]


@pytest.fixture
def web() -> Iterator[WebRoom]:
    room = WebRoom()
    yield room
    room.transport.shut()


@pytest.mark.req("DRV-SIM.1")
class TestHttp(KeyingContract):
    @pytest.fixture
    def clock(self, web: WebRoom) -> Clock:
        return web.clock

    @pytest.fixture
    def keypad(self, web: WebRoom) -> Iterator[HttpKeypad]:
        keypad = web.keypad()
        yield keypad
        keypad.close()


def test_the_phone_presses_what_was_asked_for(web: WebRoom) -> None:
    keypad = web.keypad()
    presses = keypad.dial("0*9#")
    web.clock.sleep(0.5)
    assert web.phone.pressed == list("0*9#")
    downs = {key: at_s for key, down, at_s in web.moves if down}
    ups = {key: at_s for key, down, at_s in web.moves if not down}
    assert all(ups[key] - downs[key] == pytest.approx(DOWN_S) for key in "0*9#")
    assert all(press.closed_s <= downs[press.key] for press in presses)
    assert {press.timed_by for press in presses} == {"phone"}
    keypad.close()


def test_the_request_is_the_published_one(web: WebRoom) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200)

    client = httpx.Client(base_url="http://10.3.20.10", transport=httpx.MockTransport(answer))
    with client:
        keypad = HttpKeypad("desk-1", web.clock, client)
        keypad.dial("5*#")
        other = HttpKeypad("desk-1", web.clock, client, "/fcgi/do?keydown={key}", {"#": "Pound", "H": "Hook"})
        other.dial("H#")
    assert asked == [
        "http://10.3.20.10/servlet?key=5",
        "http://10.3.20.10/servlet?key=*",
        "http://10.3.20.10/servlet?key=POUND",
        "http://10.3.20.10/fcgi/do?keydown=Hook",
        "http://10.3.20.10/fcgi/do?keydown=Pound",
    ]


def test_a_login_is_given_and_a_wrong_one_is_named() -> None:
    room = WebRoom(("admin", "s3cret"))
    good, bad = room.keypad(user="admin", secret="s3cret"), room.keypad(user="admin", secret="no")
    assert good.press("1").key == "1"
    with pytest.raises(DeviceRefused, match=r'keypad of desk-1: press "1".*answered 401.*is user right, and secret'):
        bad.press("1")
    assert room.phone.pressed == ["1"]
    good.close()
    bad.close()
    room.transport.shut()


@pytest.mark.req("DRV-SER.3")
def test_every_refusal_says_what_to_try(web: WebRoom) -> None:
    keypad, lost = web.keypad(), web.keypad(path="/other?key={key}")
    web.phone.allowed = False
    with pytest.raises(DeviceRefused, match=r"answered 403 .*limit_ip"):
        keypad.press("1")
    with pytest.raises(DeviceRefused, match=r"answered 40[34]"):
        lost.press("1")
    web.cut = True
    with pytest.raises(DeviceGone, match="address right, its web server on"):
        keypad.press("1")
    web.cut, web.phone.allowed = False, True
    assert keypad.press("1").key == "1"
    assert web.phone.pressed == ["1"]
    keypad.close()
    lost.close()


def test_a_request_without_an_answer_is_not_repeated(web: WebRoom) -> None:
    asked: list[str] = []

    def silent(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        raise httpx.ReadTimeout("too slow", request=request)

    with httpx.Client(base_url="http://10.3.20.10", transport=httpx.MockTransport(silent)) as client:
        keypad = HttpKeypad("desk-1", web.clock, client)
        with pytest.raises(DeviceTimeout, match="the key may be down or not"):
            keypad.dial("12")
    assert len(asked) == 1


def test_nobody_outside_can_hold_such_a_key(web: WebRoom) -> None:
    keypad = web.keypad()
    with pytest.raises(ConfigError, match=r"hold of 2 s.*relay contacts"):
        keypad.press("1", 2.0)
    assert web.phone.pressed == []
    keypad.close()
    with pytest.raises(ConfigError, match=r"no \{key\} in it"):
        web.keypad(path="/servlet")


# ---- a person


class Person:
    """Presses what the prompt asks for (or ``instead``), some time later, unless asleep."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.prompts: list[str] = []
        self.heard: list[HeardDigit] = []
        self.instead = ""
        self.asleep = False
        self.keypad = OperatorKeypad("desk-1", self.clock, self.asked, patience_s=20.0)
        self.keypad.observed_by(lambda since_s: [one for one in self.heard if one.end_s >= since_s])

    def asked(self, prompt: str) -> None:
        self.prompts.append(prompt)
        key = self.instead or prompt.split('"')[1]
        if not self.asleep:
            self.clock.call_in(1.5, lambda: self.press(key))

    def press(self, key: str) -> None:
        now_s = self.clock.now_s()
        self.heard.append(HeardDigit(key, now_s - 0.2, now_s))


@pytest.fixture
def person() -> Person:
    return Person()


class TestOperator(KeyingContract):
    @pytest.fixture
    def clock(self, person: Person) -> Clock:
        return person.clock

    @pytest.fixture
    def keypad(self, person: Person) -> OperatorKeypad:
        return person.keypad


def test_a_press_is_what_was_heard_and_when(person: Person) -> None:
    press = person.keypad.press("7")
    assert person.prompts == ['desk-1: press "7", once (you have 20 s)']
    assert (press.key, press.timed_by) == ("7", "person")
    assert press.hold_s == pytest.approx(0.2)


def test_nobody_there_means_not_done_and_not_pressed(person: Person) -> None:
    person.asleep = True
    told: list[object] = []
    person.keypad.on_press(told.append)
    with pytest.raises(NotDone, match=r'keypad of desk-1: press "7".*no digit was heard within 20 s'):
        person.keypad.press("7")
    assert person.clock.now_s() == pytest.approx(20.0)
    assert told == []


def test_a_digit_of_before_the_prompt_is_no_answer_to_it(person: Person) -> None:
    person.asleep = True
    person.clock.sleep(5.0)
    person.heard.append(HeardDigit("7", person.clock.now_s() - 0.1, person.clock.now_s() + 0.1))
    with pytest.raises(NotDone):
        person.keypad.press("7")


def test_another_key_is_an_error_that_names_it(person: Person) -> None:
    person.instead = "6"
    with pytest.raises(DeviceRefused, match='"6" was heard instead'):
        person.keypad.press("7")


def test_where_nobody_hears_nobody_is_asked() -> None:
    prompts: list[str] = []
    keypad = OperatorKeypad("desk-1", SimClock(), prompts.append)
    with pytest.raises(ConfigError, match="nobody hears what is pressed"):
        keypad.press("1")
    assert prompts == []


def test_prompts_go_to_the_console(capsys: pytest.CaptureFixture[str], person: Person) -> None:
    class Wires:
        clock = person.clock

    keypad = OperatorKeypad.open("desk-1", {"patience_s": 0.1}, Wires())  # type: ignore[arg-type]
    keypad.observed_by(lambda since_s: [])
    with pytest.raises(NotDone):
        keypad.press("1", 2.0)
    assert 'desk-1: press "1" for 2 s, once' in capsys.readouterr().err
