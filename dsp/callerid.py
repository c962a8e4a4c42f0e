"""Caller id on an analog line: FSK (Bell 202, V.23) in single and multiple data message format, and by DTMF.

Sources: Telcordia GR-30 and GR-31 (formats, absence reasons "O" out of area or unavailable and "P" private), ETSI
EN 300 659-1 and -3 (V.23 and the same parameters; DTMF in annex B). A call without caller id gives no message at all,
which is not the same as a message that says why there is no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from offhook.dsp.fsk import BELL202, MODEMS, Burst, Modem, bits_of, demodulate, modulate
from offhook.dsp.tones import INT16_SCALE, Float32, checked

SDMF, MDMF = 0x04, 0x80
TIME, NUMBER, DIALLED, NO_NUMBER, NAME, NO_NAME = 0x01, 0x02, 0x03, 0x04, 0x07, 0x08
ABSENT = {"O": "unavailable", "P": "private"}
CODES = {reason: code for code, reason in ABSENT.items()}
SEIZURE_BITS, MARK_BITS = 300, 180
DTMF_INFORMATION = {"00": "unavailable", "10": "private"}
DTMF_SHORT = {"1": "private", "2": "unavailable", "3": "unavailable"}


@dataclass(frozen=True)
class CallerId:
    """What one message said. Text is "" where nothing was sent.

    ``number_absent`` and ``name_absent`` are "private" or "unavailable" when the message gives that instead;
    ``date`` is month, day, hour and minute as sent (MMDDHHMM). ``format`` is "SDMF", "MDMF" or "DTMF".
    """

    format: str
    number: str = ""
    name: str = ""
    date: str = ""
    number_absent: str = ""
    name_absent: str = ""
    modem: str = ""
    start_s: float = 0.0
    checksum_ok: bool = True


def encode(caller: CallerId, rate: float = 8000, *, modem: Modem = BELL202, level_dbm0: float = -13.5) -> Float32:
    """A message as audio: channel seizure, mark, message, checksum.

    float32, full scale 1.0. Raises ValueError for what the format cannot carry.
    """
    message = pack(caller)
    seizure = np.arange(SEIZURE_BITS) % 2 == 1
    mark = np.ones(MARK_BITS, dtype=bool)
    return modulate(np.concatenate((seizure, mark, bits_of(message), mark[:10])), rate, modem, level_dbm0)


def pack(caller: CallerId) -> bytes:
    """The bytes of a message, with its checksum (their sum is 0 modulo 256)."""
    if caller.date and not re.fullmatch(r"\d{8}", caller.date):
        raise ValueError(f"date is {caller.date!r}: expected MMDDHHMM")
    for reason in (caller.number_absent, caller.name_absent):
        if reason and reason not in CODES:
            raise ValueError(f"absence is {reason!r}: expected one of {', '.join(CODES)}")
    if caller.format == "SDMF":
        if caller.name or caller.name_absent:
            raise ValueError("a single data message carries no name: use MDMF")
        body = (caller.date or "00000000") + (CODES.get(caller.number_absent, "") or caller.number)
        head, content = SDMF, body.encode("ascii")
    elif caller.format == "MDMF":
        fields = [(TIME, caller.date), (NUMBER, caller.number), (NO_NUMBER, CODES.get(caller.number_absent, ""))]
        fields += [(NAME, caller.name), (NO_NAME, CODES.get(caller.name_absent, ""))]
        parts = [(kind, text.encode("latin-1")) for kind, text in fields if text]
        content = b"".join(bytes((kind, min(len(text), 255))) + text for kind, text in parts)
        head = MDMF
    else:
        raise ValueError(f"format is {caller.format!r}: expected SDMF or MDMF")
    if len(content) > 255:
        raise ValueError(f"the message has {len(content)} bytes: expected at most 255")
    message = bytes((head, len(content))) + content
    return message + bytes((-sum(message) & 0xFF,))


def decode(samples: ArrayLike, rate: float = 8000, *, modem: Modem | None = None) -> list[CallerId]:
    """All FSK caller id messages in audio of shape (n,); an empty list if there is none.

    ``modem`` None tries both. A message with a wrong checksum comes with ``checksum_ok`` False and what was read.
    """
    value = checked(samples, rate, most_dims=1)
    audio = value / INT16_SCALE if value.dtype == np.int16 else value.astype(np.float64)
    audio = audio - audio.mean() if len(audio) else audio
    found: list[CallerId] = []
    for one in (modem,) if modem is not None else tuple(MODEMS.values()):
        read = [message for burst in demodulate(audio, rate, one) if (message := unpack(burst)) is not None]
        for message in read:  # the two modems are so near that each may read the other: one with a good sum wins
            same = [other for other in found if abs(other.start_s - message.start_s) < 0.1]
            if not same:
                found.append(message)
            elif message.checksum_ok and not same[0].checksum_ok:
                found[found.index(same[0])] = message
    return sorted(found, key=lambda message: message.start_s)


def unpack(burst: Burst) -> CallerId | None:
    """The message in a burst of bytes, or None if it is not caller id."""
    data = burst.data.lstrip(b"\x55")
    if len(data) < 3 or data[0] not in (SDMF, MDMF):
        return None
    size = data[1]
    content, complete = data[2 : 2 + size], len(data) >= size + 3
    good = complete and sum(data[: size + 3]) & 0xFF == 0
    fields = _single(content) if data[0] == SDMF else _multiple(content)
    return CallerId(
        format="SDMF" if data[0] == SDMF else "MDMF",
        modem=burst.modem.name,
        start_s=burst.start_s,
        checksum_ok=good,
        **fields,
    )


def _single(content: bytes) -> dict[str, str]:
    text = content.decode("latin-1")
    rest = text[8:]
    absent = ABSENT.get(rest, "")
    return {"date": text[:8], "number": "" if absent else rest, "number_absent": absent}


def _multiple(content: bytes) -> dict[str, str]:
    raw: dict[int, str] = {}
    while len(content) >= 2:
        kind, size = content[0], content[1]
        raw[kind] = content[2 : 2 + size].decode("latin-1")
        content = content[2 + size :]
    return {
        "date": raw.get(TIME, ""),
        "number": raw.get(NUMBER, ""),
        "name": raw.get(NAME, ""),
        "number_absent": _reason(raw.get(NO_NUMBER, "")),
        "name_absent": _reason(raw.get(NO_NAME, "")),
    }


def _reason(code: str) -> str:
    return ABSENT.get(code, f"unknown reason {code!r}" if code else "")


def from_dtmf(digits: str, start_s: float = 0.0) -> CallerId | None:
    """Caller id sent as DTMF digits before the first ring, or None if the digits are none.

    ``A`` number, ``D`` number (or diverting number), ``B`` information (00 unavailable, 10 private), ended by ``C``
    (EN 300 659-1 annex B) or ``#``; and the short ``D1`` private, ``D2`` and ``D3`` unavailable.
    """
    whole = re.fullmatch(r"((?:[ABD][0-9]*)+)[C#]", digits.upper())
    if whole is None:
        return None
    fields = dict(re.findall(r"([ABD])([0-9]*)", whole[1]))
    number = fields.get("A") or fields.get("D", "")
    absent = DTMF_INFORMATION.get(fields.get("B", ""), "")
    if "A" not in fields and number in DTMF_SHORT:
        number, absent = "", DTMF_SHORT[number]
    if not number and not absent:
        return None
    return CallerId(format="DTMF", number=number, number_absent=absent, start_s=start_s)


def to_dtmf(caller: CallerId) -> str:
    """The dial string that says the same by DTMF: ``A<number>C``, or ``B<information>C``."""
    if caller.number:
        return f"A{caller.number}C"
    code = {reason: code for code, reason in DTMF_INFORMATION.items()}.get(caller.number_absent)
    if code is None:
        raise ValueError("a caller id needs a number, or the reason why there is none")
    return f"B{code}C"
