"""What customers and households hold together, and everything about one customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.errors import RecordError, UsageError
from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.balances import Balance
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.members import holdings, portrait
from connector.ledger.members.groups import Groups
from connector.ledger.members.households import Households
from connector.ledger.members.joining import Joining
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.ledger.conftest import START, Clock

TODAY = START.date()
CLUB = {
    "program": "club",
    "members": "joined",
    "pooled": True,
    "tiers": [{"tier": "gold", "level": 1, "points": 15, "kind": "plain", "within": "1 year"}],
}


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    desk = Desk(ledger)
    kind = {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}
    ledger.store("reward-points").create(kind, by="test")
    with ledger.writing("test") as transaction:
        keep(transaction, ProgramDocument.model_validate(CLUB), "")
    for card, party in (("A1", "Anna"), ("A2", "Anna"), ("B1", "Ben")):
        desk.issue(card, Customer(party, create=True), by="test")
        lines = (Earn(card, "plain", Decimal(10)),)
        Journal(ledger).post(Posting(f"start {card}", lines), by="test")
    desk.issue("N1", by="test")
    return desk


def points(held: Sequence[Balance]) -> dict[str, int]:
    return {one.kind: int(one.available) for one in held}


def tiers(ledger: Ledger, card: str) -> list[str | None]:
    shown = portrait.of_card(ledger, card, TODAY)
    return [one.tier for one in shown.tiers[card]]


def test_cards_add_up_but_for_blocked_ones(ledger: Ledger, desk: Desk) -> None:
    cards, together = holdings.of_customer(ledger, "ANNA", TODAY)
    assert [(one.card, one.party, one.tender) for one in cards] == [
        ("A1", "Anna", "AsCardTender"),
        ("A2", "Anna", "AsCardTender"),
    ]
    assert [points(one.balances) for one in cards] == [{"plain": 10}, {"plain": 10}]
    assert points(together) == {"plain": 20}
    desk.block("A2", by="test")
    assert points(holdings.of_customer(ledger, "Anna", TODAY).together) == {"plain": 10}
    for party in ("Anna", "Ben"):
        Households(ledger).set(party, "Elm", by="test")
    cards, together = holdings.of_household(ledger, "elm", TODAY)
    assert [one.card for one in cards] == ["A1", "A2", "B1"]
    assert points(together) == {"plain": 20}


def test_a_day_to_come_shows_what_will_be(ledger: Ledger, desk: Desk) -> None:
    later = TODAY + timedelta(40)
    desk.sequence("L-##")
    assert points(holdings.of_customer(ledger, "Ben", later).together) == {"plain": 10}


def test_nobody_holds_nothing(ledger: Ledger, desk: Desk) -> None:
    with pytest.raises(RecordError) as caught:
        holdings.of_customer(ledger, "Carl", TODAY)
    assert caught.value.code == "customer-unknown"
    with pytest.raises(RecordError) as caught:
        holdings.of_household(ledger, "Elm", TODAY)
    assert caught.value.code == "household-unknown"
    desk.issue("C1", Customer("Carl", create=True), by="test")
    assert holdings.of_customer(ledger, "Carl", TODAY).together == []


def test_a_portrait_has_it_all(ledger: Ledger, desk: Desk, clock: Clock) -> None:
    Groups(ledger).add("Anna", "staff", by="ann")
    Households(ledger).set("Anna", "Elm", by="ann")
    clock.forward(1)
    Households(ledger).set("Ben", "Elm", by="ann")
    Joining(ledger).join("A1", "club", by="ann")
    desk.block_customer("Anna", "fraud", by="boss")
    shown = portrait.of_card(ledger, "a2", TODAY)
    assert shown == portrait.of_customer(ledger, "anna", TODAY)
    assert (shown.party, [one.group for one in shown.groups]) == ("Anna", ["staff"])
    assert [one.party for one in shown.household] == ["Anna", "Ben"]
    assert [one.card for one in shown.cards] == ["A1", "A2"]
    assert {card: [one.program for one in joined] for card, joined in shown.programs.items()} == {
        "A1": ["club"],
        "A2": [],
    }
    assert shown.blocked is not None
    assert (shown.blocked.why, shown.blocked.by) == ("fraud", "boss")
    assert shown.together == [], "all of Anna's cards are blocked"


def test_an_anonymous_card_has_a_portrait_of_its_own(ledger: Ledger, desk: Desk) -> None:
    Joining(ledger).join("N1", "club", by="ann")
    shown = portrait.of_card(ledger, "N1", TODAY)
    assert (shown.party, shown.groups, shown.household) == (None, (), ())
    assert [one.card for one in shown.cards] == ["N1"]
    assert [one.program for one in shown.programs["N1"]] == ["club"]
    desk.enrol("N1", Customer("Ben"), by="ann")
    assert [one.card for one in portrait.of_card(ledger, "N1", TODAY).cards] == ["B1", "N1"]


def test_who_joins_has_a_tier_at_once_and_who_leaves_has_none(ledger: Ledger, desk: Desk) -> None:
    assert tiers(ledger, "A1") == []
    Joining(ledger).join("A1", "club", by="ann")
    assert tiers(ledger, "A1") == ["gold"], "with the points of both cards of the customer"
    (held,) = portrait.of_card(ledger, "A1", TODAY).tiers["A1"]
    assert (held.program, held.points, held.next) == ("club", Decimal(20), None)
    Joining(ledger).leave("A1", "club", by="ann")
    assert tiers(ledger, "A1") == []


def test_a_household_counts_together_while_it_lasts(ledger: Ledger, desk: Desk) -> None:
    Joining(ledger).join("B1", "club", by="ann")
    assert tiers(ledger, "B1") == [None]
    for party in ("Anna", "Ben"):
        Households(ledger).set(party, "Elm", by="ann")
    assert tiers(ledger, "B1") == ["gold"]
    Households(ledger).set("Anna", "Oak", by="ann")
    assert tiers(ledger, "B1") == [None], "who stays behind is worked out anew as well"
    Households(ledger).set("Anna", "Elm", by="ann")
    assert tiers(ledger, "B1") == ["gold"]
    Households(ledger).leave("Anna", by="ann")
    assert tiers(ledger, "B1") == [None]


def test_a_program_nobody_knows_is_not_joined(ledger: Ledger, desk: Desk) -> None:
    with pytest.raises(UsageError) as caught:
        Joining(ledger).join("A1", "clup", by="ann")
    assert caught.value.code == "program-unknown"
    assert "did you mean `club`" in caught.value.remedy
