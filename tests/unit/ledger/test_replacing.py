"""Cards that name a replacement: nothing moves by itself, and it is told until it is done."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.endpoints.ledger.endpoint import SHOWN, LedgerEndpoint
from connector.errors import DualWriteError
from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.members.joining import Joining
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from connector.ledger.replacing import Unfinished, unfinished
from tests.unit.ledger.conftest import START

TODAY = START.date()


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    kind = {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}
    ledger.store("reward-points").create(kind, by="test")
    return Desk(ledger)


def issued(desk: Desk, card: str, party: str | None = None) -> None:
    desk.issue(card, Customer(party, create=True), by="desk")


def earned(ledger: Ledger, card: str, key: str = "sale") -> None:
    Journal(ledger).post(Posting(key, (Earn(card, "bonus", Decimal(30)),)), by="till")


def named(ledger: Ledger, card: str, new: str | None) -> None:
    """Somebody writes the field, and no more."""
    store = ledger.store("cards")
    found = store.find(card)
    assert found is not None
    store.update(found.id, {"ReplacementCardNumber": new}, by="file")


def left(ledger: Ledger) -> list[Unfinished]:
    with ledger.reading() as connection:
        return unfinished(connection, TODAY)


def points(ledger: Ledger, card: str) -> int:
    return sum(int(one.available) for one in balances(ledger, card, TODAY))


def code(desk: Desk, card: str, new: str | None = None) -> str:
    with pytest.raises(DualWriteError) as caught:
        desk.replace(card, new, by="desk")
    assert caught.value.remedy
    return caught.value.code


def test_a_card_that_names_another_keeps_its_points_until_it_is_told_to(
    desk: Desk, ledger: Ledger
) -> None:
    issued(desk, "A", "P1")
    issued(desk, "B")
    earned(ledger, "A")
    named(ledger, "A", "b")
    assert points(ledger, "A") == 30
    (one,) = left(ledger)
    assert (one, one.command) == (("A", "b", True), "dualwrite ledger replace A b")
    replaced = desk.replace("A", "B", by="desk")
    assert (points(ledger, "A"), points(ledger, "B")) == (0, 30)
    assert replaced.card.values[:3] == ("B", "AsCardTender", "P1")
    old = ledger.store("cards").find("A")
    assert old is not None
    assert old.values[1:4] == ("Blocked", "P1", "B")
    assert left(ledger) == []
    assert code(desk, "A") == "card-replaced"


def test_one_the_ledger_does_not_have_is_made(desk: Desk, ledger: Ledger) -> None:
    issued(desk, "A", "P1")
    earned(ledger, "A")
    named(ledger, "A", "N")
    assert left(ledger) == [("A", "N", False)]
    desk.replace("A", by="desk")
    assert (points(ledger, "N"), left(ledger)) == (30, [])


def test_programs_move_as_points_do(desk: Desk, ledger: Ledger) -> None:
    issued(desk, "A")
    issued(desk, "B")
    with ledger.writing("boss") as transaction:
        keep(transaction, ProgramDocument.model_validate({"program": "club"}), "")
    Joining(ledger).join("A", "club", by="desk")
    Joining(ledger).join("B", "club", by="desk")
    named(ledger, "A", "B")
    assert [one.card for one in left(ledger)] == ["A"]
    desk.replace("A", by="desk")
    Joining(ledger).leave("B", "club", by="desk")
    assert left(ledger) == [], "who leaves afterwards has left"


def test_cards_that_held_nothing_need_nobody(desk: Desk, ledger: Ledger) -> None:
    issued(desk, "A")
    named(ledger, "A", "B")
    assert left(ledger) == []


def test_one_card_may_go_on_for_two_and_points_come_again(desk: Desk, ledger: Ledger) -> None:
    for card in ("A", "B", "C"):
        issued(desk, card)
        earned(ledger, card, f"sale {card}")
    for card in ("A", "B"):
        named(ledger, card, "C")
        desk.replace(card, by="desk")
    assert points(ledger, "C") == 90
    store = ledger.store("cards")
    found = store.find("A")
    assert found is not None
    store.update(found.id, {"CardTenderType": "AsCardTender"}, by="desk")
    earned(ledger, "A", "found again")
    assert [one.card for one in left(ledger)] == ["A"]
    desk.replace("A", by="desk")
    assert (points(ledger, "C"), left(ledger)) == (120, [])


def test_what_cannot_take_over(desk: Desk, ledger: Ledger) -> None:
    issued(desk, "A", "P1")
    earned(ledger, "A")
    issued(desk, "other", "P2")
    issued(desk, "blocked")
    desk.block("blocked", by="desk")
    for new, why in (("other", "card-of-another"), ("blocked", "card-blocked")):
        named(ledger, "A", new)
        assert code(desk, "A") == why
    assert code(desk, "A", "B") == "card-replaced", "it names another"
    named(ledger, "A", "A")
    assert code(desk, "A") == "transfer-to-itself"
    assert points(ledger, "A") == 30


def test_check_names_them_with_what_to_type(desk: Desk, ledger: Ledger) -> None:
    endpoint = LedgerEndpoint(ledger)
    assert list(endpoint.advice("RetailLoyaltyCards")) == []
    for number in range(SHOWN + 2):
        issued(desk, f"A{number:02}")
        earned(ledger, f"A{number:02}", f"sale {number}")
        named(ledger, f"A{number:02}", f"B{number:02}")
    (problem,) = endpoint.advice("RetailLoyaltyCards")
    assert (problem.code, problem.severity) == ("replacement-unfinished", "warning")
    assert "A00, A01" in problem.message
    assert problem.message.endswith("A09 and 2 more")
    assert "`dualwrite ledger replace A00 B00`" in problem.remedy
    assert list(endpoint.advice("LoyaltyPointBalances")) == []
