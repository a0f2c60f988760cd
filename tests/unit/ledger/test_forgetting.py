"""A customer is taken off everything, and the journal is what it was."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from connector.cli.forget import TOLD
from connector.errors import RecordError
from connector.ledger.barring import BLOCKED
from connector.ledger.desk import Customer, Desk
from connector.ledger.forgetting import forget_customer, known
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import GIFT
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.journal.tables import deductions, entries
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import Groups
from connector.ledger.members.households import Households
from connector.ledger.members.joining import Joining
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.store import keep
from connector.ledger.sales.receipt import Back
from connector.ledger.sales.tables import sales
from connector.ledger.sales.till import Till
from connector.ledger.schema import metadata
from connector.ledger.shown.proof import differences
from tests.unit.ledger.conftest import START

PARTY = "P-Secret 1"
FIVE = Decimal(5)


def rows(ledger: Ledger, table: sa.Table) -> list[Any]:
    with ledger.reading() as connection:
        return list(connection.execute(sa.select(table)).all())


def telling(ledger: Ledger, word: str) -> list[str]:
    """Tables of which a row holds the word, in any case."""
    found = []
    for table in metadata.sorted_tables:
        for row in rows(ledger, table):
            if word.casefold() in " ".join(map(str, row)).casefold():
                found.append(table.name)
    return found


@pytest.fixture
def shop(ledger: Ledger) -> Ledger:
    """A customer with two cards, a household, a group, a program, a sale and a gift."""
    kind = {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}
    ledger.store("reward-points").create(kind, by="test")
    document = {
        "program": "club",
        "earn": [{"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}],
    }
    with ledger.writing("boss") as transaction:
        keep(transaction, ProgramDocument.model_validate(document), "")
    desk = Desk(ledger)
    for card, party in (("A", PARTY), ("B", PARTY), ("C", "P2")):
        desk.issue(card, Customer(party, create=True), by="desk")
        Households(ledger).set(party, "Elm Street", by="desk")
        Groups(ledger).add(party, "staff", by="desk")
    Joining(ledger).join("A", "club", by="desk")
    Till(ledger).sale(
        Sale("S-1", "A", START, "EUR", (Item("tea", Decimal(1), Decimal(30)),)), by="t"
    )
    gift = Posting(f"{GIFT}club/hello:customer {PARTY.lower()}:first", (Earn("A", "bonus", FIVE),))
    with ledger.writing("test") as transaction:
        post_within(transaction, [gift], UTC)
    return ledger


def test_nothing_tells_of_them_and_every_entry_stays(shop: Ledger) -> None:
    before = rows(shop, entries), rows(shop, deductions)
    assert telling(shop, PARTY)
    done = forget_customer(shop, PARTY.lower(), by="officer")
    assert list(done.cards) == ["A", "B"]
    assert done.counts == {
        "cards": 2, "groups": 1, "households": 1, "blocks": 0, "programs": 1, "segments": 0,
        "sales": 1, "gifts": 1, "owed": 0,
    }  # fmt: skip
    assert telling(shop, PARTY) == []
    assert (rows(shop, entries), rows(shop, deductions)) == before
    assert not any(differences(shop))
    assert not known(shop, PARTY)
    store = shop.store("cards")
    for number in done.cards:
        card = store.find(number)
        assert card is not None
        assert card.values[1:3] == (BLOCKED, None)
    other = store.find("C")
    assert other is not None
    assert other.values[2] == "P2"
    assert [one.party for one in Households(shop).members("elm street")] == ["P2"]
    (sale,) = rows(shop, sales)
    assert sale.member["groups"] == ["staff"], "what the sale was judged by stays"


def test_a_plan_changes_nothing(shop: Ledger) -> None:
    before, head = telling(shop, PARTY), shop.head()
    planned = forget_customer(shop, PARTY, by="officer", plan=True)
    assert (telling(shop, PARTY), shop.head()) == (before, head)
    assert planned == forget_customer(shop, PARTY, by="officer")


def test_whatever_they_are_taken_off_is_told_in_words(shop: Ledger) -> None:
    assert set(forget_customer(shop, PARTY, by="officer", plan=True).counts) == set(TOLD)


def test_nobody_is_known_by_an_unknown_number(shop: Ledger) -> None:
    assert not known(shop, "P9")
    with pytest.raises(RecordError, match="no customer"):
        forget_customer(shop, "P9", by="officer")


def test_a_return_of_their_sale_is_settled_as_before(shop: Ledger) -> None:
    forget_customer(shop, PARTY, by="officer")
    receipt = Till(shop).returned("S-1", "R-1", [Back(1, Decimal(1))], at=START, by="till")
    assert [entry.points for entry in receipt.entries] == [Decimal(-30)]
