"""Transactions: found by their rising ids."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from connector.endpoints.base import Page
from connector.endpoints.dynamicweb import DynamicwebEndpoint
from tests.unit.endpoints.dynamicweb.shop import TRANSACTION, Shop, noon, rows_of

COLUMNS = ("LoyaltyUserTransactionUserId", "LoyaltyUserTransactionPoints")


def look(endpoint: DynamicwebEndpoint, position: str) -> tuple[list[Page], str]:
    pages = list(endpoint.changes(TRANSACTION, COLUMNS, position))
    assert pages[-1].position is not None
    return pages, pages[-1].position


def begun(endpoint: DynamicwebEndpoint) -> str:
    position = [*endpoint.scan(TRANSACTION, COLUMNS, None)][-1].position
    assert position is not None
    return look(endpoint, position)[1]


def test_new_transactions_are_told_once(shop: Shop) -> None:
    for user in range(1, 6):
        shop.transaction(user, 1.0)
    with shop.endpoint() as endpoint:
        position = begun(endpoint)
        new = [shop.transaction(9, -2.5), shop.transaction(9, 1e-9)]
        pages, position = look(endpoint, position)
        rows = rows_of(iter(pages))
        assert {id: row.image for id, row in rows.items()} == {
            new[0]: (9, Decimal("-2.5")),
            new[1]: (9, Decimal(0)),
        }
        assert rows_of(iter(look(endpoint, position)[0])) == {}


def test_a_transaction_that_is_committed_after_a_later_one_is_seen(shop: Shop) -> None:
    shop.transaction(1, 1.0)
    with shop.endpoint() as endpoint:
        position = begun(endpoint)
        shop.transaction(2, 1.0)
        shop.execute(
            "UPDATE EcomLoyaltyUserTransaction SET LoyaltyUserTransactionId = 5 "
            "WHERE LoyaltyUserTransactionId = 2"
        )
        position = look(endpoint, position)[1]
        shop.execute("INSERT INTO EcomLoyaltyUserTransaction (LoyaltyUserTransactionId) VALUES (3)")
        assert [*rows_of(iter(look(endpoint, position)[0]))] == ["3"]


def test_a_transaction_that_was_removed_is_found_by_the_sweep(shop: Shop) -> None:
    for user in range(1, 6):
        shop.transaction(user, 1.0)
    with shop.endpoint() as endpoint:
        position = begun(endpoint)
        shop.execute("DELETE FROM EcomLoyaltyUserTransaction WHERE LoyaltyUserTransactionId = 2")
        pages, position = look(endpoint, position)
        assert not any(page.deleted for page in pages)
        shop.now = 3600
        pages, _ = look(endpoint, position)
        assert [id for page in pages for id in page.deleted] == ["2"]


def test_times_are_utc_and_texts_are_found(shop: Shop) -> None:
    id = shop.transaction(1, 1.0, noon(2024, 5, 1))
    shop.execute("UPDATE EcomLoyaltyUserTransaction SET LoyaltyUserTransactionComment = 'Order 7 '")
    columns = ("LoyaltyUserTransactionDate",)
    with shop.endpoint() as endpoint:
        found = endpoint.read(
            TRANSACTION, columns, by="LoyaltyUserTransactionComment", values=["ORDER 7"]
        )
    (row,) = found.rows["ORDER 7"]
    assert (row.id, row.image) == (id, (datetime(2024, 5, 1, 12, tzinfo=UTC),))
