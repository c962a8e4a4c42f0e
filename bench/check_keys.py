"""What is wrong with a keypad, from which keys were pressed and what was heard: a pure function of the two."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.bench.station_model import Keypad, Ref


def diagnose(keypad: Keypad, heard: Mapping[str, str]) -> tuple[str, str]:
    """(what was found, what to look at) for ``heard``: pressed key -> digits heard; ("", "") if all is well."""
    bad = {key: digits for key, digits in heard.items() if digits != key}
    if not bad:
        return "", ""
    if not any(heard.values()):
        return "no key is heard", "nothing at all is heard here: is the handset's cable in that channel?"
    everywhere = set.intersection(*(set(digits) for digits in heard.values()))
    if everywhere and len(heard) > 1:
        stuck = min(everywhere)
        return f'key "{stuck}" is heard whatever is pressed', f"is it stuck, or {_wires(keypad, stuck)} closed?"
    first, digits = next(iter(bad.items()))
    others = _listed([key for key in bad if key != first])
    if digits and set(digits) == {first}:
        return f'key "{first}" is heard {len(digits)} times', f"contacts bounce at {_wires(keypad, first)}{others}"
    suspects = _never_worked(keypad, heard)
    found = f'key "{first}": "{digits}" is heard' if digits else f'key "{first}": no tone is heard'
    if suspects:
        return found, f"is {' and '.join(_placed(keypad, wire) for wire in suspects)}?{others}"
    if not any(bad.values()):
        return found, f"the key itself, or its pad: every contact works in another key{others}"
    return found, f"every contact works in another key: are two keys or contacts exchanged?{others}"


def _wires(keypad: Keypad, key: str) -> str:
    return " or ".join(map(str, keypad.contacts(key)))


def _listed(keys: list[str]) -> str:
    if not keys:
        return ""
    names = " and ".join(filter(None, [", ".join(keys[:-1]), keys[-1]]))
    return f"  ({'keys' if len(keys) > 1 else 'key'} {names} too)"


def _never_worked(keypad: Keypad, heard: Mapping[str, str]) -> list[Ref]:
    """Contacts of failing keys that no key was heard through."""
    worked = {wire for key, digits in heard.items() if digits == key for wire in keypad.contacts(key)}
    failing = {wire for key, digits in heard.items() if digits != key for wire in keypad.contacts(key)}
    return sorted(failing - worked)


def _placed(keypad: Keypad, wire: Ref) -> str:
    """``keys/5 wired to column 2``."""
    for names, what in ((keypad.rows, "row"), (keypad.columns, "column")):
        if str(wire) in names:
            return f"{wire} wired to {what} {names.index(str(wire)) + 1}"
    key = next((key for key, contact in keypad.keys.items() if contact == str(wire)), "?")
    return f'{wire} wired to key "{key}"'
