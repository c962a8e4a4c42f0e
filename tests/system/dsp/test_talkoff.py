"""No digit in speech and music: Debian's prompts in five languages, music on hold, and twenty synthetic voices."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from offhook import dsp

SOUNDS = Path("/usr/share/asterisk/sounds")
MUSIC = Path("/usr/share/asterisk/moh")
PROMPTS = {
    "en": "en_US_f_Allison",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
    "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
}
VOICES = (
    *("en-us+m1", "en-gb+f2", "en-gb-scotland+m3", "en-gb-x-rp+f4", "en-029+m7", "de+f5", "fr-fr+m2", "fr-be+f1"),
    *("es+m4", "es-419+f3", "it+croak", "pt+m5", "pt-br+f4", "nl+m6", "pl+f2", "ru+m3", "sv+f5", "tr+m8", "cs+f1"),
    "hu+whisperf",
)
SAID = (
    "You have reached the office. To speak to sales, press one. For support, press two, star, hash or zero. "
    "We are sorry, all of our lines are busy; please hold, and somebody will be with you in seven or eight minutes. "
    "Ooh, aah, eee, la la la, mmm, hello? Who is it? Are you there? Well, well, well. "
)
COUNTED = ", ".join(str(number) for number in range(100)) + ". A B C D E F G H I J K L M N O P Q R S T U V W X Y Z. "


def false_digits(audio: dsp.wav.Audio, name: str) -> list[str]:
    found = dsp.decode(audio.samples, audio.rate)
    return [f"{name}: {digit.key} at {digit.start_s:.3f} s" for digit in found]


def of_folder(folder: Path) -> tuple[list[str], float]:
    """False digits in all files, and the minutes heard. A file without samples (Debian has one, in Russian) is none."""
    heard: list[str] = []
    minutes = 0.0
    for file in sorted(folder.rglob("*.wav")):
        if file.stat().st_size > 44:
            audio = dsp.wav.read(file)
            minutes += audio.duration_s / 60
            heard += false_digits(audio, str(file))
    return heard, minutes


@pytest.mark.req("DTMF-DEC.9")
@pytest.mark.parametrize("language", PROMPTS)
def test_no_digit_in_recorded_prompts(language: str) -> None:
    heard, minutes = of_folder(SOUNDS / PROMPTS[language])
    assert minutes > 20, f"apt-get install asterisk-core-sounds-{language}-wav"
    assert heard == []


@pytest.mark.req("DTMF-DEC.9")
def test_no_digit_in_music_on_hold() -> None:
    heard, minutes = of_folder(MUSIC)
    assert minutes > 15, "apt-get install asterisk-moh-opsound-wav"
    assert heard == []


@pytest.mark.req("DTMF-DEC.9")
def test_no_digit_in_twenty_synthetic_voices() -> None:
    heard: list[str] = []
    minutes = 0.0
    for number, voice in enumerate(VOICES):
        for pitch, words_a_minute in ((10 + number, 110 + 2 * number), (50, 160), (90 - number, 210)):
            command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "--stdout"]
            made = subprocess.run([*command, SAID + COUNTED], capture_output=True, check=True, timeout=60).stdout
            audio = dsp.wav.parse(made, voice)
            minutes += audio.duration_s / 60
            heard += false_digits(audio, f"{' '.join(command[1:-1])}")
    assert minutes > 60
    assert heard == []


def test_digits_are_heard_among_the_prompts() -> None:
    """The same listening does find a digit that is there."""
    voice = next(file for file in sorted((SOUNDS / PROMPTS["en"]).rglob("*.wav")) if file.stat().st_size > 40_000)
    audio = dsp.wav.read(voice)
    samples = dsp.to_float(audio.samples[0]).copy()
    samples[4000:4800] = dsp.encode("7", on_s=0.1, off_s=0.0)
    (heard,) = false_digits(dsp.wav.parse(dsp.wav.encoded(samples, 8000), "mixed"), "mixed")
    assert heard.startswith("mixed: 7 at 0.50")
