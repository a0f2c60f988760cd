"""Registrations: the difference, and the requests that carry it out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.dataverse.webhooks import (
    Hook,
    Refine,
    Register,
    Registered,
    Unregister,
    Webhooks,
    hook_steps,
    hooks_of,
)
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.transport import Transport
from connector.errors import AccessError, MapError

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

WANTED = hooks_of({"card": ["number", "note"]})
CREATE, UPDATE, DELETE = WANTED


def there(*hooks: Hook) -> list[Registered]:
    return [Registered(f"s{number}", hook) for number, hook in enumerate(hooks)]


def test_every_write_of_a_table_and_updates_of_its_mapped_columns() -> None:
    assert [
        Hook("card", "Create"),
        Hook("card", "Update", frozenset({"number", "note"})),
        Hook("card", "Delete"),
    ] == WANTED


def test_what_is_registered_needs_nothing() -> None:
    assert hook_steps(WANTED, there(DELETE, CREATE, UPDATE)) == []


def test_what_is_missing_is_registered() -> None:
    assert hook_steps(WANTED, there(UPDATE)) == [Register(CREATE), Register(DELETE)]


def test_other_columns_change_the_step() -> None:
    old = there(CREATE, Hook("card", "Update", frozenset({"number"})), DELETE)
    assert hook_steps(WANTED, old) == [Refine(old[1], UPDATE)]


def test_what_nobody_wants_goes_and_so_does_a_second_one() -> None:
    old = there(CREATE, UPDATE, DELETE, Hook("gone", "Create"), CREATE)
    assert hook_steps(WANTED, old) == [Unregister(old[3]), Unregister(old[4])]


def test_off_removes_all() -> None:
    old = there(CREATE, UPDATE, DELETE)
    assert hook_steps([], old) == [Unregister(one) for one in old]


# ---------------------------------------------------------------------------- requests


@pytest.fixture
def webhooks(service: Service) -> Iterator[Webhooks]:
    transport = Transport(
        SERVICE,
        "https://org.example",
        tokens=[service],
        ca=None,
        patience=service.patience,
        clock=service.clock,
        timeout=60.0,
        connections=1,
        governor=Governor(clock=service.patience.monotonic, sleep=service.sleep),
    )
    service.on("GET", "WhoAmI", body={"UserId": "ABC"})
    yield Webhooks(transport)
    transport.close()


def endpoint(service: Service, *ids: str) -> None:
    body = {"value": [{"serviceendpointid": id} for id in ids]}
    service.on("GET", "serviceendpoints", body=body)


def messages(service: Service) -> None:
    names = {"m1": "Create", "m2": "Update", "m3": "Delete"}
    rows = [{"sdkmessageid": id, "name": name} for id, name in names.items()]
    service.on("GET", "sdkmessages", body={"value": rows})


def sent(service: Service, method: str, part: str) -> dict[str, Any]:
    (request,) = service.calls(method, part)
    value: dict[str, Any] = json.loads(request.body or b"{}")
    return value


def test_a_new_endpoint_carries_the_key_in_a_header(service: Service, webhooks: Webhooks) -> None:
    endpoint(service)
    service.on("POST", "serviceendpoints", 204)
    webhooks.point_to("https://host/webhooks/dataverse", 'k"<e>y')
    body = sent(service, "POST", "serviceendpoints")
    setting = '<setting name="x-dualwrite-key" value=\'k"&lt;e&gt;y\'/>'
    assert body == {
        "name": "dualwrite abc",
        "contract": 8,
        "messageformat": 2,
        "url": "https://host/webhooks/dataverse",
        "authtype": 5,
        "authvalue": f"<settings>{setting}</settings>",
    }


def test_an_endpoint_that_is_there_gets_url_and_key_anew(
    service: Service, webhooks: Webhooks
) -> None:
    endpoint(service, "e1")
    service.on("PATCH", "serviceendpoints(e1)", 204)
    webhooks.point_to("https://other/hooks", "key")
    (request,) = service.calls("PATCH", "serviceendpoints")
    assert request.headers["If-Match"] == "*"
    assert "name" not in sent(service, "PATCH", "serviceendpoints")


def test_only_our_own_endpoint_is_looked_at(service: Service, webhooks: Webhooks) -> None:
    endpoint(service)
    assert webhooks.registered() == []
    (asked,) = service.calls("GET", "serviceendpoints")
    assert "name eq 'dualwrite abc'" in asked.params["$filter"]  # type: ignore[attr-defined]


def test_what_is_registered_is_read(service: Service, webhooks: Webhooks) -> None:
    endpoint(service, "e1")
    messages(service)
    step = {
        "sdkmessageprocessingstepid": "s1",
        "filteringattributes": "number,note",
        "_sdkmessageid_value": "m2",
        "_sdkmessagefilterid_value": "f1",
    }
    service.on("GET", "sdkmessageprocessingsteps", body={"value": [step]})
    tables = [{"sdkmessagefilterid": "f1", "primaryobjecttypecode": "card"}]
    service.on("GET", "sdkmessagefilters", body={"value": tables})
    assert webhooks.registered() == [Registered("s1", UPDATE)]


def test_a_step_after_the_commit_for_these_columns(service: Service, webhooks: Webhooks) -> None:
    endpoint(service, "e1")
    messages(service)
    service.on("GET", "sdkmessagefilters", body={"value": [{"sdkmessagefilterid": "f1"}]})
    service.on("POST", "sdkmessageprocessingsteps", 204)
    webhooks.carry_out(Register(UPDATE))
    body = sent(service, "POST", "sdkmessageprocessingsteps")
    assert (body["stage"], body["mode"], body["asyncautodelete"]) == (40, 1, True)
    assert body["filteringattributes"] == "note,number"
    assert body["eventhandler_serviceendpoint@odata.bind"] == "/serviceendpoints(e1)"
    assert body["sdkmessageid@odata.bind"] == "/sdkmessages(m2)"
    assert body["sdkmessagefilterid@odata.bind"] == "/sdkmessagefilters(f1)"


def test_creates_and_deletes_are_not_filtered(service: Service, webhooks: Webhooks) -> None:
    endpoint(service, "e1")
    messages(service)
    service.on("GET", "sdkmessagefilters", body={"value": [{"sdkmessagefilterid": "f1"}]})
    service.on("POST", "sdkmessageprocessingsteps", 204)
    webhooks.carry_out(Register(CREATE))
    assert "filteringattributes" not in sent(service, "POST", "sdkmessageprocessingsteps")


def test_a_table_that_tells_of_nothing_is_said(service: Service, webhooks: Webhooks) -> None:
    endpoint(service, "e1")
    messages(service)
    service.on("GET", "sdkmessagefilters", body={"value": []})
    with pytest.raises(MapError) as caught:
        webhooks.carry_out(Register(CREATE))
    assert caught.value.code == "message-unsupported"


def test_a_step_is_refined_and_removed_by_its_id(service: Service, webhooks: Webhooks) -> None:
    service.on("PATCH", "sdkmessageprocessingsteps(s1)", 204)
    service.on("DELETE", "sdkmessageprocessingsteps(s1)", 204)
    registered = Registered("s1", UPDATE)
    webhooks.carry_out(Refine(registered, UPDATE))
    body = sent(service, "PATCH", "sdkmessageprocessingsteps(s1)")
    assert body == {"filteringattributes": "note,number"}
    webhooks.carry_out(Unregister(registered))
    assert len(service.calls("DELETE", "sdkmessageprocessingsteps(s1)")) == 1


def test_the_endpoint_goes_last_and_only_if_it_is_there(
    service: Service, webhooks: Webhooks
) -> None:
    endpoint(service, "e1")
    endpoint(service)
    service.on("DELETE", "serviceendpoints(e1)", 204)
    webhooks.remove_endpoint()
    webhooks.remove_endpoint()
    assert len(service.calls("DELETE", "serviceendpoints(e1)")) == 1


def test_the_key_is_in_no_error(service: Service, webhooks: Webhooks) -> None:
    endpoint(service)
    message = "Principal user is missing prvCreateServiceEndpoint privilege"
    service.error("POST", "serviceendpoints", 403, "0x80040220", message)
    with pytest.raises(AccessError) as caught:
        webhooks.point_to("https://host/hooks", "s3cret")
    assert "prvCreateServiceEndpoint" in caught.value.message
    assert "s3cret" not in str(caught.value)
