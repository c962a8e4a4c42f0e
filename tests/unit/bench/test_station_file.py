import json
from pathlib import Path

import pytest
from rig_standin import STATION, StandInEnd

from offhook.bench.station_file import find_station, load_station, schema
from offhook.bench.station_mistakes import StationError
from offhook.bench.station_model import REGIONS, Ref
from offhook.drivers.errors import ConfigError
from offhook.dsp.plans import PLANS

pytestmark = pytest.mark.usefixtures("standin")


def mistakes(file: Path, text: str) -> list[tuple[int, str]]:
    file.write_text(text)
    with pytest.raises(StationError) as caught:
        load_station(file)
    return [(line, str(mistake)) for line, mistake in caught.value.mistakes]


def line_of(text: str, start: str) -> int:
    found = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start)]
    assert len(found) == 1, f"{start} is on {found}"
    return found[0]


def test_a_good_file_is_read(small: Path) -> None:
    loaded = load_station(small)

    assert loaded.model.phone["desk"].keypad.contacts("6") == (Ref("one", 1), Ref("one", 6))
    assert loaded.where("relay", "two") == f"small.toml:{line_of(STATION, '[relay.two]')}"
    assert loaded.data["world"] == {"end": "standin"}


BROKEN = [
    ("unknown key", "channels = 2", "chanels = 2", ["audio.rack.chanels: unknown key (try: channels)"]),
    ("key of another section", "[dial]", '[dial]\nlock_prefix = "*6"', ["belongs"]),
    ("unknown section", "[dial]", "[dail]", ["dail: unknown key (try: dial)"]),
    ("wrong type", "rate_hz = 8000", 'rate_hz = "8000"', ['audio.rack.rate_hz: "8000" is not a whole number']),
    ("true is no number", "rate_hz = 8000", "rate_hz = true", ["rate_hz: true is not a whole number"]),
    ("missing key", 'extension = "1001"\n', "", ["phone.desk.extension: missing (try: add extension = ...)"]),
    ("not a choice", 'kind = "ip"', 'kind = "voip"', ["'ip', 'analog', 'tdm' or 'soft'"]),
    ("schema of the future", "schema_version = 1", "schema_version = 9", ["schema_version: 9 is not allowed (try: 1)"]),
    ("relay twice", '"one/8"', '"one/0"', ["relay one/0 is used twice (try: phone.desk.hook.contact has it already)"]),
    ("missing channel", "rack/1", "rack/7", ["missing channel: audio.rack has 2 (try: rack/0 to rack/1)"]),
    ("missing relay", '"two/6"]', '"two/16"]', ["phone.other.keypad.columns.2: missing relay: relay.two has 16"]),
    ("no such board", '"one/8"', '"ones/8"', ["there is no [relay.ones] (try: one/8)"]),
    ("pin twice", "arduino/5", "arduino/3", ["pin arduino/3 is used twice"]),
    ("channel twice", "rack/1", "rack/0", ["channel rack/0 is used twice"]),
    ("not a reference", '"one/8"', '"one-8"', ["board/number"]),
    ("unknown driver", 'driver = "firmata"', 'driver = "firmat"', ['no driver "firmat" for sense (try: firmata)']),
    ("unknown CTI driver", 'driver = "csta"', 'driver = "tapi"', ["pbx.driver", "csta"]),
    ("unknown end", 'end = "standin"', 'end = "stand"', ['no far end "stand" (try: standin)']),
    ("unreachable keys", ', "one/6"]', "]", ["4 rows and 2 columns do not reach every key"]),
    ("extension twice", '"1002"', '"1001"', ["1001 is used twice (try: phone.desk has it already)"]),
    ("unknown region", 'name = "small"', 'name = "small"\nregion = "XX"', ["region", "(try: one of US, EU, UK, JP)"]),
    ("unknown scheme", "end://two", "foo://two", ['relay.two.link: "foo://two" is not an address (try: ']),
    ("link twice", "end://two", "end://one", ["end://one is used twice"]),
    ("unsafe hook", 'safe = "open"', 'safe = "closed"', ["leave the phone off-hook", 'safe = "open"']),
    ("emergency pattern", '"10xx"', '"1xx"', ["an emergency number"]),
    ("emergency outside", '"10xx"', '"0112"', ["0112, an emergency number"]),
    ("lock without a prefix", "[dial]", '[options]\nlock = "prefix"\n[dial]', ["lock_prefix in [pbx]"]),
    ("not a table", 'name = "small"', 'name = "small"\noptions = 3', ["options: 3 where a table should be"]),
    ("section in a table", "[dial]", "options.s3 = true\n[dial]", ["[options], a section of its own"]),
    ("bad name", "[relay.two]", '[relay."t wo"]', ["not a plain name"]),
    (
        "lamp without a sensor",
        'kind = "ip"',
        'kind = "ip"\nlamps = { rest = "dark" }',
        ["lamps, and no sensor sees a lamp"],
    ),
    (
        "lamp of an unseen colour",
        'kind = "ip"',
        'kind = "ip"\nlamp = { red = "arduino/9" }\nlamps = { locked = "green wink" }',
        ['phone.desk: lamps.locked = "green wink", and no sensor sees green (try: a colour of its lamp: red, or'],
    ),
    (
        "no such sign",
        'kind = "ip"',
        'kind = "ip"\nlamp = { red = "arduino/9" }\nlamps = { ringing = "red flicker" }',
        ['phone.desk.lamps.ringing: "red flicker" is not what a lamp shows', '"red flash" (flash, slow flash'],
    ),
    (
        "lock on a lamp of one colour",
        'kind = "ip"',
        'kind = "ip"\nlamp = { red = "arduino/9" }\nshows_lock = "lamp"',
        ["its lamp has no sign for that"],
    ),
    ("light sensor twice", 'kind = "ip"', 'kind = "ip"\nlamp = { red = "arduino/3" }', ["pin arduino/3 is used twice"]),
    ("half a cadence", 'kind = "ip"', 'kind = "ip"\nring_s = [2.0, 4.0, 2.0]', ["ring_s ends with a ring"]),
    ("no world", '[world]\nend = "standin"\n', "", ["without a [world]"]),
]


