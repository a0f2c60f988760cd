"""Ids are keys, written out and read back, whatever stands in them."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.odata_v4.fields import field_of
from connector.endpoints.odata_v4.tables import Table
from connector.odata.csdl import Property
from connector.odata.paths import parse_segment


def table(*keys: tuple[str, str]) -> Table:
    fields = {name: field_of(Property(name, edm), None, key=True) for name, edm in keys}
    return Table("Cards", "Shop.Card", fields, tuple(fields.values()), versioned=True)


CARDS = table(("CardNumber", "Edm.String"))
LINES = table(("dataAreaId", "Edm.String"), ("No", "Edm.Int64"))


def test_an_id_is_the_key_in_the_order_of_the_metadata() -> None:
    assert CARDS.id_of(["55001"]) == "CardNumber='55001'"
    assert LINES.id_of(["usrt", 20]) == "dataAreaId='usrt',No=20"
    assert LINES.key_in({"no": 20, "DATAAREAID": "usrt", "Text": "x"}) == ("usrt", 20)
    assert LINES.key_in({"No": 20}) is None
    assert CARDS.ids([["a", "b'c"]]) == ["CardNumber='a'", "CardNumber='b''c'"]
    assert LINES.ids([["a", "b"], [1, 2]]) == ["dataAreaId='a',No=1", "dataAreaId='b',No=2"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back_from_an_id_and_from_a_url(text: str) -> None:
    assert CARDS.parse_id(CARDS.id_of([text])) == (text,)
    segment = parse_segment(CARDS.row_url([text]))
    assert segment.keys == {"CardNumber": text}


def test_an_id_may_be_spelled_in_other_ways() -> None:
    assert LINES.parse_id(" no = 20 , dataareaid='usrt'") == ("usrt", 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "55001",
        "'55001'",
        "CardNumber",
        "Other='1'",
        "CardNumber='1',CardNumber='2'",
        "CardNumber='1",
        "CardNumber=1",
        "CardNumber='1',Other='2'",
        "CardNumber='1',",
    ],
)
def test_a_text_that_is_no_id_finds_nothing(text: str) -> None:
    assert CARDS.parse_id(text) is None


def test_slashes_and_quotes_do_not_end_a_key_in_a_url() -> None:
    url = CARDS.row_url(["a/b?c#d'e"])
    assert "/" not in url
    assert "?" not in url
    assert unquote(url) == "Cards(CardNumber='a/b?c#d''e')"
    assert CARDS.condition(["O'Brien"]) == "CardNumber eq 'O''Brien'"
    assert LINES.condition(["usrt", 20]) == "(dataAreaId eq 'usrt' and No eq 20)"


def test_columns_are_found_in_any_case() -> None:
    field = CARDS.find("CARDNUMBER")
    assert field is not None
    assert field.name == "CardNumber"
    assert CARDS.find("Nothing") is None
