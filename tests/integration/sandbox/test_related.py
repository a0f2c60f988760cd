"""Rows related to a row: read, counted, tied and untied over both kinds of relationship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.declared import CRM, create_table, definition, label, refusal

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

SETS = "RelationshipDefinitions"
LOOKUP, MANY = "new_contact_book", "new_book_reader"


@pytest.fixture
def author(dataverse: DataverseSession) -> str:
    """A contact; books have a lookup to contacts, and many contacts as readers."""
    create_table(dataverse)
    one = {
        "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
        "SchemaName": LOOKUP,
        "ReferencedEntity": "contact",
        "ReferencingEntity": "new_book",
        "Lookup": {"SchemaName": "new_AuthorId", "DisplayName": label("Author")},
    }
    many = {
        "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
        "SchemaName": MANY,
        "Entity1LogicalName": "new_book",
        "Entity2LogicalName": "contact",
        "IntersectEntityName": "new_Book_Reader",
    }
    for body in (one, many):
        assert dataverse.post(SETS, json=body).status_code == 204
    return contact(dataverse, "Austen")


def contact(dataverse: DataverseSession, name: str) -> str:
    """Creates a contact; its address."""
    return str(dataverse.post("contacts", json={"lastname": name}).headers["OData-EntityId"])


def book(dataverse: DataverseSession, name: str) -> str:
    """Creates a book; its address."""
    return str(dataverse.post("new_books", json={"new_name": name}).headers["OData-EntityId"])


def names(dataverse: DataverseSession, url: str, column: str = "new_name") -> list[str]:
    """One column of the rows at `url`."""
    answer = dataverse.get(url)
    assert answer.status_code == 200, answer.text
    return [row[column] for row in answer.json()["value"]]


@pytest.mark.parametrize("relationship", [LOOKUP, MANY])
def test_rows_are_tied_read_and_untied(
    dataverse: DataverseSession, author: str, relationship: str
) -> None:
    path = f"{author}/{relationship}"
    assert names(dataverse, path) == []
    emma, evelina = book(dataverse, "Emma"), book(dataverse, "Evelina")
    for one in (emma, evelina):
        tied = dataverse.post(f"{path}/$ref", json={"@odata.id": one})
        assert tied.status_code == 204, tied.text
    assert names(dataverse, f"{path}?$orderby=new_name desc") == ["Evelina", "Emma"]
    assert names(dataverse, f"{path}?$select=new_name&$filter=contains(new_name,'mma')") == ["Emma"]
    assert dataverse.get(f"{path}/$count").content == b"\xef\xbb\xbf2"
    listed = {row["@odata.id"] for row in dataverse.get(f"{path}/$ref").json()["value"]}
    assert listed == {emma, evelina}
    assert dataverse.delete(f"{path}({emma[-37:-1]})/$ref").status_code == 204
    assert names(dataverse, path) == ["Evelina"]
    assert dataverse.delete(f"{path}/$ref?$id={evelina}").status_code == 204
    assert names(dataverse, path) == []
    # What is not tied needs no untying.
    assert dataverse.delete(f"{path}({emma[-37:-1]})/$ref").status_code == 204


def test_the_other_end_of_many_to_many(dataverse: DataverseSession, author: str) -> None:
    emma = book(dataverse, "Emma")
    tie = {"@odata.id": author}
    assert dataverse.post(f"{emma}/{MANY}/$ref", json=tie).status_code == 204
    assert names(dataverse, f"{emma}/{MANY}", "lastname") == ["Austen"]
    assert refusal(dataverse.post(f"{emma}/{MANY}/$ref", json=tie))[0] == 412
    # The pairs are rows of a table of their own, read only.
    (pair,) = dataverse.get("new_book_readerset").json()["value"]
    assert (pair["new_bookid"], pair["contactid"]) == (emma[-37:-1], author[-37:-1])
    assert dataverse.delete(f"new_book_readerset({pair['new_book_readerid']})").status_code == 405
    shown = dataverse.get(definition("new_book_reader")).json()
    assert shown["IsIntersect"] is True
    assert dataverse.delete(definition("new_book_reader")).status_code == 400


def test_pairs_go_with_either_end_and_with_the_relationship(
    dataverse: DataverseSession, author: str
) -> None:
    books = [book(dataverse, name) for name in ("Emma", "Evelina")]
    for one in books:
        dataverse.post(f"{one}/{MANY}/$ref", json={"@odata.id": author})
    assert dataverse.delete(books[0]).status_code == 204
    assert len(dataverse.get("new_book_readerset").json()["value"]) == 1
    assert dataverse.delete(author).status_code == 204
    assert dataverse.get("new_book_readerset").json()["value"] == []
    path = f"{SETS}(SchemaName='{MANY}')"
    identity = dataverse.get(path).json()["MetadataId"]
    assert dataverse.delete(f"{SETS}({identity})").status_code == 204
    assert dataverse.get("new_book_readerset").status_code == 404
    assert dataverse.get(f"{books[1]}/{MANY}").status_code == 404


def test_a_table_with_itself(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    body = {
        "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
        "SchemaName": "new_book_sequel",
        "Entity1LogicalName": "new_book",
        "Entity2LogicalName": "new_book",
    }
    assert dataverse.post(SETS, json=body).status_code == 204
    first, second = book(dataverse, "Emma"), book(dataverse, "Emma again")
    tied = dataverse.post(f"{first}/new_book_sequel/$ref", json={"@odata.id": second})
    assert tied.status_code == 204, tied.text
    assert names(dataverse, f"{first}/new_book_sequel") == ["Emma again"]
    assert names(dataverse, f"{second}/new_book_sequel") == []


def test_related_rows_come_in_pages(dataverse: DataverseSession, author: str) -> None:
    for number in range(5):
        dataverse.post(
            "new_books", json={"new_name": f"B-{number}", "new_AuthorId@odata.bind": author}
        )
    seen: list[str] = []
    url: str | None = f"{author}/{LOOKUP}?$select=new_name"
    while url is not None:
        page = dataverse.get(url, headers={"Prefer": "odata.maxpagesize=2"}).json()
        seen += [row["new_name"] for row in page["value"]]
        url = page.get("@odata.nextLink")
    assert sorted(seen) == [f"B-{number}" for number in range(5)]


def test_standard_relationships_too(dataverse: DataverseSession) -> None:
    (currency,) = dataverse.get("transactioncurrencies?$filter=isocurrencycode eq 'EUR'").json()[
        "value"
    ]
    place = f"transactioncurrencies({currency['transactioncurrencyid']})"
    point = {
        "msdyn_rewardpointid": "P-1",
        "msdyn_RewardPointCurrency@odata.bind": f"/{place}",
    }
    assert dataverse.post("msdyn_loyaltyrewardpoints", json=point).status_code == 204
    way = "transactioncurrency_msdyn_loyaltyrewardpoint_msdyn_rewardpointcurrency"
    assert names(dataverse, f"{place}/{way}", "msdyn_rewardpointid") == ["P-1"]


@pytest.mark.parametrize(
    ("method", "tail", "body", "status"),
    [
        ("POST", "", {}, 405),
        ("PUT", "/$ref", {}, 405),
        ("POST", "/$ref", {}, 400),
        ("POST", "/$ref", {"@odata.id": "contacts(1)"}, 400),
        ("GET", "/$value", None, 404),
        ("GET", "/$ref/more", None, 404),
        (
            "POST",
            "/$ref",
            {"@odata.id": "new_books(00000000-0000-0000-0000-000000000001)"},
            404,
        ),
    ],
)
def test_what_cannot_be_done(
    dataverse: DataverseSession, author: str, method: str, tail: str, body: Any, status: int
) -> None:
    for relationship in (LOOKUP, MANY):
        answer = dataverse.request(method, f"{author}/{relationship}{tail}", json=body)
        assert answer.status_code == status, answer.text


def test_many_to_many_in_expands_and_filters(dataverse: DataverseSession, author: str) -> None:
    for name in ("Emma", "Persuasion"):
        tied = dataverse.post(f"{book(dataverse, name)}/{MANY}/$ref", json={"@odata.id": author})
        assert tied.status_code == 204
    book(dataverse, "Ulysses")
    readers = f"{MANY}($select=lastname)"
    rows = dataverse.get(f"new_books?$orderby=new_name&$expand={readers}").json()["value"]
    assert [[one["lastname"] for one in row[MANY]] for row in rows] == [["Austen"], ["Austen"], []]
    (row,) = dataverse.get(f"contacts?$expand={MANY}($top=1;$orderby=new_name desc)").json()[
        "value"
    ]
    assert [one["new_name"] for one in row[MANY]] == ["Persuasion"]
    where = f"$filter={MANY}/any(r:r/lastname eq 'austen')&$orderby=new_name"
    assert names(dataverse, f"new_books?{where}") == ["Emma", "Persuasion"]
    assert names(dataverse, f"new_books?$filter=not {MANY}/any()") == ["Ulysses"]
