"""The journal as an entity that only grows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.errors import PositionExpiredError
from connector.ledger.journal.journal import Journal, post_within
from connector.ledger.journal.posting import Adjust, Earn, Posted, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Insert, Record, Refused
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS
from tests.unit.ledger.conftest import START


def told(record: Record, ledger: Ledger) -> dict[str, object]:
    names = ledger.store("point-transactions").entity.names
    return dict(zip(names, record.values, strict=True))


def test_an_entry_tells_all_that_the_journal_knows_of_it(ledger: Ledger, journal: Journal) -> None:
    at = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    earn = Earn("A", "money", Decimal("2.5"), why="1 per EUR", rule="gold/base@1")
    posting = Posting("k", (earn,), at, comment="by hand", source={"order": "S-7"})
    journal.post(posting, by="till")
    (record,) = ledger.store("point-transactions").listed(10)
    assert (record.id, record.version, record.modified_at, record.modified_by) == (
        "1",
        1,
        START,
        "till",
    )
    assert told(record, ledger) == {
        "TransactionNumber": "1",
        "CardNumber": "A",
        "RewardPointId": "money",
        "EntryType": "Earn",
        "Points": Decimal("2.5"),
        "At": at,
        "StartDate": date(2026, 1, 1),
        "ExpirationDate": date(2026, 2, 1),
        "Reference": "S-7",
        "Rule": "gold/base@1",
        "Why": "1 per EUR",
        "Comment": "by hand",
    }


def test_what_is_not_known_is_empty(ledger: Ledger, journal: Journal) -> None:
    journal.post(Posting("k", (Adjust("A", "plain", Decimal(5)),)), by="t")
    journal.post(Posting("l", (Redeem("A", "plain", Decimal(2)),)), by="t")
    paid = told(ledger.store("point-transactions").listed(10)[1], ledger)
    assert paid["Points"] == Decimal(-2)
    empty = ("StartDate", "ExpirationDate", "Reference", "Rule", "Why", "Comment")
    assert [paid[name] for name in empty] == [None] * len(empty)


def test_an_entry_names_what_it_came_from_as_that_is_spelled(
    ledger: Ledger, journal: Journal
) -> None:
    at = START.replace(tzinfo=None)
    with ledger.reading() as connection:
        card = connection.scalar(sa.select(CARDS.table.c.id).where(CARDS.table.c.key == "a"))
    sale = {"id": 1, "number": "S-A1", "key": "s-a1", "digest": "", "card": card, "at": at}
    empty: dict[str, object] = {name: {} for name in ("payments", "fields", "member", "versions")}
    with ledger.writing("t") as transaction:
        row = sale | empty | {"currency": "EUR"}
        transaction.connection.execute(sa.insert(sales), [row])
    earn = (Earn("A", "plain", Decimal(1)),)
    postings = (
        Posting("return:1", earn, sale="S-A1"),
        Posting("payment:1", earn, sale="Not Sold Yet"),
        Posting("activity:Survey 7", earn),
        Posting("other", earn, source={"receipt": "R-1"}),
    )
    with ledger.writing("t") as transaction:
        assert all(isinstance(one, Posted) for one in post_within(transaction, postings))
    entries = ledger.store("point-transactions").page(None, 10)
    references = [told(one, ledger)["Reference"] for one in entries]
    assert references == ["S-A1", "not sold yet", "Survey 7", "R-1"]


def test_numbers_order_as_numbers(ledger: Ledger, journal: Journal) -> None:
    store = ledger.store("point-transactions")
    lines = tuple(Earn("A", "plain", Decimal(1)) for _ in range(12))
    journal.post(Posting("k", lines), by="t")
    assert [one.id for one in store.page("8", 3)] == ["9", "10", "11"]
    assert [one.values[0] for one in store.listed(2, after="9")] == ["10", "11"]
    assert {one.id for one in store.read(["10", "2", "13", "x", "-1", "02"])} == {"10", "2"}
    assert store.read_by("TransactionNumber", ["12", "012", "no"]).keys() == {"12"}
    assert len(store.read_by("CardNumber", ["a"])["a"]) == 12
    found = store.find("7")
    assert found is not None
    assert found.id == "7"
    assert store.count() == 12


def test_the_feed_is_the_journal(ledger: Ledger, journal: Journal) -> None:
    store = ledger.store("point-transactions")
    assert store.head() == 0
    journal.post(Posting("k", tuple(Earn("A", "plain", Decimal(1)) for _ in range(5))), by="t")
    assert store.head() == 5
    page = store.changes(1, 4, 2)
    assert ([one.id for one in page.records], page.through, page.last) == (["2", "3"], 3, False)
    page = store.changes(page.through, 4, 2)
    assert ([one.id for one in page.records], list(page.deleted), page.last) == (["4"], [], True)
    with pytest.raises(PositionExpiredError) as caught:
        store.require_reach(6)
    assert caught.value.code == "position-ahead"


def test_nobody_writes_what_the_ledger_shows(ledger: Ledger) -> None:
    for name in ("point-transactions", "point-balances", "card-tiers", "card-segments"):
        store = ledger.store(name)
        (result,) = store.apply([Insert(ledger.new_id(), {store.entity.key.name: "1"})], by="me")
        assert isinstance(result, Refused)
        assert result.error.code == "entity-read-only"
        assert store.count() == 0
