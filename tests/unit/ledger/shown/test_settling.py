"""Balances follow each posting at once, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.ledger.desk import Desk
from connector.ledger.journal.amounts import UNIT
from connector.ledger.journal.books import Card, Draft, Kind
from connector.ledger.journal.journal import Journal, post_within
from connector.ledger.journal.lots import Draw, Lot
from connector.ledger.journal.posting import Earn, EntryType, Posting, Redeem, Refused
from connector.ledger.journal.tables import entries, postings
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.schema import CARDS
from connector.ledger.shown.entities import POINT_BALANCES
from connector.ledger.shown.sheet import Sheet
from tests.unit.ledger.conftest import START
from tests.unit.ledger.shown.asking import right, shown


def earn(card: str, kind: str, points: str) -> Earn:
    return Earn(card, kind, Decimal(points))


def test_a_posting_shows_with_its_version_and_its_author(ledger: Ledger, journal: Journal) -> None:
    before = ledger.head()
    journal.post(Posting("k", (earn("A", "money", "2.5"),)), by="till 3")
    (record,) = ledger.store("point-balances").page(None, 10)
    assert (record.version, record.modified_at, record.modified_by) == (before + 1, START, "till 3")
    assert ledger.head() == before + 1
    two, none = Decimal("2.5"), Decimal(0)
    figures = (two, none, none, date(2026, 2, 2), none, none, two, none)
    assert record.values == ("A/money", "A", "money", *figures)


def test_a_card_is_found_whatever_its_case_but_shown_as_it_is_spelled(
    ledger: Ledger, journal: Journal
) -> None:
    journal.post(Posting("k", (earn("pool", "PLAIN", "1"),)), by="t")
    assert shown(ledger).keys() == {"POOL/plain"}


def test_what_is_rolled_back_shows_nothing(ledger: Ledger, journal: Journal) -> None:
    def post_and_fail() -> None:
        with ledger.writing("t") as transaction:
            post_within(transaction, [Posting("k", (earn("A", "plain", "1"),))])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post_and_fail()
    assert shown(ledger) == {}


def test_a_refused_posting_moves_nothing(ledger: Ledger, journal: Journal) -> None:
    lines = (earn("A", "plain", "1"), Redeem("A", "plain", Decimal(2)))
    wanted = [Posting("k", lines), Posting("l", (earn("B", "plain", "1"),))]
    refused, _ = journal.post_all(wanted, by="t")
    assert isinstance(refused, Refused)
    assert shown(ledger) == right(ledger, ledger.today())
    assert shown(ledger).keys() == {"B/plain"}


def test_a_posting_that_is_repeated_changes_no_version(ledger: Ledger, journal: Journal) -> None:
    posting = Posting("k", (earn("A", "plain", "1"),))
    journal.post(posting, by="t")
    head = ledger.head()
    assert journal.post(posting, by="t").repeated
    assert ledger.head() == head


def test_one_change_however_many_postings_a_transaction_has(
    ledger: Ledger, journal: Journal
) -> None:
    head = ledger.head()
    journal.post_all([Posting(f"{n}", (earn("A", "plain", "1"),)) for n in range(50)], by="t")
    assert ledger.head() == head + 1
    assert shown(ledger)["A/plain"]["Available"] == Decimal(50)


@contextmanager
def counted(ledger: Ledger) -> Iterator[list[None]]:
    """One element for every hundred steps SQLite's machine took: a measure of rows visited."""
    steps: list[None] = []

    def listen(connection: sa.Connection) -> None:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(lambda: steps.append(None), 100)

    sa.event.listen(ledger._engine, "begin", listen)
    yield steps
    sa.event.remove(ledger._engine, "begin", listen)


def history(ledger: Ledger, lots: int) -> None:
    """A card with so many lots that hold something, each with a last day of its own."""
    card = ledger.store("cards").find("A")
    kind = ledger.store("reward-points").find("money")
    assert card is not None
    assert kind is not None
    posting = {"key": "h", "digest": "", "posted_by": "t", "comment": "", "source": {}}
    at = {"at": START.replace(tzinfo=None), "posted_at": START.replace(tzinfo=None)}
    row = {"posting": 1, "type": "Earn", "card": card.id, "kind": kind.id, "why": ""}
    rows = [
        {
            **row,
            "number": number,
            "units": UNIT,
            "asked": UNIT,
            "remaining": UNIT,
            "starts": START.date(),
            "expires": START.date() + timedelta(40 + number),
        }
        for number in range(1, lots + 1)
    ]
    with ledger.writing("t") as transaction:
        transaction.connection.execute(sa.insert(postings), [{"number": 1, **posting, **at}])
        transaction.connection.execute(sa.insert(entries), rows)
    with ledger.writing("t") as transaction:
        Sheet(transaction, START.date()).work_out({(card.id, kind.id)})


def cost(ledger: Ledger, lots: int) -> int:
    """Steps of showing one more entry that draws from the lot that expires first."""
    history(ledger, lots)
    found = ledger.store("point-balances").read_by("BalanceId", ["A/money"])["a/money"][0]
    with ledger.reading() as connection:
        query = sa.select(POINT_BALANCES.table.c.card, POINT_BALANCES.table.c.kind)
        card_id, kind_id = connection.execute(query).one()
    first = found.values[6]
    assert isinstance(first, date)
    card = Card(card_id, "A", "AsCardTender", None)
    kind = Kind(kind_id, "money", False, True, ("Month", 1), ("Day", 0), None)
    draws = [Draw(Lot(1, UNIT, START.date(), first), UNIT)]
    with counted(ledger) as steps, ledger.writing("t") as transaction:
        update = sa.update(entries).where(entries.c.number == 1).values(remaining=0)
        transaction.connection.execute(update)
        transaction.touched.enter(
            Draft(lots + 1, EntryType.REDEEM, card, kind, -UNIT, -UNIT, "", draws=draws)
        )
    after = shown(ledger)["A/money"]
    assert after["NextExpiry"] == first + timedelta(1)
    assert after["Available"] == lots - 1
    return len(steps)


@pytest.mark.parametrize("lots", [20, 10_000])
def test_a_card_with_many_lots_costs_no_more_than_one_with_few(
    ledger: Ledger, journal: Journal, lots: int
) -> None:
    """Ten thousand rows would be hundreds of steps."""
    assert cost(ledger, lots) < 40


def test_cards_alone_ask_nothing_of_what_is_shown(ledger: Ledger) -> None:
    """A load of cards and an import are as fast as they were."""
    ledger.store("cards").apply([Upsert({"CardNumber": "first"})], by="t")  # reads programs
    seen: list[str] = []
    listen = lambda _c, _k, statement, *_: seen.append(statement)  # noqa: E731
    sa.event.listen(ledger._engine, "before_cursor_execute", listen)
    ledger.store("cards").apply([Upsert({"CardNumber": f"{n}"}) for n in range(10)], by="t")
    tables = ("point_balances", "point_entries", "shown_days", "card_tiers", "card_segments")
    assert not [one for one in seen for table in tables if table in one]
    assert any(CARDS.table.name in one for one in seen)


def test_points_that_move_to_a_new_card_show_on_both(ledger: Ledger, journal: Journal) -> None:
    journal.post(Posting("k", (earn("A", "later", "4"), earn("A", "money", "2.5"))), by="t")
    replaced = Desk(ledger).replace("A", "A2", by="desk")
    assert len(replaced.entries) == 4
    assert shown(ledger) == right(ledger, ledger.today())
    assert shown(ledger)["A2/money"]["Available"] == Decimal("2.5")
    assert shown(ledger)["A/money"]["Available"] == 0
