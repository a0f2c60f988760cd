"""Alternate keys made at run time: what they may hold, and the way of their index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.csdl import parse_csdl
from tests.integration.sandbox.declared import (
    CRM,
    attribute,
    create_key,
    create_table,
    definition,
    label,
    refusal,
    status,
    wait_for,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

BOOK = definition("new_book")
COLUMNS = (
    attribute("String", "new_Title", MaxLength=100),
    attribute("String", "new_Shelf", MaxLength=20),
    attribute("Integer", "new_Number"),
    attribute("Memo", "new_Text"),
    attribute("String", "new_Long", MaxLength=451),
    attribute("String", "new_Secret", MaxLength=10, IsSecured=True),
)

TRIES = 20
"""An index is built within a second, in which a busy machine may stand still."""


def add(dataverse: DataverseSession, *titles: str) -> list[str]:
    """Creates books; their ids."""
    targets = [{"@odata.type": f"{CRM}.new_book", "new_title": title} for title in titles]
    answer = dataverse.post(f"new_books/{CRM}.CreateMultiple", json={"Targets": targets})
    assert answer.status_code == 200, answer.text
    ids: list[str] = answer.json()["Ids"]
    return ids


def test_a_key_cannot_be_used_before_its_index_is_built(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)
    add(dataverse, "Emma", "Evelina")
    for _ in range(TRIES):
        key = create_key(dataverse, "new_book", "new_title")
        early = dataverse.get("new_books(new_title='Emma')")
        # As long as nothing watches over it, the same value may come twice.
        twin = dataverse.post("new_books", json={"new_title": "EMMA"})
        dataverse.delete(twin.headers.get("OData-EntityId", "new_books(new_title='none')"))
        wait_for(lambda key=key: status(dataverse, key) in ("Active", "Failed"))  # type: ignore[misc]
        if twin.status_code == 204 and status(dataverse, key) == "Active":
            break
        dataverse.delete(key)  # it was built meanwhile
    else:
        pytest.fail("it was always built at once")
    assert "is not valid for resource" in early.json()["error"]["message"]
    assert early.status_code == 400
    assert status(dataverse, key) == "Active"
    assert dataverse.get("new_books(new_title='EMMA')").json()["new_title"] == "Emma"
    taken = dataverse.post("new_books", json={"new_title": "emma "})
    assert refusal(taken) == (412, "0x80060892")
    model = parse_csdl(dataverse.get("$metadata").content)
    assert model.type_of("new_books").alternate_keys == (("new_title",),)
    upserted = dataverse.patch("new_books(new_title='Camilla')", json={"new_shelf": "B"})
    assert upserted.status_code == 204
    assert len(dataverse.get("new_books?$filter=new_title eq 'camilla'").json()["value"]) == 1


def test_the_index_goes_by_pending_and_in_progress(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)

    def seen() -> list[str]:
        key = create_key(dataverse, "new_book", "new_title")
        states = [status(dataverse, key)]
        while states[-1] != "Active":
            states.append(status(dataverse, key))
        assert dataverse.delete(key).status_code == 204
        return list(dict.fromkeys(states))

    assert any(seen() == ["Pending", "InProgress", "Active"] for _ in range(TRIES))


def test_rows_that_contradict_it_make_a_key_fail(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)
    first, _ = add(dataverse, "Emma", "emma")
    key = create_key(dataverse, "new_book", "new_title")
    wait_for(lambda: status(dataverse, key) == "Failed")
    assert dataverse.get("new_books(new_title='Emma')").status_code == 400
    add(dataverse, "EMMA")
    again = {"EntityLogicalName": "new_book", "EntityKeyLogicalName": "new_key"}
    for row in dataverse.get("new_books?$select=new_title").json()["value"]:
        if row["new_bookid"] != first:
            dataverse.delete(f"new_books({row['new_bookid']})")
    assert dataverse.post("ReactivateEntityKey", json=again).status_code == 204
    wait_for(lambda: status(dataverse, key) == "Active")
    assert dataverse.get("new_books(new_title='emma')").json()["new_bookid"] == first
    assert dataverse.post("ReactivateEntityKey", json=again).status_code == 404


def test_keys_over_several_columns(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)
    key = create_key(dataverse, "new_book", "new_shelf", "new_number")
    wait_for(lambda: status(dataverse, key) == "Active")
    row = {"new_shelf": "A", "new_number": 1}
    assert dataverse.post("new_books", json=row).status_code == 204
    assert dataverse.post("new_books", json={**row, "new_number": 2}).status_code == 204
    assert dataverse.post("new_books", json={**row, "new_shelf": "a"}).status_code == 412
    # Rows without a value are not constrained.
    for _ in range(2):
        assert dataverse.post("new_books", json={"new_shelf": "A"}).status_code == 204
    found = dataverse.get("new_books(new_number=2,new_shelf='A')")
    assert found.json()["new_number"] == 2


def test_a_key_with_a_lookup(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)
    lookup = {
        "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
        "SchemaName": "new_contact_book",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "new_book",
        "Lookup": {"SchemaName": "new_AuthorId", "DisplayName": label("Author")},
    }
    assert dataverse.post("RelationshipDefinitions", json=lookup).status_code == 204
    key = create_key(dataverse, "new_book", "new_authorid", "new_number")
    wait_for(lambda: status(dataverse, key) == "Active")
    by = dataverse.post("contacts", json={"lastname": "Austen"}).headers["OData-EntityId"]
    row = {"new_AuthorId@odata.bind": by, "new_number": 1}
    assert dataverse.post("new_books", json=row).status_code == 204
    assert dataverse.post("new_books", json=row).status_code == 412
    path = f"new_books(_new_authorid_value={by[-37:-1]},new_number=1)"
    assert dataverse.patch(path, json={"new_title": "Emma"}).status_code == 204
    assert dataverse.get(path).json()["new_title"] == "Emma"


def test_a_key_goes_and_comes_back(dataverse: DataverseSession) -> None:
    create_table(dataverse, *COLUMNS)
    both = create_key(dataverse, "new_book", "new_title", "new_shelf", name="new_both")
    one = create_key(dataverse, "new_book", "new_title", name="new_one")
    wait_for(lambda: status(dataverse, one) == status(dataverse, both) == "Active")
    add(dataverse, "Emma")
    assert dataverse.delete(one).status_code == 204
    add(dataverse, "EMMA")
    assert dataverse.get("new_books(new_title='Emma')").status_code == 400
    assert len(dataverse.get("new_books?$filter=new_title eq 'emma'").json()["value"]) == 2
    assert dataverse.delete(both).status_code == 204
    assert dataverse.get(f"{BOOK}/Keys").json()["value"] == []
    assert len(dataverse.get("new_books?$filter=new_title eq 'emma'").json()["value"]) == 2
    assert dataverse.delete(both).status_code == 404


def test_the_key_of_a_standard_table_can_go(dataverse: DataverseSession) -> None:
    keys = f"{definition('msdyn_loyaltycard')}/Keys"
    assert dataverse.delete(f"{keys}(LogicalName='msdyn_cardnumberkey')").status_code == 204
    for _ in range(2):
        answer = dataverse.post("msdyn_loyaltycards", json={"msdyn_cardnumber": "C-1"})
        assert answer.status_code == 204
    assert dataverse.get("msdyn_loyaltycards(msdyn_cardnumber='C-1')").status_code == 400
    body = {"SchemaName": "msdyn_cardnumberkey", "KeyAttributes": ["msdyn_cardnumber"]}
    assert dataverse.post(keys, json=body).status_code == 204
    path = f"{keys}(LogicalName='msdyn_cardnumberkey')"
    wait_for(lambda: status(dataverse, path) == "Failed")


@pytest.mark.parametrize(
    ("name", "columns", "code"),
    [
        ("new_other", ["new_title"], "0x80040203"),
        ("NEW_key", ["new_shelf"], "0x80060893"),
        ("other", ["new_shelf"], "0x80040203"),
        ("new_other", [], "0x80040203"),
        ("new_other", "new_shelf", "0x80040203"),
        ("new_other", ["new_shelf", "new_shelf"], "0x80040203"),
        ("new_other", ["new_text"], "0x80040203"),
        ("new_other", ["new_long"], "0x80040203"),
        ("new_other", ["new_secret"], "0x80040203"),
        ("new_other", ["createdby", "new_long"], "0x80040203"),
    ],
)
def test_keys_that_are_refused(
    dataverse: DataverseSession, name: str, columns: Any, code: str
) -> None:
    create_table(dataverse, *COLUMNS)
    create_key(dataverse, "new_book", "new_title")
    body = {"SchemaName": name, "KeyAttributes": columns, "DisplayName": label("key")}
    assert refusal(dataverse.post(f"{BOOK}/Keys", json=body)) == (400, code)
    assert len(dataverse.get(f"{BOOK}/Keys").json()["value"]) == 1


def test_a_key_over_an_unknown_column(dataverse: DataverseSession) -> None:
    create_table(dataverse)
    body = {"SchemaName": "new_key", "KeyAttributes": ["new_Name"]}
    # Logical names, in lower case.
    assert refusal(dataverse.post(f"{BOOK}/Keys", json=body)) == (404, "0x80040217")


def test_a_table_has_ten_keys(dataverse: DataverseSession) -> None:
    numbers = [attribute("Integer", f"new_N{place}") for place in range(11)]
    create_table(dataverse, *numbers)
    for place in range(10):
        create_key(dataverse, "new_book", f"new_n{place}", name=f"new_key{place}")
    body = {"SchemaName": "new_key10", "KeyAttributes": ["new_n10"]}
    assert dataverse.post(f"{BOOK}/Keys", json=body).status_code == 400
