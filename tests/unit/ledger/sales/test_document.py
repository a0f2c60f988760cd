"""A sale as JSON, and what is told of one that is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.errors import UsageError
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.sales.document import parse_sale

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SMALL: dict[str, Any] = {"number": "1", "card": "A", "currency": "EUR"}
LINE: dict[str, Any] = {"product": "tea", "amount": "9.99"}


def parse(text: str) -> Sale:
    return parse_sale(text, UTC, lambda _: NOW, "sale.json")


def test_everything_a_sale_can_say() -> None:
    line = LINE | {"quantity": 0.3, "categories": ["food"], "offer": "spring", "variant": "red"}
    line |= {"language": "en", "points": 5, "fields": {"shelf": "3"}}
    form = SMALL | {"at": "2026-01-01T10:00+02:00", "channel": "web", "unit": "001"}
    form |= {"payments": {"card": 9.99}, "fields": {"shop": "a"}, "lines": [line]}
    item = Item("tea", Decimal("0.3"), Decimal("9.99"), ("food",), "spring")
    expected = Item(
        *(item.product, item.quantity, item.amount, item.categories, item.offer),
        *("red", "en", Decimal(5), {"shelf": "3"}),
    )
    sale = parse(json.dumps(form))
    assert sale.lines == (expected,)
    assert sale.at == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert (sale.channel, sale.unit, sale.payments) == ("web", "001", {"card": Decimal("9.99")})


def test_what_is_left_out_is_usual() -> None:
    sale = parse(json.dumps(SMALL | {"lines": [LINE]}))
    assert (sale.at, sale.lines) == (NOW, (Item("tea", Decimal(1), Decimal("9.99")),))


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ([], None),
        ({}, "number"),
        (SMALL, "lines"),
        (SMALL | {"lines": [], "total": 1}, "total"),
        (SMALL | {"lines": [LINE | {"amount": True}]}, "lines[0].amount"),
        (SMALL | {"lines": [LINE | {"quantity": "many"}]}, "lines[0].quantity"),
        (SMALL | {"lines": [{"amount": 1}]}, "lines[0].product"),
        (SMALL | {"lines": [LINE | {"colour": "red"}]}, "lines[0].colour"),
        (SMALL | {"lines": [LINE], "at": "soon"}, "at"),
        (SMALL | {"lines": [LINE], "payments": [1]}, "payments"),
        (SMALL | {"lines": [LINE], "fields": {"a": None}}, "fields.a"),
    ],
)
def test_a_file_that_is_no_sale_is_told_where(form: object, place: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(json.dumps(form))
    assert (caught.value.code, caught.value.subject.field) == ("sale-file", place)


@pytest.mark.parametrize("text", ["", "{", '{"number": NaN}'])
def test_what_is_no_json_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="sale-file"):
        parse(text)
