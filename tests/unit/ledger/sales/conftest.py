"""A ledger with cards and kinds of points, and a till with rules a test can read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

import pytest
import sqlalchemy as sa

from connector.ledger.journal.balances import Balance, balances
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.members.member import Member
from connector.ledger.programs.book import Unable
from connector.ledger.programs.occasion import Activity, Earned, Item, Occasion, Sale
from connector.ledger.sales.receipt import Receipt
from connector.ledger.sales.terms import Versions
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START
from tests.unit.ledger.journal.conftest import fill


@dataclass
class Rules:
    """One point for each euro; 5 more for each book; 100 for a survey; twice that in version 2.

    Every third sale of a card brings 7 points of the kind `tier`.
    """

    version: int = 1
    tiered: bool = False
    seen: list[Member] = field(default_factory=list)
    restated: list[set[str]] = field(default_factory=list)
    occasions: list[Occasion] = field(default_factory=list)

    @property
    def versions(self) -> Versions:
        return {"club": self.version}

    def current(self, _: sa.Connection) -> Rules:
        return self

    def of(self, _: sa.Connection, versions: Versions) -> Rules:
        return Rules(versions["club"], occasions=self.occasions)

    def restate(self, transaction: WriteTransaction, cards: Collection[str]) -> None:
        self.restated.append(set(cards))

    def earned(
        self, occasion: Occasion, member: Member, unable: Unable | None = None
    ) -> Sequence[Earned]:
        self.seen.append(member)
        self.occasions.append(occasion)
        if isinstance(occasion, Activity):
            return [self._one("survey", "plain", 100 * occasion.quantity)]
        paid = sum((line.amount for line in occasion.lines), Decimal(0))
        books = sum((line.quantity for line in occasion.lines if "books" in line.categories), 0)
        third = Decimal(7) if member.sales % 3 == 2 else Decimal(0)
        named = [("base", "money", paid), ("books", "plain", 5 * Decimal(books))]
        named.append(("third", "tier", third))
        return [self._one(rule, kind, points) for rule, kind, points in named if points]

    def _one(self, rule: str, kind: str, points: Decimal) -> Earned:
        points *= self.version
        if kind != "money":
            points = points.quantize(Decimal(1), ROUND_DOWN)
        return Earned("club", self.version, rule, kind, points, (), f"{points} for it")


class Shop:
    """A till with the rules, and a look at everything the ledger holds."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rules = ledger, Rules()
        self.till = Till(ledger, terms=self.rules)

    def sell(self, number: str = "S-1", card: str = "A", **how: object) -> Receipt:
        return self.till.sale(sale(number, card, **how), by="till")

    def back(self, number: str = "R-1", of: str = "S-1", **how: object) -> Receipt:
        return self.till.returned(of, number, by="till", **how)  # type: ignore[arg-type]

    def of(self, card: str = "A") -> dict[str, Balance]:
        return {one.kind: one for one in balances(self.ledger, card, START.date())}

    def available(self, card: str = "A") -> dict[str, Decimal]:
        return {kind: one.available for kind, one in self.of(card).items() if one.available}

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows that sales and postings are made of."""
        names: tuple[str, ...] = (
            "sales",
            "sale_lines",
            "sale_returns",
            "activities",
            "point_postings",
        )
        names += ("point_entries", "point_deductions", "loyalty_cards", "changes")
        with self.ledger.reading() as connection:
            return {
                name: sorted(
                    map(tuple, connection.execute(sa.text(f"SELECT * FROM {name}"))), key=repr
                )
                for name in names
            }


def item(amount: object, quantity: object = 1, product: str = "tea", *categories: str) -> Item:
    return Item(product, Decimal(str(quantity)), Decimal(str(amount)), categories)


def sale(number: str = "S-1", card: str = "A", **how: object) -> Sale:
    """One line of 10 euros at the ledger's START."""
    lines = how.pop("lines", (item(10),))
    at = how.pop("at", START)
    assert isinstance(lines, tuple)
    assert isinstance(at, datetime)
    return Sale(number, card, at, str(how.pop("currency", "EUR")), lines, **how)  # type: ignore[arg-type]


@pytest.fixture
def shop(ledger: Ledger) -> Shop:
    fill(ledger)
    return Shop(ledger)


@pytest.fixture
def refused(shop: Shop) -> Callable[[Callable[[], object]], str]:
    """The code of the refusal of an act that leaves no trace."""

    def code(act: Callable[[], object]) -> str:
        from connector.errors import RecordError

        before = shop.everything()
        with pytest.raises(RecordError) as caught:
            act()
        assert caught.value.remedy
        assert shop.everything() == before
        return caught.value.code

    return code
