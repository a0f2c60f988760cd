"""Keys in URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, GROUPS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


@pytest.mark.parametrize(
    "number",
    [
        "O'Brien",
        "a/b",
        "ünï ☃",
        "a b",
        "x,y=z",
        "100%",
        "a(b)",
        "A'/'B",
        "a\\b",
        "a+b",
        "50%41",
        "%252F",
        "3f2504e0-4f89",
    ],
)
def test_any_text_goes_around(finops: FinopsSession, add: Add, number: str) -> None:
    (made,) = add(number)
    assert made["CardNumber"] == number
    key = twice(number)
    for where in (f"{CARDS}('{key}')", f"{CARDS}(CardNumber='{key}')"):
        assert finops.get(where).json()["CardNumber"] == number
    assert finops.patch(where, json={"CardTenderType": "NoTender"}).status_code == 204
    assert finops.delete(where).status_code == 204
    assert finops.get(where).status_code == 404


def twice(text: str) -> str:
    """A text as a key stands in a URL: encoded for the web server and for OData."""
    return quote(quote(text.replace("'", "''"), safe=""))


@pytest.mark.parametrize("number", ["a/b", "a\\b"])
def test_a_slash_that_is_encoded_once_leaves_no_route(
    finops: FinopsSession, add: Add, number: str
) -> None:
    add(number)
    answer = finops.get(f"{CARDS}('{quote(number, safe='')}')")
    assert answer.status_code == 404
    assert list(answer.json()) == ["Message"]
    assert "No route data was found" in answer.json()["Message"]


def test_a_plus_that_is_encoded_once_is_a_blank(finops: FinopsSession, add: Add) -> None:
    add("a+b", "c d")
    assert finops.get(f"{CARDS}('a%2Bb')").status_code == 404
    assert finops.get(f"{CARDS}('c%2Bd')").json()["CardNumber"] == "c d"
    assert finops.get(f"{CARDS}('a%252Bb')").json()["CardNumber"] == "a+b"
    found = finops.get(f"{CARDS}?$filter=CardNumber eq 'a%2Bb'").json()["value"]
    assert [one["CardNumber"] for one in found] == ["a+b"]


def test_plain_signs_need_to_be_encoded_once_only(finops: FinopsSession, add: Add) -> None:
    add("O'Brien & ü")
    for key in ("O''Brien & ü", "O%27%27Brien%20%26%20%C3%BC"):
        assert finops.get(f"{CARDS}('{key}')").status_code == 200


def test_the_address_of_a_new_row_leads_to_it(finops: FinopsSession) -> None:
    made = finops.post(CARDS, json={"CardNumber": "O'Brien & Söhne"})
    assert finops.get(made.headers["Location"]).json()["CardNumber"] == "O'Brien & Söhne"


def test_case_and_trailing_blanks_are_no_difference(finops: FinopsSession, add: Add) -> None:
    add("Ab-1")
    assert finops.get(f"{CARDS}('aB-1 ')").json()["CardNumber"] == "Ab-1"
    again = finops.post(CARDS, json={"CardNumber": "AB-1"})
    assert again.status_code == 400
    assert "already exists" in again.text


@pytest.mark.parametrize(
    "key",
    [
        "dataAreaId='usrt',CustomerGroupId='10'",
        "CustomerGroupId='10',dataAreaId='usrt'",
        "CustomerGroupId='10', dataAreaId='USRT'",
    ],
)
def test_the_order_of_a_key_is_free(finops: FinopsSession, key: str) -> None:
    assert finops.get(f"{GROUPS}({key})").json()["CustomerGroupId"] == "10"


@pytest.mark.parametrize(
    "key",
    [
        "CustomerGroupId='10'",
        "'10'",
        "dataAreaId='usrt',CustomerGroupId='10',Description='x'",
        "dataareaid='usrt',CustomerGroupId='10'",
        "dataAreaId='usrt',CustomerGroupId=10",
        "",
    ],
)
def test_a_key_needs_all_its_fields_as_they_are_called(finops: FinopsSession, key: str) -> None:
    answer = finops.get(f"{GROUPS}({key})")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("No HTTP resource was found")


@pytest.mark.parametrize(
    "path", ["('a", "('a''", "(CardNumber='a',CardNumber='b')", "(=)", "('a')x"]
)
def test_a_broken_path_is_refused(finops: FinopsSession, path: str) -> None:
    assert finops.get(f"{CARDS}{path}").status_code in (400, 404)
