"""The reference cloud's HTTP API (docs/architecture.md), or a real service that speaks it.

Every request has a time limit. In a simulated world the transport calls the service on this thread; nothing here
knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from offhook.drivers.cloud import Association, CloudPhone, CloudStep, Message, StepPage
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import Wires
from offhook.drivers.nearest import instead_of

LIMIT_S = 10.0


class HttpCloud:
    """A client for each account of the station, and one for the administrator; see ``CloudClient``.

    ``accounts`` maps logins to passwords, ``admin`` is the administrator's bearer token.
    """

    def __init__(self, wires: Wires, address: str, accounts: Mapping[str, str], admin: str = "") -> None:
        self.address = address
        self._accounts = dict(accounts)
        self._admin = admin
        self._tokens: dict[str, str] = {}
        base_url, transport = wires.http(address)
        self._client = httpx.Client(base_url=base_url, transport=transport, timeout=LIMIT_S, trust_env=False)

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> HttpCloud:
        """Open ``options["url"]`` for the resource ``name``; further options are ``accounts`` and ``admin``."""
        if not options.get("url"):
            raise ConfigError(name, "open", "no address is named", 'url = "https://..."')
        return cls(wires, str(options["url"]), options.get("accounts", {}), str(options.get("admin", "")))

    def connect(self) -> str:
        """Log every account in; return title and version of the service."""
        for account in self._accounts:
            self.login(account)
        about = self._send("GET", "/openapi.json", "").json().get("info", {})
        return f"{about.get('title', 'cloud service')} {about.get('version', '')}".strip()

    def login(self, account: str) -> str:
        """Log in; return the account's id. Raises ConfigError for a login the station does not have."""
        if account not in self._accounts:
            hint = f"{instead_of(account, sorted(self._accounts))}, in [cloud] accounts"
            raise ConfigError(self.address, f"log in {account}", "the station has no such account", hint)
        body = {"login": account, "password": self._accounts[account]}
        answer = self._send("POST", "/v1/session", "", json=body).json()
        self._tokens[account] = str(answer["token"])
        return str(answer["account"])

    def extensions(self, account: str, name: str = "") -> list[dict[str, str]]:
        """Directory entries that match a name."""
        rows = self._get(account, "/v1/extensions", **({"name": name} if name else {}))
        return [{"number": str(row["number"]), "name": str(row["name"])} for row in rows]

    def request_association(self, account: str, extension: str) -> Association:
        """S1."""
        answer = self._as(account, "POST", "/v1/associations", json={"extension": extension}).json()
        return _association({"extension": extension, **answer})

    def complete(self, account: str, association: str) -> Association:
        """S3."""
        return _association(self._as(account, "POST", f"/v1/associations/{association}/completion").json())

    def association(self, account: str, association: str) -> Association:
        """Where a context stands."""
        return _association(self._get(account, f"/v1/associations/{association}"))

    def cancel(self, account: str, association: str) -> None:
        """Give a context up."""
        self._as(account, "DELETE", f"/v1/associations/{association}")

    def inbox(self, account: str) -> list[Message]:
        """Every message of the account."""
        return [
            Message(row["seq"], row["at_s"], row["kind"], row["association"], row["text"], row.get("code") or "")
            for row in self._get(account, "/v1/inbox")
        ]

    def code(self, account: str, association: str) -> str:
        """The newest code sent for a context."""
        codes = [mail.code for mail in self.inbox(account) if mail.association == association and mail.kind == "code"]
        if not codes:
            raise DeviceRefused(
                self.address, f"read the code of {association}", "no code in the inbox", "was S1 accepted?"
            )
        return codes[-1]

    def steps(self, account: str, after: int = 0) -> StepPage:
        """Steps with a greater sequence number."""
        answer = self._get(account, "/v1/steps", after=str(after))
        rows = (CloudStep(s["seq"], s["at_s"], s["association"], s["step"], s["data"]) for s in answer["steps"])
        return StepPage(answer["now_s"], tuple(rows))

    def phones(self, account: str) -> list[CloudPhone]:
        """Associated extensions."""
        return [
            CloudPhone(row["extension"], row["ddi"] or "", row["established_at_s"], tuple(row.get("calls", ())))
            for row in self._get(account, "/v1/phones")
        ]

    def end_association(self, account: str, extension: str) -> None:
        """Take the extension off the account."""
        self._as(account, "DELETE", f"/v1/phones/{extension}")

    def make_call(self, account: str, extension: str, to: str) -> str:
        """Have the phone call somebody."""
        return str(self._as(account, "POST", f"/v1/phones/{extension}/calls", json={"to": to}).json()["call_id"])

    def answer(self, account: str, extension: str, call_id: str) -> None:
        """Answer a ringing call."""
        self._as(account, "POST", f"/v1/phones/{extension}/calls/{call_id}/answer")

    def hold(self, account: str, extension: str, call_id: str) -> None:
        """Put a call on hold."""
        self._as(account, "POST", f"/v1/phones/{extension}/calls/{call_id}/hold")

    def retrieve(self, account: str, extension: str, call_id: str) -> None:
        """Take a call off hold."""
        self._as(account, "POST", f"/v1/phones/{extension}/calls/{call_id}/retrieve")

    def clear(self, account: str, extension: str, call_id: str) -> None:
        """End a call."""
        self._as(account, "DELETE", f"/v1/phones/{extension}/calls/{call_id}")

    def admin_policy(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change policy values; return all of them."""
        return dict(self._send("PATCH", "/v1/admin/policy", self._admin, json=dict(changes)).json())

    def audit(self) -> dict[str, Any]:
        """The audit trail and whether its chain holds."""
        return dict(self._send("GET", "/v1/admin/audit", self._admin).json())

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table."""
        return dict(self._send("GET", "/v1/admin/dump", self._admin).json())

    def move_extension(self, extension: str, company: str) -> None:
        """An extension changes its company."""
        self._send("POST", "/v1/admin/moves", self._admin, json={"extension": extension, "company": company})

    def next_codes(self, codes: Sequence[str]) -> None:
        """The next association codes."""
        self._send("POST", "/v1/admin/next-codes", self._admin, json={"codes": list(codes)})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, account: str, path: str, **query: str) -> Any:
        return self._as(account, "GET", path, params=query).json()

    def _as(self, account: str, method: str, path: str, **options: Any) -> httpx.Response:
        if account not in self._tokens:
            self.login(account)
        return self._send(method, path, self._tokens[account], **options)

    def _send(self, method: str, path: str, token: str, **options: Any) -> httpx.Response:
        operation = f"{method} {path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            response = self._client.request(method, path, headers=headers, **options)
        except httpx.TimeoutException as error:
            raise DeviceTimeout(
                self.address, operation, f"no answer within {LIMIT_S:g} s", "is the service busy?"
            ) from error
        except httpx.TransportError as error:
            raise DeviceGone(
                self.address, operation, str(error), "is the service running and the address right?"
            ) from error
        if response.is_success:
            self._check_json(operation, response)
            return response
        raise DeviceRefused(self.address, operation, _refusal(response), _HINTS.get(response.status_code, ""))

    def _check_json(self, operation: str, response: httpx.Response) -> None:
        """Raise DeviceRefused for an answer that this service does not give, such as a gateway's page."""
        try:
            if response.content:
                response.json()
        except ValueError as error:
            detail = f"{response.status_code} with {response.text[:80]!r}, which is no JSON"
            raise DeviceRefused(self.address, operation, detail, "is there a gateway in between?") from error


_HINTS = {
    401: "check [cloud] accounts and admin",
    404: "does it exist for this account?",
    429: "too many failed attempts: wait, or raise max_failed_contexts",
}


def _refusal(response: httpx.Response) -> str:
    try:
        body = response.json()
        return f"{response.status_code} {body['error']}: {body['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.text[:200]}"


def _association(row: Mapping[str, Any]) -> Association:
    return Association(
        id=str(row["id"]),
        state=str(row["state"]),
        extension=str(row.get("extension") or ""),
        reason=str(row.get("reason") or ""),
        attempts=int(row.get("attempts") or 0),
        ddi=str(row.get("ddi") or ""),
        ddi_status=str(row.get("ddi_status") or ""),
        call_id=str(row.get("call_id") or ""),
        completion_required=bool(row.get("completion_required")),
    )
