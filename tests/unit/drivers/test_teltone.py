"""A Teltone line simulator programmed by DTMF through the bench's own audio, and a simulated one at the other end."""

from __future__ import annotations

import pytest

from offhook.drivers.audio.pipe import PipeAudio
from offhook.drivers.errors import ConfigError, DeviceRefused, DeviceTimeout
from offhook.drivers.linesim.teltone import COMMANDS, PREFIXES, TeltoneLine, message
from offhook.drivers.links import PipeLink
from offhook.fixtures.audiopipe import AudioPipeEnd
from offhook.fixtures.instruments.teltone import SimTeltone
from offhook.fixtures.simclock import SimClock


class Bench:
    def __init__(self) -> None:
        self.clock = SimClock()
        rack = AudioPipeEnd(self.clock, 8000, 1, lambda *played: self.box.play(*played))
        self.box = SimTeltone(self.clock, rack.block)
        near, far = PipeLink.pair(self.clock, "end://rack")
        rack.connect(far)
        self.port = PipeAudio("rack", self.clock, near, 8000, 1)
        self.port.connect()
        self.line = TeltoneLine("tls", self.clock, self.port, 0, self.box.hook)


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


def test_a_box_that_hears_no_digits_is_said(bench: Bench) -> None:
    bench.box.deaf = True
    with pytest.raises(DeviceTimeout, match="dial tone goes on: it hears no digit"):
        bench.line.program(69, 1)
    assert bench.box.settings["69"] == [0]


def test_a_line_without_dial_tone_is_said(bench: Bench) -> None:
    bench.line.program(32, 2)
    with pytest.raises(DeviceTimeout, match="off hook, and no dial tone comes"):
        bench.line.program(69, 1)
