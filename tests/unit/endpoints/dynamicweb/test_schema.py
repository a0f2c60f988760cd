"""The tables of a shop, under the names they have there."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.dialects import mssql
from sqlalchemy.schema import CreateTable

from connector.endpoints.dynamicweb.schema import tables
from connector.errors import ConfigError, MapError
from tests.unit.endpoints.dynamicweb.shop import MEMBERS, REWARD, TRANSACTION, Shop, rows_of


def test_on_sql_server_they_are_as_the_shop_makes_them() -> None:
    known = tables()
    text = {
        table.name: str(CreateTable(table).compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]
        for table in known.metadata.sorted_tables
    }
    reward, transaction = text["EcomLoyaltyReward"], text["EcomLoyaltyUserTransaction"]
    for line in (
        "[LoyaltyRewardId] INTEGER NOT NULL IDENTITY(1,1)",
        "[LoyaltyRewardName] NVARCHAR(50) NULL",
        "[LoyaltyRewardActive] BIT NULL",
        "[LoyaltyRewardPoints] FLOAT(53) NULL",
        "[LoyaltyRewardCurrencyCode] NVARCHAR(3) NULL",
    ):
        assert line in reward
    assert "[LoyaltyUserTransactionId] BIGINT NOT NULL IDENTITY(1,1)" in transaction
    assert "[LoyaltyUserTransactionDate] DATETIME NULL" in transaction
    assert len(known.rule.columns) == 26
    assert len(known.translation.columns) == 4


def test_tables_may_be_called_otherwise(tmp_path: Path) -> None:
    shop = Shop(tmp_path, {REWARD: "main.Belohnung", TRANSACTION: "Buchung"})
    id = shop.reward("Gold")
    shop.execute("INSERT INTO Buchung (LoyaltyUserTransactionUserId) VALUES (5)")
    with shop.endpoint() as endpoint:
        assert [*rows_of(endpoint.scan(REWARD, ("LoyaltyRewardName",), None))] == [id]
        assert [*rows_of(endpoint.scan(MEMBERS, ("CardNumber",), None))] == ["5"]
    shop.close()


def test_a_table_a_shop_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        tables({"EcomLoyaltyRewards": "X"})
    assert raised.value.code == "table-unknown"


@pytest.mark.parametrize("entity", [REWARD, MEMBERS, TRANSACTION])
def test_a_table_that_is_missing_is_named(shop: Shop, entity: str) -> None:
    shop.execute("DROP TABLE EcomLoyaltyReward")
    shop.execute("DROP TABLE EcomLoyaltyUserTransaction")
    with shop.endpoint() as endpoint, pytest.raises(MapError) as raised:
        endpoint.describe(entity)
    assert raised.value.code == "entity-unknown"


def test_a_column_that_is_missing_is_named(shop: Shop) -> None:
    shop.execute("ALTER TABLE EcomLoyaltyReward DROP COLUMN LoyaltyRewardPercentage")
    with shop.endpoint() as endpoint, pytest.raises(MapError, match="LoyaltyRewardPercentage"):
        endpoint.describe(REWARD)
