"""Point kinds: translations, archiving, unique names, writes that come between."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Missing,
    Rejected,
    Stale,
    Update,
)
from connector.endpoints.dynamicweb import DynamicwebEndpoint
from connector.endpoints.dynamicweb.rewards import Rewards
from connector.endpoints.dynamicweb.schema import tables
from connector.mapping.values import ValueType
from tests.unit.endpoints.dynamicweb.shop import REWARD, Shop, rows_of, the

COLUMNS = ("LoyaltyRewardName", "LoyaltyRewardPoints", "LoyaltyRewardActive")


def version(endpoint: DynamicwebEndpoint, id: str) -> str | None:
    found = endpoint.read(REWARD, COLUMNS, by=None, values=[id]).rows
    return found[id][0].version


def test_columns_have_their_facets(shop: Shop) -> None:
    with shop.endpoint() as endpoint:
        entity = endpoint.describe(REWARD.lower())
    assert entity.name == REWARD
    assert [*entity.columns] == [
        "LoyaltyRewardId",
        "LoyaltyRewardName",
        "LoyaltyRewardType",
        "LoyaltyRewardActive",
        "LoyaltyRewardPoints",
        "LoyaltyRewardCurrencyCode",
        "LoyaltyRewardRoundingId",
        "LoyaltyRewardPercentage",
    ]
    assert entity.columns["LoyaltyRewardCurrencyCode"].max_length == 3
    assert entity.columns["LoyaltyRewardActive"].type is ValueType.BOOLEAN
    assert not entity.columns["LoyaltyRewardId"].creatable
    able = entity.capabilities
    assert (able.preconditions, able.create, able.ids) == ("compare", "at-least-once", "allotted")


def test_an_edit_of_any_column_makes_an_older_write_stale(shop: Shop) -> None:
    id = shop.reward("Gold", Points=5.0, RoundingId="R")
    with shop.endpoint() as endpoint:
        old = version(endpoint, id)
        shop.execute("UPDATE EcomLoyaltyReward SET LoyaltyRewardRoundingId = 'S'")
        update = Update(id, old, {"LoyaltyRewardPoints": Decimal(6)})
        assert isinstance(the(endpoint.write(REWARD, COLUMNS, [update])), Stale)
        assert isinstance(the(endpoint.write(REWARD, COLUMNS, [Delete(id, old)])), Stale)
        assert shop.raw(id)["LoyaltyRewardPoints"] == 5.0
        new = Update(id, version(endpoint, id), {"LoyaltyRewardPoints": Decimal(6)})
        assert isinstance(the(endpoint.write(REWARD, COLUMNS, [new])), Applied)
    assert shop.raw(id)["LoyaltyRewardPoints"] == 6.0
    assert shop.raw(id)["LoyaltyRewardRoundingId"] == "S"


@pytest.mark.parametrize(
    "between",
    [
        "LoyaltyRewardName = 'gold'",
        "LoyaltyRewardPoints = 5.1",
        "LoyaltyRewardRoundingId = ''",
        "LoyaltyRewardArchived = 1",
        "LoyaltyRewardType = NULL",
    ],
)
def test_an_edit_between_the_read_and_the_update_changes_nothing(shop: Shop, between: str) -> None:
    id = shop.reward("Gold", Points=5.0, Type=1, Archived=False)
    old = shop.raw(id)
    update = Rewards(shop.tables).compare_and_set(old, {"LoyaltyRewardPoints": 6.0}, "sqlite")
    shop.execute(f"UPDATE EcomLoyaltyReward SET {between}")
    with shop.engine.begin() as connection:
        assert connection.execute(update).rowcount == 0
    shop.execute("DELETE FROM EcomLoyaltyReward")
    with shop.engine.begin() as connection:
        connection.execute(shop.tables.reward.insert().values(**old))
        assert connection.execute(update).rowcount == 1


def test_a_delete_archives_and_archived_rewards_are_none_to_us(shop: Shop) -> None:
    id, gone = shop.reward("Gold"), shop.reward("Old", Archived=True)
    with shop.endpoint() as endpoint:
        assert [*rows_of(endpoint.scan(REWARD, COLUMNS, None))] == [id]
        assert endpoint.read(REWARD, COLUMNS, by=None, values=[gone]).rows == {}
        outcome = the(endpoint.write(REWARD, COLUMNS, [Delete(gone, None)]))
        assert isinstance(outcome, Missing)
        deleted = Delete(id, version(endpoint, id))
        assert isinstance(the(endpoint.write(REWARD, COLUMNS, [deleted])), Applied)
        assert rows_of(endpoint.scan(REWARD, COLUMNS, None)) == {}
    assert shop.raw(id)["LoyaltyRewardArchived"] is True
    assert shop.raw(id)["LoyaltyRewardName"] == "Gold"


def test_a_reward_that_the_shop_archives_is_told_as_deleted(shop: Shop) -> None:
    ids = [shop.reward(name) for name in ("A", "B", "C")]
    with shop.endpoint() as endpoint:
        position = [*endpoint.scan(REWARD, COLUMNS, None)][-1].position
        assert position is not None
        shop.execute(
            "UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 WHERE LoyaltyRewardId = 2"
        )
        pages = list(endpoint.changes(REWARD, COLUMNS, position))
    assert [id for page in pages for id in page.deleted] == [ids[1]]


def test_names_in_the_languages_of_the_shop_are_columns(shop: Shop) -> None:
    id, other = shop.reward("Gold"), shop.reward("Silver")
    shop.translation(id, "LANG1", "Or")
    shop.translation(id, "LANG1", "Or fin")
    shop.translation(id, "LANG2", "")
    shop.translation("99", "LANG2", "Nobody's")
    columns = ("LoyaltyRewardTranslationName_LANG1", "LoyaltyRewardTranslationName_LANG2")
    with shop.endpoint() as endpoint:
        described = endpoint.describe(REWARD).columns
        assert not described[columns[0]].updatable
        rows = rows_of(endpoint.scan(REWARD, columns, None))
        assert {row.id: row.image for row in rows.values()} == {
            id: ("Or fin", None),
            other: (None, None),
        }
        before = version(endpoint, id)
        shop.translation(id, "LANG1", "Or pur")
        assert version(endpoint, id) != before
        outcome = the(endpoint.write(REWARD, COLUMNS, [Update(id, before, {})]))
        assert isinstance(outcome, Stale)


def test_where_names_are_unique_a_create_is_safe_to_send_again(shop: Shop) -> None:
    shop.execute(
        "CREATE UNIQUE INDEX one ON EcomLoyaltyReward (LoyaltyRewardName) "
        "WHERE LoyaltyRewardArchived = 0"
    )
    create = Create("x", {"LoyaltyRewardName": "Gold"})
    other = Create("y", {"LoyaltyRewardName": "Silver"})
    with shop.endpoint() as endpoint:
        assert endpoint.describe(REWARD).capabilities.create == "once"
        first = the(endpoint.write(REWARD, COLUMNS, [create]))
        assert isinstance(first, Applied)
        again, born = endpoint.write(REWARD, COLUMNS, [create, other])
        assert isinstance(again, Exists)
        assert again.id == first.id
        assert isinstance(born, Applied)
        rename = Update(born.id, None, {"LoyaltyRewardName": "Gold"})
        assert isinstance(the(endpoint.write(REWARD, COLUMNS, [rename])), Exists)


def test_an_archived_reward_in_the_way_is_named(shop: Shop) -> None:
    shop.execute("CREATE UNIQUE INDEX one ON EcomLoyaltyReward (LoyaltyRewardName)")
    id = shop.reward("Gold", Archived=True)
    with shop.endpoint() as endpoint:
        outcome = the(endpoint.write(REWARD, COLUMNS, [Create("x", {"LoyaltyRewardName": "Gold"})]))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "key-archived"
    assert id in outcome.text


def test_a_constraint_of_the_database_refuses_one_row_only(shop: Shop) -> None:
    shop.execute("DROP TABLE EcomLoyaltyReward")
    shop.tables.reward.c.LoyaltyRewardPoints.nullable = False
    shop.tables.reward.create(shop.engine)
    creates = [
        Create("a", {"LoyaltyRewardPoints": None}),
        Create("b", {"LoyaltyRewardPoints": Decimal(1)}),
    ]
    with shop.endpoint() as endpoint:
        refused, done = endpoint.write(REWARD, COLUMNS, creates)
    assert isinstance(refused, Rejected)
    assert refused.code == "value-refused"
    assert isinstance(done, Applied)


def test_the_statements_of_sql_server_are_as_they_should_be() -> None:
    known = tables()
    old = {column.name: None for column in known.reward.c} | {
        "LoyaltyRewardId": 7,
        "LoyaltyRewardName": "Gold",
        "LoyaltyRewardPoints": 1.5,
    }
    update = Rewards(known).compare_and_set(old, {"LoyaltyRewardActive": True}, "mssql")
    text = str(update.compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]
    assert "[LoyaltyRewardName] COLLATE Latin1_General_BIN2) = " in text
    assert "[LoyaltyRewardType] IS NULL" in text
    page = sa.select(known.reward).order_by(known.reward.c.LoyaltyRewardId).limit(5)
    assert "SELECT TOP" in str(page.compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]
