"""The CRM page: what an agent would see, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from lxml import html

from connector.sandbox.run import running
from tests.integration.sandbox.declared import CRM, attribute, entity, label

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
        return self._seen(answer)

    def send(self, form: html.FormElement, status: int = 200, **fields: str) -> html.HtmlElement:
        """The page after a form was sent, filled in like this."""
        values = {**dict(form.form_values()), **fields}
        answer = self._session.post(self._host + form.action, data=values, timeout=10)
        assert answer.status_code == status, answer.text
        return self._seen(answer)

    @staticmethod
    def _seen(answer: requests.Response) -> html.HtmlElement:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        page = html.fromstring(answer.content)
        assert page.get("lang") == "en"
        assert len(page.findall(".//h1")) == 1
        assert page.findtext(".//title")
        fields = [*page.iterfind(".//input"), *page.iterfind(".//select")]
        fields += page.iterfind(".//textarea")
        for field in [field for field in fields if field.get("type") != "hidden"]:
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


# ---------------------------------------------------------------------------- what belongs to it


def publish(dataverse: DataverseSession) -> None:
    """A publisher whose names begin with `dwrite`."""
    publisher = {
        "uniquename": "dualwrite",
        "friendlyname": "dualwrite",
        "customizationprefix": "dwrite",
        "customizationoptionvalueprefix": 12345,
    }
    assert dataverse.post("publishers", json=publisher).status_code == 204


def make(dataverse: DataverseSession, name: str, *columns: dict[str, Any], **lookups: str) -> None:
    """A table of ours with these columns and lookups, schema name to table."""
    assert dataverse.post("EntityDefinitions", json=entity(name, *columns)).status_code == 204
    for schema_name, target in lookups.items():
        relation = {
            "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
            "SchemaName": f"{name}_{schema_name}",
            "ReferencedEntity": target,
            "ReferencingEntity": name.lower(),
            "Lookup": {"SchemaName": schema_name, "DisplayName": label(schema_name)},
        }
        answer = dataverse.post("RelationshipDefinitions", json=relation)
        assert answer.status_code == 204, answer.text


def section(page: html.HtmlElement, title: str) -> list[list[str]]:
    """The rows of the part of a page with this title, its heads first."""
    (found,) = [one for one in page.iterfind(".//table") if one.findtext(".//h2") == title]
    return [[cell.text_content() for cell in row] for row in found.iterfind(".//tr")]


def test_rows_that_point_to_a_record_are_on_its_page(
    browser: Browser, dataverse: DataverseSession, add_cards: Any
) -> None:
    card, other = add_cards(["C-1", "C-2"])
    make(
        dataverse,
        "new_Visit",
        attribute("Integer", "new_Minutes"),
        new_Member="msdyn_loyaltycard",
        new_Friend="msdyn_loyaltycard",
    )
    for minutes in range(12):
        row: dict[str, object] = {"new_name": f"<b>{minutes}</b>", "new_minutes": minutes}
        row["new_Member@odata.bind"] = f"/{CARDS}({card})"
        row["new_Friend@odata.bind"] = f"/{CARDS}({other})"
        assert dataverse.post("new_visits", json=row).status_code == 204
    page = browser.open(f"/cards/{card}")
    heads, first, *others = section(page, "Visits (new_Member)")
    assert heads == ["new_Name", "new_Minutes", "new_Friend", "Modified On"]
    assert first[:3] == ["<b>11</b>", "11", "C-2"]
    assert len(others) == 9
    assert len(section(page, "Visits (new_Friend)")) == 1
    captions = [one.text_content() for one in page.iterfind(".//caption")]
    assert captions[1:3] == ["Visits (new_Member) the newest 10", "Visits (new_Friend) none"]


def test_transactions_of_one_second_stand_in_the_order_of_their_numbers(
    browser: Browser, dataverse: DataverseSession, add_cards: Any
) -> None:
    (card,) = add_cards(["C-1"])
    publish(dataverse)
    make(
        dataverse,
        "dwrite_PointTransaction",
        attribute("DateTime", "dwrite_PostedAt"),
        attribute("String", "dwrite_TransactionNumber", MaxLength=19),
        dwrite_Card="msdyn_loyaltycard",
    )
    at = "2026-01-31T12:00:00Z"
    for number in (3, 12, 1, 10, 9, 2, 11, 8, 4, 7, 5, 6):
        row: dict[str, object] = {"dwrite_transactionnumber": str(number), "dwrite_postedat": at}
        row["dwrite_Card@odata.bind"] = f"/{CARDS}({card})"
        assert dataverse.post("dwrite_pointtransactions", json=row).status_code == 204
    heads, *rows = section(browser.open(f"/cards/{card}"), "PointTransactions")
    place = heads.index("dwrite_TransactionNumber")
    assert [int(row[place]) for row in rows] == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


def test_how_fresh_it_is_stands_on_every_record(
    browser: Browser, dataverse: DataverseSession, add_cards: Any
) -> None:
    (card,) = add_cards(["C-1"])
    publish(dataverse)
    make(dataverse, "dwrite_SyncStatus", attribute("Integer", "dwrite_Lag"))
    dataverse.post("dwrite_syncstatuses", json={"new_name": "cards", "dwrite_lag": 12})
    page = browser.open(f"/cards/{card}")
    heads, row = section(page, "SyncStatuss")
    assert (heads, row) == (["new_Name", "dwrite_Lag"], ["cards", "12"])


@pytest.fixture
def filing(browser: Browser, dataverse: DataverseSession, add_cards: Any) -> str:
    """The path of a card about which a correction can be filed."""
    (card,) = add_cards(["C-1"])
    publish(dataverse)
    body = {"msdyn_rewardpointid": "Bonus", "msdyn_rewardpointtype": 192350000}
    assert dataverse.post(POINTS, json=body).status_code == 204
    make(
        dataverse,
        "dwrite_PointCorrection",
        attribute("Decimal", "dwrite_Amount", Precision=4),
        attribute("String", "dwrite_Reason", MaxLength=2000),
        dwrite_Card="msdyn_loyaltycard",
        dwrite_PointKind="msdyn_loyaltyrewardpoint",
    )
    return f"/cards/{card}"


def form_on(page: html.HtmlElement) -> html.FormElement:
    (form,) = [one for one in page.forms if one.method == "POST"]
    return form


def test_a_correction_is_filed_by_the_agent(
    browser: Browser, dataverse: DataverseSession, filing: str
) -> None:
    form = form_on(browser.open(filing))
    ((kind, _),) = [
        (one.get("value"), one.text) for one in form.iterfind(".//option") if one.text == "Bonus"
    ]
    reason = "The till was down."
    fields = {"dwrite_pointkind": kind, "dwrite_amount": "-12.5", "dwrite_reason": reason}
    page = browser.send(form, **fields)
    assert page.findtext(".//h1") == "Loyalty card C-1"
    (_, row) = section(page, "PointCorrections")
    assert row[:4] == ["–", "-12.5000", reason, "Bonus"]
    (made,) = dataverse.get("dwrite_pointcorrections?$expand=createdby($select=fullname)").json()[
        "value"
    ]
    assert (made["dwrite_amount"], made["createdby"]["fullname"]) == (-12.5, "Avery Agent")
    assert made["_dwrite_card_value"] == filing.rpartition("/")[2]


def test_a_form_that_cannot_be_filed(
    browser: Browser, dataverse: DataverseSession, filing: str
) -> None:
    form = form_on(browser.open(filing))
    for text in ("many", "NaN", "1e"):
        page = browser.send(form, 400, dwrite_amount=text)
        assert "write a number such as 20" in page.text_content()
    assert (
        "does not exist"
        in browser.send(form, 404, dwrite_pointkind="00000000-0000-0000-0000-000000000001")
        .text_content()
        .lower()
    )
    assert "not ours" in browser.send(form, 403, word="guessed").text_content()
    form.action = form.action.replace("dwrite_pointcorrection", "contact")
    assert browser.send(form, 404) is not None
    assert dataverse.get("dwrite_pointcorrections").json()["value"] == []


def test_a_form_has_the_agents_rights(
    browser: Browser, dataverse: DataverseSession, filing: str
) -> None:
    form = form_on(browser.open(filing))
    dataverse.switch("roles", {"user": "agent", "roles": []})
    assert "no roles are assigned" in browser.send(form, 403, dwrite_amount="1").text_content()
