"""Where a text stands in what was recorded: a leak is found in whatever field, a number like it by chance is none.

A code of digits counts where it stands by itself, and anywhere in what is dialled after ``*`` or ``#`` (a prefix and
the code in one string). Inside another number it says nothing: four digits are somewhere in every hour's time stamps.
Nor do the numbers that the two ends of a CTI link give to messages, calls and monitors: they count up, and come past
every code; nor UUIDs (RFC 9562), as Asterisk has for its bridges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

GIVEN = frozenset({"f_call_id", "f_monitor_id", "d_call_id", "d_monitor_id", "association"})
"""Fields of observations that hold a number which somebody gave to a call, a monitor or a context."""
_FRAME = re.compile(r"\A\0\0.{2}\d{4}(?=<)", re.DOTALL)
"""ECMA-323, annex G: two zero bytes, the length, and an invoke id of four digits before each document."""
_GIVEN = re.compile(
    r"<(?P<tag>callID|monitorCrossRefID)>[^<]*</(?P=tag)>"
    r"|^(?:ActionID|MonitorID|CallID|Uniqueid|Linkedid|DestUniqueid|DestLinkedid|SequenceNumber|Timestamp):[^\r\n]*",
    re.MULTILINE | re.IGNORECASE,
)
_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)


def message(line: str) -> str:
    """The payload of a line of cti.log, without its time, its frame, and the numbers that its ends have given."""
    try:
        text = str(json.loads(line)["text"])
    except (ValueError, KeyError, TypeError):
        return line
    return _GIVEN.sub("", _FRAME.sub("", text))


def holds(value: Any, texts: Sequence[str], apart: Sequence[str] = ()) -> bool:
    """Whether strings and whole numbers anywhere in a value hold one of some texts.

    ``apart`` are known texts that hold it by chance. A digit string inside a measured figure says nothing.
    """
    found = (_UUID.sub("", blanked(plain, apart)) for plain in said(value, GIVEN))
    return any(text in plain and spelled(text).search(plain) is not None for plain in found for text in texts)


def said(value: Any, given: Collection[str]) -> Iterator[str]:
    """Strings and whole numbers anywhere in a value, and the names of its fields; not what fields in ``given`` hold."""
    if isinstance(value, dict):
        yield from map(str, value)
        for key, item in value.items():
            if key not in given:
                yield from said(item, given)
    elif isinstance(value, list):
        for item in value:
            yield from said(item, given)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield str(value)


@lru_cache(maxsize=256)
def spelled(text: str) -> re.Pattern[str]:
    """How a text must stand in another one to be there."""
    exact = re.escape(text)
    if not (text.isascii() and text.isdigit()):
        return re.compile(exact)
    return re.compile(rf"(?<![\d.]){exact}(?!\.?\d)|[*#]\d*{exact}")


def blanked(text: str, apart_from: Iterable[str]) -> str:
    """A text in which others, known to be there, are blanked; places stay what they are."""
    for known in apart_from:
        text = text.replace(known, " " * len(known))
    return text
