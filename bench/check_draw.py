"""The wiring of a station, drawn from its file: boards on the left, what hangs on each contact, channel and pin.

::

    relay.keys1      numato, end://keys1
      |-- 0-3        keypad rows of desk-1
      |-- 8          hook of desk-1: closed = off-hook                 FAIL
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from offhook.bench.check_line import CheckLine
from offhook.bench.station_model import StationModel, ref

CLASSES = {"ok": "ok", "FAIL": "bad", "not tried": "untried"}
"""How a row of the page looks, by the status of its line."""


class Strand(NamedTuple):
    """One wire: ``keys1/8``, and what is at its other end."""

    wire: str
    what: str


def strands(model: StationModel) -> dict[str, list[Strand]]:
    """Every wire of a station by the section of its board ("relay.keys1"), in the order of their numbers."""
    found: dict[str, list[Strand]] = {}
    for kind, strand in _strands(model):
        found.setdefault(f"{kind}.{ref(strand.wire).board}", []).append(strand)
    return {board: sorted(wires, key=lambda wire: ref(wire.wire).number) for board, wires in found.items()}


def draw(model: StationModel, lines: Iterable[CheckLine] = ()) -> str:
    """The drawing, with FAIL at every wire whose line of the check is not well."""
    bad = {wire for line in lines if not line.ok for wire in line.wires}
    hanging = strands(model)
    parts: list[str] = []
    for board, address in _boards(model):
        parts.append(f"{board:16} {address}")
        for numbers, what, ok in _grouped(hanging.get(board, []), bad):
            parts.append(f"  |-- {numbers:10} {what}".ljust(72) + ("" if ok else " FAIL"))
    parts += [f"{name:16} {what}" for name, what in _single(model)]
    return "\n".join(part.rstrip() for part in parts)


def page(model: StationModel, lines: Sequence[CheckLine]) -> str:
    """Lines and drawing as one page of HTML that needs nothing else."""
    rows = "\n".join(
        f"<tr class={CLASSES[line.status]}><td>{line.status}<td>{html.escape(line.where)}"
        f"<td>{html.escape(line.resource)}<td>{html.escape(line.found)}"
        f"<td>{'' if line.status == 'ok' else html.escape(line.hint)}"
        for line in lines
    )
    style = "body{font:15px sans-serif;margin:2em}td{padding:.1em .8em}.bad{background:#fdd;font-weight:bold}"
    style += ".untried{background:#eee}"
    title = html.escape(f"offhook check: {model.name}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{style}</style>"
        f"<h1>{title}</h1>\n<table>\n{rows}\n</table>\n<h2>Wiring</h2>\n<pre>{html.escape(draw(model, lines))}</pre>\n"
    )


def _strands(model: StationModel) -> Iterator[tuple[str, Strand]]:
    for name, phone in model.phone.items():
        closed = f"hook of {name}: closed = {phone.hook.closed}"
        yield "relay", Strand(phone.hook.contact, closed)
        for kind, wires in (("rows", phone.keypad.rows), ("columns", phone.keypad.columns)):
            yield from (("relay", Strand(wire, f"keypad {kind} of {name}")) for wire in wires)
        for key, wire in phone.keypad.keys.items():
            yield "relay", Strand(wire, f'key "{key}" of {name}')
        yield "audio", Strand(phone.handset, f"handset of {name} ({phone.kind}, {phone.extension})")
        for what, pin in (("ring", phone.ring), ("hook", phone.hook_sense)):
            if pin is not None:
                yield "sense", Strand(pin, f"{what} sensor of {name}")
        yield from (("sense", Strand(pin, f"light sensor of {name}: {colour}")) for colour, pin in phone.lamp.items())
    for name, trunk in model.trunk.items():
        yield from (("sense", Strand(pin, f"loop current, outside lines of {name}")) for pin in trunk.seized)
    for name, ivr in model.ivr.items():
        yield "audio", Strand(ivr.heard, f"towards the service, port {name} ({ivr.number})")
        yield "audio", Strand(ivr.spoken, f"from the service, port {name}")
    for name, box in model.linesim.items():
        yield "audio", Strand(box.line, f"line simulator {name} ({box.model})")
        yield "relay", Strand(box.loop, f"loop of line simulator {name}")
    for name, loop in model.loop.items():
        yield "audio", Strand(loop.play, f"output, loop {name}")
        yield "audio", Strand(loop.hear, f"input, loop {name}")


def _boards(model: StationModel) -> Iterator[tuple[str, str]]:
    for name, relay in model.relay.items():
        yield f"relay.{name}", f"{relay.driver}, {relay.link}"
    for name, sense in model.sense.items():
        yield f"sense.{name}", f"{sense.driver}, {sense.link}"
    for name, card in model.audio.items():
        yield f"audio.{name}", f"{card.driver}, {card.link or card.device}, {card.channels} channels"
    for name, instrument in model.instrument.items():
        at = f", at the line of {instrument.line}" if instrument.line else ""
        yield f"instrument.{name}", f"{instrument.vendor} {instrument.model}, {instrument.link}{at}"


def _single(model: StationModel) -> Iterator[tuple[str, str]]:
    if model.tap is not None:
        yield "tap", f"{model.tap.dialect}, {model.tap.link}"
    if model.pbx is not None:
        yield "pbx", f"{model.pbx.driver}, {model.pbx.link}"
    if model.cloud is not None:
        yield "cloud", f"{model.cloud.driver}, {model.cloud.url}"
    for name, phone in model.phone.items():
        if phone.keypad.driver is not None:
            yield f"phone.{name}", f"keypad: {phone.keypad.driver} {phone.keypad.url or ''}"


def _grouped(wires: list[Strand], bad: set[str]) -> Iterator[tuple[str, str, bool]]:
    """Neighbours with the same at their end, and the same verdict, in one row."""
    for (what, ok), group in itertools.groupby(wires, key=lambda wire: (wire.what, wire.wire not in bad)):
        numbers = [ref(wire.wire).number for wire in group]
        run = len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        yield (f"{numbers[0]}-{numbers[-1]}" if run else ", ".join(map(str, numbers))), what, ok
