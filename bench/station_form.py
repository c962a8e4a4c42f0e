"""The forms of values in a station file: names, references, numbers, addresses; and the base of every section."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

KEYS = "123456789*0#"
MATRIX = ("123A", "456B", "789C", "*0#D")
"""Keys of a 4 x 4 keypad by row and column (ITU-T Q.23); phones lack the fourth column."""


class Ref(NamedTuple):
    """One contact, pin or channel: ``keys1/4`` is number 4 of the board called keys1."""

    board: str
    number: int

    def __str__(self) -> str:
        return f"{self.board}/{self.number}"


def ref(text: str) -> Ref:
    """Split ``board/number``; the model has checked the form."""
    board, _, number = text.rpartition("/")
    return Ref(board, int(number))


def wrong(what: str, hint: str, kind: str = "form") -> PydanticCustomError:
    """A mistake in words, and what to try."""
    return PydanticCustomError("offhook_" + kind, "{what}", {"what": what, "hint": hint})


def matching(pattern: str, what: str, hint: str) -> Any:
    """A validator: all of the text is as the pattern says, or is not ``what``."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise wrong(f'"{text}" is not {what}', hint)
        return text

    return AfterValidator(check)


def form(pattern: str) -> Any:
    """The pattern, for editors that read the schema."""
    return Field(json_schema_extra={"pattern": f"^(?:{pattern})$"})


_NAME, _REF, _NUMBER = r"[A-Za-z0-9][A-Za-z0-9_.-]*", r"[A-Za-z0-9][A-Za-z0-9_.-]*/\d{1,4}", r"\+?[0-9]{1,20}"
_CODE, _ALLOW = r"[0-9]{1,12}", r"\+?[0-9*#xX]{1,24}"
_SCHEMES = "end", "tcp", "http", "https", "hid", "hislip", "socket", "rfc2217", "loop", "spy", "alt", "hwgrp", "cp2110"
"""What a wire may be: of a [world], the bench's own, VISA's, and what pyserial takes."""
_ADDRESS = rf"(?:{'|'.join(_SCHEMES)})://\S+|/\S+|COM\d+"

Name = Annotated[str, form(_NAME), matching(_NAME, "a plain name", "letters, digits, - and _")]
RefText = Annotated[str, form(_REF), matching(_REF, "board/number", 'a form like "keys1/4"')]
Number = Annotated[str, form(_NUMBER), matching(_NUMBER, "a telephone number", "digits, a leading + allowed")]
Code = Annotated[str, form(_CODE), matching(_CODE, "a code of digits", "1 to 12 digits")]
Prefix = Annotated[str, form(r"[0-9*#]{0,8}"), matching(r"[0-9*#]{0,8}", "keys to dial", "digits, * and #")]
Address = Annotated[
    str,
    form(_ADDRESS),
    matching(_ADDRESS, "an address", "/dev/serial/by-id/..., tcp://host:port, or end://NAME with a [world]"),
]
AllowPattern = Annotated[
    str, form(_ALLOW), matching(_ALLOW, "a number or pattern", 'digits, * and #; x for any digit, as in "10xx"')
]
_VISA = _ADDRESS + r"|[A-Z]+\d*[^:\s]*::\S+"
InstrumentAddress = Annotated[
    str,
    form(_VISA),
    matching(_VISA, "an address of an instrument", "tcp://host:port, hislip://host, /dev/... or a VISA name"),
]
Secret = Annotated[str, Field(min_length=1, description="env:NAME takes it from the environment")]


class Section(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
