"""The proof finds whatever is shown otherwise than it is."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.journal.tables import deductions, entries
from connector.ledger.ledger import Ledger
from connector.ledger.shown.entities import POINT_BALANCES
from connector.ledger.shown.proof import differences
from connector.ledger.shown.tables import shown_days

TABLE = POINT_BALANCES.table


@pytest.fixture
def earned(ledger: Ledger, journal: Journal) -> Ledger:
    lines = tuple(Earn(card, "money", Decimal(2)) for card in ("A", "B"))
    journal.post(Posting("k", lines), by="t")
    return ledger


def found(ledger: Ledger, broken: sa.Executable) -> list[tuple[str, object, object]]:
    with ledger.writing("somebody past the program") as transaction:
        transaction.connection.execute(broken)
    return [(one.field, one.shown, one.right) for one in differences(ledger)]


def test_nothing_differs_where_nobody_interfered(earned: Ledger) -> None:
    assert list(differences(earned)) == []


@pytest.mark.parametrize("field", POINT_BALANCES.names[3:])
def test_a_figure_that_is_wrong(earned: Ledger, field: str) -> None:
    column = TABLE.c[POINT_BALANCES.field(field).column]
    wrong = sa.update(TABLE).where(TABLE.c.card_number == "B").values({column: None})
    if column.name != "next_expiry":
        wrong = sa.update(TABLE).where(TABLE.c.card_number == "B").values({column: Decimal(7)})
    ((name, shown, right),) = found(earned, wrong)
    assert (name, shown) == (field, None if column.name == "next_expiry" else Decimal(7))
    assert right != shown


def test_a_name_that_is_wrong(earned: Ledger) -> None:
    wrong = sa.update(TABLE).where(TABLE.c.card_number == "B").values(card_number="C")
    assert found(earned, wrong) == [("CardNumber", "C", "B")]


def test_a_balance_that_is_missing(earned: Ledger) -> None:
    wrong = found(earned, sa.delete(TABLE).where(TABLE.c.card_number == "B"))
    assert ("Available", None, Decimal(2)) in wrong


def test_a_balance_of_nothing(earned: Ledger) -> None:
    same = earned.store("cards").find("SAME")
    assert same is not None
    with earned.reading() as connection:
        copied = sa.select(TABLE).where(TABLE.c.card_number == "B")
        row = dict(connection.execute(copied).mappings().one())
    row |= {"id": "x", "version": 10_000, "card": same.id, "key": "same/money"}
    wrong = found(earned, sa.insert(TABLE).values(row))
    assert ("Available", Decimal(2), None) in wrong


def test_before_the_first_turn_there_is_nothing_to_compare(earned: Ledger) -> None:
    assert found(earned, sa.delete(shown_days)) == []


def test_a_lot_that_does_not_add_up(earned: Ledger) -> None:
    wrong = sa.update(entries).where(entries.c.number == 2).values(remaining=70_000)
    assert ("entry 2", Decimal(7), Decimal(2)) in found(earned, wrong)
    redraw = sa.insert(deductions).values(entry=1, lot=1, units=5_000)
    assert ("entry 1", Decimal(2), Decimal("1.5")) in found(earned, redraw)
