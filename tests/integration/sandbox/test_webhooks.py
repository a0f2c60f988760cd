"""Webhooks: registering a receiver, and what it is told."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.integration.sandbox.declared import create_table, definition
from tests.integration.sandbox.receiver import Receiver, receiving

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
CARD = "msdyn_loyaltycard"
CARD_TYPE = f"Microsoft.Dynamics.CRM.{CARD}"
KEY = '<settings><setting name="x-key" value="let me in"/></settings>'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def only(dataverse: DataverseSession, url: str) -> dict[str, Any]:
    (row,) = dataverse.get(url).json()["value"]
    found: dict[str, Any] = row
    return found


def endpoint(dataverse: DataverseSession, url: str, **more: Any) -> str:
    """Register a receiver; its id."""
    body = {"name": "test", "url": url, "contract": 8, "messageformat": 2, "authtype": 5, **more}
    answer = dataverse.post("serviceendpoints", json=body)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["OData-EntityId"])[-37:-1]


def step(
    dataverse: DataverseSession, receiver: str, message: str, table: str = CARD, **more: Any
) -> Any:
    """Register a step of one message on one table; the answer."""
    told = only(dataverse, f"sdkmessages?$filter=name eq '{message}'")["sdkmessageid"]
    where = f"primaryobjecttypecode eq '{table}' and _sdkmessageid_value eq {told}"
    kept = only(dataverse, f"sdkmessagefilters?$filter={where}")["sdkmessagefilterid"]
    body = {
        "name": f"test: {message} of {table}",
        "stage": 40,
        "mode": 1,
        "rank": 1,
        "supporteddeployment": 0,
        "asyncautodelete": True,
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({receiver})",
        "sdkmessageid@odata.bind": f"/sdkmessages({told})",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({kept})",
        **more,
    }
    return dataverse.post("sdkmessageprocessingsteps", json=body)


@pytest.fixture
def listen(dataverse: DataverseSession, receiver: Receiver) -> Callable[..., str]:
    """Registers the receiver for messages on cards; the id of the endpoint."""

    def register(*messages: str, key: str = KEY, **more: Any) -> str:
        place = endpoint(dataverse, receiver.url, authvalue=key)
        for message in messages:
            answer = step(dataverse, place, message, **more)
            assert answer.status_code == 204, answer.text
        return place

    return register


def target(context: dict[str, Any]) -> dict[str, Any]:
    (parameter,) = context["InputParameters"]
    assert parameter["key"] == "Target"
    found: dict[str, Any] = parameter["value"]
    return found


def attributes(context: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in target(context)["Attributes"]}


def settled(dataverse: DataverseSession) -> bool:
    waiting = dataverse.get(f"{dataverse.host}/sandbox/webhooks").json()["waiting"]
    return bool(waiting == 0)


def test_a_create_is_told(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str]
) -> None:
    listen("Create")
    who = dataverse.get("WhoAmI").json()
    body = {
        "msdyn_cardnumber": "C/1",
        "msdyn_cardtendertype": 806380001,
        "msdyn_enrollmentdate": "2026-01-02",
    }
    answer = dataverse.post(CARDS, json=body, headers={"x-ms-correlation-id": who["UserId"]})
    record = answer.headers["OData-EntityId"][-37:-1]
    (got,) = receiver.wait(1)
    assert got.headers["x-key"] == "let me in"
    assert got.headers["content-type"] == "application/json; charset=utf-8"
    assert got.headers["x-ms-dynamics-organization"] == dataverse.host.removeprefix("https://")
    assert got.headers["x-ms-dynamics-entity-name"] == CARD
    assert got.headers["x-ms-dynamics-request-name"] == "Create"
    assert got.headers["x-ms-correlation-request-id"] == who["UserId"]
    assert "x-ms-dynamics-msg-size-exceeded" not in got.headers
    assert b"C\\/1" in got.body
    assert b":\\/\\/schemas.microsoft.com\\/xrm\\/2011\\/Contracts" in got.body
    context = got.context
    assert context["MessageName"] == "Create"
    assert (context["Stage"], context["Mode"], context["Depth"]) == (40, 1, 1)
    assert (context["PrimaryEntityName"], context["PrimaryEntityId"]) == (CARD, record)
    assert context["UserId"] == context["InitiatingUserId"] == who["UserId"]
    assert context["OrganizationId"] == who["OrganizationId"]
    assert context["BusinessUnitId"] == who["BusinessUnitId"]
    assert context["SecondaryEntityName"] == "none"
    assert context["OutputParameters"] == [{"key": "id", "value": record}]
    assert context["OwningExtension"]["Name"] == f"test: Create of {CARD}"
    assert re.fullmatch(r"/Date\(\d{13}[+-]\d{4}\)/", context["OperationCreatedOn"])
    entity = target(context)
    contracts = "http://schemas.microsoft.com/xrm/2011/Contracts"
    assert entity["__type"] == f"Entity:{contracts}"
    assert (entity["Id"], entity["LogicalName"]) == (record, CARD)
    values = attributes(context)
    assert values["msdyn_cardnumber"] == "C/1"
    assert values["msdyn_cardtendertype"] == {
        "__type": f"OptionSetValue:{contracts}",
        "Value": 806380001,
    }
    assert values["msdyn_enrollmentdate"] == "/Date(1767312000000)/"
    assert values["modifiedby"]["__type"] == f"EntityReference:{contracts}"
    assert values["modifiedby"]["LogicalName"] == "systemuser"
    assert values["modifiedby"]["Id"] == who["UserId"]
    assert "msdyn_partynumber" not in values
    assert not any("~" in name for name in values)


def test_an_update_is_told_with_what_it_wrote(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str], add_cards: Any
) -> None:
    (record,) = add_cards(["C-1"])
    listen("Update", filteringattributes="msdyn_partynumber, msdyn_enrollmentdate")
    url = f"{CARDS}({record})"
    assert dataverse.patch(url, json={"msdyn_replacementcardnumber": "C-2"}).status_code == 204
    assert dataverse.patch(url, json={"msdyn_partynumber": "P-1"}).status_code == 204
    wrong = {"If-Match": 'W/"1"'}
    assert dataverse.patch(url, json={"msdyn_partynumber": "P"}, headers=wrong).status_code == 412
    assert dataverse.put(f"{url}/msdyn_partynumber", json={"value": None}).status_code == 204
    first, second = receiver.wait(2)
    values = {one.context["CorrelationId"]: attributes(one.context) for one in (first, second)}
    assert {one["msdyn_partynumber"] for one in values.values()} == {"P-1", None}
    names = {"msdyn_partynumber", "modifiedon", "modifiedby", "msdyn_loyaltycardid"}
    assert all(set(one) == names for one in values.values())
    receiver.nothing_more(2, lambda: settled(dataverse))


def test_a_tag_goes_along_as_a_shared_variable(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str]
) -> None:
    listen("Create")
    for query in ("", "?tag=from%20us"):
        assert dataverse.post(f"{CARDS}{query}", json={}).status_code == 204
    shared = [one.context["SharedVariables"] for one in receiver.wait(2)]
    assert sorted(shared, key=len) == [[], [{"key": "tag", "value": "from us"}]]


def test_a_delete_is_told_by_reference(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str], add_cards: Any
) -> None:
    (record,) = add_cards(["C-1"])
    listen("Delete")
    assert dataverse.delete(f"{CARDS}({record})").status_code == 204
    assert dataverse.delete(f"{CARDS}({record})").status_code == 404
    (got,) = receiver.wait(1)
    assert got.headers["x-ms-dynamics-request-name"] == "Delete"
    assert target(got.context)["__type"].startswith("EntityReference:")
    assert (target(got.context)["LogicalName"], target(got.context)["Id"]) == (CARD, record)
    receiver.nothing_more(1, lambda: settled(dataverse))


def test_every_row_of_a_bulk_message_and_of_a_batch_is_told(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str], add_cards: Any
) -> None:
    listen("Create", "Update")
    ids = add_cards(f"C-{number}" for number in range(20))
    bulk = f"{CARDS}/Microsoft.Dynamics.CRM."
    named = [{"@odata.type": CARD_TYPE, "msdyn_loyaltycardid": one} for one in ids[:3]]
    changed = [{**one, "msdyn_partynumber": "P"} for one in named]
    assert dataverse.post(f"{bulk}UpdateMultiple", json={"Targets": changed}).status_code == 204
    fresh = {"@odata.type": CARD_TYPE, "@odata.id": f"{CARDS}(msdyn_cardnumber='C-99')"}
    both = [*changed[:1], fresh]
    assert dataverse.post(f"{bulk}UpsertMultiple", json={"Targets": both}).status_code == 204
    told = [one.context for one in receiver.wait(25)]
    created = [one["PrimaryEntityId"] for one in told if one["MessageName"] == "Create"]
    updated = [one["PrimaryEntityId"] for one in told if one["MessageName"] == "Update"]
    assert len(created) == 21
    assert set(ids) < set(created)
    assert sorted(updated) == sorted([*ids[:3], ids[0]])
    receiver.nothing_more(25, lambda: settled(dataverse))


def test_what_is_rolled_back_is_not_told(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str]
) -> None:
    listen("Create")
    lines = ["--b", 'Content-Type: multipart/mixed; boundary="c"', ""]
    for number in ("C-1", "C-2", "C-1"):
        lines += ["--c", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += ["", f"POST {CARDS} HTTP/1.1", "Content-Type: application/json", ""]
        lines += [f'{{"msdyn_cardnumber":"{number}"}}']
    lines += ["--c--", "--b", "Content-Type: application/http"]
    lines += ["Content-Transfer-Encoding: binary", "", f"POST {CARDS} HTTP/1.1"]
    lines += ["Content-Type: application/json", "", '{"msdyn_cardnumber":"C-3"}', "--b--", ""]
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}
    answer = dataverse.post("$batch", data="\r\n".join(lines), headers=headers)
    assert answer.status_code == 200
    assert "412" in answer.text
    (got,) = receiver.wait(1)
    assert attributes(got.context)["msdyn_cardnumber"] == "C-3"
    receiver.nothing_more(1, lambda: settled(dataverse))


def test_the_key_goes_where_the_registration_says(
    dataverse: DataverseSession, receiver: Receiver
) -> None:
    code = endpoint(dataverse, receiver.url + "?a=1", authtype=4, authvalue="s/c")
    query = endpoint(dataverse, receiver.url, authtype=6, authvalue=KEY)
    for place in (code, query):
        assert step(dataverse, place, "Create").status_code == 204
    dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert {one.path for one in receiver.wait(2)} == {
        "/hook?a=1&code=s%2Fc",
        "/hook?x-key=let+me+in",
    }


def test_a_key_is_never_shown(dataverse: DataverseSession, receiver: Receiver) -> None:
    place = f"serviceendpoints({endpoint(dataverse, receiver.url, authvalue=KEY)})"
    row = dataverse.get(place).json()
    assert row["isauthvalueset"] is True
    assert "authvalue" not in row
    assert dataverse.get(f"{place}?$select=authvalue").json()["authvalue"] is None
    assert "let me in" not in dataverse.get("serviceendpoints").text
    columns = "EntityDefinitions(LogicalName='serviceendpoint')/Attributes"
    column = dataverse.get(f"{columns}(LogicalName='authvalue')").json()
    assert column["IsValidForRead"] is False


@pytest.mark.parametrize(
    ("table", "wrong", "status"),
    [
        ("serviceendpoints", {"url": "https://example.com/hook"}, 400),
        ("serviceendpoints", {"url": "file:///etc/passwd"}, 400),
        ("serviceendpoints", {"contract": 2}, 501),
        ("serviceendpoints", {"authvalue": "<settings/>"}, 400),
        ("serviceendpoints", {"authvalue": "not XML"}, 400),
        ("steps", {"mode": 0}, 501),
        ("steps", {"stage": 20}, 400),
    ],
)
def test_what_is_not_modelled_is_refused(
    dataverse: DataverseSession, receiver: Receiver, table: str, wrong: dict[str, Any], status: int
) -> None:
    if table == "steps":
        answer = step(dataverse, endpoint(dataverse, receiver.url), "Create", **wrong)
    else:
        body = {"name": "test", "url": receiver.url, "contract": 8, "authtype": 5, **wrong}
        answer = dataverse.post("serviceendpoints", json=body)
    assert answer.status_code == status
    refused = step(dataverse, endpoint(dataverse, receiver.url), "CreateMultiple")
    assert refused.status_code == 501


def test_a_step_ends_with_its_row_or_when_it_is_disabled(
    dataverse: DataverseSession, receiver: Receiver
) -> None:
    place = endpoint(dataverse, receiver.url)
    first = step(dataverse, place, "Create").headers["OData-EntityId"]
    second = step(dataverse, place, "Create").headers["OData-EntityId"]
    assert dataverse.delete(first).status_code == 204
    assert dataverse.patch(second, json={"statecode": 1, "statuscode": 2}).status_code == 204
    dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert dataverse.patch(second, json={"statecode": 0, "statuscode": 1}).status_code == 204
    dataverse.post(CARDS, json={"msdyn_cardnumber": "C-2"})
    (got,) = receiver.wait(1)
    assert attributes(got.context)["msdyn_cardnumber"] == "C-2"
    receiver.nothing_more(1, lambda: settled(dataverse))


def test_the_steps_of_a_table_end_with_it(dataverse: DataverseSession, receiver: Receiver) -> None:
    create_table(dataverse)
    place = endpoint(dataverse, receiver.url)
    assert step(dataverse, place, "Create", "new_book").status_code == 204
    dataverse.post("new_books", json={"new_name": "Emma"})
    receiver.wait(1)
    assert dataverse.delete(definition("new_book")).status_code == 204
    assert dataverse.get("sdkmessageprocessingsteps").json()["value"] == []
    dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    receiver.nothing_more(1, lambda: settled(dataverse))


def test_only_a_gateway_error_is_tried_again_and_only_once(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str]
) -> None:
    listen("Create")
    arrived = 0
    for answers, tries in (([503], 2), ([502, 504], 2), ([500], 1), ([404], 1)):
        receiver.answers[:] = answers
        dataverse.post(CARDS, json={"msdyn_cardnumber": f"C-{arrived}"})
        arrived += tries
        receiver.nothing_more(arrived, lambda: settled(dataverse))
    counts = dataverse.get(f"{dataverse.host}/sandbox/webhooks").json()
    assert (counts["delivered"], counts["failed"], counts["retried"]) == (1, 3, 2)
    assert [one["problem"] for one in counts["problems"]] == ["504", "500", "404"]
    assert all("key" not in one["url"] for one in counts["problems"])


def test_a_receiver_may_close_connections_between_notifications(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str], add_cards: Any
) -> None:
    listen("Create")
    receiver.hangs_up = True
    for first in range(0, 60, 20):
        add_cards(f"C-{number}" for number in range(first, first + 20))
        receiver.wait(first + 20)
    receiver.nothing_more(60, lambda: settled(dataverse))
    counts = dataverse.get(f"{dataverse.host}/sandbox/webhooks").json()
    assert (counts["delivered"], counts["failed"]) == (60, 0)


def test_notifications_are_lost_and_late_by_switch(
    dataverse: DataverseSession, receiver: Receiver, listen: Callable[..., str], add_cards: Any
) -> None:
    listen("Create")
    dataverse.switch("webhooks", {"lose": 3, "late": 2, "seconds": 2.0})
    add_cards(f"C-{number}" for number in range(1, 7))
    numbers = [attributes(one.context)["msdyn_cardnumber"] for one in receiver.wait(4)]
    # 3 and 6 are lost; 2 and 4 come late.
    assert set(numbers) == {"C-1", "C-2", "C-4", "C-5"}
    assert set(numbers[2:]) == {"C-2", "C-4"}
    counts = dataverse.get(f"{dataverse.host}/sandbox/webhooks").json()
    assert counts["lost"] == 2
    wrong = dataverse.post(f"{dataverse.host}/sandbox/webhooks", json={"lose": -1})
    assert wrong.status_code == 400


def test_a_receiver_over_tls_is_trusted_by_its_ca(
    dataverse: DataverseSession, tmp_path: Path
) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with receiving(context) as receiver:
        assert step(dataverse, endpoint(dataverse, receiver.url), "Create").status_code == 204
        dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
        while not settled(dataverse):
            pass
        (problem,) = dataverse.get(f"{dataverse.host}/sandbox/webhooks").json()["problems"]
        assert problem == {"url": receiver.url, "problem": "SSLCertVerificationError"}
        dataverse.switch("webhooks", {"ca": str(tmp_path / "ca.pem")})
        dataverse.post(CARDS, json={"msdyn_cardnumber": "C-2"})
        (got,) = receiver.wait(1)
        assert attributes(got.context)["msdyn_cardnumber"] == "C-2"


def test_a_body_that_is_too_large_goes_without_its_parameters(
    dataverse: DataverseSession, receiver: Receiver
) -> None:
    place = endpoint(dataverse, receiver.url)
    assert step(dataverse, place, "Create", "sdkmessageprocessingstep").status_code == 204
    long = {"filteringattributes": "é" * 90_000, "configuration": "é" * 90_000}
    assert step(dataverse, place, "Delete", **long).status_code == 204
    got = next(one for one in receiver.wait(2) if "InputParameters" not in one.context)
    assert got.headers["x-ms-dynamics-msg-size-exceeded"]
    assert not {"ParentContext", "PreEntityImages", "PostEntityImages"} & set(got.context)
    assert got.context["PrimaryEntityName"] == "sdkmessageprocessingstep"
    assert len(got.body) < 2000


def test_registrations_outlive_a_restart_and_end_with_a_reset(
    tmp_path: Path, sign_in: SignIn, receiver: Receiver
) -> None:
    from connector.sandbox.run import running

    with running(tmp_path) as first:
        session = sign_in(where=first)
        assert step(session, endpoint(session, receiver.url), "Create").status_code == 204
    with running(tmp_path) as second:
        session = sign_in(where=second)
        session.post(CARDS, json={"msdyn_cardnumber": "C-1"})
        receiver.wait(1)
        session.switch("reset")
        session.post(CARDS, json={"msdyn_cardnumber": "C-2"})
        receiver.nothing_more(1, lambda: settled(session))
