"""Tables made, changed and removed by the metadata API; the organization without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.errors import UnreachableError
from connector.sandbox.run import running
from tests.integration.sandbox.csdl import parse_csdl
from tests.integration.sandbox.declared import (
    CRM,
    attribute,
    create_key,
    create_table,
    definition,
    entity,
    label,
    refusal,
    status,
    wait_for,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

BOOK = definition("new_book")
TITLE = attribute("String", "new_Title", MaxLength=50)


def test_a_new_table_serves_rows_like_any_other(dataverse: DataverseSession) -> None:
    identity = create_table(dataverse, TITLE, ChangeTrackingEnabled=True)
    shown = dataverse.get(f"EntityDefinitions({identity})").json()
    assert shown["LogicalName"] == "new_book"
    assert shown["EntitySetName"] == "new_books"
    assert shown["PrimaryIdAttribute"] == "new_bookid"
    assert shown["PrimaryNameAttribute"] == "new_name"
    assert (shown["IsCustomEntity"], shown["IsManaged"]) == (True, False)
    made = dataverse.post("new_books", json={"new_name": "B-1", "new_title": "Persuasion"})
    assert made.status_code == 204
    tracked = dataverse.get(
        "new_books?$select=new_title", headers={"Prefer": "odata.track-changes"}
    ).json()
    assert [row["new_title"] for row in tracked["value"]] == ["Persuasion"]
    dataverse.patch(made.headers["OData-EntityId"], json={"new_title": "Emma"})
    (changed,) = dataverse.get(tracked["@odata.deltaLink"]).json()["value"]
    assert changed["new_title"] == "Emma"
    targets = [{"@odata.type": f"{CRM}.new_book", "new_name": f"B-{n}"} for n in range(2, 5)]
    bulk = dataverse.post(f"new_books/{CRM}.CreateMultiple", json={"Targets": targets})
    assert len(bulk.json()["Ids"]) == 3
    assert dataverse.delete(made.headers["OData-EntityId"]).status_code == 204
    assert len(dataverse.get("new_books?$filter=new_name ne 'B-2'").json()["value"]) == 2
    supported = dataverse.get(
        "sdkmessagefilters?$filter=sdkmessageid/name eq 'CreateMultiple' and "
        "primaryobjecttypecode eq 'new_book'"
    )
    assert len(supported.json()["value"]) == 1


def test_a_new_table_stands_in_every_description(dataverse: DataverseSession) -> None:
    create_table(dataverse, TITLE)
    model = parse_csdl(dataverse.get("$metadata").content)
    assert model.type_of("new_books").properties["new_title"].type == "Edm.String"
    sets = [one["name"] for one in dataverse.get("").json()["value"]]
    assert "new_books" in sets
    query = '{"Properties":{"PropertyNames":["LogicalName"]}}'
    changes = dataverse.get("RetrieveMetadataChanges(Query=@p1)", params={"@p1": query}).json()
    assert "new_book" in [table["LogicalName"] for table in changes["EntityMetadata"]]


def test_definitions_and_rows_survive_a_restart(tmp_path: Path, sign_in: SignIn) -> None:
    sets = (
        f"{BOOK}?$expand=Attributes,Keys,ManyToOneRelationships,ManyToManyRelationships",
        "RelationshipDefinitions",
        "GlobalOptionSetDefinitions",
        f"{BOOK}/Attributes/{CRM}.PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet",
    )
    with running(tmp_path) as first:
        session = sign_in(where=first)
        port = int(first["dataverse"].rpartition(":")[2])
        shared = {"@odata.type": f"{CRM}.OptionSetMetadata", "Name": "new_Genre", **GENRES}
        assert session.post("GlobalOptionSetDefinitions", json=shared).status_code == 204
        bound = {"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_genre')"}
        create_table(
            session,
            TITLE,
            attribute("Picklist", "new_Kind", OptionSet=GENRES, DefaultFormValue=1),
            attribute("Picklist", "new_Genre", **bound),
            attribute("Money", "new_Price", MaxValue=99.5),
            attribute("Decimal", "new_Rate", MinValue=0.25, IsSecured=True),
            ChangeTrackingEnabled=True,
        )
        many = {
            "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
            "SchemaName": "new_book_contact",
            "Entity1LogicalName": "new_book",
            "Entity2LogicalName": "contact",
        }
        assert session.post("RelationshipDefinitions", json=many).status_code == 204
        session.post("new_books", json={"new_name": "B-1", "new_kind": 2})
        key = create_key(session, "new_book", "new_name")
        wait_for(lambda: status(session, key) == "Active")
        later = create_key(session, "new_book", "new_title", name="new_later")
        before = [session.get(path).json() for path in sets]
    with running(tmp_path, port):
        wait_for(lambda: status(session, later) == "Active")
        after = [session.get(path).json() for path in sets]
        before[0]["Keys"][1]["EntityKeyIndexStatus"] = "Active"
        assert after == before
        row = session.get("new_books(new_name='b-1')").json()
        assert row["new_kind"] == 2
        assert session.post("new_books", json={"new_kind": 3}).status_code == 400
        assert session.post("new_books", json={"new_name": "B-1"}).status_code == 412


GENRES = {
    "@odata.type": f"{CRM}.OptionSetMetadata",
    "IsGlobal": False,
    "Options": [{"Value": 1, "Label": label("Novel")}, {"Value": 2, "Label": label("Letters")}],
}


def test_a_reset_takes_new_tables_away(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    dataverse.post(f"{definition('msdyn_loyaltycard')}/Attributes", json=TITLE)
    dataverse.switch("reset")
    assert dataverse.get(BOOK).status_code == 404
    assert dataverse.get("new_books").status_code == 404
    card = dataverse.get(f"{definition('msdyn_loyaltycard')}/Attributes(LogicalName='new_title')")
    assert card.status_code == 404
    assert dataverse.post("msdyn_loyaltycards", json={"msdyn_cardnumber": "1"}).status_code == 204


# ---------------------------------------------------------------------------- change


def test_a_definition_is_changed_by_put(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    body = dataverse.get(BOOK).json()
    assert body["ChangeTrackingEnabled"] is False
    tracked = {"Prefer": "odata.track-changes"}
    refused = dataverse.get("new_books", headers=tracked)
    assert refusal(refused) == (400, "0x80072491")
    body |= {"ChangeTrackingEnabled": True, "DisplayName": label("Volume")}
    merge = {"MSCRM.MergeLabels": "true"}
    assert dataverse.put(BOOK, json=body, headers=merge).status_code == 204
    assert dataverse.post("PublishAllXml", json={}).status_code == 204
    shown = dataverse.get(BOOK).json()
    assert shown["ChangeTrackingEnabled"] is True
    assert shown["DisplayName"]["UserLocalizedLabel"]["Label"] == "Volume"
    assert shown["DisplayCollectionName"] == body["DisplayCollectionName"]
    assert "@odata.deltaLink" in dataverse.get("new_books", headers=tracked).json()


def test_change_tracking_stays_on(dataverse: DataverseSession) -> None:
    create_table(dataverse, ChangeTrackingEnabled=True)
    answer = dataverse.put(BOOK, json={"ChangeTrackingEnabled": False})
    assert answer.status_code == 400
    assert dataverse.get(f"{BOOK}/ChangeTrackingEnabled").json()["value"] is True


def test_tracking_of_a_standard_table_can_be_switched_on(dataverse: DataverseSession) -> None:
    table = definition("businessunit")
    body = dataverse.get(table).json() | {"ChangeTrackingEnabled": True}
    assert dataverse.put(table, json=body).status_code == 204
    answer = dataverse.get("businessunits", headers={"Prefer": "odata.track-changes"})
    assert "@odata.deltaLink" in answer.json()


@pytest.mark.parametrize(
    "body", [{"SchemaName": "new_Tome"}, {"LogicalName": "new_tome"}, {"DisplayName": "Tome"}]
)
def test_what_a_put_may_not_change(dataverse: DataverseSession, body: dict[str, Any]) -> None:
    create_table(dataverse)
    assert dataverse.put(BOOK, json=body).status_code == 400


def test_definitions_are_not_patched(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    assert dataverse.patch(BOOK, json={"ChangeTrackingEnabled": True}).status_code == 405
    assert dataverse.get(f"{BOOK}/ChangeTrackingEnabled").json()["value"] is False


# ---------------------------------------------------------------------------- delete


def test_a_table_goes_with_its_rows(dataverse: DataverseSession) -> None:
    first = create_table(dataverse, ChangeTrackingEnabled=True)
    made = dataverse.post("new_books", json={"new_name": "B-1"})
    dataverse.delete(made.headers["OData-EntityId"])
    dataverse.post("new_books", json={"new_name": "B-2"})
    assert dataverse.delete(f"EntityDefinitions({first})").status_code == 204
    assert dataverse.get("new_books").status_code == 404
    assert create_table(dataverse, ChangeTrackingEnabled=True) != first
    assert dataverse.get("new_books").json()["value"] == []
    assert dataverse.get("new_books/$count?$deltatoken=1!01%2F01%2F2026%2000%3A00%3A00").ok is False


@pytest.mark.parametrize("name", ["msdyn_loyaltycard", "systemuser", "contact"])
def test_what_came_with_the_organization_stays(dataverse: DataverseSession, name: str) -> None:
    assert dataverse.delete(definition(name)).status_code == 400
    assert dataverse.get(definition(name)).status_code == 200


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SchemaName": "Book"}, "0x80040203"),
        ({"SchemaName": "other_Book"}, "0x80040203"),
        ({"SchemaName": "new_Bo ok"}, "0x80040203"),
        ({"SchemaName": None}, "0x80040203"),
        ({"SchemaName": 7}, "0x80040203"),
        ({"SchemaName": "msdyn_LoyaltyCard"}, "0x80044363"),
        ({"SchemaName": "MSDYN_loyaltycard"}, "0x80044363"),
        ({"EntitySetName": "msdyn_loyaltycards"}, "0x80044363"),
        ({"OwnershipType": "Mine"}, "0x80040203"),
        ({"IsActivity": True}, "0x80040203"),
        ({"Attributes": []}, "0x80040203"),
        ({"Attributes": {}}, "0x80040203"),
        ({"Attributes": [attribute("Integer", "new_N", IsPrimaryName=True)]}, "0x80040203"),
        ({"DisplayName": "Book"}, "0x80040203"),
        ({"ChangeTrackingEnabled": "yes"}, "0x80040203"),
    ],
)
def test_tables_that_are_refused(
    dataverse: DataverseSession, changes: dict[str, Any], code: str
) -> None:
    body = {**entity("new_Book"), **changes}
    assert refusal(dataverse.post("EntityDefinitions", json=body)) == (400, code)
    assert dataverse.get("new_books").status_code == 404


def test_a_refused_column_leaves_nothing_of_the_table(dataverse: DataverseSession) -> None:
    body = entity("new_Book", TITLE, TITLE)
    assert refusal(dataverse.post("EntityDefinitions", json=body)) == (400, "0x80047013")
    assert dataverse.get(BOOK).status_code == 404
    assert dataverse.get("new_books").status_code == 404
    create_table(dataverse, TITLE)


def test_a_failed_change_set_takes_definitions_back(dataverse: DataverseSession) -> None:
    url = f"{dataverse.api}/EntityDefinitions"
    bodies = [json.dumps(entity(name)) for name in ("new_Book", "bad")]
    parts = "".join(
        "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {number}\r\n\r\nPOST {url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        f"{body}\r\n"
        for number, body in enumerate(bodies, start=1)
    )
    batch = (
        '--batch_1\r\nContent-Type: multipart/mixed; boundary="changeset_1"\r\n\r\n'
        f"{parts}--changeset_1--\r\n--batch_1--\r\n"
    )
    answer = dataverse.post(
        "$batch",
        data=batch.encode(),
        headers={"Content-Type": 'multipart/mixed; boundary="batch_1"'},
    )
    assert answer.status_code == 400
    assert dataverse.get(BOOK).status_code == 404
    assert dataverse.get("new_books").status_code == 404


# ---------------------------------------------------------------------------- solutions


def test_a_solution_must_exist(dataverse: DataverseSession) -> None:
    header = {"MSCRM.SolutionUniqueName": "loyalty"}
    body = entity("new_Book")
    assert dataverse.post("EntityDefinitions", json=body, headers=header).status_code == 400
    (publisher,) = dataverse.get("publishers?$filter=customizationprefix eq 'new'").json()["value"]
    made = dataverse.post(
        "solutions",
        json={
            "uniquename": "loyalty",
            "friendlyname": "Loyalty",
            "version": "1.0.0.0",
            "publisherid@odata.bind": f"/publishers({publisher['publisherid']})",
        },
    )
    assert made.status_code == 204, made.text
    assert dataverse.post("EntityDefinitions", json=body, headers=header).status_code == 204


def test_a_publisher_brings_its_prefix(dataverse: DataverseSession) -> None:
    body = entity("acme_Book")
    body["Attributes"][0]["SchemaName"] = "acme_Name"
    assert dataverse.post("EntityDefinitions", json=body).status_code == 400
    publisher = {
        "uniquename": "acme",
        "friendlyname": "Acme",
        "customizationprefix": "acme",
        "customizationoptionvalueprefix": 72_700,
    }
    assert dataverse.post("publishers", json=publisher).status_code == 204
    assert dataverse.post("EntityDefinitions", json=body).status_code == 204


# ---------------------------------------------------------------------------- empty


def test_an_empty_organization_has_the_platform_alone(tmp_path: Path, sign_in: SignIn) -> None:
    with running(tmp_path, empty=True) as first:
        session = sign_in(where=first)
        names = {one["name"] for one in session.get("").json()["value"]}
        assert {"contacts", "transactioncurrencies", "solutions", "systemusers"} <= names
        assert not any(name.startswith("msdyn_") for name in names)
        body = entity("msdyn_LoyaltyCard")
        body["Attributes"][0]["SchemaName"] = "msdyn_CardNumber"
        assert session.post("EntityDefinitions", json=body).status_code == 204
        answer = session.post("msdyn_loyaltycards", json={"msdyn_cardnumber": "C-1"})
        assert answer.status_code == 204
    # What was made is kept, whether it is asked for as empty again or not.
    with running(tmp_path) as second:
        assert len(sign_in(where=second).get("msdyn_loyaltycards").json()["value"]) == 1
    with running(tmp_path, empty=True) as third:
        session = sign_in(where=third)
        session.switch("reset")
        assert session.get("msdyn_loyaltycards").status_code == 404


def test_a_folder_with_loyalty_tables_is_not_empty(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with pytest.raises(UnreachableError) as caught, running(tmp_path, empty=True):
        pass
    assert "sandbox-not-empty" in str(caught.value.cause)
