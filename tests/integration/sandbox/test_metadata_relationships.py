"""Relationships made at run time, and what deleting a row does to those that refer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.csdl import parse_csdl
from tests.integration.sandbox.declared import (
    CRM,
    create_table,
    definition,
    entity,
    label,
    refusal,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

BOOK = definition("new_book")
SETS = "RelationshipDefinitions"


def one_to_many(**members: Any) -> dict[str, Any]:
    """A lookup `new_AuthorId` of `new_book` that refers to contacts."""
    lookup = {
        "@odata.type": f"{CRM}.LookupAttributeMetadata",
        "SchemaName": "new_AuthorId",
        "DisplayName": label("Author"),
        "RequiredLevel": {"Value": "None"},
    }
    return {
        "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
        "SchemaName": "new_contact_book",
        "ReferencedEntity": "contact",
        "ReferencedAttribute": "contactid",
        "ReferencingEntity": "new_book",
        "CascadeConfiguration": {"Delete": "Restrict"},
        "Lookup": lookup,
        **members,
    }


def relate(dataverse: DataverseSession, **members: Any) -> str:
    """Creates table and lookup; the path of the relationship."""
    create_table(dataverse)
    answer = dataverse.post(SETS, json=one_to_many(**members))
    assert answer.status_code == 204, answer.text
    return f"{SETS}({answer.headers['OData-EntityId'][-37:-1]})"


def author(dataverse: DataverseSession) -> str:
    """Creates a contact; its address."""
    answer = dataverse.post("contacts", json={"fullname": "Jane Austen", "lastname": "Austen"})
    return str(answer.headers["OData-EntityId"])


def write(dataverse: DataverseSession, by: str) -> str:
    """Creates a book; its address."""
    body = {"new_name": "Emma", "new_AuthorId@odata.bind": by}
    answer = dataverse.post("new_books", json=body)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["OData-EntityId"])


def test_a_lookup_is_written_read_and_expanded(dataverse: DataverseSession) -> None:
    relate(dataverse)
    by = author(dataverse)
    book = write(dataverse, by)
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    row = dataverse.get(f"{book}?$expand=new_AuthorId($select=fullname)", headers=prefer).json()
    assert row["_new_authorid_value"] == by[-37:-1]
    assert row["_new_authorid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row["_new_authorid_value@OData.Community.Display.V1.FormattedValue"] == "Jane Austen"
    assert row["new_AuthorId"]["fullname"] == "Jane Austen"
    found = dataverse.get("new_books?$filter=new_AuthorId/lastname eq 'austen'").json()["value"]
    assert len(found) == 1
    wrong = dataverse.post("new_books", json={"new_authorid@odata.bind": by})
    assert refusal(wrong) == (400, "0x80048d19")
    model = parse_csdl(dataverse.get("$metadata").content)
    navigation = model.type_of("new_books").navigation["new_AuthorId"]
    assert navigation.constraints == {"_new_authorid_value": "contactid"}
    back = model.type_of("contacts").navigation["new_contact_book"]
    assert back.type == "Collection(mscrm.new_book)"


def test_the_relationship_is_found_from_every_side(dataverse: DataverseSession) -> None:
    path = relate(dataverse)
    shown = dataverse.get(path).json()
    assert shown["SchemaName"] == "new_contact_book"
    assert shown["ReferencingEntityNavigationPropertyName"] == "new_AuthorId"
    assert shown["CascadeConfiguration"]["Delete"] == "Restrict"
    by_name = dataverse.get(f"{SETS}(SchemaName='new_contact_book')").json()
    assert by_name["MetadataId"] == shown["MetadataId"]
    cast = f"{CRM}.OneToManyRelationshipMetadata"
    listed = dataverse.get(
        f"{SETS}/{cast}?$select=SchemaName,ReferencedEntity"
        "&$filter=ReferencingEntity eq 'new_book' and IsCustomRelationship eq true"
    ).json()["value"]
    assert [one["ReferencedEntity"] for one in listed] == ["contact"]
    for side in (
        f"{BOOK}/ManyToOneRelationships",
        f"{definition('contact')}/OneToManyRelationships",
    ):
        names = [one["SchemaName"] for one in dataverse.get(side).json()["value"]]
        assert "new_contact_book" in names


@pytest.mark.parametrize("behavior", ["Restrict", "RemoveLink", "Cascade", "NoCascade"])
def test_what_deleting_the_referenced_row_does(dataverse: DataverseSession, behavior: str) -> None:
    relate(dataverse, CascadeConfiguration={"Delete": behavior})
    by = author(dataverse)
    book = write(dataverse, by)
    before = dataverse.get(book).json()
    answer = dataverse.delete(by)
    after = dataverse.get(book)
    if behavior == "Restrict":
        assert refusal(answer) == (405, "0x80040227")
        assert dataverse.get(by).status_code == 200
        assert after.json() == before
        return
    assert answer.status_code == 204
    assert dataverse.get(by).status_code == 404
    if behavior == "Cascade":
        assert after.status_code == 404
        return
    assert (after.json()["_new_authorid_value"] is None) is (behavior == "RemoveLink")
    assert (after.json()["versionnumber"] > before["versionnumber"]) is (behavior == "RemoveLink")


def test_a_row_that_refers_to_itself_goes(dataverse: DataverseSession) -> None:
    relate(
        dataverse,
        ReferencedEntity="new_book",
        ReferencedAttribute="new_bookid",
        CascadeConfiguration={"Delete": "Cascade"},
    )
    first = dataverse.post("new_books", json={}).headers["OData-EntityId"]
    second = write(dataverse, first)
    assert dataverse.patch(first, json={"new_AuthorId@odata.bind": second}).status_code == 204
    assert dataverse.delete(first).status_code == 204
    assert dataverse.get("new_books").json()["value"] == []
    assert dataverse.delete(BOOK).status_code == 204


def test_lookup_and_relationship_go_together(dataverse: DataverseSession) -> None:
    path = relate(dataverse)
    assert dataverse.delete(path).status_code == 204
    lookup = f"{BOOK}/Attributes(LogicalName='new_authorid')"
    assert dataverse.get(lookup).status_code == 404
    assert dataverse.post(SETS, json=one_to_many()).status_code == 204
    assert dataverse.delete(lookup).status_code == 204
    assert dataverse.get(f"{SETS}(SchemaName='new_contact_book')").status_code == 404
    assert dataverse.delete(path).status_code == 404


def test_a_referenced_table_stays(dataverse: DataverseSession) -> None:
    reader = entity("new_Reader")
    assert dataverse.post("EntityDefinitions", json=reader).status_code == 204
    relate(dataverse, ReferencedEntity="new_reader", ReferencedAttribute="new_readerid")
    refused = dataverse.delete(definition("new_reader"))
    assert refusal(refused) == (400, "0x8004f01f")
    assert "new_contact_book" in refused.json()["error"]["message"]
    assert dataverse.delete(BOOK).status_code == 204
    assert dataverse.delete(definition("new_reader")).status_code == 204


def test_many_to_many_is_a_definition(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    body = {
        "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
        "SchemaName": "new_book_contact",
        "Entity1LogicalName": "new_book",
        "Entity2LogicalName": "contact",
        "IntersectEntityName": "new_book_contact",
    }
    made = dataverse.post(SETS, json=body)
    assert made.status_code == 204, made.text
    for table in ("new_book", "contact"):
        path = f"{definition(table)}/ManyToManyRelationships"
        (shown,) = dataverse.get(path).json()["value"]
        assert shown["IntersectEntityName"] == "new_book_contact"
    model = parse_csdl(dataverse.get("$metadata").content)
    assert (
        model.type_of("contacts").navigation["new_book_contact"].type
        == "Collection(mscrm.new_book)"
    )
    assert refusal(dataverse.post(SETS, json=body)) == (400, "0x80048418")
    assert refusal(dataverse.delete(BOOK)) == (400, "0x8004f01f")
    assert dataverse.delete(made.headers["OData-EntityId"]).status_code == 204
    assert dataverse.delete(BOOK).status_code == 204


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"SchemaName": "new contact"}, 400, "0x80040203"),
        ({"SchemaName": None}, 400, "0x80040203"),
        ({"ReferencedEntity": "nobody"}, 404, "0x80040217"),
        ({"ReferencingEntity": "New_Book"}, 404, "0x80040217"),
        ({"ReferencedAttribute": "lastname"}, 400, "0x80040203"),
        ({"CascadeConfiguration": {"Delete": "Perhaps"}}, 400, "0x80040203"),
        ({"Lookup": {"SchemaName": "AuthorId"}}, 400, "0x80040203"),
        ({"Lookup": {"SchemaName": "new_Name"}}, 400, "0x80047013"),
        ({"Lookup": None}, 400, "0x80040203"),
        ({"@odata.type": f"{CRM}.Nothing"}, 400, "0x80040203"),
    ],
)
def test_relationships_that_are_refused(
    dataverse: DataverseSession, members: dict[str, Any], status: int, code: str
) -> None:
    create_table(dataverse)
    answer = dataverse.post(SETS, json=one_to_many(**members))
    assert refusal(answer) == (status, code)


def test_a_name_of_a_relationship_is_taken_once(dataverse: DataverseSession) -> None:
    relate(dataverse)
    body = one_to_many(Lookup={"SchemaName": "new_EditorId"}, SchemaName="NEW_contact_BOOK")
    assert refusal(dataverse.post(SETS, json=body)) == (400, "0x80048418")
