"""A Teltone line simulator through the station file, in simulated time: set at the start, heard, safe; its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from broken import FAULTS

from offhook.bench import cli
from offhook.bench.hardware import missing
from offhook.bench.session import Wanted, opened
from offhook.bench.station import Rig, Unreachable, open_rig
from offhook.bench.station_file import find_station
from offhook.bench.station_mistakes import StationError
from offhook.drivers.errors import ConfigError, DeviceTimeout, NotAllowed

LOOP, CHANNEL = 9, 1
NAMED = 'dial_tone_hz  = "440"\n'


@contextmanager
def rig_of(file: str | Path = "linesim", faults: Sequence[str] = ()) -> Iterator[Rig]:
    with open_rig(file, faults=[*faults, *FAULTS], on_safe=lambda report: None) as rig:
        yield rig


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """The shipped station with texts replaced."""

    def write(*pairs: tuple[str, str]) -> Path:
        text = find_station("linesim").read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        file = tmp_path / "changed.toml"
        file.write_text(text, "utf-8")
        return file

    return write


def box_of(rig: Rig) -> Any:
    """The box at the far end: its contact moves ``loop``, its line speaks to ``box``."""
    return rig.wires.plant.room._handsets[CHANNEL]  # type: ignore[attr-defined]


def test_the_settings_reach_the_box_at_the_start() -> None:
    with rig_of() as rig:
        assert box_of(rig).box.settings == {"69": [2], "50": [2], "23": [10, 30], "34": [1]}
        assert rig.identities["linesim.tls"] == "Teltone TLS-5C, dial tone 440 Hz, 4 settings programmed"
        assert not rig.relays["keys"].read_all()[LOOP]
        assert box_of(rig)._leg is None


def test_without_settings_it_is_heard_and_left_as_it_is(changed: Callable[..., Path]) -> None:
    text = find_station("linesim").read_text("utf-8")
    with rig_of(changed((text[text.index("dial_tone_hz") :], ""))) as rig:
        assert rig.identities["linesim.tls"] == "Teltone TLS-5C, dial tone 350+440 Hz"
        assert box_of(rig).box.settings == {"69": [0]}


def test_a_late_dial_tone_is_waited_for_and_the_last_one_set_counts(changed: Callable[..., Path]) -> None:
    file = changed((NAMED, "dial_tone_delay_s = 4.5\n"), ("[[34, 1]]", "[[69, 3], [69, 5]]"))
    for _ in range(2):  # the first time the delay is new to the box
        with rig_of(file) as rig:
            assert "dial tone 350+440 stutter Hz, 5 settings" in rig.identities["linesim.tls"]
            assert box_of(rig).box.settings["20"] == [45]


def test_a_test_programs_it_and_what_its_line_carried_is_recorded(tmp_path: Path) -> None:
    with opened(Wanted("linesim", faults=list(FAULTS), folder=tmp_path / "run")) as session:
        session.record.begin("test", "test", "test")
        station = session.station
        station.begin()
        assert station.linesim("tls").program(23, 5, 5) == "*23#5#5#"
        assert box_of(session.rig).box.settings["23"] == [5, 5]
        with pytest.raises(ConfigError, match=r"linesim\.tlx: find: this station has tls"):
            station.linesim("tlx")
        relays = [seen for seen in station.watch.all("relay", subject="tls")]
        assert [seen.data["use"] for seen in relays][-1] == "loop"
        assert not relays[-1].data["closed"]
        keyed = [seen.data["key"] for seen in station.watch.all("digit", subject="linesim-tls")]
        assert "".join(keyed) == "*23#5#5#"
        station.end()
    assert list((tmp_path / "run" / "audio").glob("linesim-tls_*.wav"))


@pytest.mark.req("BENCH-RUN.3")
def test_the_safe_state_opens_the_loop_and_holds_it_open() -> None:
    with rig_of() as rig:
        rig.relays["keys"].set(LOOP, True)
        rig.clock.sleep(0.1)
        assert box_of(rig)._leg is not None
        report = rig.make_safe(stay_shut=True)
        assert report.ok
        rig.clock.sleep(0.1)
        assert not rig.relays["keys"].read_all()[LOOP]
        assert box_of(rig)._leg is None
        with pytest.raises(NotAllowed):
            rig.linesims["tls"].program(69, 1)
        assert not rig.relays["keys"].read_all()[LOOP]


@pytest.mark.req("DRV-SIM.2")
@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        ("dead-linesim:tls", "off hook, and no dial tone comes", "audio channel rack/1, relay keys/9"),
        (
            "deaf-linesim:tls",
            "program *69#2#: dial tone goes on: it hears no digit",
            "does the output of audio channel",
        ),
        ("stubborn-linesim:tls", "set to 440 Hz, its dial tone is 350+440", "does it take *69#2# there?"),
        ("refusing-linesim:tls", "program *69#2#: it answers with reorder tone", "does this model have that command?"),
        ("stuck-loop:tls", "something is heard with its loop open", "does its contact not open?"),
        ("cut:audio", "use its line: audio.rack does not answer", "that one first"),
    ],
)
def test_what_is_wrong_is_found_at_the_start_and_the_loop_left_open(fault: str, words: str, hint: str) -> None:
    with pytest.raises(Unreachable) as caught, rig_of(faults=[fault]):
        pass
    error = caught.value.failures["linesim.tls"]
    assert words in str(error)
    assert hint in error.hint
    with open_rig("linesim", faults=[fault], on_safe=lambda report: None, require_all=False) as rig:
        assert not rig.relays["keys"].read_all()[LOOP]


@pytest.mark.parametrize("fault", ["dead-linesim:tls", "stuck-loop:tls"])
def test_check_says_so_beside_its_wires(capsys: pytest.CaptureFixture[str], fault: str) -> None:
    assert cli.execute(["check", "linesim", "--fault", fault]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("FAIL")] == ["linesim.toml:28", "|--", "|--"]


def test_it_is_as_real_as_the_wires_it_hangs_on() -> None:
    assert missing("linesim", ["linesim.tls"]) == "audio.rack of station 'linesim' is simulated (end://rack)"
    assert missing("linesim", ["linesim.other"]) == "station 'linesim' has no [linesim.other]"


def test_check_is_well_without_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["check", "linesim"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("linesim.tls    Teltone TLS-5C, dial tone 440 Hz, 4 settings programmed" in line for line in lines)
    assert any("loop of line simulator tls" in line for line in lines)


def test_a_box_that_dies_later_is_a_timeout() -> None:
    with rig_of() as rig:
        rig.wires.plant.faults.add("dead-linesim:tls")  # type: ignore[attr-defined]
        with pytest.raises(DeviceTimeout, match=r"linesim\.tls: program \*69#1#: off hook, and no dial tone comes"):
            rig.linesims["tls"].program(69, 1)
        assert not rig.relays["keys"].read_all()[LOOP]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('line          = "rack/1"', 'line = "rack/7"', "linesim.tls.line: missing channel: audio.rack has 2"),
        ('loop          = "keys/9"', 'loop = "key/9"', "linesim.tls.loop: there is no [relay.key] (try: keys/9)"),
        ('driver        = "teltone"', 'driver = "teletone"', 'no driver "teletone" for linesim (try: teltone)'),
        ('"TLS-5C"', '"TLS-3A"', 'model = "TLS-3A", which cannot be programmed (try: one of TLS-3B'),
        ('"440"', '"425"', "linesim.tls.dial_tone_hz"),
        ("[1.0, 3.0]", "[1.05, 3.0]", "second_ring_s: 1.05 s is no multiple of 0.1 s"),
        ("[1.0, 3.0]", "[3.1, 3.0]", "second_ring_s: *23#: ring cadence of the second number"),
        ("[[34, 1]]", "[[34, 2]]", "program.0: *34#: flash detect: 2 (try: 0 to 1)"),
        ("[[34, 1]]", "[[99, 2]]", "program.0: *99#: no such command"),
        ("[[34, 1]]", "[[]]", "program.0: no command"),
        ("[[34, 1]]", "[[32, 2]]", "takes dial tone away: this line could not be programmed any more"),
        ("[[34, 1]]", "[[34, 1]]\noptions = { a = 1 }", "the teltone driver takes no options"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(changed: Callable[..., Path], old: str, new: str, words: str) -> None:
    with pytest.raises(StationError) as caught, rig_of(changed((old, new))):
        pass
    [(line, mistake)] = caught.value.mistakes
    assert words in str(mistake)
    assert 28 <= line <= 40


def test_a_contact_or_channel_that_a_phone_has_is_used_twice(changed: Callable[..., Path]) -> None:
    """Of two users of one relay or channel the second in the file's order of kinds is told, with its line."""
    more = """
[linesim.other]
driver = "teltone"
model  = "TLS-3B"
line   = "rack/1"
loop   = "keys/9"
"""
    file = changed(("[[34, 1]]             # *34#1#, as its manual has it: flash detect\n", "[[34, 1]]\n" + more))
    with pytest.raises(StationError) as caught, rig_of(file):
        pass
    text = file.read_text("utf-8").splitlines()
    assert [(text[line - 1], str(mistake)) for line, mistake in caught.value.mistakes] == [
        (
            'line   = "rack/1"',
            "linesim.other.line: channel rack/1 is used twice (try: linesim.tls.line has it already)",
        ),
        ('loop   = "keys/9"', "linesim.other.loop: relay keys/9 is used twice (try: linesim.tls.loop has it already)"),
    ]
