"""Posting what extensions give: once, with what led to it, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.posting import Posted
from connector.ledger.journal.statements import transactions
from connector.ledger.ledger import Ledger
from connector.ledger.programs.gifts import Given, give
from connector.ledger.programs.occasion import Earned


@pytest.fixture(autouse=True)
def records(ledger: Ledger) -> None:
    for number, tender in (("A", "AsCardTender"), ("B", "AsCardTender"), ("SHUT", "Blocked")):
        values = {"CardNumber": number, "CardTenderType": tender}
        ledger.store("cards").create(values, by="test")
    values = {"RewardPointId": "bonus", "RewardPointType": "Quantity"}
    ledger.store("reward-points").create(values, by="test")


def gift(ledger: Ledger, once: str, card: str = "A", points: int = 5, kind: str = "bonus") -> Given:
    earned = Earned("club", 2, "present", kind, Decimal(points), (), "for you", once=once)
    return Given(card, earned, ledger.now(), {"sale": "A-1"})


def gave(ledger: Ledger, *gifts: Given) -> Sequence[Posted]:
    with ledger.writing("test") as transaction:
        return give(transaction, gifts, ledger.zone)


def test_a_gift_is_an_entry_of_its_own(ledger: Ledger) -> None:
    (posted,) = gave(ledger, gift(ledger, "x"))
    (entry,) = transactions(ledger, "A")
    assert posted.entries == (entry,)
    assert (entry.type, entry.rule, entry.why, entry.sale) == (
        "Earn",
        "club/present@2",
        "for you",
        None,
    )


def test_what_was_given_is_not_given_again(ledger: Ledger) -> None:
    assert len(gave(ledger, gift(ledger, "x"), gift(ledger, "x", "B"), gift(ledger, "y"))) == 2
    # Not even where it would be something else by now.
    assert gave(ledger, gift(ledger, "x", points=9), gift(ledger, "y", "B")) == []
    assert (len(transactions(ledger, "A")), transactions(ledger, "B")) == (2, [])


def test_a_card_that_may_not_earn_gets_nothing(ledger: Ledger) -> None:
    assert len(gave(ledger, gift(ledger, "x", "SHUT"), gift(ledger, "y"))) == 1
    assert transactions(ledger, "SHUT") == []


def test_what_cannot_be_posted_takes_everything_with_it(ledger: Ledger) -> None:
    with pytest.raises(RecordError):
        gave(ledger, gift(ledger, "x"), gift(ledger, "y", kind="stars"))
    assert transactions(ledger, "A") == []
    assert gave(ledger) == []
