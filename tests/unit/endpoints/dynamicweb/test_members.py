"""Cards where there is no table of cards."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.endpoints.base import Create, Rejected
from connector.errors import MapError
from connector.mapping.values import Image
from tests.unit.endpoints.dynamicweb.shop import MEMBERS, TRANSACTION, Shop, noon, rows_of, the

COLUMNS = ("CardNumber", "PointsBalance", "FirstPointsDate", "LastPointsAt")


def members(shop: Shop, columns: tuple[str, ...] = COLUMNS) -> dict[str, Image]:
    with shop.endpoint() as endpoint:
        found = rows_of(endpoint.scan(MEMBERS, columns, None))
    return {id: row.image for id, row in found.items()}


def test_a_user_with_points_is_a_member(shop: Shop) -> None:
    for user, points, at in [
        (7, 0.1, noon(2024, 5, 1)),
        (7, 0.2, noon(2024, 5, 3)),
        (7, -0.05, noon(2024, 5, 2)),
        (9, 5.0, None),
    ]:
        shop.transaction(user, points, at)
    shop.transaction(None, 100.0)
    assert members(shop) == {
        "7": ("7", Decimal("0.25"), date(2024, 5, 1), datetime(2024, 5, 3, 12, tzinfo=UTC)),
        "9": ("9", Decimal(5), None, None),
    }


def test_members_come_in_pages(shop: Shop) -> None:
    for user in range(1, 11):
        shop.transaction(user, float(user))
        shop.transaction(user, 1.0)
    found = members(shop, ("PointsBalance",))
    assert found == {str(user): (Decimal(user + 1),) for user in range(1, 11)}


def test_a_named_table_of_users_tells_the_members(tmp_path: Path) -> None:
    shop = Shop(tmp_path, {"AccessUser": "Users"})
    shop.execute(
        "CREATE TABLE Users (AccessUserID INTEGER PRIMARY KEY, AccessUserCustomerNumber "
        "VARCHAR(255), AccessUserActive BOOLEAN, AccessUserPicture BLOB)"
    )
    shop.execute("INSERT INTO Users VALUES (1, 'C-1 ', 1, NULL), (2, 'c-2', 0, NULL)")
    shop.transaction(1, 10.0)
    shop.transaction(3, 99.0)  # of a user who was removed
    columns = ("CardNumber", "AccessUserCustomerNumber", "AccessUserActive", "PointsBalance")
    assert members(shop, columns) == {
        "1": ("1", "C-1 ", True, Decimal(10)),
        "2": ("2", "c-2", False, Decimal(0)),
    }
    with shop.endpoint() as endpoint:
        described = endpoint.describe(MEMBERS)
        assert "AccessUserPicture" not in described.columns
        assert described.columns["AccessUserCustomerNumber"].max_length == 255
        found = endpoint.read(
            MEMBERS, ("CardNumber",), by="AccessUserCustomerNumber", values=["c-1", "C-2", "c-3"]
        )
    assert {key: [row.id for row in rows] for key, rows in found.rows.items()} == {
        "c-1": ["1"],
        "C-2": ["2"],
    }
    shop.close()


@pytest.mark.parametrize("create", [None, "CREATE TABLE Users (Id INTEGER)"])
def test_a_table_of_users_that_is_none_is_named(tmp_path: Path, create: str | None) -> None:
    shop = Shop(tmp_path, {"AccessUser": "Users"})
    if create is not None:
        shop.execute(create)
    with shop.endpoint() as endpoint, pytest.raises(MapError, match="Users"):
        endpoint.describe(MEMBERS)
    shop.close()


def test_members_are_found_by_card_number(shop: Shop) -> None:
    for user in (7, 70):
        shop.transaction(user, 1.0)
    with shop.endpoint() as endpoint:
        asked = ["7", "70  ", "07", "8", "", "x"]
        found = endpoint.read(MEMBERS, ("CardNumber",), by="CardNumber", values=asked)
        assert {key: rows[0].id for key, rows in found.rows.items()} == {"7": "7", "70  ": "70"}


def test_new_points_are_a_change_of_the_member(shop: Shop) -> None:
    for user in (1, 2, 3):
        shop.transaction(user, 1.0)
    with shop.endpoint() as endpoint:
        position = [*endpoint.scan(MEMBERS, COLUMNS, None)][-1].position
        assert position is not None
        shop.transaction(2, 2.0)
        shop.transaction(4, 1.0)
        rows = rows_of(endpoint.changes(MEMBERS, COLUMNS, position))
    assert {id: row.image[1] for id, row in rows.items()} == {"2": Decimal(3), "4": Decimal(1)}


@pytest.mark.parametrize("entity", [MEMBERS, TRANSACTION])
def test_nobody_writes_to_them(shop: Shop, entity: str) -> None:
    with shop.endpoint() as endpoint:
        described = endpoint.describe(entity)
        assert not any(c.creatable or c.updatable for c in described.columns.values())
        outcome = the(endpoint.write(entity, (), [Create("x", {})]))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "entity-read-only"
