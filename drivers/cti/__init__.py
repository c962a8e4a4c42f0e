"""CTI links in CSTA terms (ECMA-269): services out, responses and events in, normalized over all PBXs.

Nothing here waits: a service takes a callback, because the cloud service that sends them must not block. The bench
waits on its clock until the callback came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Capability(StrEnum):
    """What a PBX can do over its CTI link."""

    MONITOR = "monitor"
    MAKE_CALL = "make_call"
    POST_DIAL_DTMF = "post_dial_dtmf"
    GENERATE_DIGITS = "generate_digits"
    LOCK_PREFIX = "lock_prefix"
    LOCK_NOTIFY = "lock_notify"
    ANSWER = "answer"
    CLEAR = "clear"
    HOLD = "hold"


class Service(StrEnum):
    """CSTA services, plus the lock (no CSTA service: private data or a vendor's command)."""

    MONITOR_START = "MonitorStart"
    MONITOR_STOP = "MonitorStop"
    MAKE_CALL = "MakeCall"
    ANSWER_CALL = "AnswerCall"
    CLEAR_CONNECTION = "ClearConnection"
    HOLD_CALL = "HoldCall"
    RETRIEVE_CALL = "RetrieveCall"
    GENERATE_DIGITS = "GenerateDigits"
    SNAPSHOT_DEVICE = "SnapshotDevice"
    LOCK = "Lock"
    UNLOCK = "Unlock"


class EventKind(StrEnum):
    """CSTA call control events; ``Locked``/``Unlocked``/``LockDenied`` come as private data."""

    SERVICE_INITIATED = "ServiceInitiated"
    ORIGINATED = "Originated"
    DELIVERED = "Delivered"
    ESTABLISHED = "Established"
    HELD = "Held"
    RETRIEVED = "Retrieved"
    CONNECTION_CLEARED = "ConnectionCleared"
    FAILED = "Failed"
    LOCKED = "Locked"
    UNLOCKED = "Unlocked"
    LOCK_DENIED = "LockDenied"


@dataclass(frozen=True)
class Response:
    """The answer to a service. ``error`` is "" on success, else the PBX's reason."""

    service: Service
    error: str = ""
    call_id: str = ""
    monitor_id: str = ""
    lock_state: str = ""
    calls: tuple[dict[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """True if the PBX accepted."""
        return not self.error


@dataclass(frozen=True)
class CtiEvent:
    """One event, stamped with its arrival on the common clock."""

    kind: EventKind
    time_s: float
    device: str
    call_id: str = ""
    calling: str = ""
    called: str = ""
    cause: str = ""
    monitor_id: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


OnResponse = Callable[[Response], None]
OnEvent = Callable[[CtiEvent], None]
OnTrace = Callable[[str, float, bytes], None]
"""("out" or "in", time in seconds, one whole message as it crossed the wire)."""


class CtiDriver(Protocol):
    """A CTI link to a PBX."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this PBX offers; empty before :meth:`connect`."""

    @property
    def up(self) -> bool:
        """True while the link is usable."""

    def start(self, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        """Open the session; ``on_up`` once it is ready, ``on_down(reason)`` when it is lost. Does not wait."""

    def request(self, service: Service, done: OnResponse, **arguments: str) -> None:
        """Ask for a service; ``done`` is called exactly once, with ``error="timeout"`` after 5 s, or "link down".

        Arguments by service: MonitorStart device; MonitorStop monitor_id; MakeCall calling, called; AnswerCall,
        ClearConnection, HoldCall, RetrieveCall device, call_id; GenerateDigits device, call_id, digits; SnapshotDevice
        device; Lock device, variant ("notify" or "prefix"), prefix; Unlock device.
        """

    def subscribe(self, on_event: OnEvent) -> None:
        """Deliver every event of every monitor of this session."""

    def trace(self, on_trace: OnTrace) -> None:
        """Deliver every message in both directions, secrets blanked, for the CTI log."""

    def close(self) -> None:
        """Stop monitors where the protocol needs it, end the session, let go of the wire."""
