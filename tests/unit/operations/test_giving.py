"""What a person types for `--value` becomes the value of one group, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import pytest

from connector.endpoints.base import Column, Found, Row
from connector.errors import UsageError
from connector.mapping.columns import Reference
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Side, ValueType
from connector.operations.conflicts.giving import given_values

C, D = Side.COMMERCE, Side.DATAVERSE
TEXT = """
map: kinds
commerce: {entity: Kinds}
dataverse: {entity: kinds}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Kind, sync: "><", dataverse: kind, values: {Amount: 1, Quantity: 2}, together: kind}
  - {commerce: Currency, sync: "=", dataverse: currency.code, together: kind}
  - {commerce: Name, sync: "=", dataverse: name}
  - {commerce: Price, sync: "=", dataverse: price}
  - {join: {columns: [First, Last], by: "-"}, sync: "><", dataverse: full}
  - {lookup: {code: Code, region: Region}, sync: "=", dataverse: place}
"""


def columns(side: Side) -> dict[str, Column]:
    """The table of one side."""
    if side is C:
        found = [Column(name, ValueType.TEXT, max_length=5) for name in ("Number", "Name")]
        found += [Column(n, ValueType.TEXT) for n in ("Currency", "First", "Code", "Region")]
        found.append(Column("Last", ValueType.TEXT, max_length=4))
        found.append(Column("Kind", ValueType.CHOICE, choices={"Amount": "", "Quantity": ""}))
        found.append(Column("Price", ValueType.DECIMAL, scale=2))
    else:
        found = [Column(name, ValueType.TEXT, max_length=3) for name in ("number", "name")]
        reference = Reference("currencies", "id")
        found.append(Column("currency", ValueType.REFERENCE, reference=reference))
        found.append(Column("place", ValueType.REFERENCE, reference=reference))
        found.append(Column("full", ValueType.TEXT))
        found.append(Column("kind", ValueType.CHOICE, choices={1: "", 2: ""}))
        found.append(Column("price", ValueType.DECIMAL, scale=1))
    return {column.name: column for column in found}


def compiled() -> CompiledMap:
    """The map against both tables."""
    code = {name: Column(name, ValueType.TEXT) for name in ("code", "region")}
    return compile_map(parse_document(TEXT), columns(C), columns(D), lambda _entity: code)


class Currencies:
    """The one currency there is, and the one place."""

    def read(self, _entity: str, columns: Sequence[str], *, by: str | None, values: Any) -> Found:
        wanted, image = "EUR" if by else "e1", ("EUR", "west")[: len(columns)]
        return Found({value: [Row("e1", "1", image)] for value in values if value == wanted})


def given(*words: str) -> tuple[str, Side, dict[str, Any]]:
    """What the words give."""
    endpoints = cast(Any, {C: Currencies(), D: Currencies()})
    result = given_values(words, compiled(), endpoints)
    return result.group, result.side, dict(result.values)


@pytest.mark.parametrize(
    ("words", "group", "side", "values"),
    [
        (["Name=ab"], "Name", C, {"Name": "ab"}),
        (["NAME=ab"], "Name", C, {"Name": "ab"}),
        (["name=ab"], "Name", D, {"name": "ab"}),
        (["Name=a=b"], "Name", C, {"Name": "a=b"}),
        (["Name="], "Name", C, {"Name": None}),
        (["price=1.25"], "Price", D, {"price": Decimal("1.2")}),
        (["kind=1", "currency=e1"], "kind", D, {"kind": 1, "currency": "e1"}),
        (["kind=1", "Currency=EUR"], "kind", C, {"Kind": "Amount", "Currency": "EUR"}),
        (["First=Ada", "Last=King"], "full", C, {"First": "Ada", "Last": "King"}),
        (["First=Ada", "Last="], "full", C, {"First": "Ada", "Last": None}),
        (["full=Ada-King"], "full", D, {"full": "Ada-King"}),
        (["Code=EUR", "Region=West"], "place", C, {"Code": "EUR", "Region": "West"}),
        (["place=e1"], "place", D, {"place": "e1"}),
        (["Kind=amount", "currency.code=EUR"], "kind", C, {"Kind": "Amount", "Currency": "EUR"}),
    ],
)
def test_a_value_is_read_by_its_column(
    words: list[str], group: str, side: Side, values: dict[str, Any]
) -> None:
    assert given(*words) == (group, side, values)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["Name"], "value-word"),
        (["Nam=x"], "column-unknown"),
        (["Kind=Amount"], "value-incomplete"),
        (["Kind=Amount", "Currency=EUR", "Name=x"], "value-incomplete"),
        (["Kind=Other", "Currency=EUR"], "choice-missing"),
        (["Kind=Amount", "Currency=USD"], "reference-unknown"),
        (["Kind=Amount", "currency=e2"], "reference-unknown"),
        (["Name=abcd"], "text-too-long"),
        (["Name=abcdef"], "text-too-long"),
        (["Price=much"], "value-wrong-type"),
        (["First=Ada"], "value-incomplete"),
        (["First=Ada", "Last=King", "full=Ada-King"], "value-incomplete"),
        (["First=A-da", "Last=King"], "join-ambiguous"),
        (["full=A-d-a"], "join-ambiguous"),
        (["full=Ada-Lovelace"], "text-too-long"),
        (["Code=EUR", "Region=east"], "reference-unknown"),
        (["place=e2"], "reference-unknown"),
    ],
)
def test_what_cannot_stand_on_both_sides_is_refused(words: list[str], code: str) -> None:
    with pytest.raises(UsageError) as refused:
        given(*words)
    assert refused.value.code == code
    assert refused.value.remedy
