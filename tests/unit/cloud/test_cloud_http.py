"""The HTTP skin: routes, who may do what, what a refusal looks like."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import httpx
import pytest
from cloud_room import Room, station
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from offhook.drivers.cti import Service
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.fixtures.asgi import AsgiTransport
from offhook.fixtures.cloud import model, schemas
from offhook.fixtures.cloud.assembly import build_cloud
from offhook.fixtures.cloud.http import make_app
from offhook.fixtures.simclock import SimClock

MakeRoom = Callable[..., Room]

DOCUMENTED = {
    "POST /v1/session",
    "GET /v1/extensions",
    "POST /v1/associations",
    "POST /v1/associations/{association}/completion",
    "GET /v1/associations/{association}",
    "DELETE /v1/associations/{association}",
    "GET /v1/inbox",
    "GET /v1/steps",
    "GET /v1/phones",
    "DELETE /v1/phones/{extension}",
    "POST /v1/phones/{extension}/calls",
    "POST /v1/phones/{extension}/calls/{call_id}/answer",
    "POST /v1/phones/{extension}/calls/{call_id}/hold",
    "POST /v1/phones/{extension}/calls/{call_id}/retrieve",
    "DELETE /v1/phones/{extension}/calls/{call_id}",
    "PATCH /v1/admin/policy",
    "GET /v1/admin/audit",
    "GET /v1/admin/dump",
    "POST /v1/admin/next-codes",
    "POST /v1/admin/moves",
}


def api_routes(routes: Any) -> Iterator[APIRoute]:
    """Every route with an endpoint, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            inner = getattr(route, "original_router", None) or getattr(route, "app", None)
            yield from api_routes(getattr(inner, "routes", ()))


