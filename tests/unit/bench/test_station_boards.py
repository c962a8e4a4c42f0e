"""Relay boards, sensors and keypads in a station file: what each driver takes, and mistakes in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from rig_standin import STATION

from offhook.bench.station_file import load_station
from offhook.bench.station_mistakes import StationError
from offhook.bench.station_wires import OPTIONAL, TAKES
from offhook.drivers import registry

pytestmark = pytest.mark.usefixtures("standin")

NUMATO = '[relay.one]\ndriver = "numato"\nlink = "end://one"\nchannels = 16\n'
KEYPAD = 'keypad = { rows = ["one/0", "one/1", "one/2", "one/3"], columns = ["one/4", "one/5", "one/6"] }'


def load(file: Path, board: str = NUMATO, keypad: str = KEYPAD, **more: str) -> str:
    """Load the station with these; returns its mistakes, or ""."""
    assert NUMATO in STATION
    assert KEYPAD in STATION
    text = STATION.replace(NUMATO, board).replace(KEYPAD, keypad)
    for old, new in more.items():
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    try:
        load_station(file)
    except StationError as error:
        return str(error)
    return ""


def board(driver: str, *lines: str) -> str:
    return "\n".join(["[relay.one]", f'driver = "{driver}"', 'link = "end://one"', "channels = 16", *lines, ""])


@pytest.mark.parametrize("driver", sorted(TAKES))
def test_every_driver_of_ours_takes_its_options(small: Path, driver: str) -> None:
    values = {"model": '"r4d8a08"', "pulses": "false", "read_back": "false"}
    lines = [f"{name} = {values.get(name, 5)}" for name in TAKES[driver]]
    assert load(small, board(driver, *lines)) == ""


def test_there_is_a_list_for_every_relay_driver_of_ours() -> None:
    ours = {name.removeprefix("relay.") for name in registry.known("relay")}
    assert set(TAKES) == ours


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("numato", "unit = 3"), 'the numato driver takes no unit (try: leave it out, or driver = "modbus")'),
        (("devantech", "read_back = false"), "the devantech driver takes no read_back (try: leave it out, or driver ="),
        (
            ("modbus", 'model = "wavesahre"'),
            "relay.one.model: \"wavesahre\" is not allowed (try: 'waveshare', 'generic'",
        ),
        (("modbus", "unit = 0"), "relay.one.unit: 0"),
        (("modbus", "pulses = 1"), "relay.one.pulses: 1 is not true or false"),
        (("modbus", "options = { a = 1 }"), "the modbus driver takes no options"),
        (("modbsu",), 'no driver "modbsu" for relay (try: modbus)'),
        (("lcus", "spacing = 100"), "relay.one.spacing: unknown key (try: spacing_ms)"),
    ],
)
def test_an_option_of_another_driver_is_named(small: Path, lines: tuple[str, ...], words: str) -> None:
    assert words in load(small, board(*lines))


def test_every_optional_key_is_of_some_driver() -> None:
    assert {name for names in TAKES.values() for name in names} == set(OPTIONAL)


@pytest.mark.parametrize(
    ("keypad", "words"),
    [
        ('{ driver = "http", url = "http://10.0.3.51" }', ""),
        ('{ driver = "http", url = "http://10.0.3.51", path = "/do?k={key}", names = { "#" = "Pound" } }', ""),
        ('{ driver = "operator", patience_s = 30.0 }', ""),
        ('{ driver = "http" }', 'the http driver needs a url (try: url = "http://10.0.3.51"'),
        ('{ driver = "htpt", url = "http://10.0.3.51" }', 'no driver "htpt" for keypad (try: http)'),
        ('{ driver = "operator", url = "http://10.0.3.51" }', "the operator driver takes no url or secret"),
        ('{ driver = "operator", keys = { "1" = "one/1" } }', 'has relay contacts and driver = "operator"'),
        ('{ driver = "http", url = "http://10.0.3.51", user = "a", secret = "b" }', "a secret written out in a file"),
        ('{ driver = "http", url = "http://10.0.3.51", user = "a", secret = "env:NO_SUCH" }', "has no NO_SUCH"),
    ],
)
def test_keypads_without_relays(small: Path, keypad: str, words: str) -> None:
    said = load(small, keypad=f"keypad = {keypad}")
    assert words in said if words else said == ""


def test_a_phones_password_comes_from_the_environment(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONE_PW", "s3cret")
    keypad = 'keypad = { driver = "http", url = "http://10.0.3.51", user = "a", secret = "env:PHONE_PW" }'
    assert load(small, keypad=keypad) == ""
    assert load_station(small).model.phone["desk"].keypad.secret == "s3cret"


def test_debounce_is_a_number_of_milliseconds(small: Path) -> None:
    old = 'driver = "firmata"\nlink = "end://sense"'
    assert load(small, **{old: old + "\ndebounce_ms = 10"}) == ""
    assert "debounce_ms: 900" in load(small, **{old: old + "\ndebounce_ms = 900"})
