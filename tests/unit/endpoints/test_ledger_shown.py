"""What the ledger shows of points, behind the endpoint protocol: read as any table, not written.

The contract suite makes rows by writing them, which these tables refuse; this is what of it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.endpoints.base import Create, Delete, Endpoint, Rejected, Update
from connector.endpoints.ledger.endpoint import LedgerEndpoint
from connector.errors import PositionExpiredError
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.mapping.values import ValueType
from tests.unit.ledger.conftest import START
from tests.unit.ledger.journal.conftest import fill

BALANCES, ENTRIES = "LoyaltyPointBalances", "LoyaltyPointTransactions"
TIERS, SEGMENTS = "LoyaltyCardTiers", "LoyaltyCardSegments"
COLUMNS = ["TRANSACTIONNUMBER", "Points", "At"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db", clock=lambda: START) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def endpoint(ledger: Ledger) -> Endpoint:
    return LedgerEndpoint(ledger, page_rows=3)


@pytest.mark.parametrize("name", [BALANCES, ENTRIES])
def test_what_corrections_post_is_shown_here(endpoint: Endpoint, name: str) -> None:
    (followed,) = endpoint.describe(name).follows
    assert "PostedPoints" in endpoint.describe(followed).columns


def earn(ledger: Ledger, key: str, *points: int) -> None:
    lines = tuple(Earn("A", "plain", Decimal(one)) for one in points)
    Journal(ledger).post(Posting(key, lines), by="till")


@pytest.mark.parametrize("name", [BALANCES, ENTRIES, TIERS, SEGMENTS])
def test_nobody_may_write_any_of_it(endpoint: Endpoint, name: str) -> None:
    entity = endpoint.describe(name)
    assert entity.capabilities.append_only == (name == ENTRIES)
    assert not any(one.creatable or one.updatable for one in entity.columns.values())
    assert not any(one.required for one in entity.columns.values())
    (key,) = entity.keys
    row = "00000000-0000-7000-8000-000000000001"
    outcomes = endpoint.write(
        name,
        ["CardNumber"],
        [
            Create(row, {key.columns[0]: "x", "CardNumber": "A"}),
            Update(row, None, {"CardNumber": "B"}),
            Delete(row, None),
        ],
    )
    assert [one.code for one in outcomes if isinstance(one, Rejected)] == ["entity-read-only"] * 3
    assert list(endpoint.scan(name, ["CardNumber"], None))[-1].rows == []


def test_cards_and_kinds_change_as_before(endpoint: Endpoint) -> None:
    entity = endpoint.describe("RetailLoyaltyCards")
    assert not entity.capabilities.append_only
    assert all(one.creatable and one.updatable for one in entity.columns.values())


def test_columns_have_their_types(endpoint: Endpoint) -> None:
    columns = endpoint.describe(ENTRIES).columns
    types = {
        name: columns[name].type for name in ("TransactionNumber", "Points", "At", "StartDate")
    }
    assert types == {
        "TransactionNumber": ValueType.TEXT,
        "Points": ValueType.DECIMAL,
        "At": ValueType.INSTANT,
        "StartDate": ValueType.DATE,
    }
    assert (columns["Points"].scale, columns["TransactionNumber"].scale) == (4, None)
    assert set(columns["EntryType"].choices or ()) >= {"Earn", "Redeem", "Refund"}


def test_the_journal_is_read_in_pages_that_can_be_resumed(
    ledger: Ledger, endpoint: Endpoint
) -> None:
    earn(ledger, "k", *range(1, 9))
    pages = list(endpoint.scan(ENTRIES, COLUMNS, None))
    assert [len(one.rows) for one in pages] == [3, 3, 2]
    rows = [row for page in pages for row in page.rows]
    assert [row.image for row in rows] == [(str(n), Decimal(n), START) for n in range(1, 9)]
    assert [(row.id, row.version) for row in rows] == [(str(n), str(n)) for n in range(1, 9)]
    assert (rows[0].modified_at, rows[0].modifier) == (START, "till")
    again = list(endpoint.scan(ENTRIES, COLUMNS, pages[0].resume))
    assert [row.id for page in again for row in page.rows] == ["4", "5", "6", "7", "8"]


def test_its_feed_tells_what_was_posted_since_and_nothing_twice(
    ledger: Ledger, endpoint: Endpoint
) -> None:
    earn(ledger, "k", 1, 2)
    *_, last = endpoint.scan(ENTRIES, COLUMNS, None)
    assert last.position is not None
    Journal(ledger).post(Posting("r", (Redeem("A", "plain", Decimal(2)),)), by="till")
    earn(ledger, "l", 4, 5, 6)
    ledger.store("cards").create({"CardNumber": "another"}, by="desk")
    pages = list(endpoint.changes(ENTRIES, COLUMNS, last.position))
    assert [[row.id for row in page.rows] for page in pages] == [["3", "4", "5"], ["6"]]
    assert not any(page.deleted for page in pages)
    (rest,) = endpoint.changes(ENTRIES, COLUMNS, pages[0].resume or "")
    assert [row.id for row in rest.rows] == ["6"]
    (empty,) = endpoint.changes(ENTRIES, COLUMNS, pages[-1].position or "")
    assert (empty.rows, empty.position) == ([], pages[-1].position)


def test_positions_belong_to_their_table_and_to_this_state_of_it(
    ledger: Ledger, endpoint: Endpoint, tmp_path: Path
) -> None:
    earn(ledger, "k", 1, 2)
    *_, last = endpoint.scan(ENTRIES, ["CardNumber"], None)
    *_, other = endpoint.scan(BALANCES, ["CardNumber"], None)
    assert last.position
    assert other.position
    for name, position in ((BALANCES, last.position), (ENTRIES, other.position)):
        with pytest.raises(PositionExpiredError):
            list(endpoint.changes(name, ["CardNumber"], position))
    with (
        Ledger.open(f"sqlite:///{tmp_path}/older.db") as older,
        pytest.raises(PositionExpiredError) as caught,
    ):
        list(LedgerEndpoint(older).changes(ENTRIES, ["CardNumber"], last.position))
    assert caught.value.code == "position-ahead"


def test_rows_are_found_by_id_and_by_key(ledger: Ledger, endpoint: Endpoint) -> None:
    earn(ledger, "k", 1, 2)
    by_id = endpoint.read(ENTRIES, ["Points"], by=None, values=["2", "3", "no"])
    assert {key: rows[0].image for key, rows in by_id.rows.items()} == {"2": (Decimal(2),)}
    by_key = endpoint.read(ENTRIES, ["Points"], by="TransactionNumber", values=["1", "01"])
    assert by_key.rows.keys() == {"1"}
    found = endpoint.read(BALANCES, ["Available"], by="BalanceId", values=["a/PLAIN "])
    assert [row.image for row in found.rows["a/PLAIN "]] == [(Decimal(3),)]


def test_a_posting_changes_a_handful_of_rows(ledger: Ledger, endpoint: Endpoint) -> None:
    for card in ("A", "B", "POOL"):
        line = Earn(card, "money", Decimal("1.5"))
        Journal(ledger).post(Posting(card, (line,)), by="till")
    *_, last = endpoint.scan(BALANCES, ["BalanceId", "Available", "NextExpiry"], None)
    earn(ledger, "k", 1)
    columns = ["BalanceId", "Available", "NextExpiry"]
    (page,) = endpoint.changes(BALANCES, columns, last.position or "")
    assert [row.image for row in page.rows] == [("A/plain", Decimal(1), None)]
    row = endpoint.read(BALANCES, columns, by="BalanceId", values=["B/money"]).rows["B/money"][0]
    assert row.image == ("B/money", Decimal("1.5"), date(2026, 2, 2))
    assert row.modified_at == datetime(2026, 1, 2, 10, tzinfo=UTC)
