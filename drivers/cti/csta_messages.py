"""CSTA XML documents (ECMA-323): elements to flat fields and back, for both ends of a link.

A :class:`Message` is a root element and its fields by our names (``device``, ``call_id``, ``calling``, ...); the table
below says where each field sits. What the standard has no element for (the lock, capabilities) travels as private data
(``extensions/privateData/private``) in a namespace of our own. Reading ignores the namespace's edition (``ed2`` to
``ed6``) and every element it does not know, so that other vendors' messages can be read too.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

CSTA_NAMESPACE = "http://www.ecma-international.org/standards/ecma-323/csta/ed4"
PRIVATE_NAMESPACE = "urn:offhook:csta:private"
ERROR_NAME = "CSTAErrorCode"

Paths = tuple[tuple[str, str], ...]


class MessageError(ValueError):
    """Not an XML document, or one that must not be trusted (entities, a document type)."""


@dataclass(frozen=True)
class Message:
    """A root element's name, its fields, its private data, and the rows of a list if it has one."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[dict[str, str], ...] = ()


def _connection(element: str) -> Paths:
    return ((f"{element}/callID", "call_id"), (f"{element}/deviceID", "device"))


def _event(connection: str, *devices: tuple[str, str]) -> Paths:
    named = tuple((f"{element}/deviceIdentifier", name) for element, name in devices)
    tail = (("localConnectionInfo", "state"), ("cause", "cause"))
    return (("monitorCrossRefID", "monitor_id"), *_connection(connection), *named, *tail)


_PARTIES = (("callingDevice", "calling"), ("calledDevice", "called"))

PATHS: dict[str, Paths] = {
    "RequestSystemStatus": (),
    "RequestSystemStatusResponse": (("systemStatus", "system_status"),),
    "SystemStatus": (("systemStatus", "system_status"),),
    "SystemStatusResponse": (),
    "MonitorStart": (("monitorObject/deviceObject", "device"),),
    "MonitorStartResponse": (("monitorCrossRefID", "monitor_id"),),
    "MonitorStop": (("monitorCrossRefID", "monitor_id"),),
    "MonitorStopResponse": (),
    "MakeCall": (("callingDevice", "calling"), ("calledDirectoryNumber", "called"), ("autoOriginate", "auto")),
    "MakeCallResponse": _connection("callingDevice"),
    "AnswerCall": _connection("callToBeAnswered"),
    "AnswerCallResponse": (),
    "ClearConnection": _connection("connectionToBeCleared"),
    "ClearConnectionResponse": (),
    "HoldCall": _connection("callToBeHeld"),
    "HoldCallResponse": (),
    "RetrieveCall": _connection("callToBeRetrieved"),
    "RetrieveCallResponse": (),
    "GenerateDigits": (*_connection("connectionToSendDigits"), ("charactersToSend", "digits")),
    "GenerateDigitsResponse": (),
    "SnapshotDevice": (("snapshotObject", "device"),),
    "SnapshotDeviceResponse": (),
    "Escape": (),
    "EscapeResponse": (),
    "ServiceInitiatedEvent": _event("initiatedConnection", ("initiatingDevice", "calling")),
    "OriginatedEvent": _event("originatedConnection", *_PARTIES),
    "DeliveredEvent": _event("connection", ("alertingDevice", "device"), *_PARTIES),
    "EstablishedEvent": _event("establishedConnection", ("answeringDevice", "device"), *_PARTIES),
    "HeldEvent": _event("heldConnection", ("holdingDevice", "device")),
    "RetrievedEvent": _event("retrievedConnection", ("retrievingDevice", "device")),
    "ConnectionClearedEvent": _event("droppedConnection", ("releasingDevice", "device")),
    "FailedEvent": _event("failedConnection", ("failingDevice", "device"), *_PARTIES),
    "PrivateEvent": (("monitorCrossRefID", "monitor_id"),),
}
"""Where each field of each message sits, in the order of the schema. Reading takes the first path that is there."""

