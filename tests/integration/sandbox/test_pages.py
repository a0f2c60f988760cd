"""The CRM page: what an agent would see, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from lxml import html

from connector.sandbox.run import running

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"


class Browser:
    """A person without a token."""

    def __init__(self, sandbox: dict[str, Any]) -> None:
        self.home = str(sandbox["crm"])
        self._host = str(sandbox["dataverse"])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = sandbox["ca"]

    def open(self, path: str = "", status: int = 200) -> html.HtmlElement:
        """The page, which has the marks of an accessible one."""
        url = self._host + path if path.startswith("/crm") else self.home + path
        answer = self._session.get(url, timeout=10)
        assert answer.status_code == status, answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        page = html.fromstring(answer.content)
        assert page.get("lang") == "en"
        assert len(page.findall(".//h1")) == 1
        assert page.findtext(".//title")
        for field in page.iterfind(".//input"):
            assert page.find(f".//label[@for='{field.get('id')}']") is not None
        for head in page.iterfind(".//th"):
            assert head.get("scope") in ("col", "row")
        return page


@pytest.fixture
def browser(sandbox: dict[str, Any], dataverse: DataverseSession) -> Browser:
    return Browser(sandbox)


def cells(page: html.HtmlElement) -> list[list[str]]:
    return [[cell.text_content() for cell in row] for row in page.iterfind(".//tbody/tr")]


def test_cards_are_listed_with_formatted_values(
    browser: Browser, dataverse: DataverseSession
) -> None:
    body = {
        "msdyn_cardnumber": "100001",
        "msdyn_cardtendertype": 806380001,
        "msdyn_enrollmentdate": "2026-01-02",
    }
    dataverse.post(CARDS, json=body)
    page = browser.open()
    assert page.findtext(".//h1") == "Loyalty cards"
    assert "1 loyalty card" in page.findtext(".//caption")
    (row,) = cells(page)
    assert row[:5] == ["100001", "As contact tender", "–", "1/2/2026", "–"]
    assert row[6] == "# dualwrite connector"
    (current,) = page.xpath("//a[@aria-current='page']")
    assert current.text == "Loyalty cards"


def test_point_kinds_are_listed_with_their_currency(
    browser: Browser, dataverse: DataverseSession
) -> None:
    body = {
        "msdyn_rewardpointid": "Bonus",
        "msdyn_rewardpointtype": 192350001,
        "msdyn_redeemable": True,
        "msdyn_expirationtimeunit": 806380002,
        "msdyn_expirationtimevalue": 2,
        "msdyn_RewardPointCurrency@odata.bind": "/transactioncurrencies(isocurrencycode='EUR')",
    }
    assert dataverse.post(POINTS, json=body).status_code == 204
    (row,) = cells(browser.open("/points"))
    assert row[:6] == ["Bonus", "Amount", "Euro", "Yes", "2", "Year"]


def test_a_card_is_found_by_a_part_of_its_number(browser: Browser, add_cards: Any) -> None:
    add_cards(["C-100", "C-200", "O'Brien"])
    assert [row[0] for row in cells(browser.open("/cards?q=c-2"))] == ["C-200"]
    assert [row[0] for row in cells(browser.open("/cards?q=O%27B"))] == ["O'Brien"]
    nothing = browser.open("/cards?q=X-9")
    assert cells(nothing) == []
    assert "0 loyalty cards with “X-9” in card number" in nothing.findtext(".//caption")
    assert nothing.find(".//input").get("value") == "X-9"


def test_long_lists_have_pages(browser: Browser, add_cards: Any) -> None:
    add_cards(f"C-{number:03}" for number in range(120))
    seen: list[str] = []
    path = "/cards?q=C-"
    while path:
        page = browser.open(path)
        seen += [row[0] for row in cells(page)]
        links = [one for one in page.iterfind(".//main//p/a") if one.text.startswith("Next")]
        path = links[0].get("href") if links else ""
    assert sorted(seen) == [f"C-{number:03}" for number in range(120)]


def test_one_record_has_a_page(browser: Browser, add_cards: Any) -> None:
    (record,) = add_cards(["C-1"], msdyn_cardtendertype=806380003)
    (link,) = browser.open().iterfind(".//td/a")
    page = browser.open(link.get("href"))
    assert link.get("href").endswith(record)
    assert page.findtext(".//h1") == "Loyalty card C-1"
    values = {label: (value, column) for label, value, column in cells(page)}
    assert values["Card number"] == ("C-1", "msdyn_cardnumber")
    assert values["Card tender type"] == ("Blocked", "msdyn_cardtendertype")
    assert values["Status"][0] == "Active"
    missing = browser.open(f"/cards/{record[:-4]}0000", status=404)
    assert "Does Not Exist" in missing.text_content()


def test_what_somebody_typed_is_text(browser: Browser, add_cards: Any) -> None:
    bad = '<script>alert("1")</script>&amp;'
    add_cards([bad])
    for path in ("", f"/cards?q={quote(bad)}"):
        page = browser.open(path)
        assert page.find(".//script") is None
        assert cells(page)[0][0] == bad
    (link,) = browser.open().iterfind(".//td/a")
    assert browser.open(link.get("href")).find(".//script") is None


def test_the_page_has_the_agents_rights(browser: Browser, dataverse: DataverseSession) -> None:
    column = {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "secured": True}
    dataverse.switch("columns", column)
    dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1", "msdyn_partynumber": "P-1"})
    assert cells(browser.open())[0][2] == "–"
    dataverse.switch("roles", {"user": "agent", "roles": []})
    assert "no roles are assigned" in browser.open(status=403).text_content()


def test_what_is_not_there(browser: Browser, tmp_path: Path) -> None:
    browser.open("/nothing", status=404)
    browser.open("/cards/1", status=404)
    with running(tmp_path, empty=True) as sandbox:
        assert "no loyalty tables yet" in Browser(sandbox).open().text_content()
