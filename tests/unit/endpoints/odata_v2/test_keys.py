"""Ids of rows: keys of every kind written out, read back, and put into addresses."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.base import Applied, Create, Delete
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.odata_v2.keys import address, id_of, is_behind, parse_id
from connector.endpoints.odata_v2.metadata import Tables
from tests.integration.odata_v2.loyalty import loyalty_service
from tests.integration.odata_v2.service import Service

TABLES = Tables(loyalty_service()._document, lambda _: True, side="commerce")
CARDS, KINDS = TABLES.get("Cards"), TABLES.get("PointKinds")
ODD = ["O'Brien", "a/b", "a,b=c", "50%2F", "x&y?#", "(1)", "日本語", "''", "a+b c", "A='1',B=2"]


@pytest.mark.parametrize("number", ODD)
def test_an_id_is_the_key_written_out(number: str) -> None:
    id = id_of(CARDS, (number,))
    assert id == "CardNumber='" + number.replace("'", "''") + "'"
    assert parse_id(CARDS, id) == (number,)
    assert parse_id(CARDS, id.replace("CardNumber", "CARDNUMBER")) == (number,)


@given(st.text(min_size=1), st.integers(-(2**63), 2**63 - 1))
def test_every_key_survives(program: str, number: int) -> None:
    assert parse_id(KINDS, id_of(KINDS, (program, number))) == (program, number)


def test_parts_may_come_in_any_order() -> None:
    assert id_of(KINDS, ("P", 7)) == "Program='P',Number=7L"
    assert parse_id(KINDS, "Number=7L, Program='P'") == ("P", 7)


@pytest.mark.parametrize(
    "text",
    ["", "nobody", "'1'", "Note='1'", "CardNumber=1", "CardNumber='1", "CardNumber='1',A='2'",
     "CardNumber='1',CardNumber='2'", "CardNumber=guid'1'", "0f14d0ab-9605-4a62-a9e4-5ed26688389b"],
)  # fmt: skip
def test_what_is_no_id_of_this_table_is_none(text: str) -> None:
    assert parse_id(CARDS, text) is None


@pytest.mark.parametrize("number", ODD)
def test_an_address_has_one_segment(number: str) -> None:
    _, path = address(CARDS, (number,))
    assert "/" not in path
    assert unquote(path) == "Cards('" + number.replace("'", "''") + "')"


def test_the_rows_behind_a_key_of_two_parts() -> None:
    condition = is_behind(KINDS.keys, ("P", 7))
    assert condition == "(Program gt 'P') or (Program eq 'P' and Number gt 7L)"


def test_rows_of_odd_keys_are_made_found_and_deleted(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    keys = [(text, 10**18 + place) for place, text in enumerate(text[:10] for text in ODD)]
    ids = [id_of(KINDS, key) for key in keys]
    creates = [
        Create(id, {"Program": program, "Number": number})
        for id, (program, number) in zip(ids, keys, strict=True)
    ]
    columns = ["Program", "Number"]
    assert {type(one) for one in endpoint.write("PointKinds", columns, creates)} == {Applied}
    found = endpoint.read("PointKinds", columns, by=None, values=[*ids, "provisional"])
    assert {id: rows[0].image for id, rows in found.rows.items()} == dict(
        zip(ids, keys, strict=True)
    )
    pages = endpoint.scan("PointKinds", columns, None)
    assert {row.id for page in pages for row in page.rows} == set(ids)
    deletes = [Delete(id, rows[0].version) for id, rows in found.rows.items()]
    assert {type(one) for one in endpoint.write("PointKinds", columns, deletes)} == {Applied}
    assert service.types["PointKinds"].rows == {}
