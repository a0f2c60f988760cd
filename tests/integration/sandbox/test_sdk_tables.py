"""The official Python SDK, unchanged, through everything it does to tables."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.labels import Label, LocalizedLabel
from PowerPlatform.Dataverse.models.relationship import (
    CascadeConfiguration,
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
)
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from tests.integration.sandbox.declared import wait_for

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

BOOK = "new_Book"


class Genre(IntEnum):
    NOVEL = 1
    LETTERS = 2


EVERY_TYPE = {
    "new_Title": "string",
    "new_Text": "memo",
    "new_Pages": "int",
    "new_Price": "decimal",
    "new_Weight": "float",
    "new_Printed": "datetime",
    "new_Lent": "bool",
    "new_Genre": Genre,
    "new_Scan": "file",
    "new_Rating": {"type": "int", "min_value": 1, "max_value": 5, "display_name": "Stars"},
}


@pytest.fixture
def client(
    sandbox: dict[str, Any], dataverse: DataverseSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DataverseClient]:
    """The official client in an organization as it began."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox["ca"])
    with (
        ClientSecretCredential(
            sandbox["tenant"],
            sandbox["client_id"],
            sandbox["client_secret"],
            authority=sandbox["dataverse"],
            disable_instance_discovery=True,
        ) as credential,
        DataverseClient(sandbox["dataverse"], credential) as opened,
    ):
        yield opened
    dataverse.switch("reset")


def test_a_table_from_its_creation_to_its_end(client: DataverseClient) -> None:
    made = client.tables.create(BOOK, EVERY_TYPE, solution="Default", display_name="Book")
    assert made.logical_name == "new_book"
    assert made.entity_set_name == "new_books"
    assert made["primary_name_attribute"] == "new_name"
    assert made.columns_created == [*EVERY_TYPE]
    found = client.tables.get(BOOK)
    assert found is not None
    assert found.metadata_id == made.metadata_id
    listed = client.tables.list(filter="startswith(SchemaName, 'new_')", select=["SchemaName"])
    assert [table["SchemaName"] for table in listed] == [BOOK]
    with pytest.raises(MetadataError):
        client.tables.create(BOOK, {})
    client.tables.delete(BOOK)
    assert client.tables.get(BOOK) is None
    with pytest.raises(MetadataError):
        client.tables.delete(BOOK)


def test_rows_in_every_type_of_column(client: DataverseClient) -> None:
    client.tables.create(BOOK, EVERY_TYPE)
    row = {
        "new_Name": "B-1",
        "new_Title": "Emma",
        "new_Text": "Emma Woodhouse, handsome, clever, and rich\n" * 20,
        "new_Pages": 474,
        "new_Price": 12.25,
        "new_Weight": 0.125,
        "new_Printed": "1815-12-23",
        "new_Lent": True,
        "new_Genre": "NOVEL",
        "new_Rating": 5,
    }
    record = client.records.create(BOOK, row)
    read = client.records.retrieve(BOOK, record, select=[name.lower() for name in row])
    assert read is not None
    for name in ("new_Title", "new_Text", "new_Pages", "new_Price", "new_Weight", "new_Lent"):
        assert read[name.lower()] == row[name]
    assert read["new_genre"] == Genre.NOVEL
    assert read["new_printed"] == "1815-12-23T00:00:00Z"
    with pytest.raises(HttpError) as caught:
        client.records.update(BOOK, record, {"new_Rating": 6})
    assert caught.value.status_code == 400


def test_columns_come_change_and_go(client: DataverseClient) -> None:
    client.tables.create(BOOK, {"new_Title": "string"})
    record = client.records.create(BOOK, {"new_Title": "Emma"})
    assert client.tables.add_columns(BOOK, {"new_Pages": "int", "new_Genre": Genre}) == [
        "new_Pages",
        "new_Genre",
    ]
    client.records.update(BOOK, record, {"new_Pages": 474, "new_Genre": 2})
    columns = {one["LogicalName"]: one for one in client.tables.list_columns(BOOK, typed=True)}
    assert columns["new_title"]["MaxLength"] == 200
    client.tables.update_column(BOOK, "new_Title", {"max_length": 10, "display_name": "Name"})
    title = client.tables.get_column(BOOK, "new_Title", typed=True)
    assert title is not None
    assert title["MaxLength"] == 10
    with pytest.raises(HttpError):
        client.records.update(BOOK, record, {"new_Title": "Sense and Sensibility"})
    client.tables.update_columns(BOOK, {"new_Pages": {"min_value": 1, "max_value": 9}})
    with pytest.raises(HttpError):
        client.records.update(BOOK, record, {"new_Pages": 10})
    assert client.tables.remove_columns(BOOK, ["new_Pages", "new_Genre"]) == [
        "new_Pages",
        "new_Genre",
    ]
    assert client.tables.get_column(BOOK, "new_Pages") is None
    assert {one["LogicalName"] for one in client.tables.list_columns(BOOK)} >= {"new_title"}
    read = client.records.retrieve(BOOK, record, select=["new_title"])
    assert read is not None
    assert read["new_title"] == "Emma"
    with pytest.raises(MetadataError):
        client.tables.remove_columns(BOOK, "new_Pages")


