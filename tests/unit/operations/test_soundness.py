"""Keys of the live tables against the keys of a map."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from connector.bootstrap import Project
from connector.endpoints.base import Column, Entity, Key, Reference
from connector.errors import Problem
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Side, ValueType
from connector.operations.check.soundness import _lookup_keys, key_incomplete

HEAD = """
map: levels
commerce: {entity: LoyaltyLevels}
dataverse: {entity: levels}
fields:
  - {commerce: Phrase, sync: "=", dataverse: phrase, key: true}
"""
DOCUMENT = parse_document(HEAD)


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


def looked_up(row: str, keys: Sequence[Key]) -> list[Problem]:
    """What is said of the row `row` adds, whose table has these keys."""
    texts = [Column(name, ValueType.TEXT) for name in ("isocurrencycode", "name", "phrase")]
    points = {
        name: Column(name, ValueType.REFERENCE, reference=Reference(target, "id"))
        for name, target in (("currency", "transactioncurrencies"), ("owner", "owners"))
    }
    columns = {**{column.name: column for column in texts}, **points}
    commerce = {name: Column(name, ValueType.TEXT) for name in ("Phrase", "Currency", "Name")}
    text = HEAD + f"  - {{{row}}}\n"
    map = compile_map(parse_document(text), commerce, columns, lambda _entity: columns)
    tables = {
        "transactioncurrencies": SimpleNamespace(name="transactioncurrencies", keys=keys),
        "owners": SimpleNamespace(name="owners", keys=[Key("owners", ("name",))]),
    }
    endpoint = SimpleNamespace(describe=tables.__getitem__)
    project = SimpleNamespace(endpoints=lambda _document: {Side.DATAVERSE: endpoint})
    return list(_lookup_keys(cast("Project", project), map))


ONE = "commerce: Currency, sync: '=', dataverse: currency.isocurrencycode"
SEVERAL = "lookup: {isocurrencycode: Currency, owner.name: Name}, sync: '=', dataverse: currency"


@pytest.mark.parametrize(
    ("row", "keys", "codes"),
    [
        (ONE, [], ["lookup-key-missing"]),
        (ONE, [Key("k", ("isocurrencycode",))], []),
        (ONE, [Key("k", ("isocurrencycode", "name"))], ["lookup-key-missing"]),
        (ONE, [Key("k", ("isocurrencycode",), active=False)], ["lookup-key-pending"]),
        (SEVERAL, [Key("k", ("isocurrencycode",))], ["lookup-key-missing"]),
        (SEVERAL, [Key("k", ("owner", "isocurrencycode"))], []),
        (SEVERAL, [Key("k", ("owner", "isocurrencycode"), active=False)], ["lookup-key-pending"]),
    ],
)
def test_rows_are_looked_up_by_what_is_no_key_or_not_yet(
    row: str, keys: list[Key], codes: list[str]
) -> None:
    problems = looked_up(row, keys)
    assert [problem.code for problem in problems] == codes
    assert all(problem.subject.line == 7 for problem in problems)