@pytest.mark.parametrize(("old", "new", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_mistake_is_named_with_its_key_and_what_to_try(small: Path, old: str, new: str, words: list[str]) -> None:
    assert STATION.count(old) >= 1

    found = mistakes(small, STATION.replace(old, new, 1))

    for word in words:
        assert any(word in text for _, text in found), found


def test_a_number_of_channels_that_cannot_be_is_one_mistake(small: Path) -> None:
    text = STATION.replace("channels = 2", "channels = -1")

    assert [line for line, _ in mistakes(small, text)] == [line_of(text, "channels = -1")]


def test_a_misspelt_key_is_one_mistake(small: Path) -> None:
    text = STATION.replace("rate_hz", "rate_h")

    assert mistakes(small, text) == [(line_of(text, "rate_h"), "audio.rack.rate_h: unknown key (try: rate_hz)")]


def test_an_empty_file_lacks_every_section(small: Path) -> None:
    found = [text for _, text in mistakes(small, "")]

    assert "name: missing (try: add name = ...)" in found
    assert "dut: missing (try: add [dut])" in found


def test_all_mistakes_come_at_once_with_their_lines(small: Path) -> None:
    text = (
        STATION.replace("chan", "chun", 1)
        .replace('kind = "analog"', "kind = 3")
        .replace("arduino/5", "arduino/3")
        .replace('"one/8"', '"one/40"')
        .replace('driver = "http"', 'driver = "htp"')
    )

    found = mistakes(small, text)

    assert [line for line, _ in found] == sorted(
        [
            line_of(text, "chunnels"),
            line_of(text, "kind = 3"),
            text.splitlines().index('hook_sense = "arduino/3"', line_of(text, "[phone.other]")) + 1,
            line_of(text, 'hook = { contact = "one/40"'),
            line_of(text, 'driver = "htp"'),
        ]
    )


def test_the_message_says_file_and_line_of_each(small: Path) -> None:
    small.write_text(STATION.replace("rack/1", "rack/7"))

    with pytest.raises(ConfigError) as caught:
        load_station(small)

    line = line_of(STATION.replace("rack/1", "rack/7"), 'handset = "rack/7"')
    assert f"{small}:{line}  phone.other.handset: missing channel" in str(caught.value)


def test_one_mistake_does_not_cause_others(small: Path) -> None:
    found = mistakes(small, STATION.replace("channels = 16", 'channels = "16"', 1))

    assert len(found) == 1, found


@pytest.mark.parametrize("text", ["name = lab", "[relay", 'name = "a"\nname = "b"', "\x00"])
def test_what_is_not_toml_is_named_with_its_line(small: Path, text: str) -> None:
    found = mistakes(small, "schema_version = 1\n" + text)

    assert len(found) == 1
    assert "not TOML" in found[0][1]
    assert found[0][0] >= 2


def test_a_file_of_other_bytes_is_refused(small: Path) -> None:
    small.write_bytes(b"name = 1\n\xff\xfe")

    with pytest.raises(ConfigError, match=r"small\.toml:2: read station: not UTF-8"):
        load_station(small)


def test_the_regions_are_those_whose_tones_are_known() -> None:
    assert set(REGIONS) == set(PLANS)


def test_secrets_come_from_the_environment(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = STATION.replace('"pw"', '"env:ALICE_PW"').replace("[tap]", 'secret = "env:PBX_PW"\n[tap]')
    monkeypatch.setenv("ALICE_PW", "from outside")
    monkeypatch.delenv("PBX_PW", raising=False)

    found = mistakes(small, text)

    assert found == [(line_of(text, "secret"), "pbx.secret: the environment has no PBX_PW (try: export PBX_PW=...)")]
    monkeypatch.setenv("PBX_PW", "x")
    loaded = load_station(small)
    assert loaded.model.cloud.accounts == {"alice": "from outside"}
    assert "from outside" not in loaded.text


def test_a_secret_in_the_file_of_a_real_service_is_refused(small: Path) -> None:
    found = mistakes(small, STATION.replace("end://cloud", "https://cloud.example"))

    assert ["a secret written out" in text for _, text in found] == [True]


def test_unknown_stations_are_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"simulatd: find station: no station of that name \(try: simulated\)"):
        find_station("simulatd")
    with pytest.raises(ConfigError, match="no such file"):
        find_station(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_station(tmp_path)


def test_the_schema_knows_every_section_and_refuses_unknown_keys() -> None:
    found = json.loads(schema())

    assert {"relay", "audio", "phone", "dial"} <= set(found["properties"])
    assert found["additionalProperties"] is False
    assert found["$defs"]["Relay"]["additionalProperties"] is False


def test_the_shipped_station_has_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert load_station(find_station("simulated")).model.name == "simulated"


def test_standin_is_only_for_this_folder(standin: StandInEnd) -> None:
    assert standin.opened == []
