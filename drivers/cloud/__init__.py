"""The cloud service as the bench sees it: an account's client application, and an administrator.

``CloudClient`` is the protocol; ``http.HttpCloud`` speaks the API of docs/architecture.md. Times are seconds on the
*service's* clock; :attr:`StepPage.now_s` lets the bench put them on its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Association:
    """One association context. ``reason`` is "" unless it ended badly; ``ddi`` is "" unless one was bound."""

    id: str
    state: str
    extension: str = ""
    reason: str = ""
    attempts: int = 0
    ddi: str = ""
    ddi_status: str = ""
    call_id: str = ""
    completion_required: bool = False


@dataclass(frozen=True)
class Message:
    """A message in an account's inbox; ``kind`` is code, associated or failed."""

    seq: int
    at_s: float
    kind: str
    association: str
    text: str
    code: str = ""


@dataclass(frozen=True)
class CloudStep:
    """One step of a flow as the service saw it (``step`` is "S4")."""

    seq: int
    at_s: float
    association: str
    step: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepPage:
    """Steps after a sequence number, and the service's time when it answered."""

    now_s: float
    steps: tuple[CloudStep, ...]


@dataclass(frozen=True)
class CloudPhone:
    """An associated extension. ``calls`` are the calls the service sees there: call_id, state, other, error."""

    extension: str
    ddi: str
    established_at_s: float
    calls: tuple[dict[str, str], ...] = ()


class CloudClient(Protocol):
    """What the bench asks of a cloud service.

    Every call answers within its time limit or raises DeviceTimeout, DeviceGone (nobody there) or DeviceRefused (it
    said no; ``detail`` starts with the HTTP status and the service's reason word, e.g. "403 not_associated").
    ``account`` is a login of the station file.
    """

    def connect(self) -> str:
        """Log every account in; return what the service calls itself."""

    def login(self, account: str) -> str:
        """Log in (again); return the account's id."""

    def extensions(self, account: str, name: str = "") -> list[dict[str, str]]:
        """The few directory entries that match a name (default: the account's own): number, name."""

    def request_association(self, account: str, extension: str) -> Association:
        """S1."""

    def complete(self, account: str, association: str) -> Association:
        """S3, also the retry after a failure."""

    def association(self, account: str, association: str) -> Association:
        """Where a context stands."""

    def cancel(self, account: str, association: str) -> None:
        """Give a context up."""

    def inbox(self, account: str) -> list[Message]:
        """Every message of the account, oldest first."""

    def code(self, account: str, association: str) -> str:
        """The newest code sent for a context. Raises DeviceRefused if none came."""

    def steps(self, account: str, after: int = 0) -> StepPage:
        """Steps of this account's flows with a greater sequence number."""

    def phones(self, account: str) -> list[CloudPhone]:
        """Associated extensions."""

    def end_association(self, account: str, extension: str) -> None:
        """Take the extension off the account."""

    def make_call(self, account: str, extension: str, to: str) -> str:
        """Have the phone call somebody; return the call's id. Refused before association."""

    def answer(self, account: str, extension: str, call_id: str) -> None:
        """Answer a ringing call."""

    def hold(self, account: str, extension: str, call_id: str) -> None:
        """Put a call on hold."""

    def retrieve(self, account: str, extension: str, call_id: str) -> None:
        """Take a call off hold."""

    def clear(self, account: str, extension: str, call_id: str) -> None:
        """End a call."""

    def admin_policy(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change policy values; return all of them."""

    def audit(self) -> dict[str, Any]:
        """``valid`` (the hash chain holds) and ``records``."""

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, for searches."""

    def move_extension(self, extension: str, company: str) -> None:
        """Put an extension into the repository "main" or "other"; only a service in a simulated world does it."""

    def next_codes(self, codes: Sequence[str]) -> None:
        """The next association codes; only a service in a simulated world takes them."""

    def close(self) -> None:
        """Let go of the connection."""
