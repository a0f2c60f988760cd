"""Many tills at once, in threads of their own, on both databases: nothing is ever overdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posted, Posting, Redeem
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.members.households import Households
from connector.ledger.operations import Upsert

TILLS, SALES, EARNED = 8, 6, 20


@pytest.fixture
def tills(ledger_url: str) -> Iterator[list[Ledger]]:
    opened = [Ledger.open(ledger_url) for _ in range(TILLS)]
    yield opened
    for one in opened:
        one.close()


def test_tills_that_pay_at_once_never_overdraw(tills: list[Ledger]) -> None:
    store = tills[0].store("cards")
    store.create({"CardNumber": "A"}, by="test")
    tills[0].store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}, by="test"
    )
    Journal(tills[0]).post(Posting("start", (Earn("A", "plain", Decimal(EARNED)),)), by="t")

    def pay(number: int) -> list[bool]:
        journal = Journal(tills[number])
        wanted = [
            Posting(f"{number}-{sale}", (Redeem("A", "plain", Decimal(1)),))
            for sale in range(SALES)
        ]
        results = [journal.post_all([one, one], by="t") for one in wanted]
        return [isinstance(one, Posted) for pair in results for one in pair[:1]]

    with ThreadPoolExecutor(TILLS) as pool:
        paid = [one for each in pool.map(pay, range(TILLS)) for one in each]
    assert (len(paid), paid.count(True)) == (TILLS * SALES, EARNED)
    (balance,) = balances(tills[0], "A", datetime.now(UTC).date())
    assert (balance.available, balance.redeemed) == (Decimal(0), Decimal(EARNED))
    assert list(mismatches(tills[0])) == []


def test_a_household_that_pays_from_two_cards_at_once_never_overdraws(tills: list[Ledger]) -> None:
    ledger, store = tills[0], tills[0].store("cards")
    cards = [("A", "Anna"), ("B", "Ben")]
    contact = {"CardTenderType": "AsContactTender"}
    wanted = [
        Upsert({"CardNumber": card, "PartyNumber": party, **contact}) for card, party in cards
    ]
    store.apply(wanted, by="test", create_references=True)
    ledger.store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}, by="test"
    )
    households = Households(ledger)
    for _, party in cards:
        households.set(party, "Elm Street", by="test")
    half = Decimal(EARNED) / 2
    for card, _ in cards:
        Journal(ledger).post(Posting(f"start {card}", (Earn(card, "plain", half),)), by="t")

    def pay(number: int) -> list[bool]:
        journal, card = Journal(tills[number]), cards[number % 2][0]
        paid = []
        for sale in range(SALES):
            if number == TILLS - 1:  # Ben moves out and in again meanwhile
                home = Households(tills[number])
                home.leave("Ben", by="t") if sale % 2 else home.set("Ben", "Elm Street", by="t")
            posting = Posting(f"{number}-{sale}", (Redeem(card, "plain", Decimal(1)),))
            (result,) = journal.post_all([posting], by="t")
            paid.append(isinstance(result, Posted))
        return paid

    with ThreadPoolExecutor(TILLS) as pool:
        paid = [one for each in pool.map(pay, range(TILLS)) for one in each]
    assert paid.count(True) <= EARNED < len(paid)
    today = datetime.now(UTC).date()
    held = [one for card, _ in cards for one in balances(ledger, card, today)]
    assert sum(one.redeemed for one in held) == paid.count(True)
    assert sum(one.available for one in held) == EARNED - paid.count(True)
    assert all(one.available >= 0 for one in held)
    assert list(mismatches(ledger)) == []
    for _, party in cards:
        households.set(party, "Elm Street", by="test")
    rest = Decimal(EARNED - paid.count(True))
    if rest:  # nobody was refused what the household had
        Journal(ledger).post(Posting("rest", (Redeem("A", "plain", rest),)), by="t")
    with pytest.raises(RecordError, match="has 0 available"):
        Journal(ledger).post(Posting("more", (Redeem("B", "plain", Decimal(1)),)), by="t")


def test_one_posting_that_everybody_sends_happens_once(tills: list[Ledger]) -> None:
    tills[0].store("cards").create({"CardNumber": "A"}, by="test")
    tills[0].store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity"}, by="test"
    )
    posting = Posting("order 7", (Earn("A", "plain", Decimal(5)),))
    with ThreadPoolExecutor(TILLS) as pool:
        results = list(pool.map(lambda one: Journal(one).post(posting, by="t"), tills))
    assert sum(not one.repeated for one in results) == 1
    assert len({one.number for one in results}) == 1
