"""What the sections of a station file say about each other.

The checks read the parsed file as it stands and pass over what the model already refused, so that one mistake does not
hide another or cause ten more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from offhook.bench.numbers import emergency_in
from offhook.bench.station_lines import KeyPath
from offhook.bench.station_mistakes import Mistake
from offhook.drivers.nearest import instead_of

Table = Mapping[str, Any]
Refs = list[tuple[KeyPath, str]]
_REF = re.compile(r"([^/]+)/(\d{1,4})")
DRIVEN = ("audio", "relay", "sense", "instrument", "linesim")
SIMULATED = "simulated"
"""The far end that has nothing real in it."""
REAL = {
    "R2": ("a real PBX and real phones", ("pbx", "relay", "sense", "audio")),
    "R3": ("a real cloud", ("cloud",)),
    "R4": ("that everything is real", ("pbx", "tap", "cloud", "relay", "sense", "audio")),
}
"""What a role claims, and the sections whose wires would have to be real for that."""
CARD_ONLY = ("device", "host_api", "card_hz", "latency_s", "loop")


def cross_check(data: Table, drivers: Collection[str], ends: Collection[str]) -> list[Mistake]:
    """Everything wrong between sections. ``drivers`` is known by ``kind.name``, ``ends`` by name."""
    refs = _refs(data)
    mistakes = [*_unknown_drivers(data, drivers), *_worlds(data, ends), *_needed(data), *_shared_links(data)]
    mistakes += _claimed(data)
    for kind, uses in refs.items():
        mistakes += _bad_refs(kind, uses, _tables(data, kind))
    mistakes += [*_bad_refs("audio", _played(data), _tables(data, "audio")), *_card_options(data)]
    return [*mistakes, *_twice(data, "phone", "extension"), *_clamped(data), *_measured(data), *_emergency(data)]


def fill_secrets(data: Table) -> tuple[dict[str, Any], list[Mistake]]:
    """A copy with every ``env:NAME`` secret taken from the environment, and what is wrong with the secrets.

    A secret written out is accepted only for a far end made on the spot (an ``end://`` address).
    """
    filled: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    mistakes: list[Mistake] = []
    pbx, cloud = filled.get("pbx"), filled.get("cloud")
    if isinstance(pbx, dict):
        _fill(pbx, ("pbx",), ["secret"], pbx.get("link"), mistakes)
    if isinstance(cloud, dict):
        _fill(cloud, ("cloud",), ["admin"], cloud.get("url"), mistakes)
        if isinstance(cloud.get("accounts"), dict):
            accounts = cloud["accounts"] = dict(cloud["accounts"])
            _fill(accounts, ("cloud", "accounts"), list(accounts), cloud.get("url"), mistakes)
    _fill_keypads(filled, mistakes)
    return filled, mistakes


def _fill_keypads(filled: dict[str, Any], mistakes: list[Mistake]) -> None:
    """The passwords of phones that are keyed over HTTP."""
    for path, keypad in _keypads(filled):
        if "secret" not in keypad:
            continue
        copy = dict(keypad)
        _fill(copy, path, ["secret"], keypad.get("url"), mistakes)
        name = str(path[1])
        filled["phone"] = {**filled["phone"], name: {**filled["phone"][name], "keypad": copy}}


def _fill(table: dict[str, Any], path: KeyPath, keys: list[str], address: Any, mistakes: list[Mistake]) -> None:
    for key in keys:
        value = table.get(key)
        if not isinstance(value, str):
            continue
        if value.startswith("env:"):
            name = value.removeprefix("env:")
            if os.environ.get(name):
                table[key] = os.environ[name]
            else:
                wrong = f"the environment has no {name}" if name else "env: without a name"
                mistakes.append(Mistake((*path, key), wrong, f"export {name or 'NAME'}=..."))
        elif not str(address).startswith("end://"):
            mistakes.append(Mistake((*path, key), "a secret written out in a file", f'{key} = "env:NAME"'))


def _tables(data: Table, kind: str) -> dict[str, Table]:
    tables = data.get(kind)
    if not isinstance(tables, dict):
        return {}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _refs(data: Table) -> dict[str, Refs]:
    """Every ``board/number`` in the file, by the kind of board it means."""
    refs: dict[str, Refs] = {"audio": [], "relay": [], "sense": []}
    for name, phone in _tables(data, "phone").items():
        at: KeyPath = ("phone", name)
        refs["audio"] += _found(at, phone, "handset")
        refs["sense"] += _found(at, phone, "ring", "hook_sense", "lamp")
        for part, keys in (("hook", ("contact",)), ("keypad", ("rows", "columns", "keys"))):
            if isinstance(phone.get(part), dict):
                refs["relay"] += _found((*at, part), phone[part], *keys)
    for name, trunk in _tables(data, "trunk").items():
        refs["sense"] += _found(("trunk", name), trunk, "seized")
    for name, ivr in _tables(data, "ivr").items():
        refs["audio"] += _found(("ivr", name), ivr, "heard", "spoken")
    for name, loop in _tables(data, "loop").items():
        refs["audio"] += _found(("loop", name), loop, "hear")
    for name, box in _tables(data, "linesim").items():
        refs["audio"] += _found(("linesim", name), box, "line")
        refs["relay"] += _found(("linesim", name), box, "loop")
    for name, contact in _tables(data, "contact").items():
        refs["relay"] += _found(("contact", name), contact, "contact")
        refs["sense"] += _found(("contact", name), contact, "sense")
    for name, card in _tables(data, "audio").items():
        if isinstance(card.get("loop"), int):
            refs["audio"].append((("audio", name, "loop"), f"{name}/{card['loop']}"))
    return refs


def _played(data: Table) -> Refs:
    """Outputs that a loop plays on; a handset may be plugged to the same channel's input."""
    return [found for name, loop in _tables(data, "loop").items() for found in _found(("loop", name), loop, "play")]


def _card_options(data: Table) -> Iterator[Mistake]:
    """Options of a sound card on what is none."""
    for name, card in _tables(data, "audio").items():
        for key in CARD_ONLY if card.get("driver") == "pipe" else ():
            if key in card:
                hint = 'leave it out, or driver = "sounddevice"'
                yield Mistake(("audio", name, key), f"the driver pipe has no {key}", hint)
        if card.get("driver") == "sounddevice" and "link" in card:
            yield Mistake(("audio", name, "link"), "a sound card has no link", 'device = "the name of the sound card"')


def _found(at: KeyPath, table: Table, *keys: str) -> Iterator[tuple[KeyPath, str]]:
    for key in keys:
        value = table.get(key)
        items: list[tuple[str | int, Any]] = []
        if isinstance(value, str):
            yield (*at, key), value
        elif isinstance(value, list):
            items = list(enumerate(value))
        elif isinstance(value, dict):
            items = list(value.items())
        for index, item in items:
            if isinstance(item, str):
                yield (*at, key, index), item


def _bad_refs(kind: str, uses: Refs, boards: Mapping[str, Table]) -> Iterator[Mistake]:
    word = {"audio": "channel", "relay": "relay", "sense": "pin"}[kind]
    seen: dict[tuple[str, int], KeyPath] = {}
    for key, text in uses:
        match = _REF.fullmatch(text)
        if match is None:
            continue
        board, number = match[1], int(match[2])
        channels = boards.get(board, {}).get("channels")
        if board not in boards:
            known = [f"{each}/{number}" for each in boards]
            hint = instead_of(text, known, "" if boards else f"add [{kind}.{board}]")
            yield Mistake(key, f"there is no [{kind}.{board}]", hint)
        elif isinstance(channels, int) and 1 <= channels <= number:
            yield Mistake(key, f"missing {word}: {kind}.{board} has {channels}", f"{board}/0 to {board}/{channels - 1}")
        elif (board, number) in seen:
            first = ".".join(map(str, seen[board, number]))
            yield Mistake(key, f"{word} {text} is used twice", f"{first} has it already")
        seen.setdefault((board, number), key)


def _keypads(data: Table) -> Iterator[tuple[KeyPath, Table]]:
    for name, phone in _tables(data, "phone").items():
        if isinstance(phone.get("keypad"), dict):
            yield ("phone", name, "keypad"), phone["keypad"]


def _unknown_drivers(data: Table, drivers: Collection[str]) -> Iterator[Mistake]:
    used = [((kind, name), kind, table) for kind in DRIVEN for name, table in _tables(data, kind).items()]
    used += [(("pbx",), "cti", data.get("pbx")), (("cloud",), "cloud", data.get("cloud"))]  # type: ignore[list-item]
    used += [(at, "keypad", table) for at, table in _keypads(data)]  # type: ignore[misc]
    for at, kind, table in used:
        driver = table.get("driver") if isinstance(table, dict) else None
        if not isinstance(driver, str) or f"{kind}.{driver}" in drivers:
            continue
        known = [name.removeprefix(f"{kind}.") for name in drivers if name.startswith(f"{kind}.")]
        hint = instead_of(driver, known, f"one of {', '.join(known)}, or install the package that brings it")
        yield Mistake((*at, "driver"), f'no driver "{driver}" for {kind}', hint)


def _links(data: Table) -> Iterator[tuple[KeyPath, str]]:
    for kind in DRIVEN:
        for name, table in _tables(data, kind).items():
            yield from _found((kind, name), table, "link", "device")
    for kind, key in (("pbx", "link"), ("tap", "link"), ("cloud", "url")):
        if isinstance(data.get(kind), dict):
            yield from _found((kind,), data[kind], key)


def _shared_links(data: Table) -> Iterator[Mistake]:
    seen: dict[str, KeyPath] = {}
    for key, address in _links(data):
        if address in seen:
            first = ".".join(map(str, seen[address]))
            yield Mistake(key, f"{address} is used twice", f"{first} has it already")
        seen.setdefault(address, key)


def _worlds(data: Table, ends: Collection[str]) -> Iterator[Mistake]:
    world = data.get("world")
    if isinstance(world, dict):
        end = world.get("end")
        if isinstance(end, str) and end not in ends:
            yield Mistake(("world", "end"), f'no far end "{end}"', instead_of(end, ends))
    elif world is None:
        for key, address in _links(data):
            if address.startswith("end://"):
                yield Mistake(key, f"{address} without a [world]", "the address of a real wire, or add [world]")


def _claimed(data: Table) -> Iterator[Mistake]:
    """A role that claims as real what is simulated: the report would print it on page one."""
    world, role = data.get("world"), data.get("role")
    if not isinstance(world, dict) or world.get("end") != SIMULATED or not isinstance(role, str) or role not in REAL:
        return
    what, sections = REAL[role]
    for key, address in _links(data):
        if key[0] in sections and address.startswith("end://"):
            wrong = f"{role} claims {what}, and {'.'.join(map(str, key))} is simulated ({address})"
            yield Mistake(("role",), wrong, '"R1", or the addresses of the real wires')
            return


def _needed(data: Table) -> Iterator[Mistake]:
    options, pbx = data.get("options"), data.get("pbx")
    if (
        isinstance(options, dict)
        and options.get("lock") == "prefix"
        and isinstance(pbx, dict)
        and not pbx.get("lock_prefix")
    ):
        yield Mistake(("options", "lock"), "prefix, but the PBX has no lock_prefix", "lock_prefix in [pbx]")
    for name, audio in _tables(data, "audio").items():
        if ("link" in audio) == ("device" in audio):
            yield Mistake(("audio", name), "needs either link or device", 'device = "the name of the sound card"')


def _clamped(data: Table) -> Iterator[Mistake]:
    """Instruments at the line of a phone that is not there, or has no line of two wires."""
    phones = _tables(data, "phone")
    for name, table in _tables(data, "instrument").items():
        line, key = table.get("line"), ("instrument", name, "line")
        if not isinstance(line, str):
            continue
        if line not in phones:
            yield Mistake(key, f"there is no [phone.{line}]", instead_of(line, phones))
        elif phones[line].get("kind") != "analog":
            kind = phones[line].get("kind")
            yield Mistake(key, f"phone {line} is {kind}: it has no line voltage", 'a phone of kind "analog"')


def _measured(data: Table) -> Iterator[Mistake]:
    """Meters across loops that are not there, or are no meters."""
    instruments = _tables(data, "instrument")
    meters = [name for name, table in instruments.items() if table.get("driver") == "dmm"]
    for name, loop in _tables(data, "loop").items():
        meter, key = loop.get("meter"), ("loop", name, "meter")
        if not isinstance(meter, str) or meter in meters:
            continue
        found = f"instrument {meter} is a {instruments[meter].get('driver')}, no dmm" if meter in instruments else ""
        hint = f"one of {', '.join(meters)}" if meters else f'[instrument.{meter}] with driver = "dmm"'
        yield Mistake(key, found or f"there is no [instrument.{meter}]", hint)


def _twice(data: Table, kind: str, key: str) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for name, table in _tables(data, kind).items():
        value = table.get(key)
        if isinstance(value, str):
            if value in seen:
                yield Mistake((kind, name, key), f"{value} is used twice", f"{kind}.{seen[value]} has it already")
            seen.setdefault(value, name)


def _emergency(data: Table) -> Iterator[Mistake]:
    dial, pbx = data.get("dial"), data.get("pbx")
    prefix = pbx.get("outside_prefix", "") if isinstance(pbx, dict) else ""
    allow = dial.get("allow") if isinstance(dial, dict) else None
    for index, pattern in enumerate(allow if isinstance(allow, list) else []):
        found = emergency_in(pattern, str(prefix)) if isinstance(pattern, str) else ""
        if found:
            yield Mistake(("dial", "allow", index), f"{pattern} takes in {found}, an emergency number", "leave it out")
