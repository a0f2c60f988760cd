"""The people of the demo of points: a shop with a loyalty club, and an agent at a screen.

Owns: what the shop sells, on which day; what the agent reads and files in the CRM's pages.
Never does: syncing; knowing a table of Dataverse by name, for it reads what a page shows.
Tested in: tests/acceptance/test_demo_points.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

import requests
from lxml import html

from connector.cli.demo.people import CARDS, POINTS, members
from connector.ledger.desk import Customer, Desk
from connector.ledger.ledger import Ledger
from connector.ledger.members.joining import Joining
from connector.ledger.operations import Operation, Refused, Upsert
from connector.ledger.payments.payment import Payment, Request
from connector.ledger.payments.payments import Payments
from connector.ledger.programs.library import bring
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.till import Till
from connector.ledger.shown.days import Expired, expired, turn_days
from connector.shipped import shipped

ANNA, BEN = "LC-ANNA", "LC-BEN"
CLUB = "gold-club"
BONUS, STATUS = "bonus", "status"
KINDS: tuple[dict[str, object], ...] = tuple(
    {
        "RewardPointId": name,
        "RewardPointType": "Quantity",
        "Redeemable": redeemable,
        "RedeemRanking": ranking,
        "ExpirationTimeUnit": "Month",
        "ExpirationTimeValue": 12,
    }
    for name, redeemable, ranking in ((BONUS, "Yes", 1), (STATUS, "No", 2))
)
TIMEOUT_SECONDS = 30
_BATCH = 1000


class Shop:
    """A shop over its ledger, whose clock is behind ours by `ago`."""

    def __init__(self, url: str, ago: timedelta) -> None:
        self.ago = ago
        self.ledger = Ledger.open(url, clock=self._now)
        self._till = Till(self.ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    def _now(self) -> datetime:
        return datetime.now(UTC) - self.ago

    def open(self, cards: int, joining: int) -> None:
        """So many cards, two kinds of points and the club, which the first of them join."""
        self._apply(POINTS, [Upsert(kind) for kind in KINDS])
        numbered = list(members(cards))
        for start in range(0, cards, _BATCH):
            self._apply(CARDS, [Upsert(one) for one in numbered[start : start + _BATCH]])
        bring(self.ledger, [shipped("programs") / f"{CLUB}.yaml"], "clerk")
        desk, club = Desk(self.ledger), Joining(self.ledger)
        for number in (ANNA, BEN):
            desk.issue(number, Customer(f"P-{number[3:]}", create=True), by="clerk")
        for number in (ANNA, BEN, *(str(one["CardNumber"]) for one in numbered[:joining])):
            club.join(number, CLUB, by="clerk")

    def sell(self, card: str, number: str, euros: int, points: Decimal = Decimal(0)) -> Receipt:
        """Tea for so many euros, part of them paid with points; two packets."""
        line = Item("tea", Decimal(2), Decimal(euros))
        means = {"points": points, "cash": euros - points} if points else {"cash": Decimal(euros)}
        sale = Sale(number, card, self._now(), "EUR", (line,), channel="web", payments=means)
        return self._till.sale(sale, by="till")

    def take_back(self, sale: str) -> Receipt:
        """One of the two packets comes back."""
        return self._till.returned(sale, f"{sale}-back", [Back(1, Decimal(1))], by="till")

    def pay_with_points(self, card: str, order: str, euros: int) -> Payment:
        """Points pay so many euros of an order."""
        payments = Payments(self.ledger)
        request = Request(card, Decimal(euros), "EUR", order, channel="web")
        answer = payments.authorise(request, key=order, by="till")
        assert isinstance(answer, Payment), answer
        return payments.capture(answer.number, by="till")

    def turn_day(self) -> list[Expired]:
        """A day begins; what expired since the last one that began here, by kind."""
        since = turn_days(self.ledger).since
        with self.ledger.reading() as connection:
            return expired(connection, since, self.ledger.today())

    def _apply(self, entity: str, operations: Sequence[Operation]) -> None:
        kind = self.ledger.store(entity).entity
        with self.ledger.writing("clerk") as transaction:
            for result in transaction.apply(kind, operations, create_references=True):
                if isinstance(result, Refused):
                    raise result.error


class Screen:
    """The CRM in a browser."""

    def __init__(self, sandbox: Mapping[str, Any]) -> None:
        self._host = str(sandbox["dataverse"])
        self._home = str(sandbox["crm"])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(sandbox["ca"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def look_up(self, card: str) -> str:
        """The page of the card with this number."""
        page = self._read(
            self._session.get(f"{self._home}/cards?q={card}", timeout=TIMEOUT_SECONDS)
        )
        (link,) = page.iterfind(".//td/a")
        return self._host + str(link.get("href"))

    def lists(self, page: str) -> dict[str, list[dict[str, str]]]:
        """What stands below a record: the rows of each list by its title, cells by column."""
        read = self._read(self._session.get(page, timeout=TIMEOUT_SECONDS))
        found: dict[str, list[dict[str, str]]] = {}
        for table in read.iterfind(".//section/table"):
            heads = [head.text_content() for head in table.iterfind(".//th")]
            rows = [[cell.text_content() for cell in row] for row in table.iterfind(".//tbody/tr")]
            found[table.findtext(".//h2") or ""] = [
                dict(zip(heads, cells, strict=True)) for cells in rows
            ]
        return found

    def file(self, page: str, kind: str, points: int, reason: str) -> None:
        """Fill in the form for a correction, and send it."""
        read = self._read(self._session.get(page, timeout=TIMEOUT_SECONDS))
        (form,) = [one for one in read.forms if one.method == "POST"]
        (choice,) = [one for one in form.iterfind(".//option") if one.text == kind]
        fields = {
            **dict(form.form_values()),
            str(choice.getparent().get("name")): choice.get("value"),
            str(form.find(".//input[@inputmode]").get("name")): str(points),
            str(form.find(".//textarea").get("name")): reason,
        }
        address = self._host + form.action
        self._read(self._session.post(address, data=fields, timeout=TIMEOUT_SECONDS))

    @staticmethod
    def _read(answer: requests.Response) -> html.HtmlElement:
        answer.raise_for_status()
        return html.fromstring(answer.content)
