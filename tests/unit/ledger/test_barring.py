"""A customer who is blocked gets no card, whoever writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.ledger.desk import Customer, Desk
from connector.ledger.importer import ImportOptions, import_file
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Done, Insert, Refused, Result, Upsert
from connector.ledger.schema import CARDS, blocked_customers


@pytest.fixture
def blocked(ledger: Ledger) -> Desk:
    """P1 is blocked and holds the card A, P2 holds C."""
    desk = Desk(ledger)
    desk.issue("C", Customer("P2", create=True), by="desk")
    desk.issue("A", Customer("P1", create=True), by="desk")
    desk.block_customer("p1", "fraud", by="boss")
    return desk


def ended(result: Result) -> str:
    if isinstance(result, Refused):
        assert result.error.remedy
        return result.error.code
    assert isinstance(result, Done), result
    return result.effect


def written(ledger: Ledger, *operations: Any) -> list[str]:
    return [ended(one) for one in ledger.store("cards").apply(operations, by="sync")]


def id_of(ledger: Ledger, card: str) -> str:
    found = ledger.store("cards").find(card)
    assert found is not None
    return found.id


@pytest.mark.parametrize("party", ["P1", " p1"])
def test_no_new_card(blocked: Desk, ledger: Ledger, party: str) -> None:
    values = {"CardNumber": "N", "PartyNumber": party.strip()}
    assert written(ledger, Insert(ledger.new_id(), values), Upsert(values)) == [
        "customer-blocked",
        "customer-blocked",
    ]
    history = {**values, "CardTenderType": "Blocked"}
    other = {"CardNumber": "M", "PartyNumber": "P2"}
    assert written(ledger, Upsert(history), Upsert(other)) == ["created", "created"]


def test_no_card_of_somebody_else_and_none_that_is_unblocked(blocked: Desk, ledger: Ledger) -> None:
    theirs, others = id_of(ledger, "A"), id_of(ledger, "C")
    given = Change(others, None, {"PartyNumber": "P1"})
    opened = Change(theirs, None, {"CardTenderType": "NoTender"})
    told = Change(theirs, None, {"ReplacementCardNumber": "Z"})
    assert written(ledger, given, opened, told) == [
        "customer-blocked",
        "customer-blocked",
        "updated",
    ]
    blocked.allow_customer("P1", by="boss")
    assert written(ledger, opened) == ["updated"]


def test_a_card_they_hold_may_be_changed(blocked: Desk, ledger: Ledger) -> None:
    blocked.allow_customer("P1", by="boss")
    opened = Change(id_of(ledger, "A"), None, {"CardTenderType": "NoTender"})
    assert written(ledger, opened) == ["updated"]
    with ledger.writing("an older version") as transaction:
        row = {"party": "p1", "at": transaction.feed.stored_at, "by": "boss", "why": ""}
        transaction.connection.execute(blocked_customers.insert(), [row])
    changed = Change(id_of(ledger, "A"), None, {"CardTenderType": "AsCardTender"})
    assert written(ledger, changed) == ["updated"]


def test_none_from_a_file(blocked: Desk, ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    file.write_text("CardNumber,PartyNumber\nN1,P1\nN2,P2\n", "utf-8")
    report = import_file(ledger, CARDS, file, ImportOptions(), by="import")
    assert (report.created, report.refused) == (1, 1)
    assert [(one.code, one.subject.line) for one in report.problems] == [("customer-blocked", 2)]
