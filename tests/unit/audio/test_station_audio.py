"""Sound cards and loops in a station file: what is accepted, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.bench.station_file import load_station
from offhook.bench.station_mistakes import StationError

HEAD = """
schema_version = 1
name = "lab"
role = "R5"
dut = { vendor = "v", model = "m", firmware = "f", serial = "s" }
"""
CARD = """
[audio.rack]
driver = "sounddevice"
device = "USB Audio CODEC"
rate_hz = 8000
channels = 8
loop = 7
"""
LOOP = """
[loop.a]
play = "rack/0"
hear = "rack/1"
"""


def loaded(tmp_path: Path, text: str) -> str:
    file = tmp_path / "lab.toml"
    file.write_text(text, "utf-8")
    return load_station(file).model.audio["rack"].driver


def test_a_station_of_a_card_and_a_loop_needs_nothing_else(tmp_path: Path) -> None:
    assert loaded(tmp_path, HEAD + CARD + LOOP) == "sounddevice"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CARD.replace('device = "USB Audio CODEC"\n', ""), "needs either link or device"),
        (CARD + 'link = "end://rack"\n', "a sound card has no link"),
        (CARD.replace("loop = 7", "loop = 8"), "missing channel: audio.rack has 8"),
        (CARD.replace("rate_hz = 8000", "rate_hz = 8001"), "multiple of 100"),
        (CARD + "card_hz = 4400\n", "8000"),
        (CARD + "latency_s = 3.0\n", "0.4"),
        (CARD + LOOP.replace("rack/1", "rack/7"), "channel rack/7 is used twice"),
        (CARD + LOOP.replace('play = "rack/0"', 'play = "rack/9"'), "missing channel"),
        (CARD + LOOP.replace('play = "rack/0"', 'play = "wreck/0"'), "there is no [audio.wreck]"),
        (CARD + LOOP + LOOP.replace("loop.a", "loop.b"), "used twice"),
        (
            CARD.replace('driver = "sounddevice"', 'driver = "pipe"').replace('device = "USB Audio CODEC"\n', "")
            + 'link = "tcp://127.0.0.1:9"\n',
            "the driver pipe has no loop",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StationError) as caught:
        loaded(tmp_path, HEAD + text)
    assert words in str(caught.value)
    assert "lab.toml:" in str(caught.value)
