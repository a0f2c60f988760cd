"""Pages and their links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


def pages(finops: FinopsSession, address: str) -> list[list[str]]:
    found = []
    while address:
        body = finops.get(address).json()
        found.append([one["CardNumber"] for one in body["value"]])
        address = body.get("@odata.nextLink", "")
    return found


def test_a_list_comes_in_pages_with_links(finops: FinopsSession, add: Add) -> None:
    add(*"abcde")
    finops.switch("paging", {"size": 2})
    assert pages(finops, f"{CARDS}?$select=CardNumber") == [["a", "b"], ["c", "d"], ["e"]]


def test_the_link_is_the_same_address_with_skip(finops: FinopsSession, add: Add) -> None:
    add(*"abc")
    finops.switch("paging", {"size": 1})
    query = "$filter=CardNumber%20ne%20'x%26y'&$top=2&cross-company=true"
    link = finops.get(f"{CARDS}?{query}").json()["@odata.nextLink"]
    split = urlsplit(link)
    assert f"{split.scheme}://{split.netloc}{split.path}" == f"{finops.host}/data/{CARDS}"
    assert parse_qs(split.query) == {
        "$filter": ["CardNumber ne 'x&y'"],
        "cross-company": ["true"],
        "$top": ["1"],
        "$skip": ["1"],
    }
    assert pages(finops, f"{CARDS}?{query}") == [["a"], ["b"]]


def test_a_full_last_page_has_no_link(finops: FinopsSession, add: Add) -> None:
    add(*"abcd")
    finops.switch("paging", {"size": 2})
    assert pages(finops, f"{CARDS}?$select=CardNumber") == [["a", "b"], ["c", "d"]]


def test_rows_shift_when_others_go_between_two_pages(finops: FinopsSession, add: Add) -> None:
    """What a reader has to live with: the link counts rows, it does not know them."""
    add(*"abcd")
    finops.switch("paging", {"size": 2})
    first = finops.get(CARDS).json()
    finops.delete(f"{CARDS}('a')")
    second = finops.get(first["@odata.nextLink"]).json()
    assert [one["CardNumber"] for one in second["value"]] == ["d"]


@pytest.mark.parametrize("size", [0, 10_001, "x"])
def test_a_page_has_at_most_10000_rows(finops: FinopsSession, size: object) -> None:
    answer = finops.post(f"{finops.host}/sandbox/paging", json={"size": size})
    assert answer.status_code == 400
