"""Caller id goes out and comes back, through noise and codecs; absence is told from silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offhook import dsp
from offhook.dsp import callerid, impair
from offhook.dsp.callerid import CallerId
from offhook.dsp.fsk import BELL202, V23, Modem

SINGLE = CallerId("SDMF", number="6095551212", date="11211042")
MULTIPLE = CallerId("MDMF", number="6095551212", name="JOHN SMITH", date="11211042")


def heard(caller: CallerId, modem: Modem = BELL202, rate: float = 8000, level_dbm0: float = -13.5) -> np.ndarray:
    quiet = np.zeros(round(0.3 * rate), np.float32)
    return np.concatenate((quiet, callerid.encode(caller, rate, modem=modem, level_dbm0=level_dbm0), quiet))


def plain(caller: CallerId) -> CallerId:
    return replace(caller, modem="", start_s=0.0)


def test_the_bytes_are_those_of_the_published_example() -> None:
    # GR-30's well-known example: 30 September 12:24, number 609-555-1212, checksum 51 hex.
    caller = CallerId("SDMF", number="6095551212", date="09301224")
    assert callerid.pack(caller).hex() == "0412" + b"09301224".hex() + b"6095551212".hex() + "51"


@pytest.mark.req("LINE-CLI.1")
@pytest.mark.parametrize("modem", [BELL202, V23], ids=lambda modem: modem.name)
@pytest.mark.parametrize("caller", [SINGLE, MULTIPLE], ids=lambda caller: caller.format)
@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_message_comes_back(caller: CallerId, modem: Modem, rate: int) -> None:
    (found,) = callerid.decode(heard(caller, modem, rate), rate)
    assert plain(found) == caller
    assert found.start_s == pytest.approx(0.3 + 480 / 1200, abs=0.001)
    (known,) = callerid.decode(heard(caller, modem, rate), rate, modem=modem)
    assert known.modem == modem.name


@pytest.mark.req("LINE-CLI.1")
@pytest.mark.parametrize(
    "line",
    [
        impair.Chain(impair.Noise(15.0)),
        impair.Chain(impair.Gain(-22.0), impair.G711("ulaw")),
        impair.Chain(impair.G711("alaw"), impair.Noise(20.0)),
        impair.Chain(impair.ClockSkew(3000.0)),
        impair.Chain(impair.ClockSkew(-3000.0)),
        impair.Chain(impair.Twist(-6.0), impair.Hum(50.0, -35.0)),
        impair.Chain(impair.Dc(0.05), impair.Echo(0.005, 15.0)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("modem", [BELL202, V23], ids=lambda modem: modem.name)
def test_a_message_comes_back_over_a_poor_line(line: impair.Chain, modem: Modem) -> None:
    for seed in range(5):
        (found,) = callerid.decode(line.apply(heard(MULTIPLE, modem), 8000, seed))
        assert plain(found) == MULTIPLE


@pytest.mark.req("LINE-CLI.2")
@pytest.mark.parametrize("form", ["SDMF", "MDMF"])
@pytest.mark.parametrize("reason", ["private", "unavailable"])
def test_absence_is_told_with_its_reason(form: str, reason: str) -> None:
    (found,) = callerid.decode(heard(CallerId(form, date="01020304", number_absent=reason)))
    assert (found.number, found.number_absent) == ("", reason)


@pytest.mark.req("LINE-CLI.2")
def test_no_caller_id_is_not_a_private_one() -> None:
    ring = dsp.to_int16(np.sin(2 * np.pi * 25 * np.arange(16000) / 8000))
    noise = np.random.default_rng(1).normal(0, 0.05, 16000).astype(np.float32)
    digits = dsp.encode("0123456789*#")
    for audio in (np.zeros(16000, np.int16), np.zeros(0, np.int16), ring, noise, digits):
        assert callerid.decode(audio) == []


def test_a_name_may_be_private_and_the_number_not() -> None:
    caller = CallerId("MDMF", number="123", name_absent="private")
    assert plain(callerid.decode(heard(caller))[0]) == caller


def test_a_damaged_message_says_so() -> None:
    audio = heard(MULTIPLE)
    middle = round((0.3 + 480 / 1200 + 0.12) * 8000)
    audio[middle : middle + 20] *= -0.1
    audio[middle + 20 : middle + 80] = audio[middle + 120 : middle + 180]
    found = callerid.decode(audio)
    assert found
    assert not found[0].checksum_ok


def test_two_messages_in_one_recording() -> None:
    audio = np.concatenate((heard(SINGLE), heard(MULTIPLE)))
    assert [plain(found) for found in callerid.decode(audio)] == [SINGLE, MULTIPLE]


@pytest.mark.req("LINE-CLI.1", "LINE-CLI.2")
@pytest.mark.parametrize(
    ("digits", "number", "absent"),
    [
        ("A5550100C", "5550100", ""),
        ("D5550100C", "5550100", ""),
        ("A5550100#", "5550100", ""),
        ("A5550100D5550199C", "5550100", ""),
        ("B10C", "", "private"),
        ("B00C", "", "unavailable"),
        ("D1#", "", "private"),
        ("D3C", "", "unavailable"),
    ],
)
def test_dtmf_caller_id(digits: str, number: str, absent: str) -> None:
    told = dsp.decode(dsp.encode(digits, on_s=0.07, off_s=0.07)).text()
    found = callerid.from_dtmf(told)
    assert found is not None
    assert (found.number, found.number_absent) == (number, absent)


@pytest.mark.parametrize("digits", ["", "5550100", "A5550100", "C", "AC", "B99C"])
def test_other_digits_are_no_caller_id(digits: str) -> None:
    assert callerid.from_dtmf(digits) is None


def test_dtmf_both_ways() -> None:
    for caller in (CallerId("DTMF", number="0123"), CallerId("DTMF", number_absent="private")):
        assert callerid.from_dtmf(callerid.to_dtmf(caller)) == caller


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        (CallerId("SDMF", date="May"), "MMDDHHMM"),
        (CallerId("SDMF", name="X"), "no name"),
        (CallerId("MDMF", name="X" * 300), "at most 255"),
        (CallerId("MDMF", number_absent="shy"), "private"),
        (CallerId("XDMF"), "SDMF or MDMF"),
    ],
)
def test_what_cannot_be_sent_is_refused(caller: CallerId, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        callerid.pack(caller)
