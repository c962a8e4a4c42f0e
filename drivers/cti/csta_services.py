"""Services, responses and events of :mod:`offhook.drivers.cti` as CSTA XML messages, and back.

Both ends use it: the client turns services into requests and answers into responses, a server the other way round.
The lock is a vendor matter in CSTA (ECMA-269 has no service for it): command and state are private data of ``Escape``
and of ``PrivateEvent``.
"""

from __future__ import annotations

from collections.abc import Mapping

from offhook.drivers.cti import Capability, CtiEvent, EventKind, Response, Service
from offhook.drivers.cti.csta_messages import ERROR_NAME, Message

_LOCKS = {Service.LOCK: "true", Service.UNLOCK: "false"}
_SERVICES = frozenset(str(service) for service in Service if service not in _LOCKS)
_PRIVATE_KINDS = frozenset({EventKind.LOCKED, EventKind.UNLOCKED, EventKind.LOCK_DENIED})
_EVENTS = {f"{kind}Event": kind for kind in EventKind if kind not in _PRIVATE_KINDS}
_STATES = {
    EventKind.SERVICE_INITIATED: "initiated",
    EventKind.ORIGINATED: "connected",
    EventKind.DELIVERED: "alerting",
    EventKind.ESTABLISHED: "connected",
    EventKind.HELD: "hold",
    EventKind.RETRIEVED: "connected",
    EventKind.CONNECTION_CLEARED: "null",
    EventKind.FAILED: "fail",
}


def request_message(service: Service, arguments: Mapping[str, str]) -> Message:
    """The request for a service; a lock by prefix is an ordinary call from the extension to the prefix."""
    if service is Service.LOCK and arguments.get("variant") == "prefix":
        return _make_call(arguments["device"], arguments.get("prefix", ""))
    if service in _LOCKS:
        return Message("Escape", {}, {"setLock": _LOCKS[service], "device": arguments["device"]})
    if service is Service.MAKE_CALL:
        return _make_call(arguments["calling"], arguments["called"])
    return Message(str(service), dict(arguments))


def _make_call(calling: str, called: str) -> Message:
    return Message("MakeCall", {"calling": calling, "called": called, "auto": "doNotPrompt"})


def parse_request(message: Message) -> tuple[Service, dict[str, str]] | None:
    """The service a request asks for and its arguments; None if it is none of ours."""
    if message.name == "Escape" and "setLock" in message.private:
        service = Service.LOCK if message.private["setLock"] == "true" else Service.UNLOCK
        return service, {"device": message.private.get("device", ""), "variant": "notify"}
    if message.name in _SERVICES:
        return Service(message.name), {name: text for name, text in message.fields.items() if name != "auto"}
    return None


def response_message(response: Response, device: str = "") -> Message:
    """The answer to a request; ``device`` completes the connection of a MakeCallResponse."""
    if not response.ok:
        return Message(ERROR_NAME, {"reason": response.error})
    private = {"lockState": response.lock_state} if response.lock_state else {}
    name = "EscapeResponse" if response.service in _LOCKS else f"{response.service}Response"
    fields = {"call_id": response.call_id, "monitor_id": response.monitor_id, "device": device}
    return Message(name, fields, private, response.calls)


def parse_response(service: Service, message: Message) -> Response:
    """What an answer says. An answer that does not belong to the service counts as an error."""
    if message.name == ERROR_NAME:
        return Response(service, error=message.fields["reason"])
    wanted = {f"{service}Response"}
    if service in _LOCKS:
        wanted = {"EscapeResponse", "MakeCallResponse"}
    if message.name not in wanted:
        return Response(service, error=f"unexpected {message.name}")
    return Response(
        service,
        call_id=message.fields.get("call_id", ""),
        monitor_id=message.fields.get("monitor_id", ""),
        lock_state=message.private.get("lockState", ""),
        calls=message.rows,
    )


def event_message(event: CtiEvent) -> Message:
    """The event report of an event; ``extra`` travels as private data."""
    extra = {name: str(value) for name, value in event.extra.items()}
    if event.kind in _PRIVATE_KINDS:
        private = {"kind": str(event.kind), "device": event.device, "callID": event.call_id, **extra}
        if event.cause:
            private["cause"] = event.cause
        return Message("PrivateEvent", {"monitor_id": event.monitor_id}, private)
    fields = {
        "monitor_id": event.monitor_id,
        "call_id": event.call_id,
        "device": event.device,
        "calling": event.calling,
        "called": event.called,
        "state": _STATES[event.kind],
        "cause": event.cause or "newCall",
    }
    return Message(f"{event.kind}Event", fields, extra)


def parse_event(message: Message, time_s: float) -> CtiEvent | None:
    """The event in an event report, stamped with its arrival; None if it is none of ours."""
    fields, extra = dict(message.fields), dict(message.private)
    if message.name == "PrivateEvent":
        name = extra.pop("kind", "")
        if name not in _PRIVATE_KINDS:
            return None
        kind = EventKind(name)
        fields.update(device=extra.pop("device", ""), call_id=extra.pop("callID", ""), cause=extra.pop("cause", ""))
    elif message.name in _EVENTS:
        kind = _EVENTS[message.name]
    else:
        return None
    return CtiEvent(
        kind,
        time_s,
        device=fields.get("device", ""),
        call_id=fields.get("call_id", ""),
        calling=fields.get("calling", ""),
        called=fields.get("called", ""),
        cause=fields.get("cause", ""),
        monitor_id=fields.get("monitor_id", ""),
        extra=extra,
    )


def capabilities_text(capabilities: frozenset[Capability]) -> str:
    """Capabilities as they travel in the answer to RequestSystemStatus."""
    return " ".join(sorted(capabilities))


def parse_capabilities(text: str) -> frozenset[Capability]:
    """The ones we know of a capability list."""
    return frozenset(capability for capability in Capability if capability in text.split())
