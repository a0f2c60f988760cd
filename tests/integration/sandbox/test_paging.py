"""Page links: absolute, followed untouched, with a cookie of their own each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"


def pages(dataverse: DataverseSession, url: str, size: int) -> tuple[list[list[str]], list[str]]:
    """The card numbers of each page, and the decoded cookies between them."""
    found: list[list[str]] = []
    cookies: list[str] = []
    link: str | None = url
    while link is not None:
        answer = dataverse.get(link, headers={"Prefer": f"odata.maxpagesize={size}"})
        assert answer.headers["Preference-Applied"] == f"odata.maxpagesize={size}"
        body: dict[str, Any] = answer.json()
        found.append([row["msdyn_cardnumber"] for row in body["value"]])
        link = body.get("@odata.nextLink")
        if link is not None:
            assert link.startswith(f"{dataverse.api}/{CARDS}?")
            cookies.append(parse_qs(urlsplit(link).query)["$skiptoken"][0])
    return found, cookies


@pytest.mark.parametrize("order", ["", "&$orderby=msdyn_cardnumber desc"])
def test_every_row_comes_once(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]], order: str
) -> None:
    numbers = [f"C-{n}" for n in range(7)]
    add_cards([*numbers, "other"])
    url = f"{CARDS}?$select=msdyn_cardnumber&$filter=startswith(msdyn_cardnumber,'C')&$count=true"
    found, cookies = pages(dataverse, url + order, 3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(number for page in found for number in page) == numbers
    assert len(set(cookies)) == 2
    assert cookies[0].startswith('<cookie pagenumber="2" pagingcookie="%253Ccookie')
    assert cookies[1].endswith('istracking="False" />')


def test_a_full_last_page_has_no_link(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]]
) -> None:
    add_cards(["C-1", "C-2"])
    found, cookies = pages(dataverse, f"{CARDS}?$select=msdyn_cardnumber", 2)
    assert (len(found), cookies) == (1, [])


def test_an_unordered_read_is_not_disturbed_by_deletes(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]]
) -> None:
    ids = add_cards(f"C-{n}" for n in range(4))
    url = f"{CARDS}?$select=msdyn_cardnumber"
    first = dataverse.get(url, headers={"Prefer": "odata.maxpagesize=2"}).json()
    dataverse.delete(f"{CARDS}({ids[0]})")
    rest = dataverse.get(first["@odata.nextLink"]).json()
    assert [row["msdyn_cardnumber"] for row in rest["value"]] == ["C-2", "C-3"]


def test_pages_have_at_most_5000_rows(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]]
) -> None:
    for start in range(0, 5001, 1000):
        add_cards(f"C-{n}" for n in range(start, min(start + 1000, 5001)))
    answer = dataverse.get(
        f"{CARDS}?$select=statecode", headers={"Prefer": "odata.maxpagesize=9000"}
    )
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=5000"
    body = answer.json()
    assert len(body["value"]) == 5000
    assert len(dataverse.get(body["@odata.nextLink"]).json()["value"]) == 1
