"""AMI events told as CSTA events.

One call is one ``Linkedid``; a channel named ``PJSIP/1001-0000000a`` belongs to device ``1001``. The channel whose
``Uniqueid`` is the ``Linkedid`` is the calling side.

====================================  ============================================================================
``Newchannel`` of the calling side    ServiceInitiated
``Newstate`` ``Up`` of a called-back   Originated: the phone of a MakeCall was lifted
calling side
``DialBegin`` with a calling channel  Originated, unless it was told before
``DialState``, status ``RINGING``     Delivered: at the called device, or (no calling channel) at the calling phone
``DialEnd``, status ``ANSWER``        Established (the called device); any other status but ``CANCEL`` is Failed
``Hold``, ``Unhold``                  Held, Retrieved
``Hangup``                            ConnectionCleared
``OriginateResponse`` ``Failure``     Failed (the calling device)
``UserEvent`` of the lock             Locked, Unlocked, LockDenied; the dialplan sends them with ``Ext``
====================================  ============================================================================

The far end of an outside call is named by the number that was dialled, not by the trunk's channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from offhook.drivers.cti import CtiEvent, EventKind

_CHANNEL = re.compile(r"^(?P<tech>[A-Za-z]+)/(?P<device>.+)-[0-9a-f]+$")
_LOCK_EVENTS = {
    "Locked": EventKind.LOCKED,
    "Unlocked": EventKind.UNLOCKED,
    "LockDenied": EventKind.LOCK_DENIED,
}
_CAUSES = {"BUSY": "busy", "NOANSWER": "noAnswer", "CHANUNAVAIL": "destNotObtainable"}


def device_of(channel: str, technology: str = "PJSIP") -> str:
    """The device of a channel name; "" if it is none of that technology (a Local channel, say)."""
    match = _CHANNEL.match(channel)
    return match["device"] if match and match["tech"].lower() == technology.lower() else ""


def bare_number(dialled: str) -> str:
    """What was dialled without its post-dial digits (``number*digits#``)."""
    number, star, _ = dialled.partition("*")
    return number if star and number else dialled


@dataclass
class Channel:
    """A channel as its events showed it."""

    name: str
    device: str
    call_id: str
    calling_side: bool
    rung: bool
    """The PBX called it: the phone of a MakeCall, or a called party."""
    state: str = "initiated"
    originated: bool = False


class AmiCalls:
    """Follows channels and calls; ``feed`` each event of a session in order."""

    def __init__(self, technology: str = "PJSIP") -> None:
        self._technology = technology
        self.channels: dict[str, Channel] = {}
        self._called: dict[str, str] = {}
        self._expected: dict[str, str] = {}

    def expect(self, call_id: str, calling: str, called: str) -> None:
        """Name the parties of a call that is being started; its first events do not say whom it will dial."""
        self._called[call_id] = bare_number(called)
        self._expected[calling] = call_id

    def channel(self, call_id: str, device: str) -> Channel | None:
        """The device's channel in a call."""
        found = [each for each in self.channels.values() if (each.call_id, each.device) == (call_id, device)]
        return found[0] if found else None

    def feed(self, event: Mapping[str, str], time_s: float) -> list[CtiEvent]:
        """Take one AMI event; return what it means (nothing, mostly)."""
        handler = getattr(self, f"_on_{event.get('Event', '').lower()}", None)
        told: CtiEvent | None = handler(event, time_s) if handler else None
        return [told] if told else []

    def _tell(self, kind: EventKind, time_s: float, device: str, call_id: str, cause: str = "") -> CtiEvent:
        calling = next((c.device for c in self.channels.values() if c.call_id == call_id and c.calling_side), "")
        return CtiEvent(kind, time_s, device, call_id, calling, self._called.get(call_id, ""), cause)

    def _on_newchannel(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        name, call_id = event.get("Channel", ""), event.get("Linkedid", "")
        device = device_of(name, self._technology)
        if not device:
            return None
        calling_side = event.get("Uniqueid") == call_id
        rung = event.get("ChannelStateDesc") != "Ring"
        self.channels[event.get("Uniqueid", "")] = Channel(name, device, call_id, calling_side, rung)
        if not calling_side:
            return None
        exten = event.get("Exten", "")
        if exten[:1].isdigit() or exten.startswith("*"):
            self._called.setdefault(call_id, bare_number(exten))
        return self._tell(EventKind.SERVICE_INITIATED, time_s, device, call_id, "makeCall")

    def _on_newstate(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        channel = self.channels.get(event.get("Uniqueid", ""))
        if channel is None:
            return None
        words = {"Up": "connected", "Ringing": "alerting"}
        channel.state = words.get(event.get("ChannelStateDesc", ""), channel.state)
        lifted = channel.calling_side and channel.rung and channel.state == "connected"
        return self._originate(channel, time_s) if lifted else None

    def _on_dialbegin(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        channel = self.channels.get(event.get("Uniqueid", ""))
        return self._originate(channel, time_s) if channel is not None else None

    def _originate(self, channel: Channel, time_s: float) -> CtiEvent | None:
        if channel.originated:
            return None
        channel.originated = True
        return self._tell(EventKind.ORIGINATED, time_s, channel.device, channel.call_id, "newCall")

    def _on_dialstate(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        if event.get("DialStatus") != "RINGING":
            return None
        if event.get("Channel"):
            return self._of_called(EventKind.DELIVERED, event, time_s, "newCall")
        phone = self.channels.get(event.get("DestUniqueid", ""))
        return self._tell(EventKind.DELIVERED, time_s, phone.device, phone.call_id, "makeCall") if phone else None

    def _on_dialend(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        status = event.get("DialStatus", "")
        if not event.get("Channel") or status == "CANCEL":  # cancelled: the caller hung up, which is told as that
            return None
        if status == "ANSWER":
            return self._of_called(EventKind.ESTABLISHED, event, time_s, "newCall")
        return self._of_called(EventKind.FAILED, event, time_s, _CAUSES.get(status, status.lower()))

    def _of_called(self, kind: EventKind, event: Mapping[str, str], time_s: float, cause: str) -> CtiEvent | None:
        call_id = event.get("DestLinkedid", "")
        device = device_of(event.get("DestChannel", ""), self._technology)
        return self._tell(kind, time_s, self._called.get(call_id, device), call_id, cause) if device else None

    def _on_hold(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        return self._of_own(EventKind.HELD, event, time_s, "hold")

    def _on_unhold(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        return self._of_own(EventKind.RETRIEVED, event, time_s, "connected")

    def _of_own(self, kind: EventKind, event: Mapping[str, str], time_s: float, state: str) -> CtiEvent | None:
        channel = self.channels.get(event.get("Uniqueid", ""))
        if channel is None:
            return None
        channel.state = state
        return self._tell(kind, time_s, channel.device, channel.call_id)

    def _on_hangup(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        channel = self.channels.get(event.get("Uniqueid", ""))
        if channel is None:
            return None
        cause = event.get("Cause-txt", "")
        device = channel.device if channel.calling_side else self._called.get(channel.call_id, channel.device)
        told = self._tell(EventKind.CONNECTION_CLEARED, time_s, device, channel.call_id, cause)
        del self.channels[event["Uniqueid"]]
        if all(each.call_id != channel.call_id for each in self.channels.values()):
            self._called.pop(channel.call_id, None)
        return told

    def _on_originateresponse(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        device = event.get("Channel", "").partition("/")[2].partition("-")[0]
        if event.get("Response") != "Failure" or event.get("Channel", "").startswith("Local/"):
            return None
        cause = {"1": "noAnswer", "3": "noAnswer", "5": "busy"}.get(event.get("Reason", ""), "destNotObtainable")
        call_id = event.get("Uniqueid", "")
        if call_id not in self._called:  # it failed before there was a channel
            call_id = self._expected.get(device, call_id)
        return self._tell(EventKind.FAILED, time_s, device, call_id, cause)

    def _on_userevent(self, event: Mapping[str, str], time_s: float) -> CtiEvent | None:
        kind = _LOCK_EVENTS.get(event.get("UserEvent", ""))
        call_id = event.get("Linkedid", "")
        return None if kind is None else self._tell(kind, time_s, event.get("Ext", ""), call_id)
