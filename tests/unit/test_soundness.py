"""Keys of the live tables against the keys of a map."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from connector.bootstrap import Project
from connector.endpoints.base import Column, Entity, Key, Reference
from connector.mapping.document import parse_document
from connector.mapping.values import Side, ValueType
from connector.operations.soundness import _lookup_keys, key_incomplete

DOCUMENT = parse_document("""
map: levels
commerce: {entity: LoyaltyLevels}
dataverse: {entity: levels}
fields:
  - {commerce: Phrase, sync: "=", dataverse: phrase, key: true}
  - {commerce: Currency, sync: "=", dataverse: currency.isocurrencycode}
""")


def entity(name: str, *keys: tuple[str, ...], **columns: Column) -> Entity:
    made = tuple(Key("+".join(key), key) for key in keys)
    return cast("Entity", SimpleNamespace(name=name, keys=made, columns=columns))


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ([("dataAreaId", "Phrase")], ["key-incomplete"]),
        ([("PHRASE",)], []),
        ([("dataAreaId", "Phrase"), ("Phrase",)], []),
        ([], []),
    ],
)
def test_commerce_tells_rows_apart_by_more_than_the_map(
    keys: list[tuple[str, ...]], codes: list[str]
) -> None:
    problems = list(key_incomplete(DOCUMENT, entity("LoyaltyLevels", *keys)))
    assert [problem.code for problem in problems] == codes
    assert all("`dataAreaId`" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("keys", "codes"),
    [([], ["lookup-key-missing"]), ([("isocurrencycode",)], []),
     ([("isocurrencycode", "name")], ["lookup-key-missing"])],
)  # fmt: skip
def test_rows_are_looked_up_by_a_column_that_is_no_key(
    keys: list[tuple[str, ...]], codes: list[str]
) -> None:
    currencies = entity("transactioncurrencies", *keys)
    endpoint = SimpleNamespace(describe={"transactioncurrencies": currencies}.__getitem__)
    project = SimpleNamespace(endpoints=lambda _document: {Side.DATAVERSE: endpoint})
    lookup = Column(
        "currency", ValueType.REFERENCE, reference=Reference("transactioncurrencies", "id")
    )
    levels = entity("levels", currency=lookup, phrase=Column("phrase", ValueType.TEXT))
    problems = list(_lookup_keys(cast("Project", project), DOCUMENT, levels))
    assert [problem.code for problem in problems] == codes
    assert all(problem.subject.line == 7 for problem in problems)
