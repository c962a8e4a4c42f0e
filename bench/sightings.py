"""Turns what the drivers report into sightings: relays, sensors, decoded digits, CTI messages and events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from offhook import dsp
from offhook.bench.record import RunRecord
from offhook.bench.station import Rig
from offhook.bench.station_model import StationModel, ref
from offhook.bench.watch import Watch
from offhook.drivers.audio import AudioPort, Loss, Lossy
from offhook.drivers.cti import CtiEvent
from offhook.drivers.cti.tap import TraceMessage

SENSE_U_S = 0.005
"""A sensor edge: input filter and transport of the board."""
CTI_U_S = 0.005
"""Arrival of a CTI message at the tap; TH-15 allows 20 ms."""
DIGIT_U_S = 0.005
"""Edges of a decoded digit (half the decoder's edge window)."""
LOSS_MARGIN_S = 0.1
"""What a card lost can be missing this much earlier or later: it is told by the block, and on the way out and in."""
PROBES = {"ring": "G-r", "hook": "G-h", "lamp": "G-l", "seizure": "A-l"}


class Observed(Protocol):
    """The part of a station that this module wires up."""

    rig: Rig
    model: StationModel
    watch: Watch
    record: RunRecord


def wire_up(station: Observed) -> None:
    """Subscribe to every relay board, sensor, the CTI tap and the bench's own CTI session."""
    users = contact_users(station.model)
    for name, board in station.rig.relays.items():
        board.on_switch(_relay_note(station, name, users))
    for name, phone in station.model.phone.items():
        _sense(station, phone.ring, "ring", name)
        _sense(station, phone.hook_sense, "hook", name)
        for colour, pin in phone.lamp.items():
            _sense(station, pin, "lamp", name, colour=str(colour))
            _level_note(station, pin, "lamp", name, colour=str(colour))
    for name, trunk in station.model.trunk.items():
        for line, pin in enumerate(trunk.seized, start=1):
            _sense(station, pin, "seizure", f"{name}-{line}")
    for name, port in station.rig.audio.items():
        if isinstance(port, Lossy):
            port.on_loss(_loss_note(station, name, port))
    if station.model.tap is not None:
        station.rig.tap.subscribe(lambda message: _tap_note(station, message))
    if station.model.pbx is not None:
        station.rig.cti.subscribe(lambda event: _event_note(station.watch, event))


def _loss_note(station: Observed, name: str, port: AudioPort) -> Callable[[Loss], None]:
    """Audio that was lost: every judgement on it that this touches is INCONCLUSIVE (BENCH-CLK.4)."""

    def note(loss: Loss) -> None:
        from_s = port.time_of_s(loss.start) - LOSS_MARGIN_S
        until_s = None if loss.stop is None else port.time_of_s(loss.stop) + LOSS_MARGIN_S
        data = {"until_s": until_s, "frame": loss.start, "what": loss.what, "back": loss.back}
        station.watch.note("A", "", "xrun", f"audio.{name}", from_s, 0.0, **data)

    return note


def contact_users(model: StationModel) -> dict[str, tuple[str, str]]:
    """Who uses a contact, and as what: ``{"keys1/4": ("desk-1", "column 1")}``."""
    users: dict[str, tuple[str, str]] = {}
    for name, phone in model.phone.items():
        users[phone.hook.contact] = (name, "hook")
        users |= {contact: (name, f"row {n}") for n, contact in enumerate(phone.keypad.rows, start=1)}
        users |= {contact: (name, f"column {n}") for n, contact in enumerate(phone.keypad.columns, start=1)}
        users |= {contact: (name, f"key {key}") for key, contact in phone.keypad.keys.items()}
    users |= {box.loop: (name, "loop") for name, box in model.linesim.items()}
    return users


def digit_note(watch: Watch) -> Callable[[str, float, float, dsp.Digit], None]:
    """A listener's callback that notes each digit with its own figures."""

    def note(name: str, start_s: float, end_s: float, digit: dsp.Digit) -> None:
        probe = "A-i" if name.startswith("ivr-") else "A-h"
        figures = {
            field: round(float(getattr(digit, field)), 2) for field in ("low_hz", "high_hz", "low_dbm0", "high_dbm0")
        }
        watch.note(probe, name, "digit", name, end_s, DIGIT_U_S, key=digit.key, start_s=round(start_s, 6), **figures)

    return note


def _relay_note(
    station: Observed, board: str, users: Mapping[str, tuple[str, str]]
) -> Callable[[int, bool, float, float], None]:
    def note(relay: int, closed: bool, sent_s: float, acked_s: float) -> None:
        wire = f"{board}/{relay}"
        phone, use = users.get(wire, ("", "unused"))
        half_s = (acked_s - sent_s) / 2
        station.watch.note("R", wire, "relay", phone, sent_s + half_s, half_s + 0.001, closed=closed, use=use)
        station.record.relay(board, relay, closed, sent_s, acked_s)

    return note


def _level_note(station: Observed, pin: str, kind: str, subject: str, **more: str) -> None:
    """What a sensor says before its first edge: a lamp that is judged to be dark has to have been seen."""
    board, number = ref(pin)
    active, now_s = station.rig.senses[board].active(number), station.watch.clock.now_s()
    station.watch.note(PROBES[kind], pin, kind, subject, now_s, SENSE_U_S, active=active, **more)


def _sense(station: Observed, pin: str | None, kind: str, subject: str, **more: str) -> None:
    if pin is None:
        return
    board, number = ref(pin)

    def edge(active: bool, time_s: float) -> None:
        station.watch.note(PROBES[kind], pin, kind, subject, time_s, SENSE_U_S, active=active, **more)

    station.rig.senses[board].subscribe(number, edge)


def _tap_note(station: Observed, message: TraceMessage) -> None:
    fields = {f"f_{key}": value for key, value in message.fields.items()}
    station.watch.note(
        "C",
        "cti-tap",
        "cti",
        str(message.fields.get("device", "")),
        message.time_s,
        CTI_U_S,
        name=message.name,
        direction=message.direction,
        **fields,
    )
    station.record.cti(message.direction, message.time_s, message.raw, message.name)


def _event_note(watch: Watch, event: CtiEvent) -> None:
    watch.note(
        "C",
        "cti",
        "cti-event",
        event.device,
        event.time_s,
        CTI_U_S,
        name=str(event.kind),
        call_id=event.call_id,
        cause=event.cause,
        calling=event.calling,
        called=event.called,
    )
