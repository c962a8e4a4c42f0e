"""AMI as seen by a tap, in the words of CSTA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from offhook.drivers.cti import CtiEvent, Service
from offhook.drivers.cti.ami_actions import read_action
from offhook.drivers.cti.ami_calls import AmiCalls
from offhook.drivers.cti.ami_wire import AmiError, AmiReader
from offhook.drivers.cti.trace import TapError, TraceMessage

_SECRET = re.compile(rb"(?im)^(Secret|Key): [^\r]*")


def blank_secrets(raw: bytes) -> bytes:
    """The same message with the login's secret (or the hash of it) struck out."""
    return _SECRET.sub(rb"\1: ***", raw)


@dataclass
class AmiDialect:
    """Names what crosses; events are told of monitored devices only, as a CSTA session would hear them.

    Nothing is left out: an AMI message that means nothing in CSTA terms comes under its own name.
    """

    _readers: dict[str, AmiReader] = field(default_factory=lambda: {">": AmiReader(), "<": AmiReader()})
    _calls: AmiCalls = field(default_factory=AmiCalls)
    _asked: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    _monitored: set[str] = field(default_factory=set)

    def feed(self, direction: str, data: bytes, time_s: float) -> list[TraceMessage]:
        """Take bytes of one direction; return the messages that are complete now. Raises TapError."""
        try:
            messages = self._readers[direction].feed(data)
        except AmiError as error:
            raise TapError(str(error)) from error
        told: list[TraceMessage] = []
        for headers, raw in messages:
            safe = blank_secrets(raw)
            if direction == ">":
                told.append(TraceMessage(direction, time_s, *self._action(headers), safe))
            elif "Response" in headers and "Event" not in headers:
                told.append(TraceMessage(direction, time_s, *self._answer(headers), safe))
            else:
                told += self._event(headers, safe, time_s)
        return told

    def _action(self, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        name, fields = read_action(headers)
        self._asked[headers.get("ActionID", "")] = (name, fields)
        if name == Service.MAKE_CALL:
            self._calls.expect(fields["call_id"], fields["calling"], fields["called"])
        if name == Service.MONITOR_STOP:
            self._monitored.discard(fields["device"])
        return name, fields

    def _answer(self, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        name, asked = self._asked.pop(headers.get("ActionID", ""), ("", {}))
        fields = {**asked, "service": name}
        refused = headers.get("Response") == "Error" or headers.get("Status") == "-1"
        if refused:
            return "Error", {**fields, "reason": headers.get("Message", "")}
        if name == Service.MONITOR_START:
            self._monitored.add(fields["device"])
        return (f"{name}Response" if name else "Response"), fields

    def _event(self, headers: Mapping[str, str], raw: bytes, time_s: float) -> list[TraceMessage]:
        told = [event for event in self._calls.feed(headers, time_s) if self._concerns(event)]
        if not told:
            return [TraceMessage("<", time_s, headers.get("Event", "?"), {}, raw)]
        return [_told(event, raw) for event in told]

    def _concerns(self, event: CtiEvent) -> bool:
        return bool(self._monitored & {event.device, event.calling, event.called})


def _told(event: CtiEvent, raw: bytes) -> TraceMessage:
    said = {
        "device": event.device,
        "call_id": event.call_id,
        "calling": event.calling,
        "called": event.called,
        "cause": event.cause,
    }
    fields = {name: text for name, text in said.items() if text}
    return TraceMessage("<", event.time_s, str(event.kind), fields, raw)
