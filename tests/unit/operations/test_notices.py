"""Where notices go, and which are wanted."""

from __future__ import annotations

import pytest

from connector.endpoints.dataverse.webhooks import Hook, Registered
from connector.errors import UsageError
from connector.mapping.document import parse_document
from connector.operations.provision.notices import plan_notices, receiver

TEXT = """
map: cards
commerce: {entity: Cards}
dataverse: {entity: new_cards, inactive: {column: statecode, value: 1}}
fields:
  - {commerce: Number, sync: "=", dataverse: new_number, key: true}
  - {commerce: Owner, sync: ">", dataverse: new_owner.new_name}
  - {constant: x, sync: "<<", commerce: Source}
"""
OTHER = TEXT.replace("map: cards", "map: others").replace(
    "new_owner.new_name", "new_other.new_name"
)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://host.example", "https://host.example/webhooks/dataverse"),
        ("https://host.example/", "https://host.example/webhooks/dataverse"),
        ("https://host.example:443/hooks/7", "https://host.example:443/hooks/7"),
        ("https://localhost:8444/hooks/7", "https://localhost:8444/hooks/7"),
        ("http://127.0.0.1:8444", "http://127.0.0.1:8444/webhooks/dataverse"),
        ("off", None),
    ],
)
def test_where_they_go(address: str, url: str | None) -> None:
    assert receiver(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "http://host.example",
        "https://host.example:8444",
        "https://host.example:no",
        "ftp://localhost",
        "host.example",
        "https://",
        "on",
    ],
)
def test_where_they_cannot_go(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        receiver(address)
    assert caught.value.code == "webhook-url-invalid"


def test_nobody_is_told_of_rows_that_are_only_added() -> None:
    text = "map: a\nmode: append\ncommerce: {entity: A}\ndataverse: {entity: new_entries}\n"
    text += 'fields: [{commerce: Id, sync: ">", dataverse: new_id, key: true}]\n'
    url = "https://host.example/webhooks/dataverse"
    documents = [parse_document(text), parse_document(TEXT)]
    told = plan_notices(documents, logical, [], url, some=False)
    assert told.steps
    assert not any("entries" in str(step) or "entrie" in str(step) for step in told.steps)


def logical(set_name: str) -> str:
    return set_name.removesuffix("s")


def test_updates_are_told_of_the_columns_of_all_maps_of_a_table() -> None:
    documents = [parse_document(TEXT), parse_document(OTHER)]
    plan = plan_notices(documents, logical, [], "https://host", some=False)
    assert [str(step) for step in plan.steps] == [
        "be told of Create of new_card",
        "be told of Update of new_card",
        "be told of Delete of new_card",
    ]
    update = plan.steps[1].hook  # type: ignore[union-attr]
    assert update.columns == {"new_number", "new_owner", "new_other", "statecode"}


def test_other_tables_are_left_alone_where_only_some_maps_are_meant() -> None:
    elsewhere = Registered("s1", Hook("new_point", "Create"))
    documents = [parse_document(TEXT)]
    assert len(plan_notices(documents, logical, [elsewhere], "https://h", some=True).steps) == 3
    assert len(plan_notices(documents, logical, [elsewhere], "https://h", some=False).steps) == 4
    assert plan_notices(documents, logical, [elsewhere], None, some=True).steps == []
    assert len(plan_notices(documents, logical, [elsewhere], None, some=False).steps) == 1
