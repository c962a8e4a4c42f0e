"""What must not stand in a run folder as text: local codes and passwords.

A run knows its secrets while it runs. In the folder a judgement that looks for one names it, as in
``{"secret": "local code of desk-1"}``, and table meta has a salted hash of it. Whoever judges the run again finds the
code where it was keyed, by that hash, if it is anywhere in the evidence: a code that leaked is found as before, and one
that did not stays unknown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets as randomness
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from offhook.bench.record.schema import CTI_LOG

if TYPE_CHECKING:
    from offhook.bench.record.reader import Evidence

META = "secrets"
ALGORITHM = "HMAC-SHA-256"
_NEARLY = re.compile(r"(?<![\d.])[\d*#]{3,}(?![\d.])")
"""Digits long enough to give most of a code away; not those of a figure."""


class Secrets:
    """Secrets by name: as text where they are known, by salted hash where they are not."""

    def __init__(self, salt: str = "", hashes: Mapping[str, tuple[int, str]] | None = None) -> None:
        self._salt = salt or randomness.token_hex(16)
        self._hashes = dict(hashes or {})
        self._texts: dict[str, str] = {}
        self._words: set[str] = set()

    @classmethod
    def read(cls, noted: Any) -> Secrets:
        """From table meta; a run without secrets has none."""
        if not isinstance(noted, dict):
            return cls()
        known = {name: (int(item["length"]), str(item["hash"])) for name, item in noted.get("known", {}).items()}
        return cls(str(noted["salt"]), known)

    def on_record(self) -> dict[str, Any]:
        """For table meta: names, lengths and salted hashes."""
        known = {name: {"length": length, "hash": digest} for name, (length, digest) in self._hashes.items()}
        return {"algorithm": ALGORITHM, "salt": self._salt, "known": known}

    def add(self, name: str, text: str, *, word: bool = False) -> None:
        """Know a secret. A ``word`` (a password) is masked in whatever is written; digits are left for a search."""
        self._hashes[name] = (len(text), self._hash(name, text))
        self._texts[name] = text
        if word:
            self._words.add(name)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def _hash(self, name: str, text: str) -> str:
        return hmac.new(self._salt.encode(), f"{name}\0{text}".encode(), hashlib.sha256).hexdigest()

    # ---- specs: named in the folder, as text for the rule --------------------------------------------------------

    def hide(self, value: Any) -> Any:
        """A spec for the folder: a text that is a secret is named instead."""
        if isinstance(value, str):
            name = next((name for name, text in self._texts.items() if text == value), None)
            return value if name is None else {"secret": name}
        if isinstance(value, dict):
            return {key: self.hide(item) for key, item in value.items()}
        return [self.hide(item) for item in value] if isinstance(value, list | tuple) else value

    def reveal(self, value: Any, evidence: Evidence) -> Any:
        """A spec for a rule: a secret's text if the evidence has it; else its name, which nothing is equal to."""
        if isinstance(value, dict):
            if set(value) == {"secret"}:
                name = str(value["secret"])
                return self._text(name, evidence) or token(name)
            return {key: self.reveal(item, evidence) for key, item in value.items()}
        return [self.reveal(item, evidence) for item in value] if isinstance(value, list) else value

    def _text(self, name: str, evidence: Evidence) -> str:
        if name in self._words:
            return token(name)  # which is what was written in its place
        if name not in self._texts and name in self._hashes:
            self._recover(evidence)
        return self._texts.get(name, "")

    def _recover(self, evidence: Evidence) -> None:
        """Find the unknown secrets in the evidence, each by its hash; "" for one that is nowhere in it."""
        unknown = [name for name in self._hashes if name not in self._texts]
        windows: dict[int, set[str]] = {self._hashes[name][0]: set() for name in unknown}
        for text in _texts(evidence):
            for length, found in windows.items():
                found.update(_windows(text, length))
        for name in unknown:
            length, digest = self._hashes[name]
            matching = (text for text in windows[length] if hmac.compare_digest(self._hash(name, text), digest))
            self._texts[name] = next(matching, "")

    # ---- texts that are written ----------------------------------------------------------------------------------

    def mask(self, text: str) -> str:
        """A message without any secret that is known as text; a code inside a longer number or a figure is none."""
        for name, secret in self._texts.items():
            if secret.isdigit():
                text = re.sub(rf"(?<![\d.]){secret}(?!\d)", token(name), text) if secret in text else text
            elif name in self._words:
                text = text.replace(secret, token(name))
        return text

    def mask_reason(self, reason: str, spec: Mapping[str, Any], passed: bool, evidence: Evidence) -> str:
        """The reason of a judgement: one that was to hear a secret and heard another says nothing of its digits."""
        if not self:
            return reason
        for name in self._hashes:
            self._text(name, evidence)
        if not passed and names_in(spec):
            reason = _NEARLY.sub("…", reason)
        return self.mask(reason)

    def mask_words(self, value: Any) -> Any:
        """What is written as evidence, without passwords."""
        if not self._words:
            return value
        if isinstance(value, str):
            for name in self._words:
                value = value.replace(self._texts[name], token(name))
            return value
        if isinstance(value, dict):
            return {key: self.mask_words(item) for key, item in value.items()}
        return [self.mask_words(item) for item in value] if isinstance(value, list | tuple) else value

    def mask_bytes(self, raw: bytes) -> bytes:
        """The same of a message as it crossed a wire."""
        for name in self._words:
            raw = raw.replace(self._texts[name].encode(), token(name).encode())
        return raw

    def places(self, digits: str, evidence: Evidence) -> set[int]:
        """Which of some digits, heard one after the other, belong to a secret."""
        texts = filter(None, [self._text(name, evidence) for name in self._hashes])
        spans = (
            (match.start(), len(text)) for text in texts for match in re.finditer(f"(?={re.escape(text)})", digits)
        )
        return {at for start, length in spans for at in range(start, start + length)}


def token(name: str) -> str:
    """What stands for a secret in a text: ``<local code of desk-1>``."""
    return f"<{name}>"


def names_in(value: Any) -> list[str]:
    """The secrets that a stored spec names."""
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            return [str(value["secret"])]
        return [name for item in value.values() for name in names_in(item)]
    return [name for item in value for name in names_in(item)] if isinstance(value, list) else []


def shown(value: Any) -> str:
    """A value of a stored spec for a reader: a secret by its name, any other in quotes."""
    names = names_in(value)
    return f"the {', the '.join(names)}" if names else repr(value)


def _texts(evidence: Evidence) -> Iterable[str]:
    """Everything of a run that is text, and the digits that were heard on each wire, in a row."""
    yield from evidence.texts()
    yield from evidence.lines(CTI_LOG)
    for _, heard in groupby(evidence.heard_digits(), key=lambda pair: pair[0]):
        yield "".join(json.loads(data).get("key", "") for _, data in heard)


def _windows(text: str, length: int) -> Iterable[str]:
    """Every piece of that length that is digits: local codes are, and passwords were masked as they were written."""
    return (match[1] for match in re.finditer(rf"(?=(\d{{{length}}}))", text))
