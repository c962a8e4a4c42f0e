"""A Teltone line simulator programmed by DTMF through the bench's own audio, and a simulated one at the other end."""

from __future__ import annotations

import pytest

from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.errors import ConfigError, DeviceRefused, DeviceTimeout
from offhook.drivers.linesim import Line
from offhook.drivers.linesim.teltone import TeltoneLine
from offhook.drivers.linesim.teltone_commands import COMMANDS, PREFIXES, commands_of, message
from offhook.drivers.links import PipeLink
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.instruments.lines import BoxLine
from offhook.fixtures.instruments.teltone import SimTeltone
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.world import AudioGrid


class Bench:
    def __init__(self) -> None:
        self.clock = SimClock()
        grid = AudioGrid(self.clock, 1, channels=1)
        self.box = SimTeltone(self.clock)
        far_line = BoxLine(grid, "tls", 0, self.box)
        rack = AudioPipeEnd(self.clock, 8000, 1, lambda channel, frame, samples: far_line.inject(frame, samples))
        grid.on_rack(rack.block)
        near, far = PipeLink.pair(self.clock, "end://rack")
        rack.connect(far)
        self.port = PipeAudio("rack", self.clock, near, 8000, 1)
        self.port.connect()
        self.line = TeltoneLine("tls", Line(self.clock, self.port, 0, far_line.loop))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("command", "values", "text"),
    [  # as printed in the manual, 40-400-00003 Rev. E, pages 45, 48, 53
        (69, (0,), "*69#0#"),
        (23, (30, 30), "*23#30#30#"),
        (50, (2,), "*50#2#"),
        (72, (1,), "*72#1#"),
        (32, (1,), "*32#1#"),
    ],
)
def test_what_is_keyed_is_as_in_the_manual(command: int, values: tuple[int, ...], text: str) -> None:
    assert message(command, *values) == text
    assert PREFIXES == {"private": "*67", "out-of-area": "*87", "checksum-error": "*88"}


@pytest.mark.parametrize(
    ("command", "values"),
    [(1, (0,)), (69, (6,)), (69, ()), (69, (1, 1)), (23, (31,)), (23, (1,) * 7), (72, (0,)), (20, (-1,))],
)
def test_what_the_manual_has_not_is_refused_before_a_relay_moves(
    bench: Bench, command: int, values: tuple[int, ...]
) -> None:
    before_s = bench.clock.now_s()
    with pytest.raises(ConfigError, match=rf"\*{command}#"):
        bench.line.program(command, *values)
    assert bench.clock.now_s() == before_s


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_reaches_the_box_with_its_largest_values(bench: Bench, command: int) -> None:
    most = COMMANDS[command][1]
    bench.line.program(command, *most)
    assert bench.box.settings[str(command)] == list(most)


@pytest.mark.parametrize(
    ("value", "freqs_hz", "stutter"),
    [(0, (350, 440), False), (2, (440,), False), (3, (480,), False), (5, (350, 440), True)],
)
def test_a_new_dial_tone_is_heard(bench: Bench, value: int, freqs_hz: tuple[float, ...], stutter: bool) -> None:
    bench.line.program(69, value)
    heard_hz, is_stutter = bench.line.dial_tone()
    assert heard_hz == freqs_hz
    assert is_stutter is stutter


def test_a_command_the_box_does_not_take_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, 99, ("of another model", (9,)))
    with pytest.raises(DeviceRefused, match=r"linesim\.tls: program \*99#1#: it answers with reorder tone"):
        bench.line.program(99, 1)
    bench.line.program(69, 1)
    assert bench.box.settings["69"] == [1]


def test_a_box_that_hears_no_digits_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.box, "key", lambda key: None)
    with pytest.raises(DeviceTimeout, match="dial tone goes on: it hears no digit"):
        bench.line.program(69, 1)
    assert bench.box.settings["69"] == [0]


def test_a_line_without_dial_tone_is_said(bench: Bench) -> None:
    bench.line.program(32, 2)
    with pytest.raises(DeviceTimeout, match="off hook, and no dial tone comes"):
        bench.line.program(69, 1)


def test_named_settings_are_commands_in_the_units_of_the_box() -> None:
    options = {
        "model": "TLS-4A",
        "dial_tone_hz": "350+440 stutter",
        "caller_id": "single",
        "dial_tone_delay_s": 1.5,
        "second_ring_s": [0.3, 6.3, 0.7, 0.1],
        "program": [[38, 0]],
    }
    assert commands_of(options) == [(69, 5), (50, 1), (20, 15), (23, 3, 63, 7, 1), (38, 0)]
    assert commands_of({}) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "TLS-5A", "program": [[71, 1]]}, "a TLS-5A has no command 71"),
        ({"dial_tone_delay_s": 0.25}, "dial_tone_delay_s: set: 0.25 s is no multiple of 0.1 s"),
        ({"program": [[69, 1], [69, 7]]}, r"program\.1: program: \*69#: dial tone: 7"),
    ],
)
def test_settings_it_has_not_are_refused_with_their_key(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        commands_of(options)
