"""CSTA XML as seen by a tap."""

from __future__ import annotations

from offhook.drivers.cti import Service
from offhook.drivers.cti.csta_frames import EVENT_INVOKE_ID, Frame, FrameError, FrameReader
from offhook.drivers.cti.csta_messages import ERROR_NAME, Message, MessageError, from_xml
from offhook.drivers.cti.csta_services import parse_event, parse_request
from offhook.drivers.cti.trace import TapError, TraceMessage


class CstaDialect:
    """Names what crosses; an answer is named after the request whose invoke id it repeats."""

    def __init__(self) -> None:
        self._readers = {">": FrameReader(), "<": FrameReader()}
        self._asked: dict[int, tuple[str, str]] = {}
        self._monitors: dict[str, str] = {}

    def feed(self, direction: str, data: bytes, time_s: float) -> list[TraceMessage]:
        """Take bytes of one direction; return the messages that are complete now. Raises TapError."""
        try:
            return [self._name(direction, frame, time_s) for frame in self._readers[direction].feed(data)]
        except (FrameError, MessageError) as error:
            raise TapError(str(error)) from error

    def _name(self, direction: str, frame: Frame, time_s: float) -> TraceMessage:
        message = from_xml(frame.body)
        if direction == ">":
            name, fields = self._request(frame.invoke_id, message)
        elif frame.invoke_id == EVENT_INVOKE_ID:
            name, fields = _event(message, time_s)
        else:
            name, fields = self._answer(frame.invoke_id, message)
        return TraceMessage(direction, time_s, name, fields, frame.to_bytes())

    def _request(self, invoke_id: int, message: Message) -> tuple[str, dict[str, str]]:
        request = parse_request(message)
        name, fields = (message.name, dict(message.fields)) if request is None else (str(request[0]), request[1])
        fields.setdefault("device", fields.get("calling") or self._monitors.get(fields.get("monitor_id", ""), ""))
        self._asked[invoke_id] = (name, fields["device"])
        return name, fields

    def _answer(self, invoke_id: int, message: Message) -> tuple[str, dict[str, str]]:
        service, device = self._asked.pop(invoke_id, ("", ""))
        fields = {"device": device, "service": service, **message.fields}
        if message.name == ERROR_NAME:
            return "Error", fields
        if service == Service.MONITOR_START:
            self._monitors[fields.get("monitor_id", "")] = device
        if "lockState" in message.private:
            fields["lock_state"] = message.private["lockState"]
        return f"{service}Response" if service else message.name, fields


def _event(message: Message, time_s: float) -> tuple[str, dict[str, str]]:
    event = parse_event(message, time_s)
    if event is None:
        return message.name, dict(message.fields)
    said = {
        "device": event.device,
        "call_id": event.call_id,
        "calling": event.calling,
        "called": event.called,
        "cause": event.cause,
        "monitor_id": event.monitor_id,
        **{name: str(value) for name, value in event.extra.items()},
    }
    return str(event.kind), {name: text for name, text in said.items() if text}
