"""What the endpoint does beside its tables: ids, looks, notes, what it says of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.endpoints.base import Create
from connector.endpoints.dynamicweb import DynamicwebEndpoint
from connector.endpoints.dynamicweb.database import Database
from connector.endpoints.manner import Manner
from connector.errors import MapError
from tests.unit.endpoints.dynamicweb.shop import MEMBERS, REWARD, TRANSACTION, Shop, rows_of

COLUMNS = ("LoyaltyRewardName",)
ARCHIVE = "UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 WHERE LoyaltyRewardId = 4"


def test_one_database_is_one_world(shop: Shop) -> None:
    with shop.endpoint() as one, shop.endpoint() as other:
        assert one.identity() == other.identity()
        assert one.identity().clock_offset == timedelta(0)
        assert one.identity().users == frozenset()


@pytest.mark.parametrize("entity", [REWARD, MEMBERS, TRANSACTION])
def test_an_unknown_column_is_named(shop: Shop, entity: str) -> None:
    with shop.endpoint() as endpoint, pytest.raises(MapError) as raised:
        list(endpoint.scan(entity, ("Nothing",), None))
    assert raised.value.code == "column-unknown"


@pytest.mark.parametrize("proposed", ["7", "0a1b2c3d-0000-7000-8000-000000000000"])
def test_a_provisional_id_is_never_that_of_a_row(shop: Shop, proposed: str) -> None:
    for _ in range(8):
        shop.reward("Gold")
    with shop.endpoint() as endpoint:
        id = endpoint.id_for(REWARD, {"LoyaltyRewardName": "Gold"}, proposed)
        assert endpoint.read(REWARD, COLUMNS, by=None, values=[id]).rows == {}


@pytest.mark.parametrize("id", ["", "x", "01", "-1", "1.0", "9" * 40, "٣", "1 "])
def test_what_is_no_number_is_no_id(shop: Shop, id: str) -> None:
    shop.reward("Gold")
    with shop.endpoint() as endpoint:
        assert endpoint.read(REWARD, COLUMNS, by=None, values=[id]).rows == {}


def deleted(endpoint: DynamicwebEndpoint, position: str) -> list[str]:
    return [id for page in endpoint.changes(REWARD, COLUMNS, position) for id in page.deleted]


def begun(shop: Shop, endpoint: DynamicwebEndpoint) -> str:
    for name in ("A", "B", "C"):
        shop.reward(name)
    position = [*endpoint.scan(REWARD, COLUMNS, None)][-1].position
    assert position is not None
    return position


def test_a_reward_we_made_and_the_shop_archived_before_the_next_look_is_told(shop: Shop) -> None:
    with shop.endpoint() as endpoint:
        position = begun(shop, endpoint)
        endpoint.write(REWARD, COLUMNS, [Create("x", {"LoyaltyRewardName": "Gold"})])
        shop.execute(ARCHIVE)
        assert deleted(endpoint, position) == ["4"]


def test_a_reward_found_by_name_and_archived_before_the_next_look_is_told(shop: Shop) -> None:
    """As the engine finds its own create whose reply got lost."""
    with shop.endpoint() as endpoint:
        position = begun(shop, endpoint)
        id = shop.reward("Gold")
        assert endpoint.read(REWARD, COLUMNS, by=COLUMNS[0], values=["gold"]).rows
        shop.execute(ARCHIVE)
        assert deleted(endpoint, position) == [id]


def test_live_mode_does_not_compare_at_every_wake_up(shop: Shop) -> None:
    endpoint = DynamicwebEndpoint(
        Database(shop.url),
        folder=shop.folder,
        sweep=0,
        clock=lambda: 0.0,
        manner=Manner.LIVE,
        every=3600.0,
    )
    position = begun(shop, endpoint)
    first = list(endpoint.changes(REWARD, COLUMNS, position))
    shop.reward("D")
    assert rows_of(endpoint.changes(REWARD, COLUMNS, position)) == {}
    with shop.endpoint() as command:
        assert len(rows_of(command.changes(REWARD, COLUMNS, position))) == 1
    assert first[-1].position == position
    endpoint.close()