def calls_of(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def test_paths_are_those_of_the_architecture_page(room: Room) -> None:
    paths = room.cloud.app.openapi()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == DOCUMENTED


def test_every_endpoint_dependency_and_handler_is_a_coroutine(room: Room) -> None:
    """Anything else FastAPI would run on a thread of its own, beside the world."""
    routes = list(api_routes(room.cloud.app.routes))
    assert len(routes) == len(DOCUMENTED)
    for route in routes:
        for call in calls_of(route.dependant):
            target = call if inspect.isfunction(call) else type(call).__call__
            assert inspect.iscoroutinefunction(target), f"{route.path}: {call}"
    ours = [h for h in room.cloud.app.exception_handlers.values() if "offhook" in h.__module__]
    assert len(ours) == 3
    assert all(inspect.iscoroutinefunction(handler) for handler in ours)


def test_next_codes_is_there_only_in_a_simulated_world(make_room: MakeRoom) -> None:
    room = make_room()
    transport = AsgiTransport(make_app(room.cloud.service, "admin-token", allow_next_codes=False))
    with httpx.Client(transport=transport, base_url="http://cloud") as client:
        headers = {"Authorization": "Bearer admin-token"}
        answer = client.post("/v1/admin/next-codes", json={"codes": ["4711"]}, headers=headers)
    transport.shut()
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"


@pytest.mark.parametrize("token", ["", "nonsense", "alice's"])
def test_the_administrators_routes_need_his_token(room: Room, token: str) -> None:
    if token == "alice's":
        token = room.api._tokens.get("alice") or (room.api.login("alice") and room.api._tokens["alice"])
    for method, path in (("GET", "/v1/admin/audit"), ("GET", "/v1/admin/dump"), ("PATCH", "/v1/admin/policy")):
        with pytest.raises(DeviceRefused, match="401 not_administrator"):
            room.api._send(method, path, token, **({"json": {}} if method == "PATCH" else {}))


def test_without_a_log_in_nothing_is_told(room: Room) -> None:
    for method, path in (("GET", "/v1/inbox"), ("GET", "/v1/steps"), ("GET", "/v1/phones"), ("GET", "/v1/extensions")):
        with pytest.raises(DeviceRefused, match="401 not_logged_in"):
            room.api._send(method, path, "")


def test_one_refusal_for_an_unknown_login_and_a_wrong_password(room: Room) -> None:
    details = []
    for login in ("alice", "nobody"):
        with pytest.raises(DeviceRefused) as refused:
            room.api._send("POST", "/v1/session", "", json={"login": login, "password": "wrong"})
        details.append(refused.value.detail)
    assert details[0] == details[1]
    assert details[0].startswith("401 login_failed")


def test_an_account_sees_only_its_own_contexts_inbox_and_steps(room: Room) -> None:
    association = room.ringing("alice", "1001")
    assert room.api.inbox("bob") == []
    assert room.api.steps("bob").steps == ()
    for ask in (room.api.association, room.api.complete):
        with pytest.raises(DeviceRefused, match="404"):
            ask("bob", association)
    with pytest.raises(DeviceRefused, match="404"):
        room.api.cancel("bob", association)


@pytest.mark.req("ASSOC-S2.1", "ASSOC-S2.3")
def test_the_code_goes_to_the_requesting_accounts_inbox_alone(room: Room) -> None:
    association = room.request("alice", "1001")
    code = room.api.code("alice", association)
    assert len(code) == 4
    assert room.api.inbox("bob") == []
    assert code not in str(room.api.steps("alice").steps)
    dump = room.api.dump()
    assert [table for table, rows in dump.items() if any(code in str(v) for r in rows for v in r.values())] == ["inbox"]


@pytest.mark.req("ASSOC-S2.2")
def test_codes_have_four_digits_unless_the_policy_says_otherwise(room: Room) -> None:
    assert len(room.api.code("alice", room.request("alice", "1001"))) == 4
    room.api.admin_policy({"code_length": 8})
    code = room.api.code("bob", room.request("bob", "1002"))
    assert len(code) == 8
    assert code.isdigit()


def test_steps_can_be_read_on_from_where_one_stopped(room: Room) -> None:
    room.ringing()
    page = room.api.steps("alice")
    assert page.now_s == room.clock.now_s()
    half = page.steps[3].seq
    assert room.api.steps("alice", half).steps == page.steps[4:]
    assert [step.at_s for step in page.steps] == sorted(step.at_s for step in page.steps)


def test_policy_changes_hold_for_what_starts_afterwards(room: Room) -> None:
    values = room.api.admin_policy({"lock": "prefix", "max_code_attempts": 2})
    assert (values["lock"], values["max_code_attempts"], values["completion_required"]) == ("prefix", 2, True)
    room.ringing()
    assert room.pbx.count(Service.LOCK) == 1


@pytest.mark.parametrize("change", [{"lock": "glue"}, {"code_length": 1}, {"nonsense": 1}, {"code_ttl_s": -1}])
def test_a_policy_that_makes_no_sense_is_refused_and_changes_nothing(room: Room, change: dict[str, Any]) -> None:
    before = room.api.admin_policy({})
    with pytest.raises(DeviceRefused, match=f"422 bad_request.*{next(iter(change))}"):
        room.api.admin_policy(change)
    assert room.api.admin_policy({}) == before


@pytest.mark.parametrize(
    "body", [{}, {"extension": "10 01"}, {"extension": "x" * 40}, {"extension": "1001", "pin": "1"}]
)
def test_a_malformed_request_is_refused_in_plain_words(room: Room, body: dict[str, str]) -> None:
    room.api.login("alice")
    with pytest.raises(DeviceRefused, match="422 bad_request"):
        room.api._as("alice", "POST", "/v1/associations", json=body)


@pytest.mark.req("ASSOC-S1.6")
def test_an_extension_that_cannot_be_watched_is_refused_with_that_reason(room: Room) -> None:
    with pytest.raises(DeviceRefused, match="409 monitor_refused"):
        room.request("alice", "1003")
    assert room.pbx.asked == []
    assert room.api.inbox("alice") == []


@pytest.mark.req("ASSOC-S1.3")
def test_choices_match_the_accounts_name(room: Room) -> None:
    assert room.api.extensions("alice") == [{"number": "1001", "name": "Alice"}]
    assert room.api.extensions("alice", "bob bobson") == [{"number": "1002", "name": "Bob Bobson"}]
    assert room.api.extensions("alice", "mallory") == []


def test_control_before_association_and_of_anothers_phone_is_refused(room: Room) -> None:
    room.associated("bob", "1002")
    asked = len(room.pbx.asked)
    for extension in ("1001", "1002", "7777"):
        with pytest.raises(DeviceRefused, match="403 not_associated"):
            room.api.make_call("alice", extension, "1003")
        for act in (room.api.answer, room.api.hold, room.api.retrieve, room.api.clear):
            with pytest.raises(DeviceRefused, match="403 not_associated"):
                act("alice", extension, "K1")
        with pytest.raises(DeviceRefused, match="403 not_associated"):
            room.api.end_association("alice", extension)
    assert len(room.pbx.asked) == asked


def test_another_accounts_extension_is_refused_or_replaced_by_policy(room: Room) -> None:
    room.associated("alice", "1001")
    with pytest.raises(DeviceRefused, match="409 already_associated"):
        room.request("bob", "1001")
    room.api.admin_policy({"reassociation": "replace"})
    room.associated("bob", "1001")
    assert room.api.phones("alice") == []
    assert room.api.inbox("alice")[-1].kind == "failed"
    assert list(room.pbx.monitors.values()) == ["1001"]


@pytest.mark.req("LOCK-CODE.4")
def test_no_type_table_or_field_has_a_place_for_a_local_code(room: Room) -> None:
    """Names with "local", "pin" or "secret" in them; a reason or a state may be called local_code, a field may not."""
    names: set[str] = set()
    for body in vars(schemas).values():
        names |= set(getattr(body, "model_fields", {}))
    for kind in vars(model).values():
        if is_dataclass(kind):
            names |= {each.name for each in fields(kind)}
    rows = room.cloud.store._db.execute("SELECT m.name, i.name FROM sqlite_master m, pragma_table_info(m.name) i")
    names |= {column for _, column in rows}
    parameters = {p["name"] for ways in room.cloud.app.openapi()["paths"].values() for way in ways.values()
                  for p in way.get("parameters", ())}  # fmt: skip
    names |= parameters
    assert {"code", "extension", "password_hash", "call_id"} <= names, "the search sees the fields there are"
    suspect = [name for name in names if any(word in name.lower() for word in ("local", "pin", "secret"))]
    assert suspect == []


def test_the_client_names_what_went_wrong(room: Room) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    def stall(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    def babble(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, text="<html>bad gateway</html>")

    for handler, kind in ((refuse, DeviceGone), (stall, DeviceTimeout), (babble, DeviceRefused)):
        room.api._client.close()
        room.api._client = httpx.Client(transport=httpx.MockTransport(handler), base_url="http://cloud")
        with pytest.raises(kind, match="end://cloud: POST /v1/session"):
            room.api.connect()
    with pytest.raises(ConfigError, match="eve"):
        room.api.login("eve")


def test_connect_logs_everybody_in_and_names_the_service(room: Room) -> None:
    assert room.api.connect().startswith("Offhook reference cloud ")
    assert set(room.api._tokens) == {"alice", "bob", "mallory"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"options": {"lock": "glue"}}, "options.lock"),
        ({"ivr": {}}, "ivr"),
        ({"ivr": {"1": {"number": "+33"}, "2": {"number": "+34"}}}, r"\+33, \+34"),
    ],
)
def test_a_station_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build_cloud(SimClock(), {**station(), **change}, None, seeded=random.Random(1))
