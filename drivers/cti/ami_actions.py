"""Services of :mod:`offhook.drivers.cti` as AMI actions, and actions read back as services.

What AMI has no action for is a convention with the dialplan: the lock is a call to ``lock-EXT`` (``unlock-EXT``) in a
context of its own, which sets the flag and confirms it by a ``UserEvent``. So a session needs the classes
``originate``, ``call`` and ``user`` only, and can write neither the PBX's database nor its configuration. A monitor
starts with ``ExtensionState``, which fails for an extension without a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offhook.drivers.cti import Service
from offhook.drivers.cti.ami_calls import bare_number, device_of

RING_LIMIT_S = 30


@dataclass(frozen=True)
class AmiDialplan:
    """Names that driver and dialplan share; each may be set in the station file's ``[pbx]``."""

    technology: str = "PJSIP"
    context: str = "cti"
    hints: str = "hints"
    lock_context: str = "cti-lock"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> AmiDialplan:
        """The names in an options table, defaults for the rest."""
        names = ("technology", "context", "hints", "lock_context")
        return cls(**{name: str(options[name]) for name in names if options.get(name)})


def monitor_start(plan: AmiDialplan, device: str) -> dict[str, str]:
    """Ask for the extension's state, which also says whether it can be monitored."""
    return {"Action": "ExtensionState", "Exten": device, "Context": plan.hints}


def monitor_stop(device: str, monitor_id: str) -> dict[str, str]:
    """Tell whoever listens that nobody watches any more; AMI has no action for it."""
    return {"Action": "UserEvent", "UserEvent": "MonitorStop", "Device": device, "MonitorID": monitor_id}


def make_call(plan: AmiDialplan, calling: str, called: str, call_id: str) -> dict[str, str]:
    """Ring ``calling``; when it answers it runs to ``called`` in the dialplan."""
    return {
        "Action": "Originate",
        "Channel": f"{plan.technology}/{calling}",
        "Context": plan.context,
        "Exten": called,
        "Priority": "1",
        "CallerID": f"<{bare_number(called)}>",
        "Timeout": str(RING_LIMIT_S * 1000),
        "ChannelId": call_id,
        "Async": "true",
    }


def lock(plan: AmiDialplan, device: str, on: bool) -> dict[str, str]:
    """Set or clear the lock flag of an extension."""
    word = "lock" if on else "unlock"
    return {
        "Action": "Originate",
        "Channel": f"Local/{word}-{device}@{plan.lock_context}/n",
        "Application": "NoOp",
        "Async": "true",
    }


def hang_up(channel: str) -> dict[str, str]:
    """End a channel, normal clearing (Q.850 cause 16)."""
    return {"Action": "Hangup", "Channel": channel, "Cause": "16"}


def play_digit(channel: str, digit: str, duration_ms: int = 100) -> dict[str, str]:
    """Take one DTMF digit as keyed on a channel, so that it goes out at the other side of its call.

    Not sent out of the other channel: an action's own thread would then end the tone, and misses its end where the
    channel's thread is just making a piece of it (docs/decisions/0029).
    """
    return {
        "Action": "PlayDTMF",
        "Channel": channel,
        "Digit": digit,
        "Duration": str(duration_ms),
        "Receive": "true",
    }


def lock_flag(device: str) -> dict[str, str]:
    """Read whether an extension is locked: a global variable of the dialplan, as a session may read no database."""
    return {"Action": "Getvar", "Variable": f"LOCK_{device}"}


def read_action(action: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """What an action asks for in our terms: a service's name and fields, or the action's own name."""
    name = action.get("Action", "")
    if name == "ExtensionState":
        return str(Service.MONITOR_START), {"device": action.get("Exten", "")}
    if name == "UserEvent" and action.get("UserEvent") == "MonitorStop":
        fields = {"device": action.get("Device", ""), "monitor_id": action.get("MonitorID", "")}
        return str(Service.MONITOR_STOP), fields
    if name == "Originate":
        return _read_originate(action)
    if name == "Hangup":
        return str(Service.CLEAR_CONNECTION), {"device": device_of(action.get("Channel", ""))}
    if name == "PlayDTMF":
        return str(Service.GENERATE_DIGITS), {"digits": action.get("Digit", "")}
    if name == "Status":
        return str(Service.SNAPSHOT_DEVICE), {}
    return name, {}


def _read_originate(action: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    technology, _, rest = action.get("Channel", "").partition("/")
    if technology == "Local":
        word, _, device = rest.partition("@")[0].partition("-")
        return str(Service.LOCK if word == "lock" else Service.UNLOCK), {"device": device}
    fields = {"device": rest, "calling": rest, "called": action.get("Exten", "")}
    return str(Service.MAKE_CALL), {**fields, "call_id": action.get("ChannelId", "")}