def test_an_alternate_key_from_pending_to_its_end(client: DataverseClient) -> None:
    client.tables.create(BOOK, {"new_Title": "string", "new_Shelf": "string"})
    made = client.tables.create_alternate_key(
        BOOK, "new_title_key", ["new_title"], display_name="Title"
    )
    assert made.status == "Pending"

    def states() -> list[str]:
        return [key.status for key in client.tables.get_alternate_keys(BOOK)]

    assert states() in (["Pending"], ["InProgress"])
    wait_for(lambda: states() == ["Active"])
    client.records.upsert(
        BOOK, [UpsertItem(alternate_key={"new_title": "Emma"}, record={"new_shelf": "A"})]
    )
    client.records.upsert(
        BOOK,
        [
            UpsertItem(alternate_key={"new_title": "EMMA"}, record={"new_shelf": "B"}),
            UpsertItem(alternate_key={"new_title": "Evelina"}, record={"new_shelf": "C"}),
        ],
    )
    rows = client.records.list(BOOK, select=["new_title", "new_shelf"])
    assert {(row["new_title"], row["new_shelf"]) for row in rows} == {
        ("Emma", "B"),
        ("Evelina", "C"),
    }
    client.tables.delete_alternate_key(BOOK, made.metadata_id)
    assert states() == []
    client.records.create(BOOK, {"new_Title": "Emma"})


def test_a_lookup_and_its_relationship(client: DataverseClient) -> None:
    client.tables.create(BOOK, {})
    made = client.tables.create_lookup_field(BOOK, "new_AuthorId", "contact", display_name="Author")
    assert made.relationship_id is not None
    author = client.records.create("contact", {"firstname": "Jane", "lastname": "Austen"})
    book = client.records.create(
        BOOK, {"new_Name": "Emma", "new_AuthorId@odata.bind": f"/contacts({author})"}
    )
    read = client.records.retrieve(BOOK, book, select=["_new_authorid_value"])
    assert read is not None
    assert read["_new_authorid_value"] == author
    found = client.tables.get_relationship("contact_new_book_new_AuthorId")
    assert found is not None
    assert found.relationship_id == made.relationship_id
    assert (found.referenced_entity, found.referencing_entity) == ("contact", "new_book")
    # A removed link is what the client asks for when the referenced row goes.
    client.records.delete("contact", author)
    read = client.records.retrieve(BOOK, book, select=["_new_authorid_value"])
    assert read is not None
    assert read["_new_authorid_value"] is None
    client.tables.delete_relationship(made.relationship_id)
    assert client.tables.get_relationship("contact_new_book_new_AuthorId") is None
    assert client.tables.get_column(BOOK, "new_AuthorId") is None


def test_relationships_of_both_types_are_listed(client: DataverseClient) -> None:
    client.tables.create(BOOK, {})
    client.tables.create("new_Reader", {})
    label = Label([LocalizedLabel("Lender", 1033)])
    client.tables.create_one_to_many_relationship(
        LookupAttributeMetadata("new_LenderId", label),
        OneToManyRelationshipMetadata(
            "new_Reader_Book",
            "new_reader",
            "new_book",
            "new_readerid",
            CascadeConfiguration(delete="Cascade"),
        ),
    )
    many = client.tables.create_many_to_many_relationship(
        ManyToManyRelationshipMetadata("new_book_reader", "new_book", "new_reader")
    )
    names = {one["SchemaName"] for one in client.tables.list_table_relationships(BOOK)}
    assert {"new_Reader_Book", "new_book_reader"} <= names
    found = client.tables.get_relationship("new_book_reader")
    assert found is not None
    assert found.relationship_type == "many_to_many"
    kind = "Microsoft.Dynamics.CRM.RelationshipType'ManyToManyRelationship'"
    listed = client.tables.list_relationships(filter=f"RelationshipType eq {kind}")
    assert [one["SchemaName"] for one in listed] == ["new_book_reader"]
    everything = client.tables.list_relationships(select=["SchemaName"])
    assert {"new_Reader_Book", "new_book_reader"} <= {one["SchemaName"] for one in everything}
    reader = client.records.create("new_Reader", {"new_name": "R"})
    client.records.create(BOOK, {"new_LenderId@odata.bind": f"/new_readers({reader})"})
    client.records.delete("new_Reader", reader)
    assert list(client.records.list(BOOK, select=["new_name"])) == []
    assert many.relationship_id is not None
    client.tables.delete_relationship(many.relationship_id)
    assert client.tables.get_relationship("new_book_reader") is None


def test_definitions_in_a_batch(client: DataverseClient) -> None:
    batch = client.batch.new()
    batch.tables.create(BOOK, {"new_Title": "string"})
    batch.tables.get(BOOK)
    batch.tables.list(filter="SchemaName eq 'new_Book'")
    result = batch.execute()
    assert [response.status_code for response in result.responses] == [204, 200, 200]
    batch = client.batch.new()
    batch.tables.add_columns(BOOK, {"new_Pages": "int"})
    batch.tables.remove_columns(BOOK, "new_Title")
    assert not batch.execute().failed
    names = {one["LogicalName"] for one in client.tables.list_columns(BOOK)}
    assert "new_pages" in names
    assert "new_title" not in names
    batch = client.batch.new()
    batch.tables.delete(BOOK)
    assert not batch.execute().failed
    assert client.tables.get(BOOK) is None


def test_a_name_without_prefix_is_refused(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.tables.create("Book", {})
    assert caught.value.status_code == 400
    assert "customization prefix" in str(caught.value)