_ROWS_PATH = "crossRefIDorSnapshotData/snapshotData"
_ROW_NAME = "snapshotDeviceResponseInfo"
_ROW: Paths = (
    *_connection("connectionIdentifier"),
    ("localCallState/compoundCallState/localConnectionState", "state"),
)
_ROW_PRIVATE = ("calling", "called")
_PRIVATE_PATH = "extensions/privateData/private"
_NUMBER_FORMAT = re.compile(r"^N<([^>]*)>")


def to_xml(message: Message) -> bytes:
    """The XML document of a message. Raises KeyError for a message this table does not have."""
    root = ET.Element(message.name, {"xmlns": CSTA_NAMESPACE})
    if message.name == ERROR_NAME:
        _put(root, "privateErrorCode", message.fields.get("reason", ""))
    else:
        _put_fields(root, PATHS[message.name], message.fields)
    if message.name == "SnapshotDeviceResponse":
        rows = _reach(root, _ROWS_PATH)
        for row in message.rows:
            node = ET.SubElement(rows, _ROW_NAME)
            _put_fields(node, _ROW, row)
            _put_private(node, {name: row[name] for name in _ROW_PRIVATE if row.get(name)})
    _put_private(root, message.private)
    document: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def from_xml(document: bytes) -> Message:
    """Read a document; unknown messages come back with their name and no fields. Raises MessageError."""
    try:
        root = fromstring(document, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise MessageError(f"not a CSTA XML document: {error}") from error
    name = _local(root)
    private = _read_private(root)
    if name == ERROR_NAME:
        return Message(name, {"reason": _reason(root)}, private)
    found = root.findall(_any(f"{_ROWS_PATH}/{_ROW_NAME}"))
    rows = tuple({**_read_fields(row, _ROW), **_read_private(row)} for row in found)
    return Message(name, _read_fields(root, PATHS.get(name, ())), private, rows)


def _put_fields(root: ET.Element, paths: Paths, fields: Mapping[str, str]) -> None:
    for path, name in paths:
        if fields.get(name):
            _put(root, path, fields[name])


def _put(root: ET.Element, path: str, text: str) -> None:
    _reach(root, path).text = text


def _reach(root: ET.Element, path: str) -> ET.Element:
    """The element at a path; a parent made for an earlier field is used again."""
    node = root
    for name in path.split("/"):
        found = node.find(name)
        node = ET.SubElement(node, name) if found is None else found
    return node


def _read_fields(root: ET.Element, paths: Paths) -> dict[str, str]:
    fields: dict[str, str] = {}
    for path, name in paths:
        found = root.find(_any(path))
        text = "" if found is None else (found.text or "").strip()
        if text and name not in fields:
            bare = _NUMBER_FORMAT.match(text)  # ECMA-269 10.1: a device id may be written N<number>;attributes
            fields[name] = bare.group(1) if bare else text
    return fields


def _put_private(root: ET.Element, values: Mapping[str, str]) -> None:
    if values:
        private = _reach(root, _PRIVATE_PATH)
        for name, text in values.items():
            ET.SubElement(private, name, {"xmlns": PRIVATE_NAMESPACE}).text = text


def _read_private(root: ET.Element) -> dict[str, str]:
    ours = "{" + PRIVATE_NAMESPACE + "}"
    children = root.findall(f"{_any(_PRIVATE_PATH)}/*")
    return {_local(child): child.text or "" for child in children if child.tag.startswith(ours)}


def _reason(root: ET.Element) -> str:
    """The first leaf's text (``invalidDeviceID``), or its name where the category says it all (``unspecified``)."""
    leaves = [node for node in root.iter() if node is not root and len(node) == 0]
    return ((leaves[0].text or "").strip() or _local(leaves[0])) if leaves else "unspecified"


def _any(path: str) -> str:
    return "/".join("{*}" + name for name in path.split("/"))


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
