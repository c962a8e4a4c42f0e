"""Finding a sound card by name, and refusing what makes no sense before anything is started."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from offhook.drivers.audio.devices import Refused, find_device
from offhook.drivers.audio.soundcard import SoundCard
from offhook.drivers.clock import WallClock
from offhook.drivers.errors import ConfigError
from offhook.fixtures.simclock import SimClock


class PortAudio:
    """What PortAudio lists on some machine."""

    def __init__(self, *devices: tuple[str, int, int, int]) -> None:
        self._devices = devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA"}, {"name": "JACK Audio Connection Kit"}]

    def query_devices(self) -> list[dict[str, Any]]:
        keys = ("name", "hostapi", "max_input_channels", "max_output_channels")
        return [dict(zip(keys, device, strict=True)) for device in self._devices]


LAB = PortAudio(
    ("HDA Intel: Generic (hw:0,0)", 0, 2, 2),
    ("USB Audio CODEC: - (hw:1,0)", 0, 8, 8),
    ("Microphone: USB (hw:2,0)", 0, 1, 0),
    ("pulse", 0, 32, 32),
    ("system", 1, 8, 8),
    ("USB Audio CODEC", 1, 8, 8),
)


def test_the_exact_name_goes_before_a_part_of_one() -> None:
    assert find_device(LAB, "USB Audio CODEC").host_api == "JACK Audio Connection Kit"
    assert find_device(LAB, "USB Audio CODEC", "ALSA").input == 1


def test_a_part_that_one_device_has_is_enough() -> None:
    card = find_device(LAB, "usb audio codec: -")
    assert (card.input, card.output, card.physical) == (1, 1, True)


@pytest.mark.parametrize(("name", "physical"), [("HDA", True), ("pulse", False), ("system", False)])
def test_only_a_numbered_card_is_hardware(name: str, physical: bool) -> None:
    assert find_device(LAB, name).physical is physical


@pytest.mark.parametrize(
    ("name", "host_api", "kind", "words"),
    [
        ("Focusrite", "", "gone", r'"Focusrite".*plugged'),
        ("(hw:", "", "config", "several devices"),
        ("Microphone: USB (hw:2,0)", "", "gone", "to play"),
        ("pulse", "ASIO", "gone", '"ASIO" has no device'),
    ],
)
def test_what_cannot_be_found_is_told_in_words(name: str, host_api: str, kind: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        find_device(LAB, name, host_api)
    assert caught.value.kind == kind
    assert re.search(words, f"{caught.value} {caught.value.hint}")


def test_a_sound_card_does_not_run_in_simulated_time() -> None:
    with pytest.raises(ConfigError, match="real time"):
        SoundCard("rack", SimClock(), {"device": "loop8"})


def test_a_card_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="no device is named"):
        SoundCard("rack", WallClock(), {})


@pytest.mark.req("DRV-AUD.1")
def test_the_driver_is_imported_without_portaudio() -> None:
    """A machine without PortAudio runs everything but a real card: the library is loaded by the engine alone."""
    code = (
        "import sys; sys.modules['sounddevice'] = None\n"
        "import offhook.drivers.audio.soundcard, offhook.drivers.audio.engine\n"
        "assert sys.modules['sounddevice'] is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
