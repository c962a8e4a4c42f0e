"""Who has a card: read as the kernel shows it, and told by the driver with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook.drivers.audio import holders
from offhook.drivers.audio.devices import Refused, find_device
from offhook.drivers.audio.engine import reason_of

CARDS = """\
 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xf7210000 irq 32
 1 [USB            ]: USB-Audio - Scarlett 18i20 USB
                      Focusrite Scarlett 18i20 USB at usb-0000:00:14.0-2, high speed
"""
RUNNING = "state: RUNNING\nowner_pid   : 4711\ntrigger_time: 21.1\n"


@pytest.fixture
def kernel(tmp_path: Path) -> tuple[Path, Path]:
    """/proc/asound with a card that jackd (4711) captures from, and /proc."""
    asound, proc = tmp_path / "asound", tmp_path / "proc"
    for pcm, status in (("card0/pcm0p", "closed\n"), ("card1/pcm0c", RUNNING), ("card1/pcm0p", RUNNING)):
        folder = asound / pcm / "sub0"
        folder.mkdir(parents=True)
        (folder / "status").write_text(status)
    (asound / "cards").write_text(CARDS)
    (proc / "4711").mkdir(parents=True)
    (proc / "4711" / "comm").write_text("jackd\n")
    return asound, proc


@pytest.mark.parametrize("name", ["Scarlett 18i20 USB", "scarlett", "Scarlett 18i20 USB: Audio (hw:1,0)"])
def test_who_holds_a_card_is_told_once(kernel: tuple[Path, Path], name: str) -> None:
    assert holders.of_hardware(name, *kernel) == ["jackd (process 4711)"]


@pytest.mark.parametrize("name", ["HDA Intel PCH", "Babyface", ""])
def test_a_card_that_nobody_holds_or_that_is_not_there_has_no_holder(kernel: tuple[Path, Path], name: str) -> None:
    assert holders.of_hardware(name, *kernel) == []


def test_a_machine_without_sound_has_no_holders(tmp_path: Path) -> None:
    assert holders.of_hardware("Scarlett", tmp_path / "asound", tmp_path) == []


class PortAudio:
    """One that lists no device: the only one is in use."""

    @staticmethod
    def query_hostapis() -> list[dict[str, Any]]:
        return [{"name": "ALSA"}]

    @staticmethod
    def query_devices() -> list[dict[str, Any]]:
        return []


def test_a_card_in_use_is_busy_and_not_missing(kernel: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """ALSA does not list it, so the name alone finds nothing."""
    real = holders.of_hardware
    monkeypatch.setattr(holders, "of_hardware", lambda name: real(name, *kernel))

    with pytest.raises(Refused, match=r"in use by jackd \(process 4711\)") as caught:
        find_device(PortAudio, "Scarlett 18i20 USB")
    assert caught.value.kind == "busy"
    assert "fuser" in caught.value.hint

    with pytest.raises(Refused, match="no device to capture") as caught:
        find_device(PortAudio, "HDA Intel PCH")
    assert caught.value.kind == "gone"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Error opening RawStream: Device unavailable", -9985), "Error opening RawStream: Device unavailable"),
        (
            ("Error opening RawStream", -9999, (8, -16, "Device or resource busy (Expression 'x' failed)")),
            "Device or resource busy (error -16)",
        ),
    ],
)
def test_what_portaudio_says_is_told_without_its_source(arguments: tuple[Any, ...], told: str) -> None:
    class PortAudioError(Exception):
        def __str__(self) -> str:
            return str(self.args[0])

    assert reason_of(PortAudioError(*arguments)) == told
